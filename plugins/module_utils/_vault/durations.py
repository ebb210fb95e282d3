# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: lengths of time, as the vault takes and returns them."""

from __future__ import annotations

import re

from .._core.errors import PlatformError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WHOLE = re.compile(r"(?:\d+[smhd])+")
_PART = re.compile(r"(\d+)([smhd])")


def seconds(value: str | int, *, where: str = "") -> int:
    """Return the seconds in *value*: a number of seconds, or parts such as ``1h30m`` and ``30d``.

    :param where: the option that it was given for, to be named in the error.
    :raises PlatformError: when it is neither.
    """
    text = str(value).strip()
    if text.isdigit():
        return int(text)
    if not _WHOLE.fullmatch(text):
        raise PlatformError(
            f"{text!r} is not a length of time",
            where=where,
            hint="give seconds, or a number with s, m, h or d, such as 720h",
        )
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
