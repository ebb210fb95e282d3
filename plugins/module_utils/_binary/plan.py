# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: whether a binary has to be installed."""

from __future__ import annotations

from .._core.errors import PlatformError
from .._core.plan import Change
from .model import Binary, Installed, Record


def expected(binary: Binary, architecture: str, record: Record | None = None) -> str:
    """Return the checksum for *architecture*, empty where only a build will tell.

    :param record: what was installed; it stands for a binary that has no checksum of its own.
    :raises PlatformError: when the artefact is not made for it.
    """
    if not binary.sha256:
        return record.sha256 if record and record.version == binary.version else ""
    try:
        return binary.sha256[architecture]
    except KeyError:
        raise PlatformError(
            f"{binary.name} {binary.version} is not catalogued for {architecture}",
            where=binary.path,
            hint=f"known are {', '.join(sorted(binary.sha256))}; give source and sha256 yourself",
        ) from None


def is_trusted(record: Record | None, found: Installed | None) -> bool:
    """Return whether *found* is still the file whose checksum was proven.

    Reading a binary of 180 MB at every run costs more than the rest of its role, so size and
    time stand for it, as they do for every package manager.
    """
    return (
        record is not None
        and found is not None
        and (record.size, record.modified) == (found.size, found.modified)
    )


def plan(binary: Binary, sha256: str, current: str, current_version: str) -> tuple[Change, ...]:
    """Return the change that makes the binary with checksum *current* the one with *sha256*.

    :param current: empty where there is none.
    """
    if current and current == sha256:
        return ()
    before = {"version": current_version or "unknown", "sha256": current} if current else None
    after = {"version": binary.version, "sha256": sha256 or "told by the build"}
    kind = "update" if current else "install"
    return (Change(kind, f"{binary.path} ({binary.name} {binary.version})", before, after),)
