# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.plan import (
    Change,
    as_diff,
    as_text,
)

_STATES = st.one_of(st.none(), st.text(), st.dictionaries(st.text(), st.integers()))


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (None, ""),
        ("", ""),
        ("a", "a\n"),
        ("a\n", "a\n"),
        ({"b": 1, "a": [2]}, '{\n  "a": [\n    2\n  ],\n  "b": 1\n}\n'),
    ],
)
def test_a_state_is_shown_as_whole_lines(state, text):
    assert as_text(state) == text


@given(_STATES)
def test_what_is_shown_ends_in_a_line_end(state):
    text = as_text(state)
    assert text == "" or text.endswith("\n")


def test_a_diff_names_the_thing_and_the_verb():
    diff = as_diff([Change("update", "policy operator", "old", "new")])
    assert diff == [
        {
            "before_header": "policy operator",
            "after_header": "policy operator (update)",
            "before": "old\n",
            "after": "new\n",
        }
    ]


def test_a_change_reads_as_a_sentence():
    assert str(Change("delete", "/etc/old.cfg")) == "delete /etc/old.cfg"
