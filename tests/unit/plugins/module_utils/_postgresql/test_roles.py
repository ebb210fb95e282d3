# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._postgresql import roles, scram
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.model import (
    Attributes,
    DesiredRole,
    Role,
    desired_role,
)

_VERIFIER = scram.verifier("secret", iterations=1)


def _statements(steps):
    return [statement for step in steps for statement in step.statements]


def test_a_new_role_is_made_in_one_statement_and_its_password_is_not_in_it():
    desired = DesiredRole("app", password="secret", settings={"statement_timeout": "30s"})
    (step,) = roles.plan({}, [desired])
    create, setting = step.statements
    assert create.startswith('CREATE ROLE "app" LOGIN PASSWORD \'SCRAM-SHA-256$4096:')
    assert setting == 'ALTER ROLE "app" SET "statement_timeout" TO \'30s\''
    assert "secret" not in create
    assert step.secret
    assert step.change.before is None
    assert step.change.after["password"] == "VALUE_HIDDEN (new)"


def test_a_role_that_may_not_log_in_is_made_without_it():
    (step,) = roles.plan({}, [DesiredRole("team", attributes=Attributes(login=False))])
    assert step.statements == ('CREATE ROLE "team"',)
    assert not step.secret


def test_nothing_changes_when_the_password_fits():
    current = {"app": Role("app", verifier=_VERIFIER)}
    assert roles.plan(current, [DesiredRole("app", password="secret")]) == ()
    assert roles.plan(current, [DesiredRole("app", password=_VERIFIER)]) == ()
    assert roles.plan(current, [DesiredRole("app")]) == ()


def test_another_password_changes_the_verifier_alone():
    current = {"app": Role("app", verifier=_VERIFIER)}
    other = scram.verifier("other", iterations=1)
    (step,) = roles.plan(current, [DesiredRole("app", password=other)])
    assert step.statements == (f"ALTER ROLE \"app\" PASSWORD '{other}'",)
    assert step.secret
    assert step.change.before["password"] == "VALUE_HIDDEN"
    assert _VERIFIER not in str(step.change) + repr(step.change)


def test_one_changed_limit_is_one_statement():
    current = {"app": Role("app", verifier=_VERIFIER)}
    desired = DesiredRole("app", attributes=Attributes(connection_limit=5))
    assert _statements(roles.plan(current, [desired])) == ['ALTER ROLE "app" CONNECTION LIMIT 5']


def test_memberships_come_after_all_roles_and_extra_ones_go():
    current = {"app": Role("app", memberships=frozenset({"old"})), "old": Role("old")}
    desired = [
        DesiredRole("app", memberships=frozenset({"team"})),
        DesiredRole("team", attributes=Attributes(login=False)),
    ]
    assert _statements(roles.plan(current, desired)) == [
        'CREATE ROLE "team"',
        'GRANT "team" TO "app"',
        'REVOKE "old" FROM "app"',
    ]


def test_a_role_that_is_created_and_granted_is_one_change():
    desired = [DesiredRole("app", memberships=frozenset({"team"})), DesiredRole("team")]
    assert [str(change) for change in roles.changes(roles.plan({}, desired))] == [
        "create role app",
        "create role team",
    ]


def test_absent_roles_are_dropped_once():
    absent = DesiredRole("app", present=False)
    assert _statements(roles.plan({"app": Role("app")}, [absent])) == ['DROP ROLE "app"']
    assert roles.plan({}, [absent]) == ()


def test_exclusive_drops_what_nobody_speaks_for():
    current = {name: Role(name) for name in ("app", "intern", "postgres", "pg_monitor")}
    desired = [DesiredRole("app")]
    assert roles.unlisted(current, desired, ["postgres"]) == ["intern"]
    assert roles.plan(current, desired, protected=["postgres"]) == ()
    steps = roles.plan(current, desired, exclusive=True, protected=["postgres"])
    assert _statements(steps) == ['DROP ROLE "intern"']


@pytest.mark.parametrize(
    ("desired", "text"),
    [
        ([DesiredRole("a"), DesiredRole("a")], "listed twice: a"),
        ([DesiredRole("a", memberships=frozenset({"b"}))], "no such role"),
        (
            [DesiredRole("a", memberships=frozenset({"b"})), DesiredRole("b", present=False)],
            "no such role",
        ),
    ],
)
def test_a_list_that_cannot_be_carried_out_is_refused(desired, text):
    with pytest.raises(PlatformError, match=text):
        roles.plan({}, desired)


def test_an_entry_becomes_a_role():
    role = desired_role(
        {
            "name": "app",
            "state": "present",
            "password": "secret",
            "login": True,
            "connection_limit": 3,
            "memberships": ["team"],
            "settings": {"Work_Mem": "4MB", "jit": False},
        }
    )
    assert role.attributes == Attributes(connection_limit=3)
    assert role.settings == {"work_mem": "4MB", "jit": "off"}
    assert role.memberships == {"team"}
    assert "secret" not in repr(role)
    assert desired_role({"name": "x", "state": "absent"}) == DesiredRole("x", present=False)


@pytest.mark.parametrize("name", ["pg_monitor", "public", "none", ""])
def test_a_name_that_is_not_free_is_refused(name):
    with pytest.raises(PlatformError):
        desired_role({"name": name})


@pytest.mark.parametrize("password", ["", "two\nlines", "carriage\rreturn", "nul\0"])
def test_a_password_that_would_not_arrive_is_refused(password):
    with pytest.raises(PlatformError, match="empty or holds a line break"):
        desired_role({"name": "app", "password": password})


_NAMES = st.sampled_from(["a", "b", "c"])
_ATTRIBUTES = st.builds(
    Attributes, st.booleans(), st.booleans(), connection_limit=st.integers(-1, 3)
)
_SETTINGS = st.dictionaries(st.sampled_from(["work_mem", "search_path"]), st.sampled_from("xy"))
_PASSWORDS = st.none() | st.sampled_from(["hunter-1", "hunter-2", _VERIFIER])
_CURRENT = st.builds(
    Role,
    _NAMES,
    _ATTRIBUTES,
    st.sampled_from([None, _VERIFIER]),
    st.frozensets(_NAMES),
    _SETTINGS,
)
_DESIRED = st.builds(
    DesiredRole,
    _NAMES,
    st.just(True),
    _ATTRIBUTES,
    _PASSWORDS,
    st.none() | st.frozensets(_NAMES),
    st.none() | _SETTINGS,
)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(_CURRENT, unique_by=lambda role: role.name),
    st.lists(_DESIRED, unique_by=lambda role: role.name),
)
def test_what_a_plan_leads_to_needs_no_further_step(current, desired):
    known = {name: Role(name) for name in "abc"} | {role.name: role for role in current}
    after = dict(known)
    for role in desired:
        after[role.name] = roles.target(known.get(role.name), role)
    assert roles.plan(after, desired) == ()
    changed = {role.name for role in desired if after[role.name] != known[role.name]}
    steps = roles.plan(known, desired)
    assert {step.change.what.removeprefix("role ") for step in steps} == changed
    for step in steps:
        assert "hunter" not in str(step.change.after) and "SCRAM" not in str(step.change.after)


def test_a_role_left_alone_keeps_what_is_not_said():
    current = Role("app", memberships=frozenset({"x"}), settings={"jit": "off"})
    assert roles.target(current, DesiredRole("app")) == replace(current)
