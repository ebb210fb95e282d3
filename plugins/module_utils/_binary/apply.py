# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: brings a binary to its desired state."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from .._core.module import Context, Outcome
from . import client
from .model import Binary
from .plan import expected, is_trusted, plan


def binary_from(params: Mapping[str, Any]) -> Binary:
    """Return the module's options as a :class:`Binary`."""
    return Binary(params["name"], params["path"], params["version"], params["sha256"] or {})


def apply(context: Context) -> Outcome:
    """Install the staged binary where it is needed; without one, only say what is needed."""
    params = context.params
    binary = binary_from(params)
    architecture = platform.machine()
    found = client.find(binary.path)
    record = client.recorded(binary.name)
    sha256 = expected(binary, architecture, record)
    if record is not None and is_trusted(record, found):
        current, version = record.sha256, record.version
    else:
        current, version = (client.digest(binary.path) if found else ""), ""
    changes = plan(binary, sha256, current, version)
    staged = params["staged"] or ""
    values = {"architecture": architecture, "needed": bool(changes) and not staged}
    if context.check_mode:
        return Outcome(changes, values)
    if not changes:
        if not is_trusted(record, found):
            client.record(binary, sha256)
        return Outcome((), values)
    if staged:
        client.install(binary, sha256, staged, params["member"] or "")
        client.record(binary, sha256)
    return Outcome(changes, values)
