# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: brings MinIO's users, groups and access keys to their desired state."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from .._core.errors import PlatformError
from .._core.module import Context, Outcome
from .._s3 import client as s3
from .._s3.policy import NONE, Policy, policy_of
from .._s3.policy_check import IDENTITY, checked, decoded
from . import client
from .accounts import (
    KINDS,
    Accounts,
    Current,
    Desired,
    Group,
    Key,
    User,
    check_name,
    check_secret,
)
from .accounts_plan import plan, unlisted
from .client import Admin
from .policies import read_all
from .steps import carry_out, opened

_STR = {"type": "str"}
_NAME = {"type": "str", "required": True}
_STATE = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_ON = {"type": "bool", "default": True}
_NAMES = {"type": "list", "elements": "str"}
_SECRET = {"type": "str", "no_log": True}


def _list(options: dict[str, Any]) -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "options": options}


SPEC: dict[str, dict[str, Any]] = {
    "users": _list(
        {
            "name": _NAME,
            "state": _STATE,
            "enabled": _ON,
            "secret_key": _SECRET,
            "policies": _NAMES,
        }
    ),
    "groups": _list(
        {
            "name": _NAME,
            "state": _STATE,
            "enabled": _ON,
            "members": _NAMES,
            "policies": _NAMES,
        }
    ),
    "access_keys": {
        **_list(
            {
                "name": _NAME,
                "state": _STATE,
                "user": _STR,
                "enabled": _ON,
                "secret_key": _SECRET,
                "policy": {"type": "raw"},
                "label": _STR,
                "description": _STR,
                "expires": _STR,
            }
        ),
        "no_log": False,
    },
    "exclusive": {"type": "bool", "default": False},
    "protected": {"type": "list", "elements": "str", "default": []},
}
"""The argument spec of the module beside the login's."""


def _names(options: Any) -> frozenset[str] | None:
    return None if options is None else frozenset(options)


def expiry(text: str | None, where: str) -> int | None:
    """Return the seconds since the epoch of a time; 0 for an empty text, None for none.

    :raises PlatformError: when it is no time, or says no zone.
    """
    if text is None:
        return None
    if not text:
        return 0
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise PlatformError(
            f"{text} is no time with a zone", where=where, hint="write 2027-01-31T00:00:00Z"
        )
    return int(found.astimezone(timezone.utc).timestamp())


def _user(entry: Mapping[str, Any]) -> User:
    return User(entry["name"], bool(entry["enabled"]), _names(entry["policies"]))


def _group(entry: Mapping[str, Any]) -> Group:
    policies, members = _names(entry["policies"]), _names(entry["members"])
    return Group(entry["name"], bool(entry["enabled"]), policies, members)


def _key(entry: Mapping[str, Any]) -> Key:
    where = f"access key {entry['name']}"
    if not entry["user"]:
        raise PlatformError(
            "an access key needs its user", where=where, hint="name whom it belongs to"
        )
    for name in ("label", "description"):
        if entry[name] == "":
            raise PlatformError(
                f"{name} cannot be emptied, only replaced",
                where=where,
                hint="leave it out, or say something",
            )
    policy = None if entry["policy"] is None else checked(entry["policy"], IDENTITY, where)
    return Key(
        entry["name"],
        entry["user"],
        bool(entry["enabled"]),
        policy,
        entry["label"],
        entry["description"],
        expiry(entry["expires"], where),
    )


_READERS = {"users": _user, "groups": _group, "access_keys": _key}


def desired_from(params: Mapping[str, Any]) -> Desired:
    """Return what the module's options describe.

    :raises PlatformError: for what the server would refuse.
    """
    present: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    absent: dict[str, frozenset[str]] = {}
    secrets = {}
    for kind in KINDS:
        entries = params[kind] or ()
        for entry in entries:
            name = entry["name"]
            check_name(kind, name)
            if entry["state"] == "absent":
                absent[kind] = absent.get(kind, frozenset()) | {name}
                continue
            present[kind][name] = _READERS[kind](entry)
            secret = entry.get("secret_key")
            if secret is not None:
                check_secret(kind, name, secret)
                secrets[name] = secret
    _refuse_twice(params)
    return Desired(
        Accounts(**present),
        absent,
        secrets,
        frozenset(kind for kind in KINDS if params[kind] is not None),
        bool(params["exclusive"]),
        frozenset(params["protected"]),
    )


def _refuse_twice(params: Mapping[str, Any]) -> None:
    # Users and access keys log in with one kind of name.
    logins = [entry["name"] for kind in ("users", "access_keys") for entry in params[kind] or ()]
    groups = [entry["name"] for entry in params["groups"] or ()]
    for names in (logins, groups):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PlatformError(
                f"listed twice: {', '.join(twice)}",
                where="users, access_keys" if names is logins else "groups",
                hint="a name stands for one of them",
            )


# ---- the server


def _mappings(admin: Admin) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return the policies of users and of groups.

    A group that is disabled shows none when it is asked for itself.
    """
    users: dict[str, set[str]] = {}
    groups: dict[str, set[str]] = {}
    found = admin.call("GET", "idp/builtin/policy-entities", sealed=True) or {}
    for mapping in found.get("policyMappings") or ():
        for name in mapping.get("users") or ():
            users.setdefault(name, set()).add(str(mapping["policy"]))
        for name in mapping.get("groups") or ():
            groups.setdefault(name, set()).add(str(mapping["policy"]))
    return users, groups


def _read_groups(admin: Admin, policies: Mapping[str, set[str]]) -> dict[str, Group]:
    groups = {}
    for name in admin.call("GET", "groups") or ():
        found = admin.call("GET", "group", {"group": name})
        groups[name] = Group(
            name,
            found.get("status") == "enabled",
            frozenset(policies.get(name, ())),
            frozenset(found.get("members") or ()),
        )
    return groups


def _read_keys(admin: Admin, wanted: Iterable[str]) -> dict[str, Key]:
    query = {"listType": "svcacc-only", "all": "true"}
    found = admin.call("GET", "list-access-keys-bulk", query, sealed=True) or {}
    keys = {
        str(one["accessKey"]): Key(str(one["accessKey"]), user)
        for user, lists in found.items()
        for one in lists.get("serviceAccounts") or ()
    }
    for name in set(wanted) & set(keys):
        keys[name] = _read_key(admin, name)
    return keys


def _read_key(admin: Admin, name: str) -> Key:
    found = admin.call("GET", "info-service-account", {"accessKey": name}, sealed=True)
    policy: Policy = NONE
    if not found.get("impliedPolicy"):
        policy = policy_of(decoded(found.get("policy") or "{}", f"access key {name}"))
    return Key(
        name,
        str(found.get("parentUser", "")),
        found.get("accountStatus") == "on",
        policy,
        found.get("name") or None,
        found.get("description") or None,
        expiry(found.get("expiration") or "", f"access key {name}"),
    )


def _tried(
    login: s3.Login, secrets: Mapping[str, str], found: Iterable[str], connect: s3.Connect
) -> tuple[frozenset[str], frozenset[str]]:
    """Return whose secret is wrong, and whose could not be tried.

    A secret cannot be read back, but a request that is signed with it is either taken or not.
    """
    wrong: set[str] = set()
    untested: set[str] = set()
    for name in set(secrets) & set(found):
        own = s3.Login(
            login.endpoint, name, secrets[name], login.ca_path, login.region, login.timeout
        )
        try:
            connect(own).call("list_buckets")
        except s3.LoginError as error:
            (wrong if error.code == "SignatureDoesNotMatch" else untested).add(name)
        except s3.RefusedError:
            # It was let in, and may not see the list.
            continue
    return frozenset(wrong), frozenset(untested)


def read(admin: Admin, desired: Desired, connect_s3: s3.Connect) -> Current:
    """Return what the server has, with all that the plan looks at."""
    of_users, of_groups = _mappings(admin)
    listed = admin.call("GET", "list-users", sealed=True) or {}
    users = {
        name: User(name, one.get("status") == "enabled", frozenset(of_users.get(name, ())))
        for name, one in listed.items()
    }
    keys = _read_keys(admin, desired.accounts.access_keys)
    me = admin.login.access_key
    own = {me, keys[me].user} if me in keys else {me}
    wrong, untested = _tried(admin.login, desired.secrets, {*users, *keys}, connect_s3)
    return Current(
        Accounts(users, _read_groups(admin, of_groups), keys),
        wrong,
        untested,
        read_all(admin),
        frozenset(own),
        int(time.time()),
    )


def _cold(desired: Desired) -> Outcome:
    """Return what would be done to a new server, whose policies nobody knows yet."""
    owners: list[User | Group] = [*desired.accounts.users.values()]
    owners += desired.accounts.groups.values()
    policies = {name: NONE for owner in owners for name in owner.policies or ()}
    current = Current(Accounts(), policies=policies, now=int(time.time()))
    steps = plan(current, desired)
    return Outcome([step.change for step in steps], {"unlisted": {kind: [] for kind in KINDS}})


def apply(
    context: Context,
    connect: client.Connect = client.connect,
    connect_s3: s3.Connect = s3.connect,
) -> Outcome:
    """Bring users, groups and access keys to the state that the options describe."""
    desired = desired_from(context.params)
    with opened(context, connect) as found:
        if found is None:
            return _cold(desired)
        admin, _about = found
        current = read(admin, desired, connect_s3)
        for name in sorted(current.untested):
            if name in desired.accounts.users or name in desired.accounts.access_keys:
                context.warn(f"{name} is disabled, so its secret cannot be tried")
        steps = plan(current, desired)
        if not context.check_mode:
            carry_out(admin, steps)
    left = {kind: [] if desired.exclusive else unlisted(current, desired, kind) for kind in KINDS}
    return Outcome([step.change for step in steps], {"unlisted": left})
