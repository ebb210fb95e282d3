# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._patroni.plan import (
    apply_patch,
    check_effective,
    patch,
    plan,
)

_SCALARS = st.one_of(st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.integers()))
# A busy machine is no failure.
_UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
_KEYS = st.sampled_from(["pause", "ttl", "postgresql", "a", "b"])


def _documents(scalars: st.SearchStrategy) -> st.SearchStrategy:
    return st.dictionaries(
        _KEYS,
        st.recursive(scalars, lambda inner: st.dictionaries(_KEYS, inner), max_leaves=8),
    )


@_UNHURRIED
@given(_documents(_SCALARS), _documents(st.one_of(st.none(), _SCALARS)), st.booleans())
def test_a_plan_of_the_new_state_is_empty(current, desired, exact):
    after = apply_patch(current, patch(current, desired, exact=exact))
    assert patch(after, desired, exact=exact) == {}
    assert plan(after, desired, exact=exact) == ()


@_UNHURRIED
@given(_documents(_SCALARS), _documents(_SCALARS))
def test_what_is_not_named_stays_unless_exact(current, desired):
    after = apply_patch(current, patch(current, desired, exact=False))
    assert set(after) == set(current) | set(desired)
    kept = {key for key in current if key == "pause"}
    after = apply_patch(current, patch(current, desired, exact=True))
    assert set(after) == set(desired) | kept


def test_only_the_difference_is_patched():
    current = {"ttl": 30, "postgresql": {"parameters": {"max_connections": 100, "work_mem": "4MB"}}}
    desired = {"ttl": 30, "postgresql": {"parameters": {"max_connections": 200}}}
    assert patch(current, desired, exact=False) == {
        "postgresql": {"parameters": {"max_connections": 200}}
    }
    assert patch(current, desired, exact=True) == {
        "postgresql": {"parameters": {"max_connections": 200, "work_mem": None}}
    }


def test_a_promotion_or_a_pause_is_never_undone():
    current = {"pause": True, "standby_cluster": {"host": "x"}}
    assert patch(current, {}, exact=True) == {}
    assert patch(current, {"pause": None}, exact=True) == {"pause": None}


def test_values_are_compared_by_their_text():
    assert plan({"ttl": "20"}, {"ttl": 20}, exact=True) == ()


def test_a_null_inside_a_new_setting_is_not_stored():
    assert patch({}, {"a": {"b": None, "c": 1}}, exact=False) == {"a": {"c": 1}}


def test_the_plan_names_each_setting():
    changes = plan(
        {"ttl": 30, "postgresql": {"parameters": {"work_mem": "4MB"}}},
        {"ttl": 20, "failsafe_mode": True, "postgresql": {"parameters": {"work_mem": None}}},
        exact=False,
    )
    assert [(str(change), change.before, change.after) for change in changes] == [
        ("create failsafe_mode", None, "True"),
        ("delete postgresql.parameters.work_mem", "4MB", None),
        ("update ttl", "30", "20"),
    ]


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"ttl": 5}, "settings.ttl"),
        ({"loop_wait": 0}, "settings.loop_wait"),
        ({"retry_timeout": 2}, "settings.retry_timeout"),
        ({"ttl": 20}, "settings.ttl"),
        ({"ttl": "20 s"}, "settings.ttl"),
        (
            {"postgresql": {"parameters": {"max_connections": 10}}},
            "settings.postgresql.parameters.max_connections",
        ),
        (
            {"postgresql": {"parameters": {"max_wal_senders": 1}}},
            "settings.postgresql.parameters.max_wal_senders",
        ),
        ({"postgresql": {"parameters": {"port": 5433}}}, "settings.postgresql.parameters.port"),
    ],
)
def test_what_patroni_would_silently_replace_is_refused(document, where):
    with pytest.raises(PlatformError) as caught:
        check_effective(document)
    assert caught.value.where == where
    assert caught.value.hint


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"postgresql": None},
        {"ttl": 20, "loop_wait": 5, "retry_timeout": 5},
        {"ttl": 21, "loop_wait": 1, "retry_timeout": 10},
        {"postgresql": {"parameters": {"max_connections": "25", "shared_buffers": "1GB"}}},
    ],
)
def test_what_patroni_uses_as_given_passes(document):
    check_effective(document)
