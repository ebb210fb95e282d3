# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: settings of a running Redis server, compared by what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import HIDDEN, Change

# Compared to the letter, and never shown.
SECRETS = frozenset(
    {"requirepass", "masterauth", "primaryauth", "tls-key-file-pass", "tls-client-key-file-pass"}
)
_AMOUNT = re.compile(r"^(\d+)(b|k|kb|m|mb|g|gb)?$", re.IGNORECASE)
_UNITS = {
    "": 1,
    "b": 1,
    "k": 1000,
    "kb": 1024,
    "m": 1000**2,
    "mb": 1024**2,
    "g": 1000**3,
    "gb": 1024**3,
}
# The letter A stands for all these, n (new keys) and m (misses) stand apart.
_ALL_EVENTS = "g$lshzxetd"
_BUFFERS = "client-output-buffer-limit"


def value_text(value: Any) -> str:
    """Return *value*, as YAML gives it, in the form that CONFIG SET takes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return " ".join(value_text(part) for part in value)
    return "" if value is None else str(value)


def _word(word: str) -> str:
    amount = _AMOUNT.match(word)
    if amount:
        return str(int(amount[1]) * _UNITS[(amount[2] or "").lower()])
    return {"slave": "replica"}.get(word.lower(), word)


def _buffers(text: str) -> dict[str, tuple[str, ...]]:
    words = [_word(word) for word in text.split()]
    return {words[nth]: tuple(words[nth + 1 : nth + 4]) for nth in range(0, len(words), 4)}


def _events(text: str) -> frozenset[str]:
    return frozenset(text.replace("A", _ALL_EVENTS))


def same(name: str, found: str, wanted: str) -> bool:
    """Return whether both values of the setting *name* mean the same to the server.

    :param found: as the server tells it, amounts in bytes.
    """
    if found == wanted:
        return True
    if name in SECRETS:
        return False
    if name == "notify-keyspace-events":
        return _events(found) == _events(wanted)
    if name == _BUFFERS:
        # Only the classes that are named change.
        return _buffers(wanted).items() <= _buffers(found).items()
    if found in ("yes", "no"):
        return found == wanted.lower()
    return [_word(word) for word in found.split()] == [_word(word) for word in wanted.split()]


def shown(name: str, value: str) -> str:
    """Return the value as a diff may show it."""
    return HIDDEN if name in SECRETS and value else value


def differing(
    found: Mapping[str, str], settings: Mapping[str, Any], reapply: Iterable[str] = ()
) -> dict[str, str]:
    """Return what one CONFIG SET has to set.

    :param reapply: settings that are set again although they are the same: files whose content the
        server reads only then.
    :raises PlatformError: for a name that the server does not know.
    """
    wanted = {str(name).lower(): value_text(value) for name, value in settings.items()}
    again = [str(name).lower() for name in reapply]
    unknown = sorted((set(wanted) | set(again)) - set(found))
    if unknown:
        raise PlatformError(
            f"the server has no setting {', '.join(unknown)}",
            where="settings",
            hint="compare the names with redis.conf of the server's version",
        )
    changed = {name: value for name, value in wanted.items() if not same(name, found[name], value)}
    return {**changed, **{name: wanted.get(name, found[name]) for name in again}}


def plan(found: Mapping[str, str], setting: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the changes that setting *setting* makes, a line for each name."""
    changes = []
    for name, value in sorted(setting.items()):
        if same(name, found.get(name, ""), value):
            changes.append(Change("reload", f"setting {name}", None, shown(name, value)))
            continue
        before = f"{HIDDEN} (old)" if name in SECRETS and found.get(name) else found.get(name, "")
        changes.append(Change("update", f"setting {name}", before, shown(name, value)))
    return tuple(changes)
