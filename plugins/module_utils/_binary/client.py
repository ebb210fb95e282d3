# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: looks at and installs binaries on the host it runs on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .._core.errors import PlatformError
from .._core.files import sync_directory, write_atomically
from .model import Binary, Installed, Record

RECORDS = Path("/var/lib/mcp-platform/binaries")
_BLOCK = 1 << 20


def find(path: str) -> Installed | None:
    """Return what is at *path*, None where there is no regular file."""
    file = Path(path)
    if not file.is_file():
        return None
    status = file.stat()
    return Installed(status.st_size, status.st_mtime_ns)


def digest(path: str) -> str:
    """Return the SHA-256 of the file, read in blocks."""
    result = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(_BLOCK):
            result.update(block)
    return result.hexdigest()


def recorded(name: str) -> Record | None:
    """Return what was recorded when the binary was last proven, None where nothing was."""
    try:
        return Record(**json.loads((RECORDS / f"{name}.json").read_text()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None


def record(binary: Binary, sha256: str) -> None:
    """Remember that the file in place has the checksum *sha256*."""
    found = find(binary.path)
    if found is None:
        return
    RECORDS.mkdir(mode=0o755, parents=True, exist_ok=True)
    content = {
        "sha256": sha256,
        "version": binary.version,
        "size": found.size,
        "modified": found.modified,
    }
    write_atomically(RECORDS / f"{binary.name}.json", json.dumps(content).encode())


@contextlib.contextmanager
def _opened(staged: str, member: str) -> Iterator[IO[bytes]]:
    if not member:
        with Path(staged).open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(staged) as archive, archive.open(member) as stream:
        yield stream


def install(binary: Binary, sha256: str, staged: str, member: str) -> None:
    """Put the binary from *staged* in place in one step, if it is the right one.

    :param member: path inside the archive *staged*, empty when *staged* is the binary itself.
    :raises PlatformError: when its checksum is another one; the old file stays.
    """
    target = Path(binary.path)
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as out, _opened(staged, member) as stream:
            shutil.copyfileobj(stream, out, _BLOCK)
            os.fchmod(out.fileno(), 0o755)
            out.flush()
            os.fsync(out.fileno())
        got = digest(name)
        if got != sha256:
            raise PlatformError(
                f"the checksum of {binary.name} {binary.version} is {got}, not {sha256}",
                where=binary.path,
                hint="nothing was installed; check the source it comes from",
            )
        os.replace(name, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    sync_directory(target.parent)
