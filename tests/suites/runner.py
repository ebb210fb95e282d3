# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs suites, keeps their output, and shows that of the failing ones."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from model import Check, Count, Suite

AT_A_TIME = 2  # fast suites; the slow ones come one after the other


@dataclass(frozen=True)
class Report:
    """How one suite went: the output is that of its failing checks, whole."""

    suite: str
    count: Count
    seconds: float
    output: str

    @property
    def ok(self) -> bool:
        """Whether everything passed, and there was something."""
        return not self.count.failed and self.count.passed > 0

    def __str__(self) -> str:
        verdict = "PASS" if self.ok else "FAIL"
        return f"{verdict} {self.suite} ({self.seconds:.0f} s) {self.count}"


def run_check(check: Check, root: Path) -> tuple[bool, str]:
    """Run one command in a process group of its own; return whether it passed, and its output."""
    environment = {**os.environ, "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", **check.environment}
    try:
        process = subprocess.Popen(
            list(check.argv), cwd=root, env=environment, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return False, f"{check.argv[0]}: {error.strerror}\n"
    try:
        output = process.communicate(timeout=check.timeout)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0]
        return False, f"{output}\nended after {check.timeout} s\n"
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode == 0, output


def run_suite(suite: Suite, only: Iterable[str], root: Path, *, loud: bool) -> Report:
    """Run a suite's checks, or only those named.

    :param loud: say how each check went as soon as it is known; for suites that take minutes.
    """
    started = time.monotonic()
    wanted = set(only)
    total, failures, log = Count(), "", ""
    checks = [check for check in suite.checks() if not wanted or check.name in wanted]
    for missing in sorted(wanted - {check.name for check in checks}):
        failures += f"--- {suite.name}: there is no check {missing}\n"
        total += Count(0, 1)

    def one(check: Check) -> tuple[Count, str]:
        check_started = time.monotonic()
        ok, output = run_check(check, root)
        count = check.count(output, ok)
        if loud:
            verdict = "failed" if count.failed else "ok"
            seconds = time.monotonic() - check_started
            print(f"     {suite.name}:{check.name} {verdict} ({seconds:.0f} s)", flush=True)
        return count, f"--- {suite.name}: {check.name}: {' '.join(check.argv[:8])}\n{output}\n"

    with ThreadPoolExecutor(suite.at_a_time) as pool:
        for count, text in pool.map(one, checks):
            total += count
            log += text
            failures += text if count.failed else ""
    if not total.passed and not total.failed:
        failures += f"--- {suite.name}: ran nothing\n"
        total += Count(0, 1)
    logs = root / ".cache/logs"
    logs.mkdir(parents=True, exist_ok=True)
    (logs / f"{suite.name}.log").write_text(log)
    return Report(suite.name, total, time.monotonic() - started, failures)


def run_all(chosen: dict[str, set[str]], suites: dict[str, Suite], root: Path) -> bool:
    """Run the chosen suites, the fast ones first; print each result, and the sum as the last line.

    :param chosen: suite's name to the checks wanted of it, empty for all.
    """
    total = Count()

    def done(report: Report) -> None:
        nonlocal total
        total += report.count
        print(report.output + str(report), flush=True)

    fast = [suite for suite in suites.values() if suite.name in chosen and suite.fast]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        runs = [pool.submit(run_suite, s, chosen[s.name], root, loud=False) for s in fast]
        for run in as_completed(runs):
            done(run.result())
    for suite in suites.values():
        if suite.name in chosen and not suite.fast:
            done(run_suite(suite, chosen[suite.name], root, loud=True))
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return not total.failed and total.passed > 0
