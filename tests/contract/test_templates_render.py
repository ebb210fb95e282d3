# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible itself renders every template, with the defaults and samples of the rest."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import miniature
import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from checks.tree import options

TREE = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(TREE.glob("roles/*/templates/**/*.j2"))
HOSTS = {f"node{n}": {"platform_address": f"192.0.2.{n}"} for n in (1, 2, 3)}
SAMPLES = {"bool": True, "dict": {}, "int": 1000, "list": list(HOSTS), "path": "/etc/sample"}
# What a role's tasks register before its templates are rendered.
REGISTERED = {f"__{role}_host": {"memory_mb": 8192} for role in ("patroni", "redis_cluster")}
HOST = {
    "ansible_check_mode": False,
    "ansible_facts": {"architecture": "x86_64", "memtotal_mb": 8192, "processor_vcpus": 4},
    "ansible_managed": "Ansible managed",
    "ansible_play_hosts": list(HOSTS),
    "groups": {"all": list(HOSTS)},
    "hostvars": HOSTS,
    "inventory_hostname": "node1",
    "platform_address": "192.0.2.1",
}


@pytest.fixture(scope="module", autouse=True)
def _plugins() -> None:
    init_plugin_loader([str(TREE / ".cache/collections")])


def render(role: Path, template: Path) -> str:
    """Return what Ansible makes of the template; an undefined name or attribute is an error."""
    loader = DataLoader()
    loader.set_basedir(str(role))
    required = {name: option for name, option in options(role).items() if option.get("required")}
    variables: dict[str, Any] = {
        name: SAMPLES.get(option.get("type", "str"), "sample") for name, option in required.items()
    }
    for name in ("defaults/main.yml", "vars/main.yml"):
        if (role / name).exists():
            variables.update(
                loader.load_from_file(str(role / name), trusted_as_template=True) or {}
            )
    templar = Templar(loader, variables={**HOST, **REGISTERED, "role_path": str(role), **variables})
    searching = templar.copy_with_new_env(searchpath=[str(role / "templates")])
    return str(searching.template(trust_as_template(template.read_text())))


@pytest.mark.parametrize(
    "template", TEMPLATES, ids=lambda path: str(path.relative_to(TREE / "roles"))
)
def test_template_renders(template: Path) -> None:
    text = render(TREE / template.relative_to(TREE).parents[-3], template)
    assert text.strip()
    if ".json" in template.suffixes:
        json.loads(text)
    if ".yml" in template.suffixes:
        yaml.safe_load(text)
    if re.match(r"#!.*\b(ba)?sh\b", text):
        checked = subprocess.run(
            ["shellcheck", "-"], input=text, text=True, capture_output=True, check=False
        )
        assert not checked.returncode, checked.stdout


def test_an_unknown_attribute_is_an_error(tmp_path: Path) -> None:
    miniature.write(tmp_path)
    role = tmp_path / "roles/store"
    template = role / "templates/etc/store.conf.j2"
    template.write_text("{{ store_hosts | first }} {{ store_port }}")
    assert render(role, template) == "node1 7000"
    (role / "vars/main.yml").write_text('__store_x: "{{ store_port + 1 }}"\n')
    template.write_text("{{ __store_x }}")
    assert render(role, template) == "7001"
    template.write_text("{{ hostvars.node1.nothing }}")
    with pytest.raises(AnsibleError):
        render(role, template)
