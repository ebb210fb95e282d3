# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: files and directories as they are and as they should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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


def normal_mode(mode: str) -> str:
    """Return *mode* as four octal digits.

    :raises ValueError: when it is not octal.
    """
    return f"{int(mode, 8):04o}"


def desired_from(params: Mapping[str, Any]) -> Desired:
    """Return the module's options as :class:`Desired`."""

    def attributes(item: Mapping[str, Any]) -> Attributes:
        return Attributes(item["owner"], item["group"], normal_mode(item["mode"]))

    def file(item: Mapping[str, Any]) -> File:
        sensitive = item["secret_content"] is not None
        text = item["secret_content"] if sensitive else item["content"]
        return File(
            item["dest"],
            attributes(item),
            (text or "").encode(),
            item["validate"] or "",
            sensitive,
        )

    return Desired(
        tuple(Directory(item["path"], attributes(item)) for item in params["directories"]),
        tuple(file(item) for item in params["files"]),
        tuple(params["absent"]),
    )
