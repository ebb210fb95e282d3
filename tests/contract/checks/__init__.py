# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for the whole tree: a check takes its root and returns the problems in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

CHECKS: dict[str, Callable[[Path], list[str]]] = {}


def check(function: Callable[[Path], list[str]]) -> Callable[[Path], list[str]]:
    """Register *function* as a check of the whole tree, under its own name."""
    CHECKS[function.__name__] = function
    return function


# Each of these registers its checks.
from checks import modules, playbooks, repository, roles, secrets, tasks, templates  # noqa: E402, F401
