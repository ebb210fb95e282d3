# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a template is written, and that it can be rendered strictly."""

from __future__ import annotations

from pathlib import Path

import jinja2
from jinja2 import meta, nodes

from checks import check
from checks.tree import load, options, roles, tasks_of, text_of

NO_COMMENTS = {".json", ".state", ".acl"}  # formats that a comment can't begin
PLACES = {"etc", "usr", "var", "lib", "opt"}
# What Ansible gives to every template.
GIVEN = {
    "ansible_facts", "ansible_managed", "ansible_check_mode", "ansible_host", "ansible_play_hosts",
    "group_names", "groups", "hostvars", "inventory_hostname", "inventory_hostname_short", "lookup",
    "now", "omit", "query", "role_path", "template_path", "undef", "range", "dict", "namespace",
    "lipsum", "cycler", "joiner", "item",
}  # fmt: skip


class _AnyName(dict):  # type: ignore[type-arg]
    """Stands for Ansible's filters and tests, which are known only where its plugins are loaded."""

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: object = None) -> object:
        return super().get(name, str)

    __getitem__ = get


def environment() -> jinja2.Environment:
    """Return an environment that parses what Ansible renders."""
    made = jinja2.Environment(  # noqa: S701  # nothing is rendered here, and no HTML
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        trim_blocks=True,
    )
    made.filters, made.tests = _AnyName(made.filters), _AnyName(made.tests)
    return made


def _templates(tree: Path) -> list[tuple[Path, Path]]:
    return [
        (role, path)
        for role in roles(tree)
        for path in sorted(role.glob("templates/**/*"))
        if path.is_file()
    ]


@check
def templates_stand_where_their_files_go(tree: Path) -> list[str]:
    """Mirrored below templates/, macros in templates/macros, all of them .j2."""
    problems = []
    for role, path in _templates(tree):
        inside = path.relative_to(role / "templates")
        if path.suffix != ".j2" or inside.parts[0] not in PLACES | {"macros"}:
            problems.append(f"{path.relative_to(tree)}: is not templates/etc/….j2 or alike")
    return problems


@check
def templates_have_a_header(tree: Path) -> list[str]:
    """The first lines carry the licence, and say that Ansible writes the file."""
    problems = []
    for role, path in _templates(tree):
        if NO_COMMENTS & set(path.suffixes):
            continue
        head = "\n".join(path.read_text().splitlines()[:6])
        if "SPDX-License-Identifier: GPL-3.0-or-later" not in head:
            problems.append(f"{path.relative_to(tree)}: no SPDX line in the first lines")
        # What only other templates include is no file of its own.
        name = str(path.relative_to(role / "templates"))
        placed = any(name in text_of(source) for source in role.rglob("*.yml"))
        if placed and "ansible_managed" not in head:
            problems.append(f"{path.relative_to(tree)}: no ansible_managed in the first lines")
    return problems


@check
def templates_parse_and_know_their_variables(tree: Path) -> list[str]:
    """Rendered strictly, an unknown name is a failure on the host; here it is one before."""
    problems = []
    for role, path in _templates(tree):
        known = GIVEN | set(options(role))
        known |= {name for file in role.glob("vars/**/*.yml") for name in load(file)}
        for _file, task in tasks_of(role):
            known |= {task.get("register"), *(task.get("vars") or {})}
            known |= set(task.get("ansible.builtin.set_fact") or {})
        try:
            parsed = environment().parse(path.read_text())
        except jinja2.TemplateSyntaxError as error:
            problems.append(f"{path.relative_to(tree)}:{error.lineno}: {error.message}")
            continue
        guarded = {
            node.node.name
            for node in parsed.find_all(nodes.Filter)
            if node.name == "default" and isinstance(node.node, nodes.Name)
        }
        for name in sorted(meta.find_undeclared_variables(parsed) - known - guarded):
            problems.append(f"{path.relative_to(tree)}: knows no {name}")
    return problems


@check
def templates_are_used(tree: Path) -> list[str]:
    """Every template is named by a task, a variable or another template."""
    problems = []
    for role, path in _templates(tree):
        name = str(path.relative_to(role / "templates"))
        others = (p for p in role.rglob("*") if p.suffix in (".yml", ".j2") and p != path)
        if not any(name in other.read_text() or path.name in other.read_text() for other in others):
            problems.append(f"{path.relative_to(tree)}: nothing uses it")
    return problems
