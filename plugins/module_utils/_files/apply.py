# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: brings files to their desired state, all or none."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .._core.plan import Change
from . import client
from .model import Desired, File
from .plan import plan


def _check_only(files: list[File]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="config_files."))
    try:
        for number, file in enumerate(files):
            path = folder / str(number) / Path(file.path).name
            path.parent.mkdir()
            path.write_bytes(file.content)
            client.check(file, path, need_checker=False)
    finally:
        shutil.rmtree(folder)


def apply(desired: Desired, *, check_mode: bool) -> tuple[Change, ...]:
    """Bring the host to *desired* and return what was done.

    Every new content is staged and checked before the first old file is replaced.

    :param check_mode: whether only to plan, and to check the new contents where that is possible.
    """
    changes = plan(client.find_all(desired), desired)
    changing = {change.what for change in changes}
    files = [file for file in desired.files if file.path in changing]
    if check_mode:
        _check_only(files)
        return changes
    for directory in desired.directories:
        if directory.path in changing:
            client.make_directory(directory)
    with client.staged(files) as stagings:
        for file in files:
            client.check(file, stagings[file.path])
        client.place(stagings)
    for path in desired.absent:
        if path in changing:
            client.remove(path)
    return changes
