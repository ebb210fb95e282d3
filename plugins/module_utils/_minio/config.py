# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: MinIO's own settings, how they are written, and their pure plan.

They belong to subsystems (``api``), of which some have several targets (``notify_webhook:shop``).
The server keeps what it was told, and works with what it has loaded: of some subsystems at once,
of the others when it starts. A variable of its environment wins over both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import HIDDEN, Change

ON, OFF = "on", "off"
ENABLE = "enable"
# Subsystems that the server loads as soon as they are set; it tells so in a reply, but not before.
DYNAMIC = frozenset(
    (
        *("api", "audit_kafka", "audit_webhook", "batch", "browser", "callhome", "compression"),
        *("drive", "heal", "ilm", "logger_webhook", "scanner", "storage_class", "subnet"),
    )
)
_SECRET = re.compile(r"(^|_)(password|secret|token|license|api_key|(connection|dsn)_string)$")
_SECRET_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_PAIR = re.compile(r'([^\s=]+)=(?:"([^"]*)"|(\S*))')
# A value with neither is written as it is.
_PLAIN = re.compile(r"[^\s']*")
_VARIABLE = "# MINIO_"


def is_secret(key: str, value: str = "") -> bool:
    """Return whether a key holds a secret by its name, or its value by its form."""
    return bool(_SECRET.search(key) or _SECRET_URL.search(value))


def subsystem_of(name: str) -> str:
    """Return the subsystem of ``subsystem`` or ``subsystem:target``."""
    return name.partition(":")[0]


@dataclass(frozen=True)
class Variable:
    """A variable of the server's environment."""

    name: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class Section:
    """What one subsystem, or one target of it, is set to.

    :param loaded: what the server works with; empty for a target that it does not know.
    :param waiting: what was set since, and is loaded when it starts again.
    :param environment: keys that a variable of the server's environment sets.
    """

    loaded: Mapping[str, str] = field(default_factory=dict, repr=False)
    waiting: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: Mapping[str, Variable] = field(default_factory=dict)

    @property
    def saved(self) -> dict[str, str]:
        """Return what it will work with once it has started again."""
        return {**self.loaded, **self.waiting}


@dataclass(frozen=True)
class Desired:
    """The values that shall be, by subsystem or target, and by key.

    :param secrets: names and keys of those that nobody may see.
    """

    values: Mapping[str, Mapping[str, str]] = field(repr=False)
    secrets: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Current:
    """What the server has.

    :param keys: all keys of each subsystem, and whether one can only be on or off.
    :param several: subsystems that have targets.
    :param is_root: whether the login is root's, or may be.
    """

    keys: Mapping[str, Mapping[str, bool]]
    several: frozenset[str] = frozenset()
    sections: Mapping[str, Section] = field(default_factory=dict)
    is_root: bool = False

    def of(self, name: str) -> Section:
        """Return what a subsystem or target is set to."""
        return self.sections.get(name, Section())


@dataclass(frozen=True)
class Setting:
    """One change, and the line that makes it."""

    change: Change
    name: str
    values: Mapping[str, str] = field(repr=False)
    line: str = field(repr=False)


# ---- how it is written


def sections_of(text: str) -> dict[str, Section]:
    """Return what the server's own text says, by subsystem or target.

    A line is ``name key=value key="value with spaces"``, with ``# `` before it where the whole is
    off; before it stand the variables that set some of its keys, as ``# MINIO_NAME=value``.
    """
    found: dict[str, Section] = {}
    variables: list[Variable] = []
    for line in text.split("\n"):
        if line.startswith(_VARIABLE):
            name, _equals, value = line[2:].partition("=")
            variables.append(Variable(name, value))
            continue
        name, _space, words = line.removeprefix("# ").partition(" ")
        if name:
            loaded = {key: quoted or plain for key, quoted, plain in _PAIR.findall(words)}
            environment = {_key_of(one.name, name): one for one in variables}
            found[name] = Section(loaded, environment=environment)
            variables = []
    return found


def _key_of(variable: str, name: str) -> str:
    subsystem, _colon, target = name.partition(":")
    key = variable.removeprefix(f"MINIO_{subsystem.upper()}_")
    return (key.removesuffix(f"_{target}") if target else key).lower()


def heard(words: str, keys: Iterable[str]) -> dict[str, str]:
    """Return what the server makes of a line's words, which is not always what was meant.

    It looks for the first place of every key that it knows, even inside of another one's value.
    """
    starts = sorted(words.index(f"{key}=") for key in keys if f"{key}=" in words)
    pieces = (words[start:end] for start, end in zip(starts, [*starts[1:], len(words)]))
    pairs = (piece.strip().partition("=") for piece in pieces)
    return {key: _bare(value) for key, _equals, value in pairs}


def _bare(value: str) -> str:
    value = value.strip()
    for quote in "\"'":
        value = value.removeprefix(quote).removesuffix(quote)
    return value


def _line(name: str, values: Mapping[str, str], keys: Iterable[str]) -> str:
    """Return the line that sets *values*.

    :raises PlatformError: when the server would take it for something else.
    """
    words = " ".join(
        f"{key}={value}" if _PLAIN.fullmatch(value) else f"{key}=\"'{value}'\""
        for key, value in values.items()
    )
    if heard(words, keys) != values:
        raise PlatformError(
            "MinIO would not understand it: a value holds the name of a key, and an equals sign",
            where=name,
            hint=f"the keys are {', '.join(sorted(keys))}",
        )
    return f"{name} {words}"


def waiting_of(
    history: Iterable[Mapping[str, Any]], since: float, keys: Mapping[str, Iterable[str]]
) -> dict[str, dict[str, str]]:
    """Return what was set, by the server's history, and is loaded when it starts again.

    :param since: seconds since the epoch; whatever was set before is loaded.
    :param keys: of the subsystems that matter.
    """
    found: dict[str, dict[str, str]] = {}
    for entry in sorted(history, key=lambda entry: str(entry["createTime"])):
        # Nanoseconds, which Python does not read everywhere.
        time = datetime.fromisoformat(f"{str(entry['createTime'])[:19]}+00:00")
        lines = str(entry.get("data") or "").split("\n") if time.timestamp() >= since else ()
        for line in lines:
            name, _space, words = line.partition(" ")
            known = keys.get(subsystem_of(name), ())
            if known and subsystem_of(name) not in DYNAMIC:
                implied = {ENABLE: ON} if ENABLE in known else {}
                found.setdefault(name, {}).update({**implied, **heard(words, known)})
    return found


# ---- the plan


def _refuse_unknown(current: Current, name: str, wanted: Mapping[str, str]) -> None:
    subsystem = subsystem_of(name)
    if name != subsystem and subsystem not in current.several:
        raise PlatformError(
            f"{subsystem} has no targets", where=name, hint=f"say {subsystem}, without a colon"
        )
    keys = current.keys[subsystem]
    for key, value in wanted.items():
        if key not in keys:
            raise PlatformError(
                f"{subsystem} has no key {key}",
                where=name,
                hint=f"its keys are {', '.join(sorted(keys))}",
            )
        if keys[key] and value not in (ON, OFF):
            # Some of them would take anything but "on" for off.
            raise PlatformError(
                f"{key} is either on or off", where=name, hint="say it so, or with a boolean"
            )


def _refuse_overridden(current: Current, desired: Desired, name: str) -> None:
    for key, variable in current.of(name).environment.items():
        wanted = desired.values[name].get(key)
        if wanted is None or wanted == variable.value:
            continue
        hidden = (name, key) in desired.secrets or is_secret(key, variable.value)
        raise PlatformError(
            f"{variable.name} in the server's environment sets {key} to "
            f"{HIDDEN if hidden else repr(variable.value)}, and wins over what is set here",
            where=name,
            hint="take it out of the environment of all servers, and restart them",
        )


def locks_root_out(desired: Desired) -> bool:
    """Return whether root and its access keys may not log in any more."""
    return desired.values.get("api", {}).get("root_access", ON) != ON


def _refuse_lockout(current: Current, desired: Desired) -> None:
    if current.is_root and locks_root_out(desired):
        raise PlatformError(
            "the login of this module would be turned away at once: it is root's or one of its "
            "access keys, or cannot be told from them",
            where="api root_access",
            hint="log in as an administrator of your own, with the policy consoleAdmin for example",
        )


def _shown(desired: Desired, name: str, values: Mapping[str, str], mark: str) -> dict[str, str]:
    return {
        key: mark if value and ((name, key) in desired.secrets or is_secret(key, value)) else value
        for key, value in values.items()
    }


def _setting(current: Current, desired: Desired, name: str) -> Setting | None:
    section, keys = current.of(name), current.keys[subsystem_of(name)]
    saved = section.saved
    fresh = {
        key: value
        for key, value in desired.values[name].items()
        if key not in section.environment and (not saved or saved.get(key, "") != value)
    }
    if not fresh:
        return None
    # Left out, the server would turn the whole on.
    kept = {ENABLE: saved.get(ENABLE, ON)} if ENABLE in keys else {}
    values = {**kept, **fresh}
    before = {key: saved.get(key, "") for key in fresh} if saved else None
    after = fresh if saved else values
    is_target = name != subsystem_of(name)
    change = Change(
        "create" if is_target and not saved else "update",
        f"{'target' if is_target else 'subsystem'} {name}",
        _shown(desired, name, before, HIDDEN) if before else None,
        _shown(desired, name, after, f"{HIDDEN} (new)"),
    )
    return Setting(change, name, values, _line(name, values, keys))


def plan(current: Current, desired: Desired) -> tuple[Setting, ...]:
    """Return the settings to make, from what there is to what is desired.

    :raises PlatformError: for what the server does not know, or would not follow, and for what
        would lock the login itself out.
    """
    for name, wanted in desired.values.items():
        _refuse_unknown(current, name, wanted)
        _refuse_overridden(current, desired, name)
    _refuse_lockout(current, desired)
    found = (_setting(current, desired, name) for name in desired.values)
    return tuple(setting for setting in found if setting)


def needs_restart(
    current: Current, desired: Desired, settings: Iterable[Setting], applied: Iterable[str]
) -> bool:
    """Return whether the server does not work yet with what is set.

    :param settings: what was set just now.
    :param applied: the names of those that the server has loaded.
    """
    fresh = {setting.name: setting.values for setting in settings}
    for name in set(desired.values) - set(applied):
        section = current.of(name)
        saved = {**section.saved, **fresh.get(name, {})}
        if any(section.loaded.get(key, "") != value for key, value in saved.items()):
            return True
    return False
