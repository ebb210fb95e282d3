# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret in a log, a diff or a world-readable file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from checks import check
from checks.tree import load, module_of, nested, options, roles, tasks_of, text_of

SECRET = re.compile(r"(password|secret|private_key|token|passphrase)s?$")


def _is_secret(name: str, option: dict[str, Any]) -> bool:
    """Whether an option holds a secret: by its last word, if it isn't a path or a switch."""
    return option.get("type", "str") in ("str", "dict", "list", "raw") and bool(SECRET.search(name))


def _mentions(text: str, names: set[str]) -> set[str]:
    """Return the names whose value is in *text*: asking whether there is one gives nothing away."""
    asked = r"(?!\s*\|\s*length|\s+is\s)"
    return {name for name in names if re.search(rf"\b{name}\b{asked}", text)}


def secret_variables(role: Path) -> set[str]:
    """Return the options with no_log, and the internal variables that are made from them."""
    secret = {
        name
        for name, option in options(role).items()
        if option.get("no_log")
        or any(o.get("no_log") for _n, o in nested(option.get("options") or {}))
    }
    internal = {k: v for path in role.glob("vars/**/*.yml") for k, v in load(path).items()}
    grown = True
    while grown:
        found = {k for k, v in internal.items() if _mentions(yaml.safe_dump(v), secret)}
        grown = not found <= secret
        secret |= found
    return secret


def _keeps_secrets(tree: Path, module: str) -> bool:
    """Whether a module is ours and marks options as secret, so that its diff can be shown."""
    path = tree / f"plugins/modules/{module.removeprefix('mcp.platform.')}.py"
    if not module.startswith("mcp.platform.") or not path.exists():
        return False
    packages = set(re.findall(r"module_utils\.(_\w+)\.", path.read_text())) - {"_core"}
    sources = [
        path,
        *(p for name in packages for p in tree.glob(f"plugins/module_utils/{name}/*.py")),
    ]
    return any("no_log" in source.read_text() for source in sources)


def _placed_files(node: Any) -> Iterator[dict[str, Any]]:
    """Yield everything below *node* that looks like an entry of config_files."""
    if isinstance(node, dict):
        if "dest" in node and ("template" in node or "content" in node):
            yield node
        for value in node.values():
            yield from _placed_files(value)
    elif isinstance(node, list):
        for value in node:
            yield from _placed_files(value)


@check
def secret_options_are_not_logged(tree: Path) -> list[str]:
    """Every option that is named like a secret has ``no_log: true`` in the spec."""
    problems = []
    for role in roles(tree):
        for name, option in nested(options(role)):
            # 'no_log: false' says that the name only sounds like one.
            if _is_secret(name, option) and "no_log" not in option:
                problems.append(f"{role.name}: {name} has no 'no_log: true'")
    return problems


@check
def tasks_with_secrets_are_not_logged(tree: Path) -> list[str]:
    """A task whose arguments hold a secret is not logged, unless its module keeps it to itself."""
    problems = []
    for role in roles(tree):
        secret = secret_variables(role)
        for path, task in tasks_of(role):
            module = module_of(task)
            if not module or task.get("no_log") or "import_" in module:
                continue
            given = yaml.safe_dump([task.get("loop"), task.get("args")])
            if not _keeps_secrets(tree, module):
                given += yaml.safe_dump(task.get(module))
            for name in sorted(_mentions(given, secret)):
                problems.append(f"{path.relative_to(tree)}: '{task.get('name')}' would log {name}")
    return problems


@check
def files_with_secrets_are_sensitive(tree: Path) -> list[str]:
    """A file that a secret is rendered into is sensitive, and not readable by everyone."""
    problems = []
    for role in roles(tree):
        secret = secret_variables(role)
        sources = [*role.glob("tasks/**/*.yml"), *role.glob("vars/**/*.yml")]
        for entry in (e for path in sources for e in _placed_files(load(path))):
            template = role / "templates" / str(entry.get("template", "-"))
            text = str(entry.get("content", "")) + (text_of(template) if template.is_file() else "")
            if not _mentions(text, secret):
                continue
            where = f"{role.name}: {entry['dest']}"
            if entry.get("sensitive") is not True:
                problems.append(f"{where} holds a secret and is not 'sensitive: true'")
            if not re.search(r"0$", str(entry.get("mode", "0644"))):
                problems.append(f"{where} holds a secret and is readable by everyone")
    return problems
