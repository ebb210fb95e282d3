# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: files that are never lost half-written."""

from __future__ import annotations

import contextlib
import grp
import hashlib
import os
import pwd
import tempfile
from pathlib import Path

from .errors import PlatformError


def user_id(name: str) -> int:
    """Return the numeric id of the user *name*."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise PlatformError(
            f"there is no user {name}", hint="install the package that creates it first"
        ) from None


def group_id(name: str) -> int:
    """Return the numeric id of the group *name*."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise PlatformError(
            f"there is no group {name}", hint="install the package that creates it first"
        ) from None


def sync_directory(path: Path) -> None:
    """Make a rename inside *path* survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(
    path: Path, content: bytes, *, mode: int = 0o600, uid: int = -1, gid: int = -1
) -> None:
    """Replace *path* by *content* in one step; the old file stays until the new one is on disk.

    :param mode: permission bits of the new file, set before it has content.
    :param uid: numeric owner, -1 keeps the writer's.
    :param gid: numeric group, -1 keeps the writer's.
    """
    descriptor, staged = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchown(file.fileno(), uid, gid)
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(staged)
        raise
    sync_directory(path.parent)


def digest(path: Path) -> str:
    """Return the SHA-256 of the file's content in hexadecimal, empty where there is no file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return ""
