# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._vault.durations import seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), (90, 90), ("90", 90), ("90s", 90), ("1h30m", 5400), ("30d", 2592000), (" 5m ", 300)],
)
def test_lengths_of_time(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "h", "1w", "-1h", "1.5h", "1h 30m"])
def test_what_is_no_length_of_time_is_named(text: str) -> None:
    with pytest.raises(PlatformError, match="is not a length of time") as caught:
        seconds(text, where="pki: ttl")
    assert caught.value.where == "pki: ttl"


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_parts_add_up(hours: int, minutes: int, rest: int) -> None:
    assert seconds(f"{hours}h{minutes}m{rest}s") == hours * 3600 + minutes * 60 + rest
