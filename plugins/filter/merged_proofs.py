# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums up what several hosts have proven."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def merged_proofs(
    proofs_by_host: Mapping[str, Sequence[Mapping[str, Any]]],
) -> list[dict[str, Any]]:
    """Return a row for each proof: on how many hosts it held, or where and how it failed.

    :param proofs_by_host: each host's proofs, with the keys service, proof, passed and detail.
    """
    found: dict[tuple[str, str], list[tuple[str, bool, str]]] = {}
    for host, proofs in proofs_by_host.items():
        for proof in proofs:
            key = (str(proof["service"]), str(proof["proof"]))
            found.setdefault(key, []).append((host, bool(proof["passed"]), str(proof["detail"])))
    rows = []
    for (service, name), tries in found.items():
        failures = [f"{host}: {detail}" for host, passed, detail in tries if not passed]
        held = f"yes, from {len(tries)} host{'s' if len(tries) > 1 else ''}"
        rows.append(
            {
                "service": service,
                "proof": name,
                "proven": "NO" if failures else held,
                "detail": "; ".join(failures) or tries[0][2],
                "passed": not failures,
            }
        )
    return rows


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"merged_proofs": merged_proofs}
