# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/run counts what ran, and fails where nothing did."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

SUITES = Path(__file__).resolve().parents[1] / "suites"
sys.path.insert(0, str(SUITES))

import catalogue  # noqa: E402
import model  # noqa: E402
import runner  # noqa: E402
from model import Check, Count, Suite  # noqa: E402


@pytest.mark.parametrize(
    ("output", "ok", "expected"),
    [
        ("3 passed in 0.10s", True, Count(3)),
        ("1 failed, 2 passed, 4 skipped in 61.10s (0:01:01)", False, Count(2, 1, 4)),
        ("2 passed, 1 error in 0.1s", False, Count(2, 1)),
        ("FAIL Required test coverage\n3 passed in 0.10s", False, Count(3, 1)),
        ("no tests ran in 0.01s", True, Count(0, 1)),
        ("the test says: 9 failed\n3 passed in 0.10s", True, Count(3)),
        ("", False, Count(0, 1)),
    ],
)
def test_pytest_is_counted_by_its_last_line(output: str, ok: bool, expected: Count) -> None:
    assert model.as_pytest(output, ok) == expected


def test_sanity_tests_are_counted() -> None:
    output = 'Running sanity test "pep8"\nRunning sanity test "compile" on Python 3.13\n'
    failed = "FATAL: The 1 sanity test(s) listed below (out of 2) failed.\npep8\n"
    assert model.as_sanity(output, True) == Count(2)
    assert model.as_sanity(output + failed, False) == Count(1, 1)
    assert model.as_sanity("", True) == Count(0, 1)


def test_a_script_is_counted_by_its_closing_line() -> None:
    assert model.as_closing_line("1 passed, 0 failed\n7 passed, 2 failed\n", False) == Count(7, 2)
    assert model.as_closing_line("done\n", True) == Count(0, 1)


def _report(tmp_path: Path, *checks: Check, only: tuple[str, ...] = ()) -> runner.Report:
    return runner.run_suite(Suite("x", "", lambda: checks), only, tmp_path, loud=False)


def test_a_suite_that_runs_nothing_fails(tmp_path: Path) -> None:
    report = _report(tmp_path)
    assert not report.ok
    assert "ran nothing" in report.output


def test_output_is_shown_of_the_failing_checks_and_kept_of_all(tmp_path: Path) -> None:
    good, bad = Check("good", ["echo", "fine"]), Check("bad", ["sh", "-c", "echo broken; exit 3"])
    report = _report(tmp_path, good, bad)
    assert (report.count, report.ok) == (Count(1, 1), False)
    assert "broken" in report.output
    assert "fine" not in report.output
    assert "fine" in (tmp_path / ".cache/logs/x.log").read_text()


def test_a_check_that_is_not_there_or_hangs_fails(tmp_path: Path) -> None:
    assert not _report(tmp_path, Check("a", ["true"]), only=("b",)).ok
    assert not _report(tmp_path, Check("a", ["no-such-program"])).ok
    assert "ended after 1 s" in _report(tmp_path, Check("a", ["sleep", "60"], timeout=1)).output


@pytest.mark.parametrize(
    ("command", "line"), [("true", "1 passed, 0 failed"), ("false", "0 passed, 1 failed")]
)
@pytest.mark.parametrize("fast", [True, False])
def test_the_last_line_is_the_sum(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, line: str, fast: bool
) -> None:
    suite = Suite("x", "", lambda: [Check("a", [command])], fast=fast)
    assert runner.run_all({"x": set()}, {"x": suite}, tmp_path) is (command == "true")
    assert capsys.readouterr().out.splitlines()[-1] == line


def test_every_scenario_and_target_on_disk_is_run() -> None:
    run = {check.name for check in catalogue.SUITES["molecule"].checks()}
    assert run == {
        path.parent.name for path in (catalogue.ROOT / "molecule").glob("*/molecule.yml")
    }
    targets = catalogue.ROOT / "tests/integration/targets"
    run = {check.name for check in catalogue.SUITES["integration"].checks()}
    assert run == {p.name for p in targets.glob("*") if p.is_dir() and "setup_" not in p.name}


def test_scripts_are_found_by_their_first_line() -> None:
    found = catalogue.scripts("sh|bash")
    assert "tests/run" in found
    assert "tools/generate_docs" in catalogue.scripts("python3?")
    assert "tests/suites/model.py" not in found
