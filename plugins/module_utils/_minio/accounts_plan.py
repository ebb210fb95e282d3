# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the pure plan for MinIO's users, groups and access keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import HIDDEN, Change
from .._s3.policy import NONE, Policy
from .accounts import KINDS, Current, Desired, Group, Key, User, noun
from .policies import missing
from .steps import Request, Step

# What the module itself needs at its next run.
NEEDED = ("admin:CreateUser", "admin:ListUsers", "admin:AttachUserOrGroupPolicy")
# How far ahead an access key may expire, by the server's own limits.
_SOONEST, _LATEST = 15 * 60, 365 * 24 * 3600


def _status(on: bool) -> str:
    return "enabled" if on else "disabled"


def timestamp(seconds: int) -> str:
    """Return the time in the form that the server takes; 0, its word for never, is 1970."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _set_policies(name: str, policies: Iterable[str], *, group: bool) -> Request:
    query = {"userOrGroup": name, "isGroup": "true" if group else "false"}
    joined = ",".join(sorted(policies))
    return Request("PUT", "set-user-or-group-policy", {**query, "policyName": joined})


def _set_user_status(name: str, on: bool) -> Request:
    return Request("PUT", "set-user-status", {"accessKey": name, "status": _status(on)})


def _add_user(name: str, secret: str, on: bool) -> Request:
    document = {"secretKey": secret, "status": _status(on)}
    return Request("PUT", "add-user", {"accessKey": name}, document, sealed=True)


def _change(
    kind: str, before: Any, after: Any, *, secret: str | None = None, new: bool = False
) -> Change:
    what = f"{noun(kind)} {after.name}"
    shown_after = after.shown()
    shown_before = before.shown() if before else None
    if secret is not None:
        shown_after["secret"] = f"{HIDDEN} (new)" if new else HIDDEN
        if shown_before is not None:
            shown_before["secret"] = HIDDEN
    return Change("update" if before else "create", what, shown_before, shown_after)


def _need_secret(kind: str, name: str, desired: Desired) -> str:
    secret = desired.secrets.get(name)
    if secret is None:
        raise PlatformError(
            f"the {noun(kind)} is new and has no secret",
            where=f"{noun(kind)} {name}",
            hint="give secret_key; an existing one keeps its own without it",
        )
    return secret


# ---- users


def _new_user(wanted: User, desired: Desired) -> Step:
    secret = _need_secret("users", wanted.name, desired)
    # The server gives policies to enabled users only.
    requests = [_add_user(wanted.name, secret, True)]
    if wanted.policies:
        requests.append(_set_policies(wanted.name, wanted.policies, group=False))
    if not wanted.enabled:
        requests.append(_set_user_status(wanted.name, False))
    change = _change("users", None, wanted, secret=secret, new=True)
    return Step(change, tuple(requests))


def _user_step(current: Current, desired: Desired, user: User) -> Step | None:
    found = current.accounts.users.get(user.name)
    if found is None:
        return _new_user(replace(user, policies=user.policies or frozenset()), desired)
    wanted = replace(user, policies=found.policies if user.policies is None else user.policies)
    secret = desired.secrets.get(user.name)
    awakes = wanted.enabled and not found.enabled
    new = user.name in current.wrong or (awakes and user.name in current.untested)
    if found == wanted and not new:
        return None
    requests = []
    on = found.enabled
    if new and secret is not None:
        on = wanted.enabled
        requests.append(_add_user(user.name, secret, on))
    if found.policies != wanted.policies:
        if not on:
            requests.append(_set_user_status(user.name, True))
            on = True
        requests.append(_set_policies(user.name, wanted.policies or (), group=False))
    if on != wanted.enabled:
        requests.append(_set_user_status(user.name, wanted.enabled))
    return Step(_change("users", found, wanted, secret=secret, new=new), tuple(requests))


# ---- groups


def _members(name: str, members: Iterable[str], *, remove: bool) -> Request:
    document = {"group": name, "members": sorted(members), "isRemove": remove}
    return Request("PUT", "update-group-members", document=document)


def _group_step(current: Current, group: Group) -> Step | None:
    found = current.accounts.groups.get(group.name)
    base = found or Group(group.name)
    wanted = replace(
        group,
        policies=base.policies if group.policies is None else group.policies,
        members=base.members if group.members is None else group.members,
    )
    if found == wanted:
        return None
    have, want = base.members or frozenset(), wanted.members or frozenset()
    requests = []
    if found is None or want - have:
        requests.append(_members(group.name, want - have, remove=False))
    if have - want:
        requests.append(_members(group.name, have - want, remove=True))
    if base.policies != wanted.policies:
        requests.append(_set_policies(group.name, wanted.policies or (), group=True))
    if base.enabled != wanted.enabled:
        query = {"group": group.name, "status": _status(wanted.enabled)}
        requests.append(Request("PUT", "set-group-status", query))
    return Step(_change("groups", found, wanted), tuple(requests))


# ---- access keys


def _check_expiry(key: Key, now: int) -> None:
    if key.expires and not _SOONEST <= key.expires - now <= _LATEST:
        raise PlatformError(
            f"the access key cannot expire at {timestamp(key.expires)}",
            where=f"access key {key.name}",
            hint="MinIO wants a time from a quarter of an hour to 365 days ahead",
        )


def _new_key(key: Key, desired: Desired) -> Step:
    secret = _need_secret("access_keys", key.name, desired)
    document: dict[str, Any] = {
        "targetUser": key.user,
        "accessKey": key.name,
        "secretKey": secret,
    }
    for name, value in (("name", key.label), ("description", key.description)):
        if value:
            document[name] = value
    if key.policy and key.policy.document:
        document["policy"] = dict(key.policy.document)
    if key.expires:
        document["expiration"] = timestamp(key.expires)
    requests = [Request("PUT", "add-service-account", document=document, sealed=True)]
    if not key.enabled:
        requests.append(_update_key(key, {"newStatus": "off"}))
    change = _change("access_keys", None, key, secret=secret, new=True)
    return Step(change, tuple(requests))


def _update_key(key: Key, document: Mapping[str, Any]) -> Request:
    # Left out, the server would drop the policy, and the key might do all that its user may.
    policy = dict((key.policy or NONE).document)
    document = {**document, "newPolicy": policy}
    query = {"accessKey": key.name}
    return Request("POST", "update-service-account", query, document, sealed=True)


def _key_step(current: Current, desired: Desired, key: Key) -> Step | None:
    found = current.accounts.access_keys.get(key.name)
    if found is None:
        _check_expiry(key, current.now)
        return _new_key(key, desired)
    if found.user != key.user:
        raise PlatformError(
            f"the access key belongs to {found.user}, not to {key.user}",
            where=f"access key {key.name}",
            hint="remove it first, or choose another name",
        )
    said = {
        name: getattr(found, name) if getattr(key, name) is None else getattr(key, name)
        for name in ("policy", "label", "description", "expires")
    }
    wanted = replace(key, **said)
    secret = desired.secrets.get(key.name)
    awakes = wanted.enabled and not found.enabled
    new = key.name in current.wrong or (awakes and key.name in current.untested)
    if found == wanted and not new:
        return None
    if found.expires != wanted.expires:
        _check_expiry(wanted, current.now)
    document = _differences(found, wanted)
    if new:
        document["newSecretKey"] = secret
    change = _change("access_keys", found, wanted, secret=secret, new=new)
    return Step(change, (_update_key(wanted, document),))


def _differences(found: Key, wanted: Key) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if found.enabled != wanted.enabled:
        document["newStatus"] = "on" if wanted.enabled else "off"
    if found.label != wanted.label:
        document["newName"] = wanted.label
    if found.description != wanted.description:
        document["newDescription"] = wanted.description
    if found.expires != wanted.expires:
        document["newExpiration"] = timestamp(wanted.expires or 0)
    return document


# ---- the whole


def unlisted(current: Current, desired: Desired, kind: str) -> list[str]:
    """Return those of one *kind* that nobody speaks for: neither listed nor protected."""
    if kind not in desired.spoken:
        return []
    spoken = {*desired.names(kind), *desired.protected, *current.own}
    return sorted(set(current.accounts.of(kind)) - spoken)


def _leaving(current: Current, desired: Desired, kind: str) -> list[str]:
    gone = set(desired.absent.get(kind, ())) & set(current.accounts.of(kind))
    return sorted(gone | set(unlisted(current, desired, kind) if desired.exclusive else ()))


_REMOVALS = {
    "users": lambda name: Request("DELETE", "remove-user", {"accessKey": name}),
    "access_keys": lambda name: Request("DELETE", "delete-service-account", {"accessKey": name}),
    # Without members named, the group itself goes; it has to be empty.
    "groups": lambda name: _members(name, (), remove=True),
}


def _removals(current: Current, desired: Desired) -> Iterable[Step]:
    gone = {kind: _leaving(current, desired, kind) for kind in KINDS}
    for kind in ("access_keys", "groups", "users"):
        for name in gone[kind]:
            found = current.accounts.of(kind)[name]
            requests = [_REMOVALS[kind](name)]
            if kind == "groups" and found.members:
                requests.insert(0, _members(name, found.members, remove=True))
            change = Change("delete", f"{noun(kind)} {name}", found.shown(), None)
            yield Step(change, tuple(requests))


def _refuse(where: str, what: str, hint: str) -> PlatformError:
    return PlatformError(what, where=where, hint=hint)


def _check_references(current: Current, desired: Desired) -> None:
    """Refuse names of policies and users that do not exist."""
    wanted = desired.accounts
    owners: list[User | Group] = [*wanted.users.values()]
    owners += wanted.groups.values()
    for owner in owners:
        for name in sorted((owner.policies or frozenset()) - set(current.policies)):
            raise _refuse(
                owner.name, f"there is no policy {name}", "make it with minio_policies first"
            )
    users = {*current.accounts.users, *wanted.users} - set(_leaving(current, desired, "users"))
    for group in wanted.groups.values():
        for name in sorted((group.members or frozenset()) - users):
            raise _refuse(f"group {group.name}", f"there is no user {name}", "list it in users")
    for key in wanted.access_keys.values():
        user = wanted.users.get(key.user) or current.accounts.users.get(key.user)
        known = key.user in users or key.user in current.own
        is_root = any(one.user == key.user for one in current.accounts.access_keys.values())
        if not known and not is_root:
            raise _refuse(
                f"access key {key.name}", f"there is no user {key.user}", "list it in users"
            )
        if key.name not in current.accounts.access_keys and user and not user.enabled:
            raise _refuse(
                f"access key {key.name}",
                f"the user {key.user} is disabled, and gets no access keys",
                "enable it first",
            )


def _effective(users: Mapping[str, User], groups: Mapping[str, Group], name: str) -> set[str]:
    user = users.get(name)
    found = set(user.policies or ()) if user else set()
    for group in groups.values():
        if group.enabled and name in (group.members or ()):
            found |= set(group.policies or ())
    return found


def _after(current: Mapping[str, Any], wanted: Mapping[str, Any], names: Sequence[str]) -> Any:
    """Return *current* with *wanted* laid over it, what is left alone kept."""
    merged = dict(current)
    for name, one in wanted.items():
        said: dict[str, Any] = {
            part: getattr(current.get(name), part, frozenset())
            for part in names
            if getattr(one, part) is None
        }
        merged[name] = replace(one, **said)
    return merged


def _documents(current: Current, names: Iterable[str]) -> list[Policy]:
    return [current.policies[name] for name in names if name in current.policies]


def _lost(current: Current, desired: Desired, name: str) -> str:
    """Return what the login's user *name* would lose, empty for nothing that it needs."""
    if name in desired.absent.get("users", ()) or name in desired.absent.get("access_keys", ()):
        return "would be removed"
    user = desired.accounts.users.get(name) or desired.accounts.access_keys.get(name)
    if user and not user.enabled:
        return "would be switched off"
    if name in current.wrong:
        return "would lose the secret that it is logged in with"
    now, wanted = current.accounts, desired.accounts
    groups = _after(now.groups, wanted.groups, ("policies", "members"))
    for gone in _leaving(current, desired, "groups"):
        groups.pop(gone, None)
    before = _documents(current, _effective(now.users, now.groups, name))
    after = _documents(
        current, _effective(_after(now.users, wanted.users, ("policies",)), groups, name)
    )
    lost = set(missing(after, NEEDED)) - set(missing(before, NEEDED))
    return f"would lose {', '.join(sorted(lost))}" if lost else ""


def _refuse_lockout(current: Current, desired: Desired) -> None:
    for name in sorted(current.own):
        lost = _lost(current, desired, name)
        if lost:
            raise PlatformError(
                f"{name}, which this module is logged in as, {lost}",
                where="users",
                hint="log in as another administrator for that",
            )


def plan(current: Current, desired: Desired) -> tuple[Step, ...]:
    """Return the steps from what there is to what is desired.

    :raises PlatformError: for what cannot work, or would lock the login itself out.
    """
    _check_references(current, desired)
    _refuse_lockout(current, desired)
    wanted = desired.accounts
    steps = [
        *(_user_step(current, desired, user) for user in wanted.users.values()),
        *(_group_step(current, group) for group in wanted.groups.values()),
        *(_key_step(current, desired, key) for key in wanted.access_keys.values()),
    ]
    return (*(step for step in steps if step), *_removals(current, desired))
