# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import builtins
import sys
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.plan import Change
from ansible_collections.mcp.platform.plugins.module_utils._postgresql import client
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.client import (
    Login,
    ServerAbsentError,
)
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.model import (
    Attributes,
    Grant,
    Relation,
)
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.sql import Step

_OPTIONS = {name: spec.get("default") for name, spec in client.OPTIONS.items()}


class _Error(Exception):
    pass


class _OperationalError(_Error):
    pass


class _Cursor:
    def __init__(self, connection):
        self._connection = connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def execute(self, sql, parameters=None):
        self._connection.log.append((self._connection.autocommit, sql, parameters))
        if "broken" in sql:
            raise _Error("syntax\n  error")

    def fetchall(self):
        return [("row",)]


class _Connection:
    def __init__(self, superuser="on"):
        self.log = []
        self.autocommit = None
        self.commits = 0
        self.closed = False
        self._status = {"is_superuser": superuser, "server_version": "17.11 (Debian 17.11-0)"}

    def cursor(self):
        return _Cursor(self)

    def commit(self):
        self.commits += 1

    def close(self):
        self.closed = True

    def get_parameter_status(self, name):
        return self._status[name]


def _library(*answers):
    """Return a stand-in for psycopg2 that answers connections with *answers* in turn."""
    queue = list(answers)
    asked = []

    def connect(**parameters):
        asked.append(parameters)
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, str):
            raise _OperationalError(answer)
        return answer

    return SimpleNamespace(
        connect=connect, asked=asked, Error=_Error, OperationalError=_OperationalError
    )


def _connected(connection):
    return client.connect(Login(["db"]), library=lambda: _library(connection))


class _Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_the_options_describe_a_login():
    login = client.login({**_OPTIONS, "login_hosts": ["a", "b"], "login_addresses": ["1", "2"]})
    parameters = login.parameters("app")
    assert parameters["host"] == "a,b"
    assert parameters["hostaddr"] == "1,2"
    assert parameters["dbname"] == "app"
    assert parameters["target_session_attrs"] == "read-write"
    assert "password" not in parameters
    assert "sslrootcert" not in parameters
    assert login.place == "a,b:5432"


@pytest.mark.parametrize(("hosts", "addresses"), [(["a"], ["1", "2"]), ([], [])])
def test_hosts_and_addresses_have_to_pair_up(hosts, addresses):
    with pytest.raises(PlatformError, match="do not pair up"):
        client.login({**_OPTIONS, "login_hosts": hosts, "login_addresses": addresses})


def test_a_password_is_not_shown():
    assert "secret" not in repr(Login(["db"], password="secret"))


def test_it_waits_while_no_server_accepts_writes():
    clock = _Clock()
    library = _library("session is read-only", "the database system is starting up", _Connection())
    session = client.connect(
        Login(["db"], wait=5), "app", library=lambda: library, clock=clock, sleep=clock.sleep
    )
    assert clock.now == 1.0
    assert library.asked[0]["dbname"] == "app"
    assert session.version() == "17.11"


@pytest.mark.parametrize(
    "said",
    [
        "connection refused",
        'root certificate file "/etc/ca.crt" does not exist',
        "FATAL:  the database system is starting up",
        "session is read-only",
    ],
)
def test_a_server_that_is_not_there_is_absent(said):
    clock = _Clock()
    with pytest.raises(ServerAbsentError, match="no server accepts writes"):
        client.connect(
            Login(["db"]),
            wait=1,
            library=lambda: _library(said),
            clock=clock,
            sleep=clock.sleep,
        )


@pytest.mark.parametrize(
    "said",
    [
        'FATAL:  password authentication failed for user "postgres"',
        'FATAL:  no pg_hba.conf entry for host "10.0.0.1"',
        "fe_sendauth: no password supplied",
        "SSL error: certificate verify failed",
        'server certificate for "a" does not match host name "b"',
    ],
)
def test_a_refusal_is_told_at_once(said):
    with pytest.raises(PlatformError, match="cannot log in as postgres") as caught:
        client.connect(Login(["db"]), library=lambda: _library(said))
    assert not isinstance(caught.value, ServerAbsentError)


def test_a_host_without_the_library_is_like_a_server_that_is_not_there(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name.startswith("psycopg2"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ServerAbsentError, match="psycopg2 is not on the host"):
        client.driver()


def test_the_library_is_found_where_it_is(monkeypatch):
    library = SimpleNamespace(extensions=None)
    monkeypatch.setitem(sys.modules, "psycopg2", library)
    monkeypatch.setitem(sys.modules, "psycopg2.extensions", SimpleNamespace())
    assert client.driver() is library


def _step(*statements, **how):
    return Step(Change("update", "x"), statements, **how)


def test_what_may_share_a_transaction_does_and_the_rest_comes_first():
    connection = _Connection()
    session = _connected(connection)
    session.apply([_step("one"), _step("alone", alone=True), _step("two")])
    assert [(auto, sql) for auto, sql, _unused in connection.log] == [
        (True, "alone"),
        (False, "one"),
        (False, "two"),
    ]
    assert connection.commits == 1
    session.close()
    assert connection.closed


def test_without_steps_there_is_no_statement():
    connection = _Connection()
    _connected(connection).apply([])
    assert connection.log == []
    assert connection.commits == 0


@pytest.mark.parametrize(("superuser", "quiet"), [("on", True), ("off", False)])
def test_a_verifier_is_kept_out_of_the_log_where_that_is_allowed(superuser, quiet):
    connection = _Connection(superuser)
    _connected(connection).apply([_step("verifier", secret=True)])
    said = [sql for _auto, sql, _parameters in connection.log]
    assert ("SET LOCAL log_statement = 'none'" in said) is quiet
    assert said[-1] == "verifier"


def test_what_the_server_says_is_told_without_a_traceback():
    session = _connected(_Connection())
    with pytest.raises(PlatformError, match="PostgreSQL refused: syntax error"):
        session.rows("broken")
    with pytest.raises(PlatformError, match="PostgreSQL refused: syntax error"):
        session.apply([_step("broken")])


def test_a_query_takes_parameters():
    connection = _Connection()
    session = _connected(connection)
    assert session.rows("SELECT %s", ["a"]) == [("row",)]
    assert session.rows("SELECT") == [("row",)]
    assert [parameters for _auto, _sql, parameters in connection.log] == [(["a"],), None]


class _Scripted:
    """A session that answers each query by a word in it."""

    def __init__(self, answers):
        self._answers = answers

    def rows(self, sql, *parameters):
        return next(rows for word, rows in self._answers.items() if word in sql)


def test_roles_are_read():
    row = ("app", True, False, False, False, False, False, True, 5, "SCRAM", ["team"], ["A=b=c"])
    role = client.read_roles(_Scripted({"pg_authid": [row]}))["app"]
    assert role.attributes == Attributes(connection_limit=5)
    assert role.verifier == "SCRAM"
    assert role.memberships == {"team"}
    assert role.settings == {"a": "b=c"}


def test_names_are_read():
    rows = [("postgres", True), ("app", False)]
    names = client.read_names(_Scripted({"current_user": rows}))
    assert names == ({"postgres", "app"}, "postgres")


def test_databases_are_read():
    row = ("app", "owner", "UTF8", "builtin", "C.UTF-8", -1, None, [["public", "CONNECT"]])
    database = client.read_databases(_Scripted({"pg_database": [row]}))["app"]
    assert database.owner == "owner"
    assert database.settings == {}
    assert database.grants == {Grant("database", '"app"', "public", "CONNECT")}


def test_content_is_read():
    content = client.read_content(
        _Scripted(
            {
                "pg_extension w": [],
                "unnest": [("vector", None, "0.8.0", None)],
                "FROM pg_class": [("table", "s", "t", "owner", [["reader", "SELECT"]])],
                "FROM pg_default_acl": [("owner", "tables", [["reader", "SELECT"]])],
                "FROM pg_proc": [("body", [["pool", "EXECUTE"]])],
                "FROM pg_namespace": [("s", "owner", None)],
            }
        ),
        ["vector"],
    )
    assert content.schemas == {"s": "owner"}
    assert content.extensions["vector"].available == "0.8.0"
    assert content.relations == {Relation("table", '"s"."t"', "owner")}
    assert content.lookup == "body"
    assert content.grants == {
        Grant("table", '"s"."t"', "reader", "SELECT"),
        Grant("tables", "owner", "reader", "SELECT"),
        Grant("function", '"auth_lookup"."verifier"(text)', "pool", "EXECUTE"),
    }
