# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what can be told about roles' inputs before a host is touched."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

# Similar enough to be a slip of the keyboard, different enough from a name of one's own.
_SIMILARITY = 0.86


@dataclass(frozen=True)
class Role:
    """What a role says about its inputs.

    :param options: its options by name, as in its argument specification.
    :param defaults: its default values, untemplated.
    :param listens: options that hold a TCP port it listens on.
    :param rules: its rules, as in ``meta/rules.yml``.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    listens: Sequence[str] = ()
    rules: Sequence[Mapping[str, Any]] = ()


def _yaml(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    return yaml.safe_load(path.read_text()) or {}


def load_role(path: Path) -> Role:
    """Read the role at *path*."""
    specs = _yaml(path / "meta" / "argument_specs.yml").get("argument_specs", {})
    options: dict[str, Any] = {}
    for entry_point in specs.values():
        for name, option in (entry_point.get("options") or {}).items():
            options.setdefault(name, option)
    rules = _yaml(path / "meta" / "rules.yml")
    return Role(
        path.name,
        options,
        _yaml(path / "defaults" / "main.yml"),
        rules.get("listens", ()),
        rules.get("rules", ()),
    )


def near_misses(names: Iterable[str], roles: Sequence[Role]) -> dict[str, str]:
    """Return those of *names* that look like a misspelt option, each with that option.

    :param names: the variables that a user has set.
    :param roles: all roles of the collection, so that no role's option passes for a slip.
    """
    known = {option for role in roles for option in role.options}
    prefixes = tuple(f"{role.name}_" for role in roles)
    result = {}
    for name in names:
        if name in known or name.startswith(("_", "ansible_")):
            continue
        found = difflib.get_close_matches(name, known, n=1, cutoff=_SIMILARITY)
        if found and (name.startswith(prefixes) or found[0].startswith(prefixes)):
            result[name] = found[0]
    return result


def unknown(names: Iterable[str], roles: Sequence[Role]) -> list[str]:
    """Return those of *names* that begin like an option of *roles* and are none."""
    known = {option for role in roles for option in role.options}
    prefixes = tuple(f"{role.name}_" for role in roles)
    return sorted(name for name in names if name not in known and name.startswith(prefixes))


def overlaps(ports: Mapping[str, int]) -> list[tuple[int, list[str]]]:
    """Return each port that more than one option claims, with those options.

    :param ports: TCP port by the option that holds it.
    """
    claims: dict[int, list[str]] = {}
    for option, port in sorted(ports.items()):
        claims.setdefault(port, []).append(option)
    return [(port, options) for port, options in sorted(claims.items()) if len(options) > 1]
