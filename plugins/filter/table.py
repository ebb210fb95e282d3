# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays out rows as a table that fits a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

_GAP = 2
_NARROWEST = 8


def _widths(rows: Sequence[Sequence[str]], total: int) -> list[int]:
    """Return each column's width; where all can't have what they want, the widest give way."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    room = total - _GAP * (len(widths) - 1)
    if room < _NARROWEST * len(widths):
        raise AnsibleFilterError(f"{len(widths)} columns do not fit into {total} characters")
    while sum(widths) > room:
        widest = widths.index(max(widths))
        widths[widest] -= 1
    return widths


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], width: int = 100) -> list[str]:
    """Return *rows* as the lines of a table under a head line.

    :param rows: a mapping each; missing values stay empty.
    :param columns: the keys to show, which are the heads too.
    :param width: the most characters that a line may have; longer cells are wrapped.
    """
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    heads = [column.upper().replace("_", " ") for column in columns]
    widths = _widths([heads, *cells], width)
    lines = []
    for row in [heads, *cells]:
        wrapped = [
            textwrap.wrap(cell, size, break_on_hyphens=False) or [""]
            for cell, size in zip(row, widths)
        ]
        for number in range(max(len(parts) for parts in wrapped)):
            parts = [part[number] if number < len(part) else "" for part in wrapped]
            padded = [part.ljust(size) for part, size in zip(parts, widths)]
            lines.append((" " * _GAP).join(padded).rstrip())
    return lines


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"table": table}
