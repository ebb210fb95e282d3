# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: reads, checks and replaces files on the host it runs on."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .._core.errors import PlatformError
from .._core.files import group_id, sync_directory, user_id
from .model import Attributes, Desired, Directory, File, Found

_STAGE = ".config_files."
_CHECK_SECONDS = 60


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def find(path: str, *, follow: bool = False) -> Found | None:
    """Return what is at *path* now, None where nothing is.

    A symbolic link counts as a file with foreign attributes, so that it is replaced and its target
    stays as it is.

    :param follow: whether a link to a directory counts as that directory. It does so only where
        root has made it: anybody else could make root give away a directory of the system.
    """
    try:
        status = os.lstat(path)
        if follow and _is_roots_link(status) and Path(path).is_dir():
            status = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    attributes = Attributes(
        _user(status.st_uid), _group(status.st_gid), f"{stat.S_IMODE(status.st_mode):04o}"
    )
    if stat.S_ISDIR(status.st_mode):
        return Found(attributes)
    if not stat.S_ISREG(status.st_mode):
        return Found(Attributes("", "", ""), b"")
    return Found(attributes, Path(path).read_bytes())


def _is_roots_link(status: os.stat_result) -> bool:
    return stat.S_ISLNK(status.st_mode) and status.st_uid == 0


def find_all(desired: Desired) -> dict[str, Found]:
    """Return what is at each path that *desired* names.

    :raises PlatformError: when a directory stands where a file should be, or the other way round.
    """
    directories = {item.path for item in desired.directories}
    files = [item.path for item in desired.files]
    result = {}
    for path in (*directories, *files, *desired.absent):
        found = find(path, follow=path in directories)
        if found is not None:
            result[path] = found
    for path, found in result.items():
        if (found.content is None) != (path in directories):
            kind = "a file" if path in directories else "a directory"
            raise PlatformError(
                f"there is {kind} already",
                where=path,
                hint="move it away, and run again",
            )
    return result


def make_directory(directory: Directory) -> None:
    """Create *directory* with its parents, or correct who may use it."""
    path = Path(directory.path)
    for parent in reversed(path.parents):
        if not parent.exists():
            parent.mkdir()
            parent.chmod(0o755)
    path.mkdir(mode=0o700, exist_ok=True)
    follow = 0 if _is_roots_link(path.lstat()) else os.O_NOFOLLOW
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | follow)
    try:
        _give(descriptor, directory.attributes)
    finally:
        os.close(descriptor)


def _give(descriptor: int, attributes: Attributes) -> None:
    # In this order, because a change of owner may take bits of the mode away.
    os.fchown(descriptor, user_id(attributes.owner), group_id(attributes.group))
    os.fchmod(descriptor, int(attributes.mode, 8))


@contextmanager
def staged(files: Iterable[File]) -> Iterator[dict[str, Path]]:
    """Write *files* beside their destinations; yields the staged path by destination.

    Staged files keep their names, each directory's in a folder that only root can enter, and
    what an interrupted run left there is removed first.
    """
    folders: dict[Path, Path] = {}
    result = {}
    try:
        for file in files:
            parent = Path(file.path).parent
            if parent not in folders:
                _require(parent, file)
                for old in parent.glob(_STAGE + "*"):
                    shutil.rmtree(old, ignore_errors=True)
                folders[parent] = Path(tempfile.mkdtemp(dir=parent, prefix=_STAGE))
            result[file.path] = folders[parent] / Path(file.path).name
            _write(file, result[file.path])
        yield result
    finally:
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)


def _require(parent: Path, file: File) -> None:
    if not parent.is_dir():
        raise PlatformError(
            f"there is no directory {parent}",
            where=file.path,
            hint="name it under directories, or install the package that brings it first",
        )


def _write(file: File, path: Path) -> None:
    # By descriptor, because whoever owns the directory could put a link in the path's place.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(file.content)
        stream.flush()
        _give(descriptor, file.attributes)
        os.fsync(descriptor)


def check(file: File, path: Path, *, need_checker: bool = True) -> None:
    """Run the file's checker on the staged *path*.

    :param need_checker: whether a checker that is not installed is an error.
    :raises PlatformError: with the checker's last words, when it refuses the content.
    """
    if not file.validate:
        return
    command = [word.replace("%s", str(path)) for word in _words(file)]
    if shutil.which(command[0]) is None:
        if need_checker:
            raise PlatformError(
                f"the checker {command[0]} is not installed",
                where=file.path,
                hint="install the package that has it, or leave validate out",
            )
        return
    done = subprocess.run(  # pylint: disable=ansible-bad-function
        command, capture_output=True, timeout=_CHECK_SECONDS, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        words = "(its output is not shown: the file is a secret)"
        if not file.sensitive:
            said = (done.stdout + done.stderr).decode(errors="replace")
            words = said.replace(str(path), file.path).strip()[-1500:]
        raise PlatformError(
            f"{command[0]} refuses the new content: {words}",
            where=file.path,
            hint="the old file is still in place; correct the variables it is made from",
        )


def _words(file: File) -> list[str]:
    try:
        return shlex.split(file.validate)
    except ValueError as error:
        raise PlatformError(
            f"validate is not a command: {error}", where=file.path, hint="balance its quotes"
        ) from error


def place(stagings: dict[str, Path]) -> None:
    """Move each staged file to its destination, in one step each."""
    for destination, path in stagings.items():
        os.replace(path, destination)
    for parent in {Path(destination).parent for destination in stagings}:
        sync_directory(parent)


def remove(path: str) -> None:
    """Remove the file *path*; that it is gone already is fine."""
    Path(path).unlink(missing_ok=True)
    sync_directory(Path(path).parent)
