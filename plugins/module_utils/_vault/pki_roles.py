# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the roles of a PKI engine, which say what certificates it issues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._core.plan import Change
from .client import Vault
from .durations import seconds
from .steps import Step

_TIMES = frozenset({"ttl", "max_ttl", "not_before_duration"})
_NOT_SETTINGS = frozenset({"mount", "name", "state"})


@dataclass(frozen=True)
class Role:
    """A role that should exist, or not.

    :param settings: the fields that are said, in normal form.
    """

    mount: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    present: bool = True

    @property
    def path(self) -> str:
        """Its path in the API."""
        return f"{self.mount}/roles/{self.name}"


def normal_settings(fields: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Return fields, given by a user or by the API, in one comparable form.

    Times become seconds; lists lose their order, which means nothing in any of them.
    """
    normal = {}
    for key, value in fields.items():
        if value is None:
            continue
        if key in _TIMES:
            value = seconds(value, where=f"{where}: {key}")
        normal[key] = sorted(value) if isinstance(value, list) else value
    return normal


def roles_from(params: Mapping[str, Any]) -> tuple[Role, ...]:
    """Return what the module's options describe."""
    return tuple(
        Role(
            mount=item["mount"].strip("/"),
            name=item["name"],
            settings=normal_settings(
                {key: value for key, value in item.items() if key not in _NOT_SETTINGS},
                f"role {item['name']}",
            ),
            present=item["state"] == "present",
        )
        for item in params["roles"]
    )


def read(vault: Vault, roles: tuple[Role, ...]) -> dict[str, dict[str, Any]]:
    """Return the fields of the roles that exist, by their paths."""
    found = {}
    for role in roles:
        fields = vault.read(role.path)
        if fields is not None:
            found[role.path] = fields
    return found


def _ensure(role: Role, fields: Mapping[str, Any] | None) -> list[Step]:
    found = normal_settings(fields or {})
    differing = [key for key in role.settings if found.get(key) != role.settings[key]]
    if fields is not None and not differing:
        return []
    before = None if fields is None else {key: found.get(key) for key in differing}
    after = {key: role.settings[key] for key in differing}
    kind = "create" if fields is None else "update"
    change = Change(kind, f"PKI role {role.mount}/{role.name}", before, after)
    # The API replaces the whole role: what is not said here must be sent as it is.
    return [Step(change, "POST", role.path, {**(fields or {}), **role.settings})]


def plan(current: Mapping[str, Mapping[str, Any]], roles: tuple[Role, ...]) -> tuple[Step, ...]:
    """Return the requests that lead from *current*, fields by path, to *roles*."""
    steps: list[Step] = []
    for role in roles:
        fields = current.get(role.path)
        if role.present:
            steps += _ensure(role, fields)
        elif fields is not None:
            change = Change("delete", f"PKI role {role.mount}/{role.name}")
            steps.append(Step(change, "DELETE", role.path))
    return tuple(steps)
