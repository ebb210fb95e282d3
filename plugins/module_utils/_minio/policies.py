# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: MinIO's policies for users and groups, compared by what they allow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._core.errors import PlatformError
from .._core.module import Context, Outcome
from .._core.plan import Change
from .._s3.client import RefusedError
from .._s3.policy import Policy, covers, policy_of
from .._s3.policy_check import IDENTITY, checked
from . import client
from .client import Admin
from .steps import Request, Step, carry_out, opened

BUILT_IN = frozenset({"consoleAdmin", "diagnostics", "readonly", "readwrite", "writeonly"})
# What the module itself needs at its next run.
NEEDED = ("admin:GetPolicy", "admin:CreatePolicy")

SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "policy": {"type": "raw"},
    "detach": {"type": "bool", "default": False},
}
"""The argument spec of an entry of the option ``policies``."""


@dataclass(frozen=True)
class Desired:
    """The policies that shall exist, by name, and those that shall not.

    :param detach: of the absent ones those that are taken from whoever has them.
    """

    present: Mapping[str, Policy]
    absent: frozenset[str] = frozenset()
    detach: frozenset[str] = frozenset()
    exclusive: bool = False
    protected: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Holders:
    """Who has a policy.

    :param asleep: users of them that are disabled.
    """

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    asleep: frozenset[str] = frozenset()

    def __str__(self) -> str:
        kinds = (("user", self.users), ("group", self.groups))
        return ", ".join(f"{kind} {name}" for kind, names in kinds for name in names)


@dataclass(frozen=True)
class Current:
    """What the server has.

    :param holders: who has those policies that may go.
    :param own: policies that the module's own login lives by.
    """

    policies: Mapping[str, Policy]
    holders: Mapping[str, Holders] = field(default_factory=dict)
    own: frozenset[str] = frozenset()


def _check_name(name: str) -> None:
    if not name or name != name.strip() or "," in name or "/" in name:
        raise PlatformError(
            f"{name!r} is no name for a policy",
            where="policies",
            hint="no comma, no slash, and no space at its ends",
        )


def desired_from(params: Mapping[str, Any]) -> Desired:
    """Return what the module's options describe.

    :raises PlatformError: for what the server would refuse.
    """
    present, absent, detach = {}, set(), set()
    for entry in params["policies"]:
        name, where = entry["name"], f"policy {entry['name']}"
        _check_name(name)
        if name in present or name in absent:
            raise PlatformError(f"listed twice: {name}", where="policies", hint="list it once")
        if entry["state"] == "present":
            present[name] = _policy(entry, where)
            continue
        if name in BUILT_IN:
            raise PlatformError(
                f"{name} is built in, and comes back when it is removed",
                where=where,
                hint="attach it to nobody instead",
            )
        absent.add(name)
        if entry.get("detach"):
            detach.add(name)
    return Desired(
        present,
        frozenset(absent),
        frozenset(detach),
        bool(params["exclusive"]),
        frozenset(params["protected"]),
    )


def _policy(entry: Mapping[str, Any], where: str) -> Policy:
    if entry.get("policy") is None:
        raise PlatformError(
            "a policy needs its document", where=where, hint="give policy, or set state to absent"
        )
    found = checked(entry["policy"], IDENTITY, where)
    if not found.document:
        raise PlatformError(
            "the policy is empty", where=where, hint="allow something, or set state to absent"
        )
    return found


def unlisted(current: Current, desired: Desired) -> list[str]:
    """Return the policies that nobody speaks for: not listed, protected or built in."""
    spoken = {*desired.present, *desired.absent, *desired.protected, *BUILT_IN}
    return sorted(set(current.policies) - spoken)


def leaving(current: Current, desired: Desired) -> list[str]:
    """Return the policies that are removed."""
    gone = set(desired.absent) & set(current.policies)
    return sorted(gone | set(unlisted(current, desired) if desired.exclusive else ()))


def _detach(policy: str, kind: str, holder: str, *, asleep: bool) -> list[Request]:
    document = {"policies": [policy], kind: holder}
    request = Request("POST", "idp/builtin/policy/detach", document=document, sealed=True)
    if kind != "user" or not asleep:
        return [request]
    # To the server a disabled user is none.
    wake, sleep = (
        Request("PUT", "set-user-status", {"accessKey": holder, "status": status})
        for status in ("enabled", "disabled")
    )
    return [wake, request, sleep]


def _removal(name: str, current: Current, desired: Desired) -> Step:
    holders = current.holders.get(name, Holders())
    if str(holders) and name not in desired.detach:
        raise PlatformError(
            f"the policy {name} is in use by {holders}",
            where=f"policy {name}",
            hint="take it from them first, or list it as absent with detach",
        )
    requests = [
        request
        for kind, names in (("user", holders.users), ("group", holders.groups))
        for holder in names
        for request in _detach(name, kind, holder, asleep=holder in holders.asleep)
    ]
    before = dict(current.policies[name].document)
    if requests:
        before["in use by"] = str(holders)
    requests.append(Request("DELETE", "remove-canned-policy", {"name": name}))
    return Step(Change("delete", f"policy {name}", before, None), tuple(requests))


def plan(current: Current, desired: Desired) -> tuple[Step, ...]:
    """Return the steps from what there is to what is desired.

    :raises PlatformError: when a policy that is in use would go, or the login lock itself out.
    """
    steps = []
    for name, policy in desired.present.items():
        found = current.policies.get(name)
        if found == policy:
            continue
        change = Change(
            "update" if found else "create",
            f"policy {name}",
            dict(found.document) if found else None,
            dict(policy.document),
        )
        request = Request("PUT", "add-canned-policy", {"name": name}, dict(policy.document))
        steps.append(Step(change, (request,)))
    gone = leaving(current, desired)
    _refuse_lockout(current, desired)
    return (*steps, *(_removal(name, current, desired) for name in gone))


def allows(policies: Iterable[Policy], action: str) -> bool:
    """Return whether *policies* together allow an *action* of the administration."""
    effects = [
        grant.effect
        for policy in policies
        for grant in policy.meaning
        if grant.action[0] == "is" and covers(grant.action[1], action)
    ]
    return "Allow" in effects and "Deny" not in effects


def missing(policies: Sequence[Policy], needed: Iterable[str]) -> list[str]:
    """Return those actions of *needed* that *policies* do not allow."""
    return [action for action in needed if not allows(policies, action)]


def _refuse_lockout(current: Current, desired: Desired) -> None:
    """Refuse to change the policies of the login so that its next run fails."""
    if not current.own & set(desired.present):
        return
    before = [current.policies[name] for name in current.own if name in current.policies]
    after = [
        desired.present.get(name) or current.policies[name]
        for name in current.own
        if name in desired.present or name in current.policies
    ]
    lost = set(missing(after, NEEDED)) - set(missing(before, NEEDED))
    if lost:
        raise PlatformError(
            f"the login of this module would lose {', '.join(sorted(lost))}",
            where="policies",
            hint="log in as another administrator for that",
        )


# ---- the server


def read_all(admin: Admin) -> dict[str, Policy]:
    """Return all policies of the server by name."""
    found = admin.call("GET", "list-canned-policies") or {}
    return {name: policy_of(document) for name, document in found.items()}


def own_policies(admin: Admin) -> frozenset[str]:
    """Return the policies of the user that is logged in; none for root, and for an access key."""
    try:
        found = admin.call("GET", "user-info", {"accessKey": admin.login.access_key}) or {}
    except RefusedError:
        return frozenset()
    return frozenset(name for name in str(found.get("policyName") or "").split(",") if name)


def _holders(admin: Admin, names: Collection[str]) -> dict[str, Holders]:
    found = {}
    users = (admin.call("GET", "list-users", sealed=True) or {}) if names else {}
    asleep = frozenset(name for name, one in users.items() if one.get("status") != "enabled")
    for name in names:
        query = {"policy": name}
        reply = admin.call("GET", "idp/builtin/policy-entities", query, sealed=True) or {}
        for mapping in reply.get("policyMappings") or ():
            found[str(mapping["policy"])] = Holders(
                tuple(sorted(mapping.get("users") or ())),
                tuple(sorted(mapping.get("groups") or ())),
                asleep,
            )
    return found


def read(admin: Admin, desired: Desired) -> Current:
    """Return what the server has, with all that the plan looks at."""
    current = Current(read_all(admin))
    return Current(
        current.policies, _holders(admin, leaving(current, desired)), own_policies(admin)
    )


def apply(context: Context, connect: client.Connect = client.connect) -> Outcome:
    """Bring the policies to the state that the options describe."""
    desired = desired_from(context.params)
    with opened(context, connect) as found:
        if found is None:
            steps = plan(Current({}), desired)
            return Outcome([step.change for step in steps], {"unlisted": []})
        admin, _about = found
        current = read(admin, desired)
        steps = plan(current, desired)
        if not context.check_mode:
            carry_out(admin, steps)
    left = [] if desired.exclusive else unlisted(current, desired)
    return Outcome([step.change for step in steps], {"unlisted": left})
