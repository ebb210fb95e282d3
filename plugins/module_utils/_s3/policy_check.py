# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: refuses what is wrong with a policy document before a server does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._core.errors import PlatformError
from . import vocabulary
from .policy import NONE, Policy, covers, many, policy_of, statements, text

_TOP = ("Version", "Id", "ID", "Statement")
_STATEMENT = (
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource"),
    *("NotResource", "Condition"),
)
_VERSIONS = ("2012-10-17",)
_QUALIFIER = re.compile(r"^(ForAllValues|ForAnyValue):")
_ARN = re.compile(r"^arn:(aws[a-z-]*:s3|minio:kms):::[^/]")
_S3_PREFIX = re.compile(r"^arn:aws[a-z-]*:s3:::")


@dataclass(frozen=True)
class Words:
    """The words that a kind of policy may use."""

    actions: frozenset[str]
    objects: frozenset[str]
    keys: frozenset[str]
    operators: frozenset[str]
    principals: frozenset[str] = frozenset({"AWS"})


_S3_WORDS = vocabulary.OBJECT_ACTIONS | vocabulary.BUCKET_ACTIONS
MINIO_BUCKET = Words(
    _S3_WORDS, vocabulary.OBJECT_ACTIONS, vocabulary.CONDITION_KEYS, vocabulary.OPERATORS
)
_WIDER_OBJECTS = vocabulary.OBJECT_ACTIONS | vocabulary.AMAZON_OBJECT_ACTIONS
ANY_BUCKET = Words(
    _S3_WORDS | _WIDER_OBJECTS | vocabulary.AMAZON_BUCKET_ACTIONS,
    _WIDER_OBJECTS,
    vocabulary.CONDITION_KEYS | vocabulary.AMAZON_CONDITION_KEYS,
    vocabulary.OPERATORS
    | vocabulary.AMAZON_OPERATORS
    | {f"{name}IfExists" for name in vocabulary.OPERATORS | vocabulary.AMAZON_OPERATORS},
    frozenset({"AWS", "CanonicalUser", "Federated", "Service"}),
)
IDENTITY = Words(
    _S3_WORDS | vocabulary.ADMIN_ACTIONS | vocabulary.KMS_ACTIONS | vocabulary.STS_ACTIONS,
    vocabulary.OBJECT_ACTIONS,
    vocabulary.CONDITION_KEYS,
    vocabulary.OPERATORS,
)


def decoded(raw: Any, where: str) -> dict[str, Any]:
    """Return the document that *raw* is, or is the JSON text of.

    :raises PlatformError: when it is neither.
    """
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except ValueError as error:
            raise PlatformError(
                f"the policy is not valid JSON: {error}", where=where, hint="mend the text there"
            ) from None
    if not isinstance(raw, Mapping):
        raise PlatformError(
            "the policy is no document", where=where, hint="write a mapping, or its JSON text"
        )
    # What YAML reads as a date is a version to a policy.
    return {**raw, "Version": text(raw["Version"])} if "Version" in raw else dict(raw)


class _Checker:
    """Checks one statement, and says where it is wrong."""

    def __init__(self, statement: Any, words: Words, where: str, bucket: str | None) -> None:
        self._statement = statement
        self._words = words
        self._where = where
        self._bucket = bucket

    def refuse(self, what: str, hint: str) -> PlatformError:
        return PlatformError(what, where=self._where, hint=hint)

    def check(self) -> None:
        if not isinstance(self._statement, Mapping):
            raise self.refuse("the statement is no mapping", "begin it with Effect and Action")
        unknown = sorted(set(map(str, self._statement)) - set(_STATEMENT))
        if unknown:
            raise self.refuse(
                f"the statement has the unknown key {unknown[0]}",
                f"known are {', '.join(_STATEMENT)}",
            )
        if self._statement.get("Effect") not in ("Allow", "Deny"):
            raise self.refuse("Effect is neither Allow nor Deny", "write one of them")
        services = self._actions()
        self._principal()
        self._resources(services)
        self._condition()

    def _one_of(self, key: str, *, required: bool = True) -> list[str]:
        given = [name for name in (key, f"Not{key}") if self._statement.get(name)]
        if len(given) > 1 or (required and not given):
            raise self.refuse(
                f"the statement needs exactly one of {key} and Not{key}", "one of them, not empty"
            )
        return many(self._statement[given[0]]) if given else []

    def _actions(self) -> set[str]:
        patterns = self._one_of("Action")
        for pattern in patterns:
            if not any(covers(pattern, action) for action in self._words.actions):
                raise self.refuse(f"there is no action {pattern}", self._nearest(pattern))
        services = {pattern.split(":", 1)[0] for pattern in patterns}
        if self._bucket is None and (len(services) > 1 or "*" in services):
            raise self.refuse(
                "the actions of a statement belong to more than one service",
                "write a statement for each of s3:, admin:, kms: and sts:",
            )
        return services

    def _nearest(self, pattern: str) -> str:
        alike = [name for name in self._words.actions if name.lower() == pattern.lower()]
        return f"it is {alike[0]}" if alike else "mind the spelling, upper and lower case too"

    def _principal(self) -> None:
        if self._bucket is None:
            if "Principal" in self._statement or "NotPrincipal" in self._statement:
                raise self.refuse(
                    "a principal belongs into a bucket's policy only",
                    "attach this policy to users and groups instead",
                )
            return
        self._one_of("Principal")
        if "NotPrincipal" in self._statement and self._words.principals == {"AWS"}:
            raise self.refuse("MinIO does not know NotPrincipal", "name who is meant in Principal")
        named = self._statement.get("Principal", self._statement.get("NotPrincipal"))
        unknown = sorted(set(named) - self._words.principals) if isinstance(named, Mapping) else []
        if unknown or not (isinstance(named, Mapping) or many(named) == ["*"]):
            raise self.refuse(
                f"{unknown[0] if unknown else named} is no principal",
                '"*", or a mapping with ' + ", ".join(sorted(self._words.principals)),
            )

    def _resources(self, services: set[str]) -> None:
        required = not services & {"admin", "kms", "sts"}
        for resource in self._one_of("Resource", required=required):
            if not _ARN.match(resource):
                raise self.refuse(
                    f"{resource} is no resource",
                    "write arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/KEY",
                )
            if self._bucket is not None:
                self._of_this_bucket(resource)
        if self._bucket is not None:
            self._fit()

    def _of_this_bucket(self, resource: str) -> None:
        name = _S3_PREFIX.sub("", resource).split("/", 1)[0]
        if not covers(name, self._bucket or ""):
            raise self.refuse(
                f"{resource} is not in the bucket {self._bucket}",
                f"write arn:aws:s3:::{self._bucket} or arn:aws:s3:::{self._bucket}/*",
            )

    def _fit(self) -> None:
        """Refuse actions on objects without a resource that is one, and the other way round."""
        resources = self._one_of("Resource")
        names = [_S3_PREFIX.sub("", one) for one in resources]
        objects = any("/" in name or name.endswith("*") for name in names)
        itself = any("/" not in name for name in names)
        for action in many(self._statement.get("Action") or []):
            on_objects = action == "s3:*" or action in self._words.objects
            if "*" not in action and (objects if on_objects else itself):
                continue
            if "*" in action and (objects or itself):
                continue
            wanted = f"{self._bucket}/*" if on_objects else self._bucket
            raise self.refuse(
                f"the action {action} does not apply to any resource of the statement",
                f"add arn:aws:s3:::{wanted}",
            )

    def _condition(self) -> None:
        found = self._statement.get("Condition") or {}
        if not isinstance(found, Mapping):
            raise self.refuse("Condition is no mapping", "write operator, key and values")
        for operator, keys in found.items():
            if _QUALIFIER.sub("", str(operator)) not in self._words.operators:
                raise self.refuse(
                    f"there is no condition {operator}",
                    f"known are {', '.join(sorted(self._words.operators))}",
                )
            if not isinstance(keys, Mapping) or not keys:
                raise self.refuse(f"{operator} is no mapping", "write keys and their values")
            for key in keys:
                self._key(str(key))

    def _key(self, key: str) -> None:
        known = self._words.keys
        # A variable part follows, as in s3:ExistingObjectTag/project.
        name = key.split("/", 1)[0]
        if name not in known:
            alike = sorted(one for one in known if one.lower() == name.lower())
            raise self.refuse(
                f"there is no condition key {key}",
                f"it is {alike[0]}" if alike else f"known are {', '.join(sorted(known))}",
            )


def checked(raw: Any, words: Words, where: str, *, bucket: str | None = None) -> Policy:
    """Return the policy that *raw* is, after a check of all that a server would refuse.

    :param raw: a mapping or its JSON text; an empty mapping is no policy.
    :param bucket: whose policy it is; None for one of users and groups.
    :raises PlatformError: for what is wrong, with the number of the statement.
    """
    document = decoded(raw, where)
    if not document:
        return NONE
    unknown = sorted(set(map(str, document)) - set(_TOP))
    if unknown:
        raise PlatformError(
            f"the policy has the unknown key {unknown[0]}",
            where=where,
            hint="known are Version, Id and Statement",
        )
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise PlatformError(
            f"the policy has the unknown version {document['Version']}",
            where=where,
            hint=f"write {_VERSIONS[0]}, in quotes",
        )
    found = statements(document)
    if not found:
        raise PlatformError(
            "the policy has no statement", where=where, hint="allow or deny at least one action"
        )
    for nth, statement in enumerate(found, start=1):
        _Checker(statement, words, f"{where}, statement {nth}", bucket).check()
    # A server wants the list, even of one, and no condition rather than an empty one.
    kept = [
        {key: value for key, value in one.items() if key != "Condition" or value} for one in found
    ]
    return policy_of({"Version": _VERSIONS[0], **document, "Statement": kept})
