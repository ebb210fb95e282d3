# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: which files and directories have to change."""

from __future__ import annotations

from collections.abc import Mapping

from .._core.plan import HIDDEN, Change
from .model import Attributes, Desired, Directory, File, Found


def _directory_change(desired: Directory, found: Found | None) -> Change | None:
    if found is None:
        return Change("create", desired.path, None, desired.attributes.as_dict())
    if found.attributes == desired.attributes:
        return None
    return Change("update", desired.path, found.attributes.as_dict(), desired.attributes.as_dict())


def _shown(content: bytes, attributes: Attributes, *, sensitive: bool) -> str:
    text = f"{HIDDEN}\n" if sensitive else content.decode(errors="replace")
    return f"# {attributes.owner}:{attributes.group} {attributes.mode}\n{text}"


def _file_change(desired: File, found: Found | None) -> Change | None:
    after = _shown(desired.content, desired.attributes, sensitive=desired.sensitive)
    if found is None:
        return Change("create", desired.path, None, after)
    if found.content == desired.content and found.attributes == desired.attributes:
        return None
    before = _shown(found.content or b"", found.attributes, sensitive=desired.sensitive)
    if desired.sensitive and found.content != desired.content:
        before = before.replace(HIDDEN, f"{HIDDEN} (another one)")
    return Change("update", desired.path, before, after)


def plan(found: Mapping[str, Found], desired: Desired) -> tuple[Change, ...]:
    """Return what has to change, directories first.

    :param found: what exists now, by path; paths that do not exist are left out.
    """
    changes = [_directory_change(item, found.get(item.path)) for item in desired.directories]
    changes += [_file_change(item, found.get(item.path)) for item in desired.files]
    changes += [Change("delete", path) for path in desired.absent if path in found]
    return tuple(change for change in changes if change is not None)
