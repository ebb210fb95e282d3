# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the checks; tests/run starts it in the tool environment."""

from __future__ import annotations

import argparse
import sys

from catalogue import ROOT, SUITES
from runner import run_all

_NAMED = {
    "fast": [name for name, suite in SUITES.items() if suite.fast],
    "all": list(SUITES),
}


def _chosen(arguments: list[str]) -> dict[str, set[str]]:
    """Return the suites that the arguments name, each with the checks wanted of it."""
    chosen: dict[str, set[str]] = {}
    for argument in arguments:
        name, check = [*argument.split(":", 1), ""][:2]
        if name not in SUITES and name not in _NAMED:
            sys.exit(f"there is no suite {name}; tests/run --help lists them")
        for suite in _NAMED.get(name, [name]):
            chosen.setdefault(suite, set()).update([check] if check else [])
    return chosen


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    listed = [f"  {name:<12} {suite.about}" for name, suite in SUITES.items()]
    parser = argparse.ArgumentParser(
        prog="tests/run",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(
            [
                *listed,
                "  fast         those up to contract: no container, no service, no root",
                "  all          everything",
                "",
                "Output of what passed is in .cache/logs. Example: tests/run unit molecule:etcd",
            ]
        ),
    )
    parser.add_argument("suite", nargs="+", help="a suite, or suite:check for one check of it")
    return 0 if run_all(_chosen(parser.parse_args().suite), SUITES, ROOT) else 1


if __name__ == "__main__":
    sys.exit(main())
