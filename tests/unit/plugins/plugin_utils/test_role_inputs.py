# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.plugin_utils.role_inputs import (
    UNKNOWN_YET,
    Inputs,
    Role,
    holds_secret,
    load_defaults,
    load_role,
    near_misses,
    overlaps,
    ports,
    trust_as_template,
    unknown,
)

_ROLES = Path(__file__).resolve().parents[4] / "roles"
_REAL = [load_role(path) for path in sorted(_ROLES.iterdir())]
_KNOWN = sorted({option for role in _REAL for option in role.options})
_ETCD = Role("etcd", {"etcd_hosts": {}, "etcd_client_port": {}, "etcd_peer_port": {}})


def test_a_slip_of_the_keyboard_is_told():
    slips = ["etcd_hots", "ectd_hosts", "etcd_host", "etcd_cleint_port", "etcd_hostss"]
    assert near_misses(slips, [_ETCD]) == {
        "etcd_hots": "etcd_hosts",
        "ectd_hosts": "etcd_hosts",
        "etcd_host": "etcd_hosts",
        "etcd_cleint_port": "etcd_client_port",
        "etcd_hostss": "etcd_hosts",
    }


@pytest.mark.parametrize(
    "name",
    ["etcd_hosts", "hosts", "etcd_my_own", "groups", "_etcd_hots", "__etcd_hots", "ansible_host"],
)
def test_a_name_of_ones_own_is_none(name):
    assert near_misses([name], [_ETCD]) == {}


@given(st.lists(st.sampled_from(_KNOWN)))
def test_no_option_of_a_role_passes_for_a_slip_of_another(names):
    assert near_misses(names, _REAL) == {}


@given(st.lists(st.text("abcdehost_", min_size=1, max_size=12)))
def test_what_is_told_is_a_name_that_was_given_and_an_option_that_exists(names):
    found = near_misses(names, [_ETCD])
    assert set(found) <= set(names)
    assert set(found.values()) <= set(_ETCD.options)
    assert not set(found) & set(_ETCD.options)


def test_a_missing_letter_in_a_real_option_is_told():
    missed = [
        name
        for name in _KNOWN
        if len(name) > 9 and near_misses([name[:-2] + name[-1]], _REAL) == {}
        if name[:-2] + name[-1] not in _KNOWN
    ]
    assert missed == []


def test_an_unknown_name_with_a_roles_prefix_is_told():
    names = ["etcd_my_own", "etcd_hosts", "other", "etcdx"]
    assert unknown(names, [_ETCD]) == ["etcd_my_own"]


def test_a_role_is_read_from_its_files(tmp_path):
    role = tmp_path / "etcd"
    for folder in ("meta", "defaults", "vars"):
        (role / folder).mkdir(parents=True)
    (role / "meta/argument_specs.yml").write_text(
        "argument_specs:\n"
        "  main: {options: {etcd_hosts: {type: list}}}\n"
        "  verify: {options: {etcd_hosts: {type: str}, etcd_user: {type: str}}}\n"
        "  remove: {}\n"
    )
    (role / "meta/rules.yml").write_text("listens: [etcd_port]\nrules: [{that: 'true'}]\n")
    (role / "defaults/main.yml").write_text("etcd_port: 2379\n")
    (role / "vars/main.yml").write_text("__etcd_user: etcd\n")
    assert load_role(role) == Role(
        name="etcd",
        options={"etcd_hosts": {"type": "list"}, "etcd_user": {"type": "str"}},
        defaults={"etcd_port": 2379},
        internals={"__etcd_user": "etcd"},
        listens=["etcd_port"],
        rules=[{"that": "true"}],
    )


def test_a_file_with_comments_alone_is_an_empty_one(tmp_path):
    (tmp_path / "defaults").mkdir()
    (tmp_path / "defaults/main.yml").write_text("# nothing yet\n")
    assert load_defaults(tmp_path) == {}


def test_a_role_need_not_say_anything(tmp_path):
    assert load_role(tmp_path / "bare") == Role("bare")


def test_a_roles_own_variables_can_not_be_set_from_outside():
    templar = Templar(loader=DataLoader(), variables={})
    role = Role("x", defaults={"x_port": 1}, internals={"__x_url": "port {{ x_port }}"})
    inputs = Inputs(templar, [role], {"x_port": 2, "__x_url": "mine"})
    assert inputs.value("__x_url") == "port 2"


def test_a_secret_is_seen_at_any_depth():
    secret = {"type": "str", "no_log": True}
    assert holds_secret(secret)
    assert holds_secret({"options": {"a": {"options": {"b": secret}}}})
    assert not holds_secret({"options": {"a": {"no_log": False}}})
    assert not holds_secret({"type": "dict", "options": None})


def test_only_ports_are_ports():
    values = {"a": 5432, "b": "5433", "c": 0, "d": "x", "e": None, "f": UNKNOWN_YET, "g": [1]}
    assert ports(values) == {"a": 5432, "b": 5433, "g[0]": 1}


@given(st.dictionaries(st.text(), st.integers(1, 4)))
def test_each_port_that_is_claimed_twice_is_told_once(claims):
    found = overlaps(claims)
    assert [port for port, _unused1 in found] == sorted({port for port, _unused2 in found})
    for port, options in found:
        assert options == sorted(name for name, value in claims.items() if value == port)
        assert len(options) > 1
    told = {option for _unused, options in found for option in options}
    alone = [value for name, value in claims.items() if name not in told]
    assert len(alone) == len(set(alone))


def _inputs(defaults, variables):
    given = {name: trust_as_template(value) for name, value in variables.items()}
    templar = Templar(loader=DataLoader(), variables={})
    return Inputs(templar, [Role("x", defaults=defaults)], given)


def test_values_are_what_the_role_would_see():
    inputs = _inputs(
        {
            "x_name": "demo",
            "x_text": "{{ x_name }}!",
            "x_deep": {"list": ["{{ x_name }}", 1, True]},
            "x_port": "{{ x_base | int + 1 }}",
        },
        {"x_name": "{{ other }}", "other": "shop", "x_base": "2378"},
    )
    assert inputs.value("x_text") == "shop!"
    assert inputs.value("x_deep") == {"list": ["shop", 1, True]}
    assert inputs.value("x_port") == 2379
    assert inputs.text("{{ x_name }} and more") == "shop and more"


def test_what_comes_from_a_later_task_is_not_known_yet():
    inputs = _inputs(
        {"x_password": "{{ from_vault.password }}", "x_deep": [{"a": "{{ from_vault.b }}"}]},
        {"x_file": "{{ lookup('ansible.builtin.file', '/no/such/file') }}"},
    )
    for name in ("x_password", "x_deep", "x_file", "x_never"):
        assert inputs.value(name) is UNKNOWN_YET
        assert not inputs.known([name])
    assert inputs.known([])


def test_an_expression_is_judged_with_defaults_and_variables():
    inputs = _inputs({"x_hosts": ["a", "b"], "x_on": False}, {})
    assert not inputs.holds("x_hosts | length is not divisibleby 2")
    assert inputs.holds("x_hosts | length == 2 and not x_on")
    assert inputs.holds("x_on is false")
    with pytest.raises(AnsibleError):
        inputs.holds("x_never > 1")
    with pytest.raises(AnsibleError):
        inputs.holds("x_hosts | length >")
