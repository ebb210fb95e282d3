# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what a plan consists of, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

HIDDEN = "VALUE_HIDDEN"


@dataclass(frozen=True)
class Change:
    """One step from the current to the desired state.

    :param kind: ``create``, ``update``, ``delete``, or another verb that reads well before *what*.
    :param what: the thing that changes, as its user names it (``policy operator``).
    :param before: its state now: text, or a mapping; None when there is none. Never a secret.
    :param after: its state afterwards, likewise.
    """

    kind: str
    what: str
    before: str | Mapping[str, Any] | None = None
    after: str | Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


def as_text(state: str | Mapping[str, Any] | None) -> str:
    """Return *state* as the text that a diff shows: one line per key, keys in order."""
    if state is None:
        return ""
    if isinstance(state, str):
        return state if not state or state.endswith("\n") else state + "\n"
    return json.dumps(state, indent=2, sort_keys=True, default=str) + "\n"


def as_diff(changes: Iterable[Change]) -> list[dict[str, str]]:
    """Return the changes in the form that Ansible's ``--diff`` prints."""
    return [
        {
            "before_header": change.what,
            "after_header": f"{change.what} ({change.kind})",
            "before": as_text(change.before),
            "after": as_text(change.after),
        }
        for change in changes
    ]
