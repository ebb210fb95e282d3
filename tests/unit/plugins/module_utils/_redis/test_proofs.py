# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._redis import proofs
from ansible_collections.mcp.platform.plugins.module_utils._redis.proofs import Entrance, Prover

PRIMARIES = [("node1", 6379), ("node2", 6379), ("node3", 6379)]
REPLICAS = [("node2", 6380), ("node3", 6380), ("node1", 6380)]


class _RedisError(Exception):
    pass


@dataclass
class World:
    """A cluster that does what it should, until it is told otherwise."""

    data: dict = field(default_factory=dict)
    lag: int = 0  # reads of a replica before it has a key
    replicas: bool = True
    heard: float = 0.0  # when a member first tells of replicas
    forgetful: bool = False
    open_to_all: bool = False
    sees_everything: bool = False
    plain: bytes = b""
    now: float = 0.0

    def sleep(self, seconds):
        self.now += seconds

    def library(self):
        return SimpleNamespace(
            Redis=partial(Member, self),
            cluster=SimpleNamespace(RedisCluster=partial(Cluster, self)),
            exceptions=SimpleNamespace(RedisError=_RedisError),
        )

    def dial(self, address, timeout):
        answer = self.plain

        def recv(_count):
            if answer == b"reset":
                raise ConnectionResetError
            return answer

        return SimpleNamespace(sendall=lambda _data: None, recv=recv, close=lambda: None)


class Cluster:
    def __init__(self, world, **parameters):
        assert parameters["ssl_check_hostname"]
        self.world = world
        shards = [
            [SimpleNamespace(host=host, port=port) for host, port in shard]
            for shard in zip(PRIMARIES, REPLICAS)
        ]
        told = world.replicas and world.now >= world.heard
        cache = {n: shard if told else shard[:1] for n, shard in enumerate(shards)}
        self.nodes_manager = SimpleNamespace(slots_cache=cache)

    def close(self):
        pass

    def get_primaries(self):
        return [SimpleNamespace(host=host, port=port) for host, port in PRIMARIES]

    def get_node_from_key(self, key):
        host, port = PRIMARIES[int(key.rpartition(":")[2]) % 3]
        return SimpleNamespace(host=host, port=port)

    def set(self, key, value, ex):
        assert ex > 0
        self.world.data[key] = value.encode()

    def get(self, key):
        return None if self.world.forgetful else self.world.data.get(key)

    def delete(self, key):
        return 1 if self.world.data.pop(key, None) else 0


class Member:
    def __init__(self, world, **parameters):
        self.world = world
        self.parameters = parameters

    def close(self):
        pass

    def execute_command(self, *words):
        if not self.world.open_to_all:
            self._log_in()
        if self.world.sees_everything or words[0] in ("PING", "READONLY"):
            return b"OK"
        if words[0] == "CONFIG" or words[-1] == "bank:1":
            raise _RedisError("User app has no permissions to run that")
        self.world.lag -= 1
        return self.world.data.get(words[1]) if self.world.lag < 0 else None

    def _log_in(self):
        if "username" not in self.parameters:
            raise _RedisError("Authentication required.")
        if "wrong" in self.parameters["password"]:
            raise _RedisError("invalid username-password pair or user is disabled.")


class Gone(Member):
    def execute_command(self, *_words):
        raise _RedisError("Connection refused")


ENTRANCE = Entrance(
    "node1", 6379, "app", "secret", "/ca.crt", "app:", forbidden_key="bank:1", timeout=3
)


def _prove(world, entrance=ENTRANCE):
    prover = Prover(
        entrance,
        "proof:1",
        world.library(),
        clock=lambda: world.now,
        sleep=world.sleep,
        dial=world.dial,
    )
    return {proof.proof: proof for proof in prover.prove()}


def _failed(found):
    return {name for name, proof in found.items() if not proof.passed}


def test_a_good_cluster_is_proven():
    world = World(lag=5)
    found = _prove(world)
    assert _failed(found) == set()
    assert found["write on every primary, over TLS"].detail == "a key on each of 3 primaries"
    assert found["read on every replica"].detail.startswith("read on 3 replicas after")
    assert found["nothing left behind"].detail == "3 keys removed"
    assert not world.data


@pytest.mark.parametrize(
    ("world", "wrong"),
    [
        (World(lag=1000), {"read on every replica"}),
        (World(replicas=False), {"read on every replica"}),
        (World(heard=3.0), set()),
        (World(forgetful=True), {"write on every primary, over TLS", "read on every replica"}),
        (World(open_to_all=True), {"refused: no name", "refused: wrong password"}),
        (
            World(sees_everything=True),
            {"read on every replica", "refused: administration", "refused: another's key"},
        ),
        (World(plain=b"+PONG\r\n"), {"refused: no TLS"}),
        (World(plain=b"-NOAUTH"), {"refused: no TLS"}),
        (World(plain=b"reset"), set()),
    ],
)
def test_what_is_wrong_is_found(world, wrong):
    assert _failed(_prove(world)) == wrong


def test_a_refusal_for_another_reason_proves_nothing():
    world = World()
    library = world.library()

    library.Redis = partial(Gone, world)
    prover = Prover(ENTRANCE, "proof:1", library, dial=world.dial)
    found = {proof.proof: proof for proof in prover.prove()}
    assert "for another reason" in found["refused: no name"].detail
    assert not found["refused: no name"].passed


def test_an_administrator_of_a_cache_is_asked_less():
    entrance = Entrance("n", 1, "platform", "s", "/ca", "platform:", replicas=0, limited=False)
    names = _prove(World(), entrance)
    assert not {"read on every replica", "refused: administration"} & set(names)
    assert "'s'" not in repr(entrance)


def test_the_options_describe_an_entrance(monkeypatch):
    monkeypatch.setattr(proofs, "library", lambda: None)
    monkeypatch.setattr(Prover, "prove", lambda self: [self._entrance])
    options = {
        "host": "h",
        "port": 1,
        "username": "u",
        "password": "p",
        "ca_path": "/c",
        "key_prefix": "k:",
    }
    (found,) = proofs.prove({**options, "raise_on_failure": True}, "scratch")
    assert found == Entrance("h", 1, "u", "p", "/c", "k:")


def test_the_library_is_found_or_asked_for(monkeypatch):
    assert proofs.library().cluster.RedisCluster
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(PlatformError, match="library redis"):
        proofs.library()
