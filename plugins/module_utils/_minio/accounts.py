# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: MinIO's users, groups and access keys, real and desired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._core.errors import PlatformError
from .._s3.policy import Policy

KINDS = ("users", "groups", "access_keys")
_NOUNS = {"users": "user", "groups": "group", "access_keys": "access key"}
# The server's own limits. It says 20 for users too, and takes longer names of them.
_SHORTEST_NAME, _LONGEST_KEY = 3, 20
_SHORTEST_SECRET, _LONGEST_SECRET = 8, 40


def noun(kind: str) -> str:
    """Return what one of that *kind* is called."""
    return _NOUNS[kind]


@dataclass(frozen=True)
class User:
    """A user; of a desired one, None leaves alone what is there."""

    name: str
    enabled: bool = True
    policies: frozenset[str] | None = frozenset()

    def shown(self) -> dict[str, Any]:
        """Return it as a diff shows it."""
        return {"enabled": self.enabled, "policies": sorted(self.policies or ())}


@dataclass(frozen=True)
class Group:
    """A group; of a desired one, None leaves alone what is there."""

    name: str
    enabled: bool = True
    policies: frozenset[str] | None = frozenset()
    members: frozenset[str] | None = frozenset()

    def shown(self) -> dict[str, Any]:
        """Return it as a diff shows it."""
        return {
            "enabled": self.enabled,
            "policies": sorted(self.policies or ()),
            "members": sorted(self.members or ()),
        }


@dataclass(frozen=True)
class Key:
    """An access key of a user; of a desired one, None leaves alone what is there.

    :param policy: what it may do at most; an empty one for all that its user may.
    :param expires: seconds since the epoch, 0 for never.
    """

    name: str
    user: str
    enabled: bool = True
    policy: Policy | None = None
    label: str | None = None
    description: str | None = None
    expires: int | None = None

    def shown(self) -> dict[str, Any]:
        """Return it as a diff shows it: what is known of it."""
        said = {
            "label": self.label,
            "description": self.description,
            "policy": dict(self.policy.document) if self.policy else None,
            "expires": self.expires,
        }
        known = {name: value for name, value in said.items() if value is not None}
        return {"user": self.user, "enabled": self.enabled, **known}


@dataclass(frozen=True)
class Accounts:
    """Users, groups and access keys by name."""

    users: Mapping[str, User] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    access_keys: Mapping[str, Key] = field(default_factory=dict)

    def of(self, kind: str) -> Mapping[str, Any]:
        """Return those of one *kind*."""
        found: Mapping[str, Any] = getattr(self, kind)
        return found


@dataclass(frozen=True)
class Desired:
    """What shall be.

    :param absent: names that shall not exist, by kind.
    :param secrets: secret keys of users and access keys by name; never shown.
    :param spoken: the kinds that a list was given for; the others are left alone.
    """

    accounts: Accounts
    absent: Mapping[str, frozenset[str]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    spoken: frozenset[str] = frozenset(KINDS)
    exclusive: bool = False
    protected: frozenset[str] = frozenset()

    def names(self, kind: str) -> set[str]:
        """Return all names of one *kind* that somebody speaks for."""
        return {*self.accounts.of(kind), *self.absent.get(kind, ())}


@dataclass(frozen=True)
class Current:
    """What the server has.

    :param wrong: names whose given secret does not open them.
    :param untested: names whose given secret could not be tried, because they are disabled.
    :param policies: all policies of the server.
    :param own: names that the module's own login lives by.
    :param now: seconds since the epoch.
    """

    accounts: Accounts
    wrong: frozenset[str] = frozenset()
    untested: frozenset[str] = frozenset()
    policies: Mapping[str, Policy] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    now: int = 0


def check_name(kind: str, name: str) -> None:
    """Refuse a name that the server forbids."""
    where = f"{noun(kind)} {name}"
    if not name or name != name.strip() or "=" in name or "," in name:
        raise PlatformError(
            f"{name!r} is no name for a {noun(kind)}",
            where=kind,
            hint="no comma, no equals sign, and no space at its ends",
        )
    if kind != "groups" and len(name) < _SHORTEST_NAME:
        raise PlatformError(
            "the name is too short", where=where, hint=f"at least {_SHORTEST_NAME} signs"
        )
    if kind == "access_keys" and len(name) > _LONGEST_KEY:
        raise PlatformError(
            "the name of an access key is too long", where=where, hint=f"{_LONGEST_KEY} at most"
        )


def check_secret(kind: str, name: str, secret: str) -> None:
    """Refuse a secret that the server forbids, without showing it."""
    if not _SHORTEST_SECRET <= len(secret) <= _LONGEST_SECRET:
        raise PlatformError(
            f"the secret has {len(secret)} signs",
            where=f"{noun(kind)} {name}",
            hint=f"MinIO wants {_SHORTEST_SECRET} to {_LONGEST_SECRET}",
        )
