# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract, held against this tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from checks import CHECKS

TREE = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", CHECKS)
def test_tree(name: str) -> None:
    problems = CHECKS[name](TREE)
    if problems:
        pytest.fail("\n".join([str(CHECKS[name].__doc__), *problems]), pytrace=False)
