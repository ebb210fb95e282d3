# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import importlib.util
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

_FILE = Path(__file__).parents[3] / "roles/redis_cluster/files/redis_node.py"
_SPEC = importlib.util.spec_from_file_location("redis_node", _FILE)
redis_node = importlib.util.module_from_spec(_SPEC)
sys.modules["redis_node"] = redis_node
_SPEC.loader.exec_module(redis_node)

OWN = {
    "host": "a",
    "ports": [1, 2],
    "ca": "/ca",
    "certificate": "/c",
    "private_key": "/k",
    "username": "maintenance",
    "password": "secret",
}


class Cluster:
    """Three hosts, each with a primary at port 1 and a replica at port 2; b has that of a."""

    def __init__(self):
        self.state = "ok"
        self.primary_of = {"a1": "", "b1": "", "c1": "", "b2": "a1", "c2": "b1", "a2": "c1"}
        self.failed = set()
        self.lag = {}
        self.link = "up"
        self.obedient = True
        self.asked = []
        self.silent = set()

    def lines(self, me):
        for name, primary in sorted(self.primary_of.items()):
            flags = "slave" if primary else "master"
            flags = f"myself,{flags}" if name == me else flags
            flags = f"{flags},fail" if name in self.failed else flags
            slots = "" if primary else " 0-10 [5->-x]"
            where = f"10.0.0.{ord(name[0])}:{name[1]}@1{name[1]},{name[0]}"
            yield f"{name} {where} {flags} {primary or '-'} 0 0 1 connected{slots}"

    def answer(self, me, words):
        self.asked.append((me, words))
        if words == ("CLUSTER", "NODES"):
            return "\n".join(self.lines(me))
        if words == ("CLUSTER", "INFO"):
            return f"cluster_state:{self.state}\r\n"
        if words == ("INFO", "replication"):
            return self.replication(me)
        if words == ("CLUSTER", "FAILOVER") and self.obedient:
            self.fail_over(me)
        return "OK"

    def fail_over(self, me):
        old = self.primary_of[me]
        followers = {name: me for name, primary in self.primary_of.items() if primary == old}
        self.primary_of = {**self.primary_of, **followers, old: me, me: ""}

    def replication(self, me):
        if self.primary_of[me]:
            return f"role:slave\r\nmaster_link_status:{self.link}\r\n"
        rows = [
            f"slave{n}:ip=10.0.0.{ord(name[0])},port={name[1]},state=online,"
            f"offset={5_000_000 - self.lag.get(name, 0)},lag=0"
            for n, name in enumerate(name for name, own in self.primary_of.items() if own == me)
        ]
        return "\r\n".join(["role:master", *rows, "master_repl_offset:5000000"])

    def host(self, name="a"):
        now = SimpleNamespace(seconds=0.0)

        def sleep(seconds):
            now.seconds += seconds

        host = redis_node.Host({**OWN, "host": name}, clock=lambda: now.seconds, sleep=sleep)

        @contextmanager
        def connected(there, port):
            if f"{there}{port}" in self.silent:
                raise redis_node.NotNowError(f"{there}:{port}: no answer")
            me = f"{there}{port}"
            yield SimpleNamespace(execute_command=lambda *words: self.answer(me, words).encode())

        host.connected = connected
        host._address = lambda there: f"10.0.0.{ord(there)}"
        return host


@pytest.fixture
def cluster():
    return Cluster()


def test_a_primary_hands_over_to_its_replica(cluster):
    assert cluster.host().hand_over(1) == "handed over to b:2"
    assert cluster.primary_of["b2"] == ""
    assert cluster.primary_of["a1"] == "b2"
    assert cluster.host().hand_over(1) == "leads nothing"


def test_the_replica_that_has_most_takes_over(cluster):
    cluster.primary_of["c3"] = "a1"
    cluster.lag["b2"] = 10
    assert cluster.host().hand_over(1) == "handed over to c:3"
    cluster = Cluster()
    cluster.primary_of["c3"] = "a1"
    cluster.lag["b2"] = 10
    cluster.failed = {"c3"}
    assert cluster.host().hand_over(1) == "handed over to b:2"


def test_who_can_not_hand_over_says_why_and_stops_all_the_same(cluster, capsys):
    del cluster.primary_of["b2"]
    assert cluster.host().hand_over(1) == "has no replica"
    cluster.primary_of["b2"] = "a1"
    cluster.failed = {"b2"}
    with pytest.raises(redis_node.NotNowError, match="none of its replicas"):
        cluster.host().hand_over(1)
    cluster.failed = set()
    cluster.obedient = False
    assert redis_node.run(cluster.host(), ["hand-over", "1"]) == 0
    assert "did not take over" in capsys.readouterr().out


def test_a_member_may_restart_while_the_others_do_without_it(cluster):
    cluster.host().may_restart(1)
    cluster.host().may_restart(2)
    cluster.lag["b2"] = 2_000_000
    cluster.host().may_restart(2)
    with pytest.raises(redis_node.NotNowError, match="1 of its replicas lag"):
        cluster.host().may_restart(1)
    cluster.failed = {"c1"}
    with pytest.raises(redis_node.NotNowError, match="no answer from c:1"):
        cluster.host().may_restart(2)
    cluster.state = "fail"
    with pytest.raises(redis_node.NotNowError, match="state is fail"):
        cluster.host().may_restart(2)


def test_a_member_that_is_alone_may_restart_at_any_time(cluster):
    cluster.primary_of = {"a1": ""}
    cluster.state = "fail"
    host = cluster.host()
    host.may_restart(1)
    host.ports = [1]
    assert host.place() == []


def test_a_host_takes_back_what_another_leads_too_much_of(cluster):
    assert cluster.host().place() == []
    # Host a was lost: b leads two, and a none.
    cluster.primary_of.update({"a1": "b2", "b2": ""})
    assert cluster.host("c").place() == []
    cluster.link = "down"
    assert cluster.host().place() == []
    cluster.link = "up"
    cluster.failed = {"c2"}
    with pytest.raises(redis_node.NotNowError):
        cluster.host().place()
    cluster.failed = set()
    assert cluster.host().place() == ["a:1 leads again instead of b:2"]
    assert cluster.host().place() == []


def test_a_member_has_left_once_it_is_alone_or_gone(cluster):
    with pytest.raises(redis_node.NotNowError, match="a cluster of 6 members"):
        cluster.host().has_left(1)
    cluster.silent = {"a1"}
    cluster.host().has_left(1)
    cluster.primary_of = {"a2": ""}
    cluster.host().has_left(2)


def test_the_certificate_is_read_again(cluster):
    cluster.host().reload(2)
    words = ("CONFIG", "SET", "tls-cert-file", "/c", "tls-key-file", "/k")
    assert cluster.asked == [("a2", words)]


def test_the_command_line(cluster, tmp_path, monkeypatch, capsys):
    host = cluster.host()
    assert redis_node.run(host, ["ready", "1"]) == 0
    assert redis_node.run(host, ["place"]) == 0
    assert redis_node.run(host, ["may-restart", "1"]) == 0
    cluster.silent = {"a1"}
    assert redis_node.run(host, ["ready", "1"]) == 1
    assert redis_node.run(host, ["place"]) == 0
    assert "no answer" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["redis-node", "rest", "1"])
    assert redis_node.main() == 2
    made = cluster.host()
    (tmp_path / "node.json").write_text(json.dumps(OWN))
    monkeypatch.setattr(redis_node, "CONFIGURATION", tmp_path / "node.json")
    monkeypatch.setattr(redis_node, "Host", lambda _own: made)
    monkeypatch.setattr(sys, "argv", ["redis-node", "reload", "2"])
    assert redis_node.main() == 0


def test_a_server_that_is_not_there_says_not_now():
    host = redis_node.Host({**OWN, "ca": "/nowhere/ca.crt"})
    with pytest.raises(redis_node.NotNowError, match="a:1"):
        host.ready(1)
    ways = [host._way("a", 1), host._way("b", 1)]
    assert ways[0] == {"unix_socket_path": "/run/redis-cluster/1/redis.sock"}
    assert ways[1]["ssl_check_hostname"] is True
    with (
        pytest.raises(redis_node.NotNowError, match=r"127.0.0.1:1"),
        host.connected("127.0.0.1", 1) as client,
    ):
        redis_node.ask(client, "PING")


def test_names_and_addresses_of_members():
    line = "{} 10.0.0.1:7000@17000{} {} - 0 0 1 connected"
    lines = [
        line.format("x", ",name", "myself,master"),
        line.format("y", "", "master"),
        line.format("z", ",,tls-port=0", "handshake"),
    ]
    members = redis_node.parse_members("\n".join(lines))
    assert [member.host for member in members] == ["name", "10.0.0.1", "10.0.0.1"]
    assert [member.failed for member in members] == [False, False, True]
    assert [member.port for member in members] == [7000, 7000, 7000]
    over_socket = "x 10.0.0.1:0@16379,name myself,master - 0 0 1 connected 0-16383"
    assert redis_node.parse_members(over_socket)[0].port == 6379
    host = redis_node.Host(OWN)
    assert host._address("127.0.0.1") == "127.0.0.1"
    assert host._address("no.such.name.invalid") == "no.such.name.invalid"
