# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._postgresql import sql


@pytest.mark.parametrize("name", ["", "x" * 64, "é" * 32, "a\nb"])
def test_a_name_that_the_server_would_cut_or_refuse_is_refused(name):
    with pytest.raises(PlatformError, match="not a usable name"):
        sql.checked_name(name, "roles")


def test_a_usable_name_is_returned():
    assert sql.checked_name("x" * 63, "roles") == "x" * 63


@given(st.text())
def test_a_quoted_name_ends_where_it_ends(name):
    quoted = sql.identifier(name)
    assert quoted[0] == quoted[-1] == '"'
    assert quoted[1:-1].replace('""', "") == name.replace('"', "")


@given(st.text())
def test_a_quoted_text_has_no_lone_quote_or_backslash(text):
    body = sql.literal(text).lstrip(" E")[1:-1]
    assert "'" not in body.replace("''", "")
    assert "\\" not in body.replace("\\\\", "")


def test_names_are_joined():
    assert sql.identifiers(["a", 'b"']) == '"a", "b"""'


@pytest.mark.parametrize(
    ("value", "text"), [(True, "on"), (False, "off"), (5, "5"), ("30s", "30s")]
)
def test_a_setting_is_written_as_the_server_has_it(value, text):
    assert sql.setting_text(value) == text


def test_only_what_differs_is_set_or_reset():
    stored = {"statement_timeout": "1s", "search_path": '"$user", public', "work_mem": "4MB"}
    wanted = {"statement_timeout": "2s", "search_path": "$user,public", "app.key": "it's"}
    assert sql.settings_clauses(stored, wanted) == (
        "SET \"app\".\"key\" TO 'it''s'",
        "SET \"statement_timeout\" TO '2s'",
        'RESET "work_mem"',
    )


def test_a_list_of_names_is_quoted_one_by_one():
    assert sql.set_clause("search_path", 'app, "$user"') == "SET \"search_path\" TO 'app', '$user'"
    assert sql.set_clause("search_path", "") == "SET \"search_path\" TO ''"
