# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: names and values as SQL writes them.

DDL takes no bound parameters, so a pure plan writes its statements out in full.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .._core.errors import PlatformError
from .._core.plan import Change

NAME_BYTES = 63
"""Longer names are cut by the server without a word (NAMEDATALEN - 1)."""

_LISTS = frozenset(
    ("local_preload_libraries", "search_path", "session_preload_libraries", "temp_tablespaces")
)
"""Parameters whose value is a list of names: each is quoted by itself."""


@dataclass(frozen=True)
class Step:
    """One change and the statements that make it.

    :param statements: SQL, complete, run in this order.
    :param secret: the statements hold a verifier, keep them out of the server's log.
    :param alone: the statements must not run inside a transaction block.
    """

    change: Change
    statements: tuple[str, ...]
    secret: bool = False
    alone: bool = False


def checked_name(name: str, where: str) -> str:
    """Return *name* when the server can hold it.

    :raises PlatformError: when it is empty, too long, or holds a control character.
    """
    if not name or len(name.encode()) > NAME_BYTES or any(c < " " for c in name):
        raise PlatformError(
            f"{name!r} is not a usable name",
            where=where,
            hint=f"a name has 1 to {NAME_BYTES} bytes and no control characters",
        )
    return name


def identifier(name: str) -> str:
    """Return *name* quoted as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def identifiers(names: Iterable[str]) -> str:
    """Return *names* quoted, separated by commas."""
    return ", ".join(identifier(name) for name in names)


def literal(text: str) -> str:
    """Return *text* quoted as a string constant, whatever standard_conforming_strings says."""
    quoted = "'" + text.replace("'", "''") + "'"
    return " E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def setting_text(value: object) -> str:
    """Return a setting's value as text: what YAML read as a boolean becomes on or off again."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _items(text: str) -> list[str]:
    return [item.strip().strip('"') for item in text.split(",") if item.strip()]


def same_setting(name: str, stored: str, wanted: str) -> bool:
    """Tell whether the *stored* value of the setting *name* says the same as the *wanted* one."""
    if name in _LISTS:
        return _items(stored) == _items(wanted)
    return stored == wanted


def set_clause(name: str, value: str) -> str:
    """Return ``SET name TO value`` as ALTER ROLE and ALTER DATABASE take it."""
    parts = ".".join(identifier(part) for part in name.split("."))
    values = [literal(item) for item in _items(value)] if name in _LISTS else [literal(value)]
    return f"SET {parts} TO {', '.join(values) or literal('')}"


def reset_clause(name: str) -> str:
    """Return ``RESET name`` likewise."""
    return "RESET " + ".".join(identifier(part) for part in name.split("."))


def settings_clauses(stored: dict[str, str], wanted: dict[str, str]) -> tuple[str, ...]:
    """Return the clauses that turn the *stored* settings into the *wanted* ones."""
    changed = [
        set_clause(name, value)
        for name, value in sorted(wanted.items())
        if name not in stored or not same_setting(name, stored[name], value)
    ]
    return (*changed, *(reset_clause(name) for name in sorted(stored) if name not in wanted))
