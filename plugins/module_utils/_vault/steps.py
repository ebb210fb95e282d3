# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the requests that a plan consists of, and how they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._core.plan import Change
from .client import Vault


@dataclass(frozen=True)
class Step:
    """One request that changes the vault, and how it is shown.

    :param change: what the user sees; never a secret.
    :param method: HTTP method.
    :param path: path below ``/v1/``.
    :param document: body of the request; may hold secrets, so it is not printed.
    """

    change: Change
    method: str
    path: str
    document: Mapping[str, Any] | None = field(default=None, repr=False)


def apply(vault: Vault, steps: Iterable[Step], *, check_mode: bool) -> tuple[Change, ...]:
    """Send the steps in their order, none of them in check mode.

    :returns: what was changed, or in check mode would be.
    """
    done = []
    for step in steps:
        if not check_mode:
            vault.request(step.method, step.path, step.document)
        done.append(step.change)
    return tuple(done)
