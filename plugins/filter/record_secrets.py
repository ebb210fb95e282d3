# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns service records into what vault_secrets takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def record_secrets(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return an entry below ``services/`` for each record; nothing in it is a secret.

    :param records: service records, each with the key ``service``.
    """
    return [
        {
            "path": f"services/{record['service']}",
            "fields": [
                {"name": name, "value": value, "sensitive": False}
                for name, value in sorted(record.items())
                # What could not be asked for, as a version in check mode, stays as it was.
                if value != ""
            ],
        }
        for record in records
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"record_secrets": record_secrets}
