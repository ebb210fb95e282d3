# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which suites there are, and what each of them runs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from model import Check, Suite, as_closing_line, as_pytest, as_sanity

ROOT = Path(__file__).resolve().parents[2]
COVERAGE = 95  # per cent of branches of module_utils


def _files() -> list[str]:
    """Return the tree's files: what git tracks, and what it would."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    names = sorted(set(filter(None, done.stdout.split("\0"))))
    return [name for name in names if (ROOT / name).is_file()]


def scripts(interpreter: str, names: Iterable[str] | None = None) -> list[str]:
    """Return the files whose first line names *interpreter* (a pattern)."""
    first_line = re.compile(rb"#!.*\b(" + interpreter.encode() + rb")\b")
    found = []
    for name in _files() if names is None else names:
        with (ROOT / name).open("rb") as file:
            if first_line.match(file.readline()):
                found.append(name)
    return found


def _lint() -> list[Check]:
    files = _files()
    python = [".", *(name for name in scripts("python3?", files) if not name.endswith(".py"))]
    # Templates of scripts are checked once they are rendered, by the contract.
    shell = scripts("sh|bash", (name for name in files if not name.endswith(".j2")))
    return [
        Check("ruff", ["ruff", "check", "--quiet", *python]),
        Check("format", ["ruff", "format", "--check", "--quiet", *python]),
        Check("mypy", ["mypy", "-p", "ansible_collections.mcp.platform.plugins"]),
        Check("yamllint", ["yamllint", "--strict", "."]),
        Check("ansible-lint", ["ansible-lint", "--offline", "--nocolor", "-q"]),
        Check(
            "shellcheck", ["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", *shell]
        ),
        Check("codespell", ["codespell", *files]),
        Check("changelog", ["antsibull-changelog", "lint"]),
        Check("generated", ["tools/generate_docs", "--check"]),
    ]


def _contract() -> list[Check]:
    return [Check("pytest", ["pytest", "-q", "tests/contract"], as_pytest)]


def _unit() -> list[Check]:
    argv = ["pytest", "-q", "--failed-first", "tests/unit"]
    cover = ["--cov", "--cov-report=term", f"--cov-fail-under={COVERAGE}"]
    return [Check("pytest", [*argv, *cover], as_pytest)]


def _sanity() -> list[Check]:
    return [Check("ansible-test", ["tests/sanity/run"], as_sanity)]


def _docs() -> list[Check]:
    lint = ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "."]
    return [Check("antsibull-docs", lint)]


def _build() -> list[Check]:
    return [Check(step, ["tests/build/run", step]) for step in ("build", "install", "importer")]


def integration_targets() -> list[str]:
    """Return the targets that test something; the others prepare what these need."""
    found = (path.name for path in (ROOT / "tests/integration/targets").glob("*") if path.is_dir())
    return sorted(name for name in found if not name.startswith("setup_"))


def _integration() -> list[Check]:
    run = "tests/integration/run"
    return [Check(name, [run, name], timeout=600) for name in integration_targets()]


def molecule_scenarios() -> list[str]:
    """Return every scenario on disk, those that take longest first."""
    found = (path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))
    longest = ("patroni", "vault_server", "vault_agent", "redis_cluster")
    return sorted(found, key=lambda name: (name not in longest, name))


def _molecule() -> list[Check]:
    return [
        Check(
            name,
            ["molecule", "test", "--scenario-name", name],
            environment={"MOLECULE_GLOB": "molecule/*/molecule.yml"},
            timeout=1800,
        )
        for name in molecule_scenarios()
    ]


def _landscape() -> list[Check]:
    return [Check("landscape", ["tests/landscape/run"], as_closing_line, timeout=3000)]


SUITES = {
    suite.name: suite
    for suite in (
        # Fast ones: two at a time, so the longest stand first.
        Suite("lint", "ruff, mypy, yamllint, ansible-lint, shellcheck, generated files", _lint),
        Suite("sanity", "ansible-test sanity on a copy, nothing ignored", _sanity),
        Suite("build", "the collection built, installed, and taken by galaxy-importer", _build),
        Suite("unit", f"plans and clients, branch coverage at least {COVERAGE} %", _unit),
        Suite("docs", "the plugins' documentation", _docs),
        Suite("contract", "what holds for every role, module and playbook", _contract),
        # They wait for hosts most of the time, and each has services or hosts of its own.
        Suite(
            "integration",
            "modules against the real services",
            _integration,
            fast=False,
            at_a_time=2,
        ),
        Suite(
            "molecule",
            "a scenario for each role, on fresh hosts",
            _molecule,
            fast=False,
            at_a_time=2,
        ),
        Suite(
            "landscape", "the whole platform: deploy, again, repair, kill", _landscape, fast=False
        ),
    )
}
