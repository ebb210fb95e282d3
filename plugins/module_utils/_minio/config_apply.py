# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: brings MinIO's own settings to their desired state."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .._core.errors import PlatformError
from .._core.module import Context, Outcome
from .._s3.client import RefusedError
from . import client
from .client import Admin
from .config import (
    DYNAMIC,
    ENABLE,
    OFF,
    ON,
    Current,
    Desired,
    Section,
    Setting,
    is_secret,
    locks_root_out,
    needs_restart,
    plan,
    sections_of,
    subsystem_of,
    waiting_of,
)
from .steps import opened

SPEC: dict[str, dict[str, Any]] = {
    "settings": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
}
"""The argument spec of the module beside the login's."""

_NAME = re.compile(r"[a-z0-9_]+(:[A-Za-z0-9][A-Za-z0-9_-]*)?")
_FORBIDDEN = re.compile(r'["\x00-\x1f\x7f]')
_SWITCHES = ("on|off", "boolean", "bool")
# Not all that the server's help calls a switch is one, and not all keys are in its help.
_NO_SWITCHES = {("heal", "bitrotscan")}
_UNTOLD = {"identity_ldap": (ENABLE,)}
# What the server says of root, and to an access key that may not look at its own user.
_NO_USER = ("XMinioAdminNoSuchUser", "AccessDenied")
# By how much the clock here may be ahead of the server's, in seconds.
_CLOCKS = 60


# ---- the options


def _text(where: str, value: Any) -> str:
    if isinstance(value, bool):
        return ON if value else OFF
    if not isinstance(value, (str, int, float)):
        raise PlatformError(
            "a value is neither text, a number nor a boolean",
            where=where,
            hint="join the parts of a list with commas; an empty text takes a value away",
        )
    text = str(value)
    if _FORBIDDEN.search(text):
        raise PlatformError(
            "MinIO cannot keep a double quote, or a sign that is not printed, in a value",
            where=where,
            hint="leave it out",
        )
    return text


def _values(params: Mapping[str, Any], option: str) -> dict[tuple[str, str], str]:
    found = {}
    for name, keys in params[option].items():
        if not _NAME.fullmatch(name):
            raise PlatformError(
                f"{name!r} names no subsystem",
                where=option,
                hint="write api, or notify_webhook:shop where a subsystem has targets",
            )
        if not isinstance(keys, Mapping) or not keys:
            raise PlatformError(
                f"nothing is said about {name}",
                where=option,
                hint="give a mapping of its keys to their values",
            )
        for key, value in keys.items():
            found[name, str(key)] = _text(f"{option}: {name} {key}", value)
    return found


def desired_from(params: Mapping[str, Any]) -> Desired:
    """Return what the module's options describe.

    :raises PlatformError: for what could not be told to any server, or would show a secret.
    """
    settings, secrets = _values(params, "settings"), _values(params, "secrets")
    for name, key in settings:
        if is_secret(key, settings[name, key]):
            raise PlatformError(
                f"{key} holds a secret, which would be logged",
                where=f"settings: {name}",
                hint="give it in secrets instead",
            )
        if (name, key) in secrets:
            raise PlatformError(f"{key} is said twice", where=name, hint="say it in secrets only")
    values: dict[str, dict[str, str]] = {}
    for (name, key), value in {**settings, **secrets}.items():
        values.setdefault(name, {})[key] = value
    return Desired(values, frozenset(secrets))


# ---- the server


def _help(admin: Admin, subsystem: str) -> list[dict[str, Any]]:
    reply = admin.call("GET", "help-config-kv", {"subSys": subsystem, "key": ""}) or {}
    return list(reply.get("keysHelp") or ())


def _keys(admin: Admin, subsystem: str, sections: Mapping[str, Section]) -> dict[str, bool]:
    """Return all keys of a subsystem, and whether one can only be on or off."""
    shown = sections.get(subsystem, Section()).loaded
    # Every subsystem takes a comment.
    known = dict.fromkeys((*shown, *_UNTOLD.get(subsystem, ()), "comment"), False)
    for one in _help(admin, subsystem):
        is_switch = one.get("type") in _SWITCHES and (subsystem, one["key"]) not in _NO_SWITCHES
        known[str(one["key"])] = is_switch
    return known


def _waiting(admin: Admin, keys: Mapping[str, Mapping[str, bool]]) -> dict[str, dict[str, str]]:
    """Return what is set and not loaded yet; the server itself only shows what it has loaded."""
    if set(keys) <= DYNAMIC:
        return {}
    servers = (admin.call("GET", "info") or {}).get("servers") or ()
    longest = max((int(server.get("uptime") or 0) for server in servers), default=0)
    history = admin.call("GET", "list-config-history-kv", {"count": "0"}, sealed=True) or ()
    return waiting_of(history, time.time() - longest - _CLOCKS, keys)


def _is_root(admin: Admin, account: str) -> bool:
    """Return whether the login is root's or an access key of root's, or cannot be told from it.

    Everybody may ask for himself; root is no user to the server.
    """
    try:
        admin.call("GET", "user-info", {"accessKey": account})
    except RefusedError as error:
        if error.code not in _NO_USER:
            raise
        return True
    return False


def read(admin: Admin, account: str, desired: Desired) -> Current:
    """Return what the server has, with all that the plan looks at.

    :param account: the user that the login belongs to.
    :raises PlatformError: when there is no such subsystem.
    """
    listed = {str(one["key"]): bool(one.get("multipleTargets")) for one in _help(admin, "")}
    for name in desired.values:
        if subsystem_of(name) not in listed:
            raise PlatformError(
                f"there is no subsystem {subsystem_of(name)}",
                where=name,
                hint=f"the server has {', '.join(sorted(listed))}",
            )
    sections = sections_of(admin.sealed_text("GET", "config").text)
    asked = sorted({subsystem_of(name) for name in desired.values})
    keys = {subsystem: _keys(admin, subsystem, sections) for subsystem in asked}
    waiting = _waiting(admin, keys)
    return Current(
        keys,
        frozenset(name for name, several in listed.items() if several),
        {
            name: _complete(
                sections.get(name, Section()), waiting.get(name, {}), keys[subsystem_of(name)]
            )
            for name in desired.values
        },
        locks_root_out(desired) and _is_root(admin, account),
    )


def _complete(section: Section, waiting: Mapping[str, str], keys: Iterable[str]) -> Section:
    # The server leaves out that something is on.
    implied = {ENABLE: ON} if section.loaded and ENABLE in keys else {}
    loaded = {**implied, **section.loaded}
    left = {key: value for key, value in waiting.items() if loaded.get(key, "") != value}
    return replace(section, loaded=loaded, waiting=left)


def _nothing(desired: Desired) -> Current:
    """Return what a server has that is not there yet: every key that is asked for, and no value."""
    keys: dict[str, dict[str, bool]] = {}
    for name, values in desired.values.items():
        keys.setdefault(subsystem_of(name), {}).update(dict.fromkeys(values, False))
    return Current(keys, frozenset(keys))


def _carry_out(admin: Admin, settings: Iterable[Setting]) -> set[str]:
    """Make the settings, and return the names of those that the server works with already.

    One request for each: of several lines in one, it would load the first alone.
    """
    return {
        setting.name
        for setting in settings
        if admin.sealed_text("PUT", "set-config-kv", setting.line).applied
    }


def apply(context: Context, connect: client.Connect = client.connect) -> Outcome:
    """Bring the settings to the values that the options describe."""
    desired = desired_from(context.params)
    with opened(context, connect) as found:
        if found is None:
            current = _nothing(desired)
        else:
            admin, about = found
            current = read(admin, str(about["AccountName"]), desired)
        settings = plan(current, desired)
        if found is None or context.check_mode:
            applied = {one.name for one in settings if subsystem_of(one.name) in DYNAMIC}
        else:
            applied = _carry_out(admin, settings)
    restart = needs_restart(current, desired, settings, applied)
    return Outcome([one.change for one in settings], {"restart_required": restart})
