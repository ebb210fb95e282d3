# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns accounts into what vault_secrets takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def account_secrets(
    usernames: Mapping[str, str],
    length: int = 32,
    passwords: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Return a secret with a username and a drawn or given password for each account.

    :param usernames: the account's name by the path of its secret.
    :param length: characters of a drawn password.
    :param passwords: those that are given, by the path of their secret.
    """
    given = passwords or {}
    return [
        {
            "path": path,
            "fields": [
                {"name": "username", "value": username, "sensitive": False},
                {"name": "password", "value": given[path]}
                if path in given
                else {"name": "password", "generate": {"length": length}},
            ],
        }
        for path, username in sorted(usernames.items())
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"account_secrets": account_secrets}
