# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._postgresql import apply, client
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.client import (
    ServerAbsentError,
)

_OPTIONS = {
    **{name: spec.get("default") for name, spec in client.OPTIONS.items()},
    "exclusive": False,
    "protected": ["postgres"],
}


class _Session:
    def __init__(self, server, database):
        self._server = server
        self._database = database
        self.closed = False

    def rows(self, sql, *parameters):
        for word, rows in self._server.answers.items():
            if word in sql:
                return rows
        return []

    def apply(self, steps):
        for step in steps:
            self._server.done.append((self._database, *step.statements))

    def version(self):
        return "17.11"

    def close(self):
        self.closed = True


class _Server:
    """Answers queries by a word in them, and notes what is asked of it."""

    def __init__(self, **answers):
        self.answers = {
            "pg_authid": [],
            "current_user": [("postgres", True), ("owner", False)],
            **answers,
        }
        self.done = []
        self.sessions = []

    def connect(self, login, database="", **how):
        session = _Session(self, database)
        self.sessions.append(session)
        return session


def _absent(login, database="", **how):
    raise ServerAbsentError("nobody is there")


def _run(function, options, server, *, check_mode=False):
    warnings = []
    connect = server.connect if isinstance(server, _Server) else server
    outcome = function(
        {**_OPTIONS, **options}, check_mode=check_mode, warn=warnings.append, connect=connect
    )
    return outcome, warnings


_ROLES = {"roles": [{"name": "app", "memberships": ["pg_monitor"]}]}
_DATABASES = {"databases": [{"name": "app", "owner": "owner", "extensions": ["old"]}]}


def test_roles_are_made_unless_it_is_only_asked():
    monitor = ("pg_monitor", False, False, False, False, False, False, True, -1, None, [], None)
    for check_mode, done in ((False, 2), (True, 0)):
        server = _Server(pg_authid=[monitor])
        outcome, _unused = _run(apply.apply_roles, _ROLES, server, check_mode=check_mode)
        assert [str(change) for change in outcome.changes] == ["create role app"]
        assert len(server.done) == done
        assert all(session.closed for session in server.sessions)


def test_unlisted_roles_are_told_unless_they_are_dropped():
    intern = ("intern", True, False, False, False, False, False, True, -1, None, [], None)
    server = _Server(pg_authid=[intern])
    outcome, _unused = _run(apply.apply_roles, {"roles": []}, server)
    assert outcome.values == {"unlisted": ["intern"]}
    outcome, _unused = _run(apply.apply_roles, {"roles": [], "exclusive": True}, server)
    assert outcome.values == {"unlisted": []}
    assert server.done == [("", 'DROP ROLE "intern"')]


@pytest.mark.parametrize(
    ("function", "options", "first"),
    [
        (apply.apply_roles, _ROLES, "create role app"),
        (apply.apply_databases, _DATABASES, "create database app"),
    ],
)
def test_a_server_that_is_not_there_is_empty_in_check_mode_and_an_error_else(
    function, options, first
):
    outcome, warnings = _run(function, options, _absent, check_mode=True)
    assert str(outcome.changes[0]) == first
    assert warnings == ["taken for an empty server: nobody is there"]
    with pytest.raises(ServerAbsentError):
        _run(function, options, _absent)


def test_a_new_database_is_made_and_then_filled():
    server = _Server(unnest=[("old", "1.0", "1.1", None)])
    outcome, _unused = _run(apply.apply_databases, _DATABASES, server)
    assert server.done[0] == ("", 'CREATE DATABASE "app" OWNER "owner"')
    assert ("app", 'ALTER EXTENSION "old" UPDATE') in server.done
    assert outcome.values == {"drift": [], "server_version": "17.11"}
    # The update needs a session that has said nothing before, so there is a third one.
    assert len(server.sessions) == 3
    assert all(session.closed for session in server.sessions)


def test_in_check_mode_a_new_database_is_foreseen_and_nothing_is_done():
    server = _Server(current_user=[("postgres", True)])
    outcome, _unused = _run(apply.apply_databases, _DATABASES, server, check_mode=True)
    assert "create extension old in database app" in [str(change) for change in outcome.changes]
    assert server.done == []
    assert len(server.sessions) == 1


def test_in_check_mode_an_existing_database_is_read():
    there = ("app", "owner", "UTF8", "libc", "C", -1, None, [["intern", "CONNECT"]])
    server = _Server(pg_database=[there], unnest=[("old", "1.0", "1.1", None)])
    outcome, _unused = _run(apply.apply_databases, _DATABASES, server, check_mode=True)
    assert [str(change) for change in outcome.changes] == ["update extension old in database app"]
    assert outcome.values["drift"] == ["CONNECT on database app for intern"]
    assert server.done == []


def test_an_absent_database_is_dropped_and_not_entered():
    there = ("app", "owner", "UTF8", "libc", "C", -1, None, None)
    server = _Server(pg_database=[there])
    _run(apply.apply_databases, {"databases": [{"name": "app", "state": "absent"}]}, server)
    assert server.done == [("", 'DROP DATABASE "app"')]
    assert len(server.sessions) == 1


def test_an_unknown_role_is_refused_before_anything_is_done():
    server = _Server(current_user=[("postgres", True)])
    with pytest.raises(PlatformError, match="do not exist: owner"):
        _run(apply.apply_databases, _DATABASES, server)
    assert server.done == []


def test_nothing_to_do_sends_nothing():
    there = ("app", "owner", "UTF8", "libc", "C", -1, None, None)
    server = _Server(pg_database=[there])
    outcome, _unused = _run(apply.apply_databases, {"databases": [{"name": "app"}]}, server)
    assert outcome.changes == []
    assert server.done == []
