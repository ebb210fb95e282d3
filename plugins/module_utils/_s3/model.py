# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: a bucket as it is, and as it shall be."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._core.errors import PlatformError
from .policy import NONE, Policy

DAYS_OF_A_YEAR = 365
_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([KMGTPE]?)(i?)B?$", re.IGNORECASE)
_BUCKET = re.compile(r"^[a-z0-9.-]+$")
_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


@dataclass(frozen=True)
class Retention:
    """How long a locked bucket keeps every new version.

    :param locked: whether the bucket has object lock at all.
    :param mode: ``governance``, ``compliance``, or ``none`` for no retention by default.
    :param unit: ``days`` or ``years``.
    """

    locked: bool = False
    mode: str = "none"
    period: int = 0
    unit: str = "days"

    @property
    def days(self) -> int:
        """Return the period in days; a year is one of 365."""
        return self.period * (DAYS_OF_A_YEAR if self.unit == "years" else 1)

    def shown(self) -> Any:
        """Return it as a diff shows it."""
        if not self.locked:
            return "off"
        return {"mode": self.mode, self.unit: self.period} if self.period else {"mode": self.mode}


@dataclass(frozen=True)
class Encryption:
    """How new objects are encrypted: ``none``, ``sse-s3``, or ``sse-kms`` with a key."""

    algorithm: str = "none"
    key: str = ""

    def shown(self) -> Any:
        """Return it as a diff shows it."""
        return f"{self.algorithm} {self.key}".strip()


@dataclass(frozen=True)
class Rule:
    """A rule of the life of objects; 0 stands for never, or none.

    :param other: what a rule of somebody else says beyond that, as text; never wanted.
    """

    id: str
    prefix: str = ""
    enabled: bool = True
    expire_days: int = 0
    expire_delete_markers: bool = False
    noncurrent_days: int = 0
    noncurrent_versions: int = 0
    abort_incomplete_days: int = 0
    other: str = ""

    def shown(self) -> Any:
        """Return it as a diff shows it: what it says."""
        return {name: value for name, value in vars(self).items() if value not in ("", 0, False)}


@dataclass(frozen=True)
class Notification:
    """Where events are told to."""

    arn: str
    events: frozenset[str]
    prefix: str = ""
    suffix: str = ""

    def shown(self) -> Any:
        """Return it as a diff shows it."""
        return {**vars(self), "events": sorted(self.events)}


@dataclass(frozen=True)
class Copy:
    """A rule that copies objects to another bucket.

    :param to: ARN of the destination; with a target of its own, URL and bucket of that.
    """

    id: str
    to: str
    priority: int = 1
    prefix: str = ""
    enabled: bool = True
    delete_markers: bool = False
    deletes: bool = False
    existing_objects: bool = False

    def shown(self) -> Any:
        """Return it as a diff shows it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Target:
    """A bucket of another MinIO, and how it is reached; its secret is never read back.

    :param bandwidth: bytes a second at most, 0 for no limit.
    """

    endpoint: str
    bucket: str
    access_key: str
    synchronous: bool = False
    bandwidth: int = 0

    @property
    def place(self) -> str:
        """Return what a rule names it by."""
        return f"{self.endpoint}/{self.bucket}"

    def shown(self) -> Any:
        """Return it as a diff shows it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Replication:
    """The rules that copy a bucket, and the targets that they need.

    :param role: who copies, on engines that want to know.
    """

    rules: frozenset[Copy] = frozenset()
    targets: frozenset[Target] = frozenset()
    role: str = ""

    def shown(self) -> Any:
        """Return it as a diff shows it."""
        return {
            **({"role": self.role} if self.role else {}),
            "rules": [rule.shown() for rule in sorted(self.rules, key=lambda rule: rule.id)],
            "targets": [one.shown() for one in sorted(self.targets, key=lambda one: one.place)],
        }


@dataclass(frozen=True)
class Bucket:
    """A bucket; of a desired one, None leaves alone what is there.

    :param versioning: whether overwritten objects are kept. Never and not any more are the same.
    :param quota: bytes, 0 for no limit.
    """

    name: str
    lock: Retention | None = None
    versioning: bool | None = None
    encryption: Encryption | None = None
    quota: int | None = None
    tags: frozenset[tuple[str, str]] | None = None
    policy: Policy | None = None
    lifecycle: frozenset[Rule] | None = None
    notifications: frozenset[Notification] | None = None
    replication: Replication | None = None


ASPECTS = tuple(name for name in Bucket.__dataclass_fields__ if name != "name")
"""What can be said about a bucket, in the order in which it is set: replication needs versions."""


def fresh(name: str, *, locked: bool = False) -> Bucket:
    """Return the bucket as it is right after its creation."""
    return Bucket(
        name,
        lock=Retention(locked),
        versioning=locked,
        encryption=Encryption(),
        quota=0,
        tags=frozenset(),
        policy=NONE,
        lifecycle=frozenset(),
        notifications=frozenset(),
        replication=Replication(),
    )


_SHOWN: Mapping[str, Callable[[Any], Any]] = {
    "lock": lambda lock: lock.shown(),
    "versioning": lambda on: "enabled" if on else "suspended",
    "encryption": lambda encryption: encryption.shown(),
    "quota": lambda quota: quota,
    "tags": lambda tags: dict(sorted(tags)),
    "policy": lambda policy: dict(policy.document),
    "lifecycle": lambda rules: [one.shown() for one in sorted(rules, key=lambda one: one.id)],
    "notifications": lambda found: [one.shown() for one in sorted(found, key=lambda one: one.arn)],
    "replication": lambda replication: replication.shown(),
}


def shown(bucket: Bucket, aspects: tuple[str, ...]) -> dict[str, Any]:
    """Return those *aspects* of the bucket as a diff shows them."""
    names = {"lock": "object_lock"}
    return {
        name_of: _SHOWN[name](getattr(bucket, name))
        for name, name_of in ((name, names.get(name, name)) for name in aspects)
    }


def size(text: str, where: str) -> int:
    """Return the bytes that *text* names: ``10GiB``, ``500 MB``, ``0``.

    :raises PlatformError: when it names none.
    """
    found = _SIZE.match(str(text).strip())
    if not found:
        raise PlatformError(
            f"{text} is no size", where=where, hint="write a number of bytes, 500MB or 10GiB"
        )
    base = 1024 if found[3] else 1000
    exponent = " KMGTPE".index(found[2].upper() or " ")
    return int(float(found[1]) * base**exponent)


def _broken_rule(name: str) -> str:
    """Return the rule of bucket names that *name* breaks, empty for a good one."""
    rules = (
        (not 3 <= len(name) <= 63, "has 3 to 63 characters"),
        (not _BUCKET.match(name), "has only small letters, digits, dots and hyphens"),
        (
            not (name[:1].isalnum() and name[-1:].isalnum()),
            "begins and ends with a letter or a digit",
        ),
        (".." in name, "has no two dots next to each other"),
        (_is_address(name), "is no IP address"),
        (name.startswith(_STARTS), f"does not begin with {', '.join(_STARTS)}"),
        (name.endswith(_ENDS), f"does not end with {', '.join(_ENDS)}"),
        (name == "minio", "is not minio, which MinIO keeps for itself"),
    )
    return next((rule for broken, rule in rules if broken), "")


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def check_name(name: str, where: str = "buckets") -> None:
    """Refuse a name that S3 forbids, with the rule that it breaks."""
    broken = _broken_rule(name)
    if broken:
        raise PlatformError(
            f"S3 forbids the name {name!r}: a bucket's name {broken}",
            where=where,
            hint="choose another name",
        )
