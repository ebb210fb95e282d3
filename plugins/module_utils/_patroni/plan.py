# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: how Patroni's dynamic configuration has to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import Change

# Operators set these for a while, or a promotion removes them; settings without them mean nothing.
# Removing standby_cluster would promote a disaster recovery site beside the running primary.
KEPT = frozenset({"pause", "standby_cluster"})

# Smallest values that Patroni 4.0 takes; below, it uses another value and only its log says so
# (patroni/config.py, _validate_and_adjust_timeouts; patroni/postgresql/config.py, CMDLINE_OPTIONS).
_TIMES = {"ttl": (20, 30), "loop_wait": (1, 10), "retry_timeout": (3, 10)}
_PARAMETER_MINIMUMS = {
    "max_connections": 25,
    "max_wal_senders": 3,
    "max_replication_slots": 4,
    "max_worker_processes": 2,
    "max_locks_per_transaction": 32,
    "max_prepared_transactions": 0,
}
_OWNED_BY_PATRONI = ("listen_addresses", "port", "cluster_name", "hot_standby")


def _same(current: Any, desired: Any) -> bool:
    """Compare as Patroni does: by their text, so that what it would not store is no change."""
    return str(current) == str(desired)


def _without_nulls(value: Any) -> Any:
    """Return *value* without keys that should not exist; Patroni would store their null."""
    if not isinstance(value, Mapping):
        return value
    return {key: _without_nulls(item) for key, item in value.items() if item is not None}


def patch(current: Mapping[str, Any], desired: Mapping[str, Any], *, exact: bool) -> dict[str, Any]:
    """Return the smallest document for ``PATCH /config`` that makes *current* hold *desired*.

    A key whose desired value is None goes away.

    :param exact: whether keys that *desired* does not name go away too, :data:`KEPT` excepted.
    """
    result: dict[str, Any] = {}
    for key, value in desired.items():
        found = current.get(key)
        if value is None:
            if key in current:
                result[key] = None
        elif isinstance(value, Mapping) and isinstance(found, Mapping):
            inner = patch(found, value, exact=exact)
            if inner:
                result[key] = inner
        elif key not in current or not _same(found, _without_nulls(value)):
            result[key] = _without_nulls(value)
    if exact:
        result.update({key: None for key in current if key not in desired and key not in KEPT})
    return result


def apply_patch(current: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return *current* after *document* was patched in, by Patroni's rules."""
    result = dict(current)
    for key, value in document.items():
        found = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(found, Mapping):
            result[key] = apply_patch(found, value)
        else:
            result[key] = value
    return result


def _leaves(
    current: Any, document: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, Any, Any]]:
    for key, value in sorted(document.items()):
        found = current.get(key) if isinstance(current, Mapping) else None
        if isinstance(value, Mapping) and value:
            yield from _leaves(found, value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", found, value


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)


def plan(
    current: Mapping[str, Any], desired: Mapping[str, Any], *, exact: bool
) -> tuple[Change, ...]:
    """Return one change per setting, named by its dotted path."""

    def kind(before: Any, after: Any) -> str:
        if after is None:
            return "delete"
        return "create" if before is None else "update"

    return tuple(
        Change(kind(before, after), path, _shown(before), _shown(after))
        for path, before, after in _leaves(current, patch(current, desired, exact=exact), "")
    )


def _whole(value: Any) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _refuse(path: str, value: Any, why: str, hint: str) -> PlatformError:
    return PlatformError(f"{path} is {value}: {why}", where=f"settings.{path}", hint=hint)


def _check_minimum(path: str, value: Any, minimum: int) -> None:
    number = _whole(value)
    if number is None:
        raise _refuse(path, value, "not a whole number", "give a plain number, without a unit")
    if number < minimum:
        raise _refuse(
            path,
            value,
            f"Patroni takes nothing below {minimum} and would silently use another value",
            f"use {minimum} or more",
        )


def check_effective(settings: Mapping[str, Any]) -> None:
    """Refuse settings that Patroni would store, and then silently not use.

    :param settings: the whole dynamic configuration as it would be after the change.
    :raises PlatformError: with the first setting of that kind.
    """
    times = {name: settings.get(name, default) for name, (_unused, default) in _TIMES.items()}
    for name, value in times.items():
        _check_minimum(name, value, _TIMES[name][0])
    ttl, loop_wait, retry = (int(str(times[key])) for key in ("ttl", "loop_wait", "retry_timeout"))
    if loop_wait + 2 * retry > ttl:
        raise _refuse(
            "ttl",
            ttl,
            f"less than loop_wait + 2 * retry_timeout = {loop_wait + 2 * retry},"
            " so Patroni would silently shorten the other two",
            "make ttl longer, or the other two shorter",
        )
    parameters = (settings.get("postgresql") or {}).get("parameters") or {}
    for name, minimum in _PARAMETER_MINIMUMS.items():
        if name in parameters:
            _check_minimum(f"postgresql.parameters.{name}", parameters[name], minimum)
    for name in _OWNED_BY_PATRONI:
        if name in parameters:
            raise _refuse(
                f"postgresql.parameters.{name}",
                parameters[name],
                "Patroni sets it by itself and ignores this",
                "leave it out",
            )
