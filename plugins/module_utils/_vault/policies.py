# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: policies of the vault."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import Change
from .client import Vault
from .steps import Step

_PREFIX = "sys/policies/acl"
# The vault refuses to lose these two; root can't be changed either.
_BUILT_IN = frozenset({"default", "root"})
# A quoted string is kept as it is; any other white space counts only as "some" or "a new line".
_TOKEN = re.compile(r'("(?:[^"\\\n]|\\.)*")|([ \t]*\n\s*)|([ \t]+)')


@dataclass(frozen=True)
class Desired:
    """The policies that should exist: text by name.

    :param exclusive: whether policies that are not named are removed, the built-in ones excepted.
    """

    present: Mapping[str, str]
    absent: frozenset[str] = frozenset()
    exclusive: bool = False


def normalised(text: str) -> str:
    """Return *text* with all white space that means nothing made equal."""

    def replaced(match: re.Match[str]) -> str:
        quoted, new_line, _unused = match.groups()
        return quoted or ("\n" if new_line else " ")

    return _TOKEN.sub(replaced, text.strip())


def rendered(paths: Iterable[Mapping[str, Any]]) -> str:
    """Return the policy text of *paths*, each a mapping with ``path`` and ``capabilities``."""
    blocks = []
    for item in paths:
        capabilities = ", ".join(f'"{capability}"' for capability in item["capabilities"])
        blocks.append(f'path "{item["path"]}" {{\n  capabilities = [{capabilities}]\n}}\n')
    return "\n".join(blocks)


def _text(item: Mapping[str, Any]) -> str:
    given = item.get("rules"), item.get("paths")
    if (given[0] is None) == (given[1] is None):
        raise PlatformError(
            "give either rules or paths, not both and not neither", where=f"policy {item['name']}"
        )
    text = given[0] if given[0] is not None else rendered(item["paths"])
    if not text.strip():
        raise PlatformError(
            "a policy can't be empty",
            where=f"policy {item['name']}",
            hint="allow at least one path, or set state to absent",
        )
    return str(text)


def desired_from(params: Mapping[str, Any]) -> Desired:
    """Return what the module's options describe; the vault keeps names in lower case."""
    present = {}
    absent = set()
    for item in params["policies"]:
        name = item["name"].lower()
        if name == "root" or (name in _BUILT_IN and item["state"] == "absent"):
            raise PlatformError(
                "this policy is built in", where=f"policy {name}", hint="choose another name"
            )
        if item["state"] == "absent":
            absent.add(name)
        else:
            present[name] = _text(item)
    return Desired(present, frozenset(absent), params["exclusive"])


def read(vault: Vault, desired: Desired) -> dict[str, str]:
    """Return the text of every policy that the plan has to look at."""
    names = vault.names(_PREFIX)
    relevant = set(desired.present) | desired.absent
    found = {}
    for name in names:
        if (name not in _BUILT_IN and desired.exclusive) or name in relevant:
            found[name] = str((vault.read(f"{_PREFIX}/{name}") or {}).get("policy", ""))
    return found


def plan(current: Mapping[str, str], desired: Desired) -> tuple[Step, ...]:
    """Return the requests that lead from *current* to *desired*."""
    steps = []
    for name, text in desired.present.items():
        found = current.get(name)
        if found is None or normalised(found) != normalised(text):
            kind = "create" if found is None else "update"
            change = Change(kind, f"policy {name}", found, text)
            steps.append(Step(change, "PUT", f"{_PREFIX}/{name}", {"policy": text}))
    for name, found in sorted(current.items()):
        unwanted = desired.exclusive and name not in _BUILT_IN and name not in desired.present
        if name in desired.absent or unwanted:
            change = Change("delete", f"policy {name}", before=found)
            steps.append(Step(change, "DELETE", f"{_PREFIX}/{name}"))
    return tuple(steps)
