# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: policy documents, compared by what they allow.

A document is taken apart into single grants: one effect, principal, action, resource and set of
conditions each. A grant that another one covers says nothing. What is left is the meaning.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

_ACCOUNT = re.compile(r"^\d{12}$")
_EVERYTHING = re.compile(r"^[*?]+$")
EVERYBODY = ("AWS", "*")
# A condition on one of these, if it names somebody, leaves the world outside.
_WHO = frozenset(
    {
        *("aws:sourceip", "aws:vpcsourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcearn"),
        *("aws:sourceaccount", "aws:sourceorgid", "aws:principalarn", "aws:principalaccount"),
        *("aws:principalorgid", "aws:userid", "aws:username", "jwt:sub", "ldap:user"),
        "ldap:username",
    }
)
_NAMING = frozenset(
    {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress"}
)
# Networks that are wider than these are the world.
_WIDEST = {4: 8, 6: 32}

Conditions = frozenset[tuple[str, str, frozenset[str]]]


@dataclass(frozen=True)
class Grant:
    """The smallest thing that a policy says.

    :param principal: kind and name; for ``NotPrincipal`` a text of all that are meant.
    :param action: likewise, ``not`` and a text for ``NotAction``.
    :param resource: empty for what has none.
    """

    effect: str
    principal: tuple[str, str]
    action: tuple[str, str]
    resource: tuple[str, str]
    conditions: Conditions = frozenset()


@dataclass(frozen=True)
class Policy:
    """A document; two that mean the same are equal.

    :param document: as its owner wrote it; empty where there is none.
    """

    document: Mapping[str, Any] = field(compare=False, hash=False)
    meaning: frozenset[Grant] = frozenset()


NONE = Policy({})


def many(value: Any) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [text(one) for one in values]


def text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def statements(document: Mapping[str, Any]) -> list[Any]:
    """Return the statements of *document*; a single one may stand without a list."""
    found = document.get("Statement") or []
    return [found] if isinstance(found, Mapping) else list(found)


# ---- meaning


@lru_cache(maxsize=4096)
def _matcher(pattern: str) -> re.Pattern[str]:
    # A question mark stands for one sign, and no star of another pattern is one sign.
    parts = {"*": ".*", "?": "[^*]"}
    return re.compile("".join(parts.get(sign, re.escape(sign)) for sign in pattern), re.DOTALL)


def covers(pattern: str, other: str) -> bool:
    """Return whether *pattern* matches all that the pattern *other* matches."""
    return pattern == other or bool(_matcher(pattern).fullmatch(other))


def _part_covers(part: tuple[str, str], other: tuple[str, str]) -> bool:
    return part == other or (part[0] == other[0] != "not" and covers(part[1], other[1]))


def _covers(wide: Grant, narrow: Grant) -> bool:
    return (
        wide.principal in (narrow.principal, EVERYBODY)
        and _part_covers(wide.action, narrow.action)
        and _part_covers(wide.resource, narrow.resource)
    )


def _principals(statement: Mapping[str, Any]) -> list[tuple[str, str]]:
    if "NotPrincipal" in statement:
        return [("not", json.dumps(sorted(_named(statement["NotPrincipal"]))))]
    if "Principal" not in statement:
        return [("", "")]
    return _named(statement["Principal"])


def _named(principal: Any) -> list[tuple[str, str]]:
    if not isinstance(principal, Mapping):
        return [("AWS", one) for one in many(principal)]
    named = [(kind, one) for kind, values in principal.items() for one in many(values)]
    return [
        (kind, f"arn:aws:iam::{one}:root" if kind == "AWS" and _ACCOUNT.match(one) else one)
        for kind, one in named
    ]


def _either(statement: Mapping[str, Any], key: str) -> list[tuple[str, str]]:
    """Return the patterns of *key*, or one entry for all of its opposite."""
    if f"Not{key}" in statement:
        return [("not", json.dumps(sorted(set(many(statement[f"Not{key}"])))))]
    if key not in statement:
        return [("", "")]
    return [("is", one) for one in many(statement[key])]


def _conditions(statement: Mapping[str, Any]) -> Conditions:
    found = statement.get("Condition") or {}
    return frozenset(
        (operator, key.lower(), frozenset(many(values)))
        for operator, keys in found.items()
        for key, values in keys.items()
    )


def _grants(statement: Mapping[str, Any]) -> set[Grant]:
    resources = _either(statement, "Resource")
    found = set()
    for action in _either(statement, "Action"):
        # The server looks at no resource for these.
        own = [("", "")] if action[1].startswith(("admin:", "sts:")) else resources
        for principal in _principals(statement):
            for resource in own:
                conditions = _conditions(statement)
                effect = str(statement["Effect"])
                found.add(Grant(effect, principal, action, resource, conditions))
    return found


def meaning(document: Mapping[str, Any]) -> frozenset[Grant]:
    """Return what *document* says, without what is said twice."""
    grants: set[Grant] = set()
    for statement in statements(document):
        grants |= _grants(statement)
    alike: dict[tuple[str, Conditions], list[Grant]] = {}
    for grant in grants:
        alike.setdefault((grant.effect, grant.conditions), []).append(grant)
    return frozenset(one for group in alike.values() for one in _uncovered(group))


def _uncovered(grants: Sequence[Grant]) -> Iterable[Grant]:
    wide = [grant for grant in grants if _has_wildcard(grant)]
    for grant in grants:
        # Two that cover each other are the same one.
        if not any(other != grant and _covers(other, grant) for other in wide):
            yield grant


def _has_wildcard(grant: Grant) -> bool:
    parts = (grant.principal, grant.action, grant.resource)
    return any(kind != "not" and ("*" in text or "?" in text) for kind, text in parts)


def policy_of(document: Mapping[str, Any]) -> Policy:
    """Return the policy of a *document* that a server has, or that was checked."""
    return Policy(document, meaning(document))


# ---- who it is opened to


def _network_names(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _WIDEST[network.version]


def _names_somebody(condition: tuple[str, str, frozenset[str]]) -> bool:
    operator, key, values = condition
    # Without the key, ForAllValues and IfExists hold for everybody.
    if key not in _WHO or operator.replace("ForAnyValue:", "") not in _NAMING:
        return False
    if operator.endswith("IpAddress"):
        return all(_network_names(value) for value in values)
    return not any(_EVERYTHING.match(value) for value in values)


def is_public(policy: Policy) -> bool:
    """Return whether the policy allows something to people that nobody knows."""
    return any(
        grant.effect == "Allow"
        and (grant.principal == EVERYBODY or grant.principal[0] == "not")
        and not any(_names_somebody(condition) for condition in grant.conditions)
        for grant in policy.meaning
    )
