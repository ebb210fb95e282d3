# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the tree: files, roles, tasks, options."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

# The parser in C is ten times as fast; not every machine's library has it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What may stand beside the module in a task.
TASK_KEYWORDS = frozenset(
    """action any_errors_fatal args async become become_exe become_flags become_method become_user
    block always changed_when check_mode collections connection debugger delay delegate_facts
    delegate_to diff environment failed_when gather_facts ignore_errors ignore_unreachable
    listen local_action loop loop_control module_defaults name no_log notify poll port register
    remote_user rescue retries run_once tags throttle timeout until vars when with_dict
    with_items""".split()  # noqa: SIM905
)


def files(tree: Path) -> list[Path]:
    """Return the files that git tracks, or would; without git, all there are."""
    if not (tree / ".git").exists():
        return sorted(path for path in tree.rglob("*") if path.is_file())
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"],
        cwd=tree, check=True, capture_output=True, text=True,
    )  # fmt: skip
    listed = (tree / name for name in sorted(filter(None, done.stdout.split("\0"))))
    return [path for path in listed if path.is_file()]


def text_of(path: Path) -> str:
    """Return the file's text, empty for what is not text."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def load(path: Path) -> Any:
    """Return the YAML document in *path*, an empty mapping where there is none."""
    if not path.exists():
        return {}
    return yaml.load(path.read_text(), LOADER) or {}  # noqa: S506  # it is a safe one


def roles(tree: Path) -> list[Path]:
    """Return every role's directory."""
    return sorted(path for path in tree.glob("roles/*") if path.is_dir())


def task_files(role: Path) -> list[Path]:
    """Return the role's task files."""
    return sorted(role.glob("tasks/**/*.yml"))


def flat(tasks: Any) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a list, blocks before what is in them."""
    for task in tasks or []:
        yield task
        for part in ("block", "rescue", "always"):
            yield from flat(task.get(part))


def tasks_of(role: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every task of a role with its file."""
    for path in task_files(role):
        for task in flat(load(path)):
            yield path, task


def module_of(task: Mapping[str, Any]) -> str:
    """Return the task's module, empty for a block."""
    return next((key for key in task if key not in TASK_KEYWORDS), "")


def specs(role: Path) -> dict[str, Any]:
    """Return the role's entry points with their argument specs."""
    found: dict[str, Any] = load(role / "meta/argument_specs.yml").get("argument_specs", {})
    return found


def options(role: Path) -> dict[str, Any]:
    """Return the options of all entry points together."""
    return {
        name: o for spec in specs(role).values() for name, o in (spec.get("options") or {}).items()
    }


def nested(named: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every option with its dotted name, nested ones included."""
    for name, option in named.items():
        yield prefix + name, option
        yield from nested(option.get("options") or {}, f"{prefix}{name}.")
