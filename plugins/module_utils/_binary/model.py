# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: a binary as it should be, and what is known of the one in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Binary:
    """A binary that should be installed.

    :param name: name of the artefact.
    :param path: where it belongs.
    :param version: for people; the checksum decides.
    :param sha256: checksum of the binary by machine architecture, as ``uname -m`` names it. Empty
        for one that the controller builds: what was installed as this version is the right one.
    """

    name: str
    path: str
    version: str
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class Installed:
    """What is at the path now, as cheaply as the disk tells it.

    :param size: bytes.
    :param modified: nanoseconds since the epoch.
    """

    size: int
    modified: int


@dataclass(frozen=True)
class Record:
    """What was at the path when its checksum was last proven."""

    sha256: str
    version: str
    size: int
    modified: int
