# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: proofs that a Redis Cluster does what it is for.

They go the way that applications go: the client of redis-py learns the cluster from one member and
follows its redirections, over TLS with full verification.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .._proofs.model import Proof, RefutedError, try_all
from .._proofs.model import words as _words
from .client import library

SERVICE = "redis"
_CONTENT = "written by a proof"
# Nobody has to clean up after a proof that was killed.
_LIFE_SECONDS = 300
_CONNECT_SECONDS = 5
_CANDIDATES = 100_000
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Entrance:
    """A member to begin with, and as whom.

    :param key_prefix: what the user's keys begin with.
    :param replicas: how many replicas have to have a key; 0 leaves them untried.
    :param limited: whether the user must be refused what administrators do.
    :param forbidden_key: a key that the user must not read, empty for none.
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    ca_path: str
    key_prefix: str
    replicas: int = 1
    limited: bool = True
    forbidden_key: str = ""
    timeout: int = 10

    def parameters(self, **changed: Any) -> dict[str, Any]:
        """Return the parameters of a connection; None in *changed* leaves one out."""
        parameters = {
            "host": self.host,
            "port": self.port,
            "username": self.username,
            "password": self.password,
            "ssl": True,
            "ssl_ca_certs": self.ca_path,
            "ssl_check_hostname": True,
            "socket_connect_timeout": _CONNECT_SECONDS,
            "socket_timeout": self.timeout,
            "protocol": 2,
            **changed,
        }
        return {name: value for name, value in parameters.items() if value is not None}


def entrance(options: Mapping[str, Any]) -> Entrance:
    """Return the entrance that the module's options describe."""
    fields = Entrance.__dataclass_fields__
    return Entrance(**{name: value for name, value in options.items() if name in fields})


class Prover:
    """Tries one cluster.

    :param scratch: what the keys are named after, behind the prefix.
    :param redis: redis-py.
    """

    def __init__(
        self,
        entrance: Entrance,
        scratch: str,
        redis: Any,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        dial: Callable[..., socket.socket] = socket.create_connection,
    ) -> None:
        self._entrance = entrance
        self._scratch = scratch
        self._redis = redis
        self._clock = clock
        self._sleep = sleep
        self._dial = dial
        self._keys: dict[tuple[str, int], str] = {}

    @contextmanager
    def _cluster(self) -> Iterator[Any]:
        client = self._redis.cluster.RedisCluster(**self._entrance.parameters())
        with contextlib.closing(client):
            yield client

    @contextmanager
    def _member(self, **changed: Any) -> Iterator[Any]:
        client = self._redis.Redis(**self._entrance.parameters(**changed))
        with contextlib.closing(client):
            yield client

    def _key_of_each(self, cluster: Any) -> dict[tuple[str, int], str]:
        """Return a key for each primary, which is the one that has to hold it."""
        wanted = {(node.host, node.port) for node in cluster.get_primaries()}
        found: dict[tuple[str, int], str] = {}
        # A cluster has a thousand primaries at most, so each has one of these.
        for number in range(_CANDIDATES):
            key = f"{self._entrance.key_prefix}{self._scratch}:{number}"
            node = cluster.get_node_from_key(key)
            found.setdefault((node.host, node.port), key)
            if set(found) >= wanted:
                break
        return found

    def write(self) -> str:
        """Write a key on every primary, have its replicas confirm it, and read it back."""
        with self._cluster() as cluster:
            keys = self._key_of_each(cluster)
            for (host, port), key in keys.items():
                cluster.set(key, _CONTENT, ex=_LIFE_SECONDS)
                if cluster.get(key) != _CONTENT.encode():
                    raise RefutedError(f"{host}:{port} answered with something else")
        self._keys = keys
        return f"a key on each of {len(keys)} primaries"

    def replicate(self) -> str:
        """Read every key on a replica of its primary."""
        if not self._keys:
            raise RefutedError("no key was written")
        started = self._clock()
        followers = self._enough_followers(started)
        for primary, key in self._keys.items():
            for host, port in followers[primary]:
                self._await(host, port, key, started)
        seen = sum(len(there) for there in followers.values())
        return f"read on {seen} replicas after {round((self._clock() - started) * 1000)} ms"

    def _enough_followers(self, started: float) -> dict[tuple[str, int], list[tuple[str, int]]]:
        """Return each primary's replicas, once a member tells of as many as there have to be.

        A member that has just started tells of a replica only after it has heard, by gossip, how
        far that is.
        """
        while True:
            with self._cluster() as cluster:
                followers = self._followers(cluster)
            lacking = [
                (primary, len(followers.get(primary, [])))
                for primary in self._keys
                if len(followers.get(primary, [])) < self._entrance.replicas
            ]
            if not lacking:
                return followers
            if self._clock() - started > self._entrance.timeout:
                ((host, port), count), *_others = lacking
                raise RefutedError(f"{host}:{port} has {count} replicas")
            self._sleep(_POLL_SECONDS)

    def _followers(self, cluster: Any) -> dict[tuple[str, int], list[tuple[str, int]]]:
        followers: dict[tuple[str, int], list[tuple[str, int]]] = {}
        for primary, *replicas in _shards(cluster):
            followers[primary] = replicas
        return followers

    def _await(self, host: str, port: int, key: str, started: float) -> None:
        """Wait until a replica has the key: it may copy its primary's data at the moment."""
        while not self._has(host, port, key):
            if self._clock() - started > self._entrance.timeout:
                raise RefutedError(f"{host}:{port} has no {key} after {self._entrance.timeout} s")
            self._sleep(0.02)

    def _has(self, host: str, port: int, key: str) -> bool:
        try:
            with self._member(host=host, port=port) as replica:
                replica.execute_command("READONLY")
                return bool(replica.execute_command("GET", key) == _CONTENT.encode())
        except self._redis.exceptions.RedisError:
            return False

    def _refused(self, wanted: str, *command: str, **changed: Any) -> str:
        try:
            with self._member(**changed) as member:
                member.execute_command(*(command or ("PING",)))
        except self._redis.exceptions.RedisError as error:
            said = _words(error)
            if wanted.lower() in said.lower():
                return said
            raise RefutedError(f"refused for another reason: {said}") from None
        raise RefutedError("it was accepted")

    def refuse_plain(self) -> str:
        """Have a connection without TLS get no answer, by a server that is there."""
        there = (self._entrance.host, self._entrance.port)
        with contextlib.closing(self._dial(there, timeout=_CONNECT_SECONDS)) as plain:
            plain.sendall(b"PING\r\n")
            try:
                answer = plain.recv(64)
            except ConnectionError:
                answer = b""
        if answer.startswith((b"+", b"-")):
            raise RefutedError(f"it answered {answer!r}")
        return "hung up on"

    def refuse_nameless(self) -> str:
        """Have somebody without a name refused."""
        return self._refused("Authentication required", username=None, password=None)

    def refuse_wrong_password(self) -> str:
        """Have a wrong password refused."""
        return self._refused("invalid username-password", password=f"{self._scratch} is wrong")

    def refuse_administration(self) -> str:
        """Have the user refused what administrators do."""
        return self._refused("no permissions", "CONFIG", "GET", "maxmemory")

    def refuse_foreign_key(self) -> str:
        """Have the user refused a key of somebody else."""
        return self._refused("no permissions", "GET", self._entrance.forbidden_key)

    def cleanup(self) -> str:
        """Remove what the proofs wrote."""
        with self._cluster() as cluster:
            removed = sum(cluster.delete(key) for key in self._keys.values())
        return f"{removed} keys removed"

    def plan(self) -> Sequence[tuple[str, Callable[[], str]]]:
        """Return what will be tried, in order, each with its name."""
        ordered: list[tuple[str, Callable[[], str]]] = [
            ("write on every primary, over TLS", self.write)
        ]
        if self._entrance.replicas:
            ordered.append(("read on every replica", self.replicate))
        ordered += [
            ("refused: no TLS", self.refuse_plain),
            ("refused: no name", self.refuse_nameless),
            ("refused: wrong password", self.refuse_wrong_password),
        ]
        if self._entrance.limited:
            ordered.append(("refused: administration", self.refuse_administration))
        if self._entrance.forbidden_key:
            ordered.append(("refused: another's key", self.refuse_foreign_key))
        return (*ordered, ("nothing left behind", self.cleanup))

    def prove(self) -> list[Proof]:
        """Try everything."""
        return try_all(SERVICE, self.plan(), (self._redis.exceptions.RedisError, OSError))


def _shards(cluster: Any) -> list[list[tuple[str, int]]]:
    """Return the members of each shard, its primary first, as the client knows them."""
    shards = {
        tuple((node.host, node.port) for node in nodes)
        for nodes in cluster.nodes_manager.slots_cache.values()
    }
    return [list(shard) for shard in shards]


def prove(options: Mapping[str, Any], scratch: str) -> list[Proof]:
    """Try the cluster that *options* describe, with keys named after *scratch*.

    :raises PlatformError: when the host has no redis-py.
    """
    return Prover(entrance(options), scratch, library()).prove()
