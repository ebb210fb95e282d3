# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._postgresql import proofs
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.proofs import Door, Prover

_DOOR = Door("db.example.org", "app", "owner", "secret", "/ca.crt", address="192.0.2.1")


class _Error(Exception):
    pass


class _ProgrammingError(_Error):
    pass


class _OperationalError(_Error):
    pass


class _World:
    """A door in front of a healthy cluster; a test breaks one thing of it."""

    def __init__(self):
        self.recovering = {5000: False, 5001: True, 5002: False}
        self.arrives_after = 1
        self.answers = {
            "show_chunks": (5, 30, 24),
            "ST_Distance": (879.7,),
            "ORDER BY place": (42,),
            "SELECT answer": (42,),
            "pg_advisory_unlock": (True,),
        }
        self.notified = True
        self.write_to_replica = "cannot execute INSERT in a read-only transaction"
        self.ssl = SimpleNamespace(
            ssl_in_use=True, ssl_attribute={"protocol": "TLSv1.3", "cipher": "AES"}.get
        )
        self.statements = []
        self.reads = 0

    def connect(self, **parameters):
        if parameters.get("sslmode") == "disable":
            self._refuse("no_tls", "FATAL:  SSL required")
        if "password" not in parameters:
            self._refuse("no_password", "fe_sendauth: no password supplied")
        elif parameters["password"] != "secret":
            self._refuse("wrong_password", "FATAL:  SASL authentication failed")
        if parameters["host"] != "db.example.org":
            self._refuse("wrong_name", 'certificate for "x" does not match host name "y"')
        return _Connection(self, parameters["port"])

    refusals: dict[str, str | None] = {}

    def _refuse(self, kind, text):
        said = self.refusals.get(kind, text)
        if said:
            raise _OperationalError(said)


class _Connection:
    def __init__(self, world, port):
        self.world, self.port = world, port
        self.info = world.ssl
        self.notifies = []
        self.autocommit = None

    def cursor(self):
        return _Cursor(self)

    def close(self):
        pass


class _Cursor:
    def __init__(self, connection):
        self.connection = connection
        self._row = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def execute(self, sql):
        world, port = self.connection.world, self.connection.port
        world.statements.append(sql)
        if sql == "SELECT" and world.notified:
            self.connection.notifies.append("scratch")
        if port == 5001 and sql.startswith("INSERT") and world.write_to_replica:
            raise _Error(world.write_to_replica)
        if sql.startswith("SELECT content"):
            world.reads += 1
            if world.reads <= world.arrives_after:
                raise _ProgrammingError('relation "rows" does not exist')
            self._row = ("written", world.recovering[port])
        elif "pg_is_in_recovery" in sql:
            self._row = (world.recovering[port],)
        else:
            self._row = next((row for word, row in world.answers.items() if word in sql), None)

    def fetchone(self):
        return self._row


class _Clock:
    now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def _closed(place, timeout):
    raise TimeoutError("timed out")


def _prove(world, door=_DOOR, dial=_closed):
    library = SimpleNamespace(
        connect=world.connect,
        Error=_Error,
        ProgrammingError=_ProgrammingError,
        OperationalError=_OperationalError,
    )
    clock = _Clock()
    prover = Prover(door, "scratch_1", library, clock=clock, sleep=clock.sleep, dial=dial)
    return {proof.proof: proof for proof in prover.prove()}


def _failed(found):
    return {name for name, proof in found.items() if not proof.passed}


def test_a_healthy_door_passes_every_proof_and_is_left_clean():
    world = _World()
    found = _prove(world, Door(**{**_DOOR.__dict__, "server_port": 5432}))
    assert _failed(found) == set()
    assert len(found) == 14
    assert found["refused: no TLS"].detail == "SSL required"
    assert found["refused: the servers' own port"].detail == "port 5432: timed out"
    assert world.statements[-1] == "DROP SCHEMA IF EXISTS scratch_1 CASCADE"
    assert all("scratch." not in sql for sql in world.statements)


@pytest.mark.parametrize(
    ("broken", "proof"),
    [
        ({"recovering": {5000: True, 5001: True, 5002: False}}, "write on the primary endpoint"),
        ({"recovering": {5000: False, 5001: False, 5002: False}}, "read on the replica endpoint"),
        ({"arrives_after": 10**6}, "read on the replica endpoint"),
        ({"write_to_replica": None}, "refused: write on the replica endpoint"),
        ({"write_to_replica": "connection lost"}, "refused: write on the replica endpoint"),
        ({"notified": False}, "lasting session on the session endpoint"),
        ({"ssl": SimpleNamespace(ssl_in_use=False)}, "TLS, server verified"),
        (
            {"ssl": SimpleNamespace(ssl_in_use=True, ssl_attribute=lambda _: "TLSv1.1")},
            "TLS, server verified",
        ),
    ],
)
def test_one_broken_thing_fails_its_proof_alone(broken, proof):
    world = _World()
    for name, value in broken.items():
        setattr(world, name, value)
    assert _failed(_prove(world)) == {proof}


@pytest.mark.parametrize(
    ("word", "row", "proof"),
    [
        ("show_chunks", (1, 30, 24), "hypertable, time_bucket"),
        ("show_chunks", (5, 29, 24), "hypertable, time_bucket"),
        ("ST_Distance", (1.0,), "distance on the ellipsoid"),
        ("ORDER BY place", (7,), "nearest neighbour by index"),
        ("SELECT answer", (0,), "lasting session on the session endpoint"),
        ("pg_advisory_unlock", (False,), "lasting session on the session endpoint"),
    ],
)
def test_a_wrong_answer_fails_its_proof_alone(word, row, proof):
    world = _World()
    world.answers[word] = row
    assert _failed(_prove(world)) == {proof}


@pytest.mark.parametrize(
    ("kind", "proof"),
    [
        ("no_tls", "refused: no TLS"),
        ("no_password", "refused: no password"),
        ("wrong_password", "refused: wrong password"),
        ("wrong_name", "refused: wrong server name"),
    ],
)
@pytest.mark.parametrize("said", [None, "connection refused"])
def test_an_open_door_and_a_dead_one_both_fail(kind, proof, said):
    world = _World()
    world.refusals = {kind: said}
    found = _prove(world)
    assert _failed(found) == {proof}
    expected = "refused for another reason" if said else "the login was accepted"
    assert expected in found[proof].detail


def test_an_open_port_of_the_servers_fails():
    opened = SimpleNamespace(close=lambda: None)
    door = Door(**{**_DOOR.__dict__, "server_port": 5432})
    found = _prove(_World(), door, dial=lambda *_, **__: opened)
    assert _failed(found) == {"refused: the servers' own port"}


def test_a_single_server_answers_for_its_replicas():
    world = _World()
    world.recovering[5001] = False
    door = Door(**{**_DOOR.__dict__, "replica_expected": False, "extensions": []})
    found = _prove(world, door)
    assert _failed(found) == set()
    assert "for want of a replica" in found["read on the replica endpoint"].detail
    assert "refused: write on the replica endpoint" not in found
    assert "hypertable, time_bucket" not in found


def test_the_options_describe_a_door(monkeypatch):
    monkeypatch.setattr(proofs, "driver", lambda: None)
    monkeypatch.setattr(proofs.Prover, "prove", lambda self: [self._door])
    options = {"host": "h", "database": "d", "user": "u", "password": "p", "ca_path": "/c"}
    (door,) = proofs.prove({**options, "raise_on_failure": True}, "scratch")
    assert door == Door("h", "d", "u", "p", "/c")
    assert "'p'" not in repr(door)
    assert "hostaddr" not in door.parameters(1)
