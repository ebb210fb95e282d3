# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: files and directories as they are and as they should be."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._core.errors import PlatformError

_MODE = re.compile("0[0-7]{3,4}")


@dataclass(frozen=True)
class Attributes:
    """Who may do what with a path: names of owner and group, and the mode in octal digits."""

    owner: str
    group: str
    mode: str

    def as_dict(self) -> dict[str, str]:
        return {"owner": self.owner, "group": self.group, "mode": self.mode}


@dataclass(frozen=True)
class Directory:
    """A directory that should exist."""

    path: str
    attributes: Attributes


@dataclass(frozen=True)
class File:
    """A file that should exist with this content.

    :param content: the whole content.
    :param validate: command that refuses a bad content; ``%s`` stands for the staged file.
    :param sensitive: whether the content is a secret, which no diff may show.
    """

    path: str
    attributes: Attributes
    content: bytes
    validate: str = ""
    sensitive: bool = False


@dataclass(frozen=True)
class Desired:
    """Everything that one call places or removes."""

    directories: tuple[Directory, ...] = ()
    files: tuple[File, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What is at a path now; *content* is None for a directory."""

    attributes: Attributes
    content: bytes | None = None


def normal_mode(mode: str, path: str = "") -> str:
    """Return *mode*, which is meant for *path*, as four octal digits.

    :raises PlatformError: when it has no leading zero. YAML reads an unquoted 0640 as the number
        416, and taken for octal digits again that would open the file to the wrong people.
    """
    if not _MODE.fullmatch(mode):
        raise PlatformError(
            f"the mode {mode} is not a zero and three or four octal digits",
            where=path,
            hint='write it in quotes and with its zero: mode: "0640"',
        )
    return f"{int(mode, 8):04o}"


def normal_path(path: str) -> str:
    """Return *path* in its one spelling.

    :raises PlatformError: when it is not absolute.
    """
    if not path.startswith("/"):
        raise PlatformError("this path is not absolute", where=path, hint="begin it with a slash")
    return os.path.normpath(path).replace("//", "/")


def normal_command(command: str, path: str) -> str:
    """Return the checker's *command* for the file *path*.

    :raises PlatformError: when it would check something else than the staged file.
    """
    if command and "%s" not in command:
        raise PlatformError(
            "validate does not say where the new content goes",
            where=path,
            hint="write %s where the command takes the file's name",
        )
    return command


def desired_from(params: Mapping[str, Any]) -> Desired:
    """Return the module's options as :class:`Desired`.

    :raises PlatformError: when they can't be met, whatever is on the host.
    """

    def attributes(item: Mapping[str, Any], path: str) -> Attributes:
        return Attributes(item["owner"], item["group"], normal_mode(item["mode"], path))

    def directory(item: Mapping[str, Any]) -> Directory:
        path = normal_path(item["path"])
        return Directory(path, attributes(item, path))

    def file(item: Mapping[str, Any]) -> File:
        sensitive = item["secret_content"] is not None
        text = item["secret_content"] if sensitive else item["content"]
        path = normal_path(item["dest"])
        return File(
            path,
            attributes(item, path),
            (text or "").encode(),
            normal_command(item["validate"] or "", path),
            sensitive,
        )

    desired = Desired(
        tuple(directory(item) for item in params["directories"]),
        tuple(file(item) for item in params["files"]),
        tuple(normal_path(path) for path in params["absent"]),
    )
    _refuse_repeated(desired)
    return desired


def _refuse_repeated(desired: Desired) -> None:
    paths = [item.path for item in desired.directories]
    paths += [item.path for item in desired.files]
    paths += desired.absent
    for path in paths:
        if paths.count(path) > 1:
            raise PlatformError(
                "this path is named more than once",
                where=path,
                hint="name it once, as a directory, as a file, or as absent",
            )
