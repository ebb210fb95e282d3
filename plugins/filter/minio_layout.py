# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells how a MinIO server is told its drives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._minio.layout import Pool, layout


def minio_layout(
    pools: Sequence[Mapping[str, Any]], domain: str = "", port: int = 9000, parity: int = 0
) -> dict[str, Any]:
    """Return how the store is laid out, and why the server would refuse it.

    :param pools: each with ``hosts`` and ``drives``.
    :param domain: what is put behind the hosts' names.
    """
    suffix = f".{domain}" if domain else ""
    read = [
        Pool(tuple(host + suffix for host in pool["hosts"]), tuple(pool["drives"]))
        for pool in pools
    ]
    try:
        found = layout(read, int(port), int(parity))
    except PlatformError as error:
        hint = error.hint
        return {"volumes": [], "set_sizes": [], "parity": 0, "problem": error.what, "hint": hint}
    return {
        "volumes": list(found.volumes),
        "set_sizes": list(found.set_sizes),
        "parity": found.parity,
        "problem": "",
        "hint": "",
    }


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"minio_layout": minio_layout}
