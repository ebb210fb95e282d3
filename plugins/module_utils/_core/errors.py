# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the one exception that its modules raise for what a user can mend."""

from __future__ import annotations


class PlatformError(Exception):
    """Something that a user can mend.

    :param what: what is wrong, one sentence without a full stop.
    :param where: the option, file, host or endpoint that it was found at.
    :param hint: the next step that mends it.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f" [{self.where}]" if self.where else ""
        hint = f" -- {self.hint}" if self.hint else ""
        return f"{self.what}{place}{hint}"

    def as_dict(self) -> dict[str, str]:
        """Return the three parts, as a failing module returns them under ``error``."""
        return {"what": self.what, "where": self.where, "hint": self.hint}


def refusal(error: OSError) -> PlatformError:
    """Return what the operating system refuses, a full disk for example, in our own form."""
    return PlatformError(
        error.strerror or str(error),
        where=str(error.filename or ""),
        hint="mend that, and run again; what was done before stays done",
    )
