# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.filter.table import table

cells = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=200)


@given(rows=st.lists(st.fixed_dictionaries({"a": cells, "b": cells}), max_size=5))
def test_no_line_is_too_wide_and_no_word_is_lost(rows):
    lines = table(rows, ["a", "b"], width=40)
    assert max(map(len, lines)) <= 40
    shown = sorted("".join("".join(lines[1:]).split()))
    assert shown == sorted("".join("".join(v.split()) for row in rows for v in row.values()))


def test_missing_values_stay_empty():
    assert table([{"a": 1}], ["a", "name_of_b"]) == ["A  NAME OF B", "1"]


def test_more_columns_than_fit_are_refused():
    with pytest.raises(AnsibleFilterError, match="do not fit"):
        table([], list("abcdefgh"), width=20)
