# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: AppRoles of the vault and the secret-ids handed out for them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import Change
from .client import Vault
from .durations import seconds
from .steps import Step

# What check mode returns for a role that this same run would make.
PLACEHOLDER = "00000000-0000-0000-0000-000000000000"
_TIMES = ("token_ttl", "token_max_ttl", "token_period", "secret_id_ttl")
_CIDRS = ("token_bound_cidrs", "secret_id_bound_cidrs")
_LISTS = ("token_policies", *_CIDRS)
_PLAIN = ("token_type", "secret_id_num_uses")


@dataclass(frozen=True)
class AppRole:
    """A role as it should be, or as it is.

    :param settings: the API's fields in normal form: times in seconds, lists as sorted tuples.
    :param issue: whether a secret-id is wanted where none is known.
    :param accessor: of the known secret-id; read back empty when the vault does not know it.
    """

    name: str
    settings: Mapping[str, Any]
    issue: bool = True
    accessor: str = ""
    role_id: str = PLACEHOLDER


@dataclass(frozen=True)
class Desired:
    """The roles that should exist.

    :param prefix: roles whose names begin so and that are not named are removed; empty: none is.
    :param revoke_others: whether issuing a secret-id revokes all others of its role.
    """

    mount: str
    present: tuple[AppRole, ...]
    absent: frozenset[str] = frozenset()
    prefix: str = ""
    revoke_others: bool = False

    @property
    def base(self) -> str:
        """Path of the roles in the API."""
        return f"auth/{self.mount}/role"


@dataclass(frozen=True)
class Issued:
    """A secret-id that was just made."""

    accessor: str
    secret_id: str = field(repr=False)


def _network(cidr: str, where: str) -> str:
    try:
        return str(ipaddress.ip_network(cidr, strict=False))
    except ValueError:
        raise PlatformError(
            f"{cidr!r} is not an address or network", where=where, hint="such as 192.0.2.10/32"
        ) from None


def normal_settings(fields: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the fields of a role, given by a user or by the API, in one comparable form."""
    normal: dict[str, Any] = {key: fields[key] for key in _PLAIN}
    normal.update({key: seconds(fields[key], where=f"{where}: {key}") for key in _TIMES})
    for key in _LISTS:
        values = fields.get(key) or ()
        if key in _CIDRS:
            values = [_network(value, f"{where}: {key}") for value in values]
        normal[key] = tuple(sorted(set(values)))
    return normal


def accessor_in(directory: str | None) -> str:
    """Return the accessor of the login that lies in *directory*, empty where there is none.

    An accessor is no secret; without the secret-id beside it, it is worth nothing.
    """
    if not directory:
        return ""
    files = [Path(directory) / name for name in ("role-id", "secret-id", "accessor")]
    if not all(file.is_file() and file.stat().st_size for file in files):
        return ""
    return files[-1].read_text().strip()


def desired_from(params: Mapping[str, Any]) -> Desired:
    """Return what the module's options describe."""
    present = []
    absent = set()
    for item in params["approles"]:
        name = item["name"].lower()
        if item["state"] == "absent":
            absent.add(name)
            continue
        fields = {**item, "token_policies": item["policies"]}
        present.append(
            AppRole(
                name=name,
                settings=normal_settings(fields, f"approle {name}"),
                issue=item["issue_secret_id"],
                accessor=item.get("known_accessor") or accessor_in(item.get("login_directory")),
            )
        )
    return Desired(
        mount=params["mount"].strip("/"),
        present=tuple(present),
        absent=frozenset(absent),
        prefix=params.get("exclusive_prefix") or "",
        revoke_others=params["revoke_others"],
    )


def _knows(vault: Vault, path: str, accessor: str) -> bool:
    reply = vault.request(
        "POST",
        f"{path}/secret-id-accessor/lookup",
        {"secret_id_accessor": accessor},
        # HashiCorp's vault answered 403 or 500 for an unknown accessor until 1.13.
        accept=(403, 404, 500),
    )
    return reply.status == 200


def _read_one(vault: Vault, base: str, wanted: AppRole) -> AppRole | None:
    path = f"{base}/{wanted.name}"
    fields = vault.read(path)
    if fields is None:
        return None
    known = wanted.accessor and _knows(vault, path, wanted.accessor)
    return AppRole(
        name=wanted.name,
        settings=normal_settings(fields, f"approle {wanted.name}"),
        accessor=wanted.accessor if known else "",
        role_id=str((vault.read(f"{path}/role-id") or {})["role_id"]),
    )


def read(vault: Vault, desired: Desired) -> tuple[dict[str, AppRole], frozenset[str]]:
    """Return the existing roles among the desired, and the names of those that should go."""
    found = {}
    for wanted in desired.present:
        role = _read_one(vault, desired.base, wanted)
        if role is not None:
            found[role.name] = role
    named = {role.name for role in desired.present}
    if not desired.absent and not desired.prefix:
        return found, frozenset()
    names = set(vault.names(desired.base))
    matching = {name for name in names if desired.prefix and name.startswith(desired.prefix)}
    return found, frozenset((matching - named) | (names & desired.absent))


def _shown(settings: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: settings[key] for key in keys}


def plan(
    current: Mapping[str, AppRole], surplus: Iterable[str], desired: Desired
) -> tuple[Step, ...]:
    """Return the requests that lead from *current* to *desired*, secret-ids left aside."""
    steps = []
    for role in desired.present:
        found = current.get(role.name)
        before = {} if found is None else found.settings
        differing = [key for key in role.settings if before.get(key) != role.settings[key]]
        if found is not None and not differing:
            continue
        change = Change(
            "create" if found is None else "update",
            f"approle {role.name}",
            None if found is None else _shown(before, differing),
            _shown(role.settings, differing),
        )
        document = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in role.settings.items()
        }
        steps.append(Step(change, "POST", f"{desired.base}/{role.name}", document))
    for name in sorted(surplus):
        steps.append(Step(Change("delete", f"approle {name}"), "DELETE", f"{desired.base}/{name}"))
    return tuple(steps)


def to_issue(current: Mapping[str, AppRole], desired: Desired) -> tuple[str, ...]:
    """Return the names of the roles that need a secret-id."""
    return tuple(
        role.name
        for role in desired.present
        if role.issue and not (role.name in current and current[role.name].accessor)
    )


def issue(vault: Vault, desired: Desired, name: str) -> Issued:
    """Make a secret-id for the role, and revoke its others where that is wanted."""
    path = f"{desired.base}/{name}"
    others = vault.names(f"{path}/secret-id") if desired.revoke_others else ()
    data = vault.write(f"{path}/secret-id", {})
    for accessor in others:
        vault.write(f"{path}/secret-id-accessor/destroy", {"secret_id_accessor": accessor})
    return Issued(str(data["secret_id_accessor"]), str(data["secret_id"]))


def complete(vault: Vault, desired: Desired, current: Mapping[str, AppRole]) -> dict[str, AppRole]:
    """Return *current* with the role-ids of the roles that were just created."""
    roles = dict(current)
    for role in desired.present:
        if role.name not in roles:
            data = vault.read(f"{desired.base}/{role.name}/role-id") or {}
            known = str(data.get("role_id", PLACEHOLDER))
            roles[role.name] = replace(role, accessor="", role_id=known)
    return roles
