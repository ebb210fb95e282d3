# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the options of a bucket, read into what is wished."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._core.errors import PlatformError
from .client import server_url
from .model import (
    Bucket,
    Copy,
    Encryption,
    Notification,
    Replication,
    Retention,
    Rule,
    Target,
    check_name,
    size,
)
from .plan import Wish
from .policy import Policy, is_public
from .policy_check import Words, checked

_PRESENT = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_ON = {"type": "bool", "default": True}
_OFF = {"type": "bool", "default": False}
_STR = {"type": "str"}
_INT = {"type": "int"}
_NEEDED = {"type": "str", "required": True}


def _list(options: dict[str, Any]) -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "options": options}


def _choice(*choices: str) -> dict[str, Any]:
    return {"type": "str", "choices": list(choices), "required": True}


_TARGET_SPEC = {
    "endpoint": _NEEDED,
    "bucket": _NEEDED,
    "access_key": {**_NEEDED, "no_log": False},
    "secret_key": {**_NEEDED, "no_log": True},
    "refresh": _OFF,
    "synchronous": _OFF,
    "bandwidth": {"type": "str", "default": "0"},
}
BUCKET_SPEC: dict[str, dict[str, Any]] = {
    "name": _NEEDED,
    "state": _PRESENT,
    "versioning": {"type": "str", "choices": ["enabled", "suspended"]},
    "object_lock": {
        "type": "dict",
        "options": {
            "mode": _choice("none", "governance", "compliance"),
            "days": _INT,
            "years": _INT,
        },
    },
    "encryption": {
        "type": "dict",
        "options": {
            "algorithm": _choice("none", "sse-s3", "sse-kms"),
            "key": {"type": "str", "no_log": False},
        },
    },
    "quota": _STR,
    "tags": {"type": "dict"},
    "policy": {"type": "raw"},
    "lifecycle": _list(
        {
            "id": _NEEDED,
            "enabled": _ON,
            "prefix": _STR,
            "expire_days": _INT,
            "expire_delete_markers": _OFF,
            "noncurrent_days": _INT,
            "noncurrent_versions": _INT,
            "abort_incomplete_days": _INT,
        }
    ),
    "notifications": _list(
        {
            "arn": _NEEDED,
            "events": {"type": "list", "elements": "str", "required": True},
            "prefix": _STR,
            "suffix": _STR,
        }
    ),
    "replication": _list(
        {
            "id": _NEEDED,
            "priority": _INT,
            "enabled": _ON,
            "prefix": _STR,
            "delete_markers": _OFF,
            "deletes": _OFF,
            "existing_objects": _OFF,
            "arn": _STR,
            "target": {"type": "dict", "options": _TARGET_SPEC},
        }
    ),
    "replication_role": _STR,
    "force_delete": _OFF,
    "allow_public": _OFF,
    "allow_weaker_retention": _OFF,
}
"""The argument spec of an entry of the option ``buckets``."""

_NUMBERS = (*("expire_days", "noncurrent_days", "noncurrent_versions", "abort_incomplete_days"),)
_EVENT = re.compile(r"^s3:[A-Za-z]+:(\*|[A-Za-z]+)$")
_ARN = re.compile(r"^arn:[a-z-]+:[a-z0-9-]+:[^:]*:[^:]*:.+$")
# MinIO writes its region into the ARN of a target for events when it reads it back.
_MINIO_ARN = re.compile(r"^(arn:minio:sqs):[^:]*:")
_MOST_TAGS, _LONGEST_TAG = 50, 128
_LONGEST_RETENTION = 36500


def _refuse(where: str, what: str, hint: str) -> PlatformError:
    return PlatformError(what, where=where, hint=hint)


def event_arn(arn: str) -> str:
    """Return the ARN of a target for events without MinIO's region in it."""
    return _MINIO_ARN.sub(r"\1::", arn)


def _retention(options: Mapping[str, Any] | None, where: str) -> Retention | None:
    if options is None:
        return None
    mode, units = options["mode"], [unit for unit in ("days", "years") if options.get(unit)]
    if mode == "none" and units:
        raise _refuse(
            where, f"a retention of some {units[0]} needs a mode", "governance or compliance"
        )
    if mode == "none":
        return Retention(True)
    if len(units) != 1 or options[units[0]] < 1:
        raise _refuse(where, f"{mode} needs exactly one of days and years", "give one, above 0")
    found = Retention(True, mode, options[units[0]], units[0])
    if found.days > _LONGEST_RETENTION:
        raise _refuse(where, "the retention is too long", "S3 allows 100 years")
    return found


def _encryption(options: Mapping[str, Any] | None, where: str) -> Encryption | None:
    if options is None:
        return None
    algorithm, key = options["algorithm"], options.get("key") or ""
    if (algorithm == "sse-kms") != bool(key):
        raise _refuse(
            where, "a key belongs to sse-kms, and sse-kms needs one", "give both, or none"
        )
    return Encryption(algorithm, key)


def _rule(options: Mapping[str, Any], where: str) -> Rule:
    where = f"{where}, rule {options['id']}"
    numbers: dict[str, Any] = {name: options.get(name) or 0 for name in _NUMBERS}
    if any(number < 0 for number in numbers.values()):
        raise _refuse(where, "a number is below 0", "leave out what shall never happen")
    markers = bool(options.get("expire_delete_markers"))
    if not markers and not any(numbers.values()):
        raise _refuse(where, "the rule does nothing", "give it days, or leave it out")
    if markers and numbers["expire_days"]:
        raise _refuse(
            where,
            "S3 takes either expire_days or expire_delete_markers in a rule",
            "expired objects lose their markers too, or make two rules",
        )
    return Rule(
        id=options["id"],
        prefix=options.get("prefix") or "",
        enabled=bool(options.get("enabled", True)),
        expire_delete_markers=markers,
        **numbers,
    )


def _notification(options: Mapping[str, Any], where: str) -> Notification:
    where = f"{where}, notification {options['arn']}"
    if not _ARN.match(options["arn"]):
        raise _refuse(
            where, "this is no ARN", "write arn:minio:sqs::NAME:KIND, as minio_info has it"
        )
    if not options["events"]:
        raise _refuse(where, "no event is named", "for example s3:ObjectCreated:*")
    for event in options["events"]:
        if not _EVENT.match(event):
            raise _refuse(where, f"{event} is no event", "write it like s3:ObjectCreated:Put")
    return Notification(
        event_arn(options["arn"]),
        frozenset(options["events"]),
        options.get("prefix") or "",
        options.get("suffix") or "",
    )


def _target(options: Mapping[str, Any], where: str) -> Target:
    check_name(options["bucket"])
    bandwidth = size(options.get("bandwidth") or "0", where)
    # The server's own limit.
    if 0 < bandwidth < 100_000_000:
        raise _refuse(where, "a bandwidth below 100 MB a second is refused", "0 is no limit")
    return Target(
        server_url(options["endpoint"], where),
        options["bucket"],
        options["access_key"],
        bool(options.get("synchronous")),
        bandwidth,
    )


class _Copies:
    """Reads the rules that copy, with the targets that they name."""

    def __init__(self, where: str) -> None:
        self._where = where
        self.rules: list[Copy] = []
        self.targets: dict[str, Target] = {}
        self.secrets: dict[str, str] = {}
        self.refresh: set[str] = set()

    def read(self, options: Mapping[str, Any]) -> None:
        """Take one rule in."""
        where = f"{self._where}, replication {options['id']}"
        target, arn = options.get("target"), options.get("arn")
        if bool(target) == bool(arn):
            raise _refuse(where, "give either arn or target", "arn names what exists already")
        if target:
            arn = self._read_target(target, where)
        self.rules.append(
            Copy(
                id=options["id"],
                to=str(arn),
                priority=options.get("priority") or len(self.rules) + 1,
                prefix=options.get("prefix") or "",
                **{
                    name: bool(options.get(name, default))
                    for name, default in (
                        ("enabled", True),
                        ("delete_markers", False),
                        ("deletes", False),
                        ("existing_objects", False),
                    )
                },
            )
        )

    def _read_target(self, options: Mapping[str, Any], where: str) -> str:
        target = _target(options, where)
        known = self.targets.setdefault(target.place, target)
        if known != target:
            raise _refuse(where, f"{target.place} is described in two ways", "make them the same")
        self.secrets[target.place] = options["secret_key"]
        if options.get("refresh"):
            self.refresh.add(target.place)
        return target.place

    def replication(self, role: str) -> Replication:
        """Return what was read."""
        priorities = [rule.priority for rule in self.rules]
        if len(set(priorities)) < len(priorities):
            raise _refuse(self._where, "two replication rules have one priority", "number them")
        return Replication(frozenset(self.rules), frozenset(self.targets.values()), role)


def _unique(found: list[Any], what: str, where: str) -> frozenset[Any]:
    ids = [one.id for one in found]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise _refuse(where, f"the {what} {twice[0]} is there twice", "give each its own id")
    return frozenset(found)


def _tags(tags: Mapping[str, Any] | None, where: str) -> frozenset[tuple[str, str]] | None:
    if tags is None:
        return None
    if len(tags) > _MOST_TAGS:
        raise _refuse(where, f"S3 allows {_MOST_TAGS} tags", "take some away")
    for key, value in tags.items():
        if not 1 <= len(str(key)) <= _LONGEST_TAG or len(str(value)) > 2 * _LONGEST_TAG:
            raise _refuse(
                where,
                f"the tag {key} is too long, or has no name",
                f"S3 allows {_LONGEST_TAG} signs for a name, and twice as many for a value",
            )
    return frozenset((str(key), str(value)) for key, value in tags.items())


def _policy(entry: Mapping[str, Any], words: Words, where: str) -> Policy | None:
    if entry.get("policy") is None:
        return None
    found = checked(entry["policy"], words, f"{where}, policy", bucket=entry["name"])
    if is_public(found) and not entry.get("allow_public"):
        raise _refuse(
            f"{where}, policy",
            "the policy opens the bucket to the world",
            "say it twice, with allow_public, or name who is meant in Principal or in a condition",
        )
    return found


def wish_from(entry: Mapping[str, Any], words: Words) -> Wish:
    """Return what one entry of the option ``buckets`` wishes.

    :param words: what a policy on this engine may use.
    :raises PlatformError: when S3 would refuse it.
    """
    name = entry["name"]
    check_name(name)
    where = f"bucket {name}"
    if entry["state"] == "absent":
        force = bool(entry.get("force_delete"))
        return Wish(Bucket(name), present=False, force_delete=force)
    copies = _Copies(where)
    for options in entry.get("replication") or ():
        copies.read(options)
    _unique(copies.rules, "replication", where)
    rules = [_rule(options, where) for options in entry.get("lifecycle") or ()]
    told = [_notification(options, where) for options in entry.get("notifications") or ()]
    role = entry.get("replication_role") or ""
    return Wish(
        Bucket(
            name,
            lock=_retention(entry.get("object_lock"), where),
            versioning=None
            if entry.get("versioning") is None
            else entry["versioning"] == "enabled",
            encryption=_encryption(entry.get("encryption"), where),
            quota=None if entry.get("quota") is None else size(entry["quota"], f"{where}, quota"),
            tags=_tags(entry.get("tags"), where),
            policy=_policy(entry, words, where),
            lifecycle=None if entry.get("lifecycle") is None else _unique(rules, "rule", where),
            notifications=None if entry.get("notifications") is None else frozenset(told),
            replication=None if entry.get("replication") is None else copies.replication(role),
        ),
        allow_weaker_retention=bool(entry.get("allow_weaker_retention")),
        refresh=frozenset(copies.refresh),
        secrets=copies.secrets,
    )
