# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check is, and how much of it passed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

_PYTEST_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped)\b")
_SANITY_TEST = re.compile(r'^Running sanity test "([^"]+)"', re.MULTILINE)
_SANITY_FAILED = re.compile(r"The (\d+) sanity test\(s\) listed below")
_CLOSING_LINE = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)


@dataclass(frozen=True)
class Count:
    """How many single tests passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def as_one(output: str, ok: bool) -> Count:
    """Count the check itself."""
    return Count(1, 0) if ok else Count(0, 1)


def as_pytest(output: str, ok: bool) -> Count:
    """Count by the last line of pytest, which is the one that says how long it took."""
    last = [line for line in output.splitlines() if re.search(r" in \d+\.\d+s", line)][-1:]
    found = {word.rstrip("s"): int(n) for n, word in _PYTEST_COUNT.findall("".join(last))}
    return _never_silent(
        Count(
            found.get("passed", 0),
            found.get("failed", 0) + found.get("error", 0),
            found.get("skipped", 0),
        ),
        ok,
    )


def as_sanity(output: str, ok: bool) -> Count:
    """Count the sanity tests that ansible-test ran."""
    total = len(set(_SANITY_TEST.findall(output)))
    failed = _SANITY_FAILED.search(output)
    wrong = int(failed[1]) if failed else 0
    return _never_silent(Count(max(total - wrong, 0), wrong), ok)


def as_closing_line(output: str, ok: bool) -> Count:
    """Count by the last ``N passed, N failed`` line of a script of ours."""
    found = _CLOSING_LINE.findall(output)
    passed, failed = found[-1] if found else (0, 0)
    return _never_silent(Count(int(passed), int(failed)), ok)


def _never_silent(count: Count, ok: bool) -> Count:
    """Return *count*, with a failure added where none was counted and one there was."""
    if not count.failed and (not ok or not count.passed):
        return count + Count(0, 1)
    return count


@dataclass(frozen=True)
class Check:
    """One command.

    :param argv: what to run, at the root of the tree.
    :param count: reads from its output how many tests it ran.
    :param environment: variables set beside the caller's own.
    :param timeout: seconds after which it is ended and counts as failed.
    """

    name: str
    argv: Sequence[str]
    count: Callable[[str, bool], Count] = as_one
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: int = 1500


@dataclass(frozen=True)
class Suite:
    """Checks that belong together.

    :param checks: finds them when the suite starts, so that new files are seen.
    :param fast: needs no container, no service and no root.
    :param at_a_time: how many of its checks run beside each other.
    """

    name: str
    about: str
    checks: Callable[[], Sequence[Check]]
    fast: bool = True
    at_a_time: int = 1
