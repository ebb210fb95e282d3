# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a file a module, and a package its private core."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from checks import check
from checks.generated import generate_docs
from checks.tree import load, text_of

DOCUMENTED = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
LONGEST = 80
ELSEWHERE = "tests/integration/tested_elsewhere.yml"
HEADER = (
    "Copyright: Contributors to the mcp.platform project",
    "GNU General Public License v3.0+",
    "SPDX-License-Identifier: GPL-3.0-or-later",
)
# Modules with this fragment share a connection, so module_defaults must reach them as a group.
CONNECTIONS = {"mcp.platform.vault": "vault"}


def _modules(tree: Path) -> list[Path]:
    return sorted(tree.glob("plugins/modules/*.py"))


def _fragments(module: Path) -> list[str]:
    found = generate_docs.documentation(module).get("extends_documentation_fragment") or []
    return [found] if isinstance(found, str) else list(found)


def _attributes(module: Path) -> dict[str, Any]:
    return dict(generate_docs.documentation(module).get("attributes") or {})


def _is_code(node: ast.stmt) -> bool:
    """Whether a statement is more than documentation."""
    if isinstance(node, ast.Assign):
        return getattr(node.targets[0], "id", "") not in DOCUMENTED
    return not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


@check
def python_files_have_the_header(tree: Path) -> list[str]:
    """Copyright, licence and SPDX line, in this order, at the top."""
    problems = []
    for path in sorted(tree.glob("plugins/**/*.py")) + sorted(tree.glob("tests/**/*.py")):
        lines = [line for line in text_of(path).splitlines()[:4] if not line.startswith("#!")]
        if path.stat().st_size and not all(
            part in line for part, line in zip(HEADER, lines + [""] * 3)
        ):
            problems.append(f"{path.relative_to(tree)}: no licence header")
    return problems


@check
def modules_are_documented(tree: Path) -> list[str]:
    """Documentation, examples, return values, the version, and the four attributes."""
    problems = []
    for path in _modules(tree):
        text, where = path.read_text(), path.relative_to(tree)
        problems += [
            f"{where}: no {part}" for part in sorted(DOCUMENTED) if f"{part} = " not in text
        ]
        if not generate_docs.documentation(path).get("version_added"):
            problems.append(f"{where}: no version_added")
        if not any(name.startswith("mcp.platform.attributes") for name in _fragments(path)):
            problems.append(f"{where}: states no attributes")
        if "mcp.platform.attributes.info_module" not in _fragments(path):
            for attribute in {"check_mode", "diff_mode", "idempotent"} - set(_attributes(path)):
                problems.append(f"{where}: says nothing about {attribute}")
    return problems


@check
def attributes_are_truthful(tree: Path) -> list[str]:
    """What a module says about check mode is what its code tells Ansible."""
    problems = []
    for path in _modules(tree):
        said = _attributes(path).get("check_mode", {}).get("support")
        if "mcp.platform.attributes.info_module" in _fragments(path):
            said = said or "full"
        code = re.findall(r"supports_check_mode\W+(True|False)", path.read_text())
        supported = "False" not in code  # _core.module.run supports it unless told otherwise
        if said in ("full", "partial") and not supported:
            problems.append(f"{path.relative_to(tree)}: says check_mode {said}, code refuses it")
        if said == "none" and supported:
            problems.append(f"{path.relative_to(tree)}: says check_mode none, code supports it")
        for name, attribute in _attributes(path).items():
            if attribute.get("support") == "partial" and not attribute.get("details"):
                problems.append(f"{path.relative_to(tree)}: {name} is partial, and not explained")
    return problems


@check
def modules_are_short(tree: Path) -> list[str]:
    """At most 80 lines beside the documentation: the work is in module_utils."""
    problems = []
    for path in _modules(tree):
        nodes = [node for node in ast.parse(path.read_text()).body if _is_code(node)]
        length = sum((node.end_lineno or 0) - node.lineno + 1 for node in nodes)
        if length > LONGEST:
            problems.append(
                f"{path.relative_to(tree)}: {length} lines of code, {LONGEST} are allowed"
            )
    return problems


@check
def connections_are_action_groups(tree: Path) -> list[str]:
    """Modules that share a connection are in its group, and only groups that exist are named."""
    problems = []
    for path in _modules(tree):
        fragments = _fragments(path)
        for fragment, group in CONNECTIONS.items():
            if (
                fragment in fragments
                and f"mcp.platform.attributes.actiongroup_{group}" not in fragments
            ):
                problems.append(f"{path.relative_to(tree)}: is not in the action group {group}")
    return problems


@check
def action_groups_are_those_documented(tree: Path) -> list[str]:
    """meta/runtime.yml lists the modules whose documentation names the group."""
    listed = load(tree / "meta/runtime.yml").get("action_groups") or {}
    wanted = generate_docs.action_groups(tree)
    return [
        f"meta/runtime.yml: {group} is {listed.get(group)}, the modules say {wanted.get(group)}"
        for group in sorted({*listed, *wanted})
        if listed.get(group) != wanted.get(group)
    ]


@check
def private_code_says_so(tree: Path) -> list[str]:
    """The first line of every docstring below module_utils and plugin_utils."""
    problems = []
    paths = [*tree.glob("plugins/module_utils/**/*.py"), *tree.glob("plugins/plugin_utils/**/*.py")]
    for path in sorted(paths):
        docstring = ast.get_docstring(ast.parse(text_of(path))) or ""
        if path.stat().st_size and "rivate to mcp.platform" not in docstring.split("\n")[0]:
            problems.append(f"{path.relative_to(tree)}: does not say 'Private to mcp.platform'")
        if path.parts[-3] == "module_utils" and not path.parent.name.startswith("_"):
            problems.append(f"{path.relative_to(tree)}: is in a public package")
    return problems


@check
def private_packages_have_unit_tests(tree: Path) -> list[str]:
    """Each package of module_utils, and each file of plugin_utils."""
    problems = []
    unit = tree / "tests/unit/plugins"
    for package in sorted(tree.glob("plugins/module_utils/_*/")):
        if not list((unit / "module_utils" / package.name).glob("test_*.py")):
            problems.append(f"plugins/module_utils/{package.name}: no unit test")
    for path in sorted(tree.glob("plugins/plugin_utils/*.py")):
        tested = list(unit.glob(f"*/test_{path.stem}*.py"))
        if path.stem != "__init__" and not tested:
            problems.append(f"{path.relative_to(tree)}: no unit test")
    return problems


@check
def modules_meet_their_service(tree: Path) -> list[str]:
    """A target calls each module, or one list says where else it is tested, and why."""
    targets = sorted(tree.glob("tests/integration/targets/**/*.yml"))
    called = "\n".join(text_of(path) for path in targets)
    elsewhere = load(tree / ELSEWHERE)
    problems = []
    for name in [path.stem for path in _modules(tree)]:
        tested = re.search(rf"\bmcp\.platform\.{name}:", called)
        place = elsewhere.get(name) or {}
        if not tested and not place.get("why"):
            problems.append(f"{name}: no target calls it, and {ELSEWHERE} gives no reason")
        if place and not (tree / str(place.get("by", "-"))).exists():
            problems.append(f"{ELSEWHERE}: {name} is tested by nothing that exists")
        if tested and name in elsewhere:
            problems.append(f"{ELSEWHERE}: {name} has a target now")
    known = {path.stem for path in _modules(tree)}
    return problems + [
        f"{ELSEWHERE}: there is no {name}" for name in sorted(set(elsewhere) - known)
    ]
