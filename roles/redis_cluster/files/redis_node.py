# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks after this host's members of a Redis Cluster, without anybody being there.

    redis-node ready PORT          exits with 0 once the member answers and has loaded its data
    redis-node may-restart PORT    exits with 0 while the cluster can do without the member
    redis-node hand-over PORT      has a replica take over from the member; before it stops
    redis-node reload PORT         has the member read its certificate again
    redis-node has-left PORT       exits with 0 once the member is in no cluster, or not running
    redis-node place               takes a primary back from a host that leads too many

The last one runs from a timer. After a host was lost and has come back, another one leads for two;
if that one were lost next, the cluster would lose its majority with it.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIGURATION = Path("/etc/redis-cluster/node.json")
SOCKET = "/run/redis-cluster/{}/redis.sock"
# A server gives a manual failover five seconds and then forgets it.
_FAILOVER_SECONDS = 6.0
_POLL_SECONDS = 0.1
# A member's bus listens so far above its port.
_BUS = 10000
# Bytes that a replica may lack and still count as being where its primary is; it gets the rest
# while the primary stands still for the failover.
_LAG_BYTES = 1 << 20


class NotNowError(Exception):
    """Why something can't be done at present."""


@dataclass(frozen=True)
class Member:
    """One line of the reply to CLUSTER NODES."""

    id: str
    host: str
    port: int
    flags: frozenset[str]
    primary: str
    slots: bool

    @property
    def failed(self) -> bool:
        return bool(self.flags & {"fail", "fail?", "noaddr", "handshake"})


def parse_members(text: str) -> list[Member]:
    """Return the members; their host is the name that they announce, or else their address."""
    members = []
    for line in text.splitlines():
        member_id, where, flags, primary, _ping, _pong, _epoch, _link, *slots = line.split()
        address, _comma, rest = where.partition(",")
        there, _at, bus = address.partition("@")
        ip, _colon, port = there.rpartition(":")
        name = rest.split(",", 1)[0]
        members.append(
            Member(
                id=member_id,
                host=name if name and "=" not in name and name != "?" else ip,
                # Who asks without TLS, over a socket, is told of no port with TLS.
                port=int(port or 0) or int(bus or 0) - _BUS,
                flags=frozenset(flags.split(",")),
                primary="" if primary == "-" else primary,
                slots=any(not slot.startswith("[") for slot in slots),
            )
        )
    return members


def parse_fields(text: str) -> dict[str, str]:
    """Return the fields of INFO or CLUSTER INFO."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name: value.strip() for name, value in pairs}


def replicas_of(replication: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the replicas that a primary's INFO replication tells of, the furthest first."""
    found = []
    for name, value in replication.items():
        if name.startswith("slave") and name[5:].isdigit():
            found.append(dict(part.split("=", 1) for part in value.split(",")))
    return sorted(found, key=lambda one: int(one["offset"]), reverse=True)


def ask(client: Any, *words: str) -> str:
    """Send one command, and return the reply as text."""
    reply = client.execute_command(*words)
    return reply.decode() if isinstance(reply, bytes) else str(reply)


class Host:
    """The host's own members, and the way to the others."""

    def __init__(
        self,
        configuration: Mapping[str, Any],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._configuration = configuration
        self._clock = clock
        self._sleep = sleep
        self.name = str(configuration["host"])
        self.ports: Sequence[int] = configuration["ports"]

    def _way(self, host: str, port: int) -> dict[str, Any]:
        """Return the way to a member: an own one's socket, or TLS, fully verified.

        A member whose certificate expired while its host was off is trusted by nobody; over its
        socket it can still be told to read the new one.
        """
        if host == self.name:
            return {"unix_socket_path": SOCKET.format(port)}
        ca = self._configuration["ca"]
        secure = {"ssl": True, "ssl_ca_certs": ca, "ssl_check_hostname": True}
        return {"host": host, "port": port, "socket_connect_timeout": 2, **secure}

    @contextmanager
    def connected(self, host: str, port: int) -> Iterator[Any]:
        """Yield a connection to a member.

        :raises NotNowError: when it does not answer.
        """
        import redis

        client = redis.Redis(
            **self._way(host, port),
            username=self._configuration["username"],
            password=self._configuration["password"],
            socket_timeout=5,
            protocol=2,
        )
        # Every reply as it comes: what the library makes of one depends on its version.
        client.response_callbacks.clear()
        try:
            with closing(client):
                yield client
        except redis.exceptions.RedisError as error:
            raise NotNowError(f"{host}:{port}: {error}") from None

    def ready(self, port: int) -> None:
        """Return once the member answers; a server that loads its data says so instead."""
        with self.connected(self.name, port) as client:
            ask(client, "PING")

    def _seen(self, client: Any) -> tuple[list[Member], Member]:
        members = parse_members(ask(client, "CLUSTER", "NODES"))
        return members, next(member for member in members if "myself" in member.flags)

    def _replication(self, client: Any) -> dict[str, str]:
        return parse_fields(ask(client, "INFO", "replication"))

    def _refuse_trouble(self, client: Any, members: Sequence[Member]) -> None:
        state = parse_fields(ask(client, "CLUSTER", "INFO")).get("cluster_state")
        if state != "ok":
            raise NotNowError(f"the cluster's state is {state}")
        failed = [f"{member.host}:{member.port}" for member in members if member.failed]
        if failed:
            raise NotNowError(f"no answer from {', '.join(failed)}")

    def may_restart(self, port: int) -> None:
        """Refuse a restart that would leave slots unserved, or data on one host alone.

        :raises NotNowError: with what is in the way.
        """
        with self.connected(self.name, port) as client:
            members, me = self._seen(client)
            if len(members) == 1:
                return
            self._refuse_trouble(client, members)
            if not me.slots:
                return
            replication = self._replication(client)
            expected = sum(member.primary == me.id for member in members)
            offset = int(replication["master_repl_offset"])
            near = [
                replica
                for replica in replicas_of(replication)
                if replica["state"] == "online" and offset - int(replica["offset"]) <= _LAG_BYTES
            ]
            if len(near) < expected:
                raise NotNowError(f"{expected - len(near)} of its replicas lag behind")

    def has_left(self, port: int) -> None:
        """Refuse to let a member go that is still part of a cluster.

        :raises NotNowError: while it knows others.
        """
        try:
            with self.connected(self.name, port) as client:
                members, _me = self._seen(client)
        except NotNowError:
            return
        if len(members) > 1:
            raise NotNowError(
                f"{self.name}:{port} is still part of a cluster of {len(members)} members; "
                "run the role on the others without this host first"
            )

    def hand_over(self, port: int) -> str:
        """Have the best replica take over, where the member leads; returns what became of it.

        :raises NotNowError: when none can.
        """
        with self.connected(self.name, port) as client:
            members, me = self._seen(client)
            if not me.slots:
                return "leads nothing"
            followers = [member for member in members if member.primary == me.id]
            if not followers:
                return "has no replica"
            online = [
                (replica["ip"], int(replica["port"]))
                for replica in replicas_of(self._replication(client))
                if replica["state"] == "online"
            ]
        for follower in self._ordered(followers, online):
            self.take_over(follower)
            return f"handed over to {follower.host}:{follower.port}"
        raise NotNowError("none of its replicas has its data")

    def _ordered(
        self, followers: Sequence[Member], online: Sequence[tuple[str, int]]
    ) -> Iterator[Member]:
        """Yield the living followers in the order of *online*, which is told by address."""
        for address, port in online:
            for member in followers:
                if member.failed or member.port != port:
                    continue
                if self._address(member.host) == address:
                    yield member

    def _address(self, host: str) -> str:
        try:
            return str(socket.getaddrinfo(host, None)[0][4][0])
        except OSError:
            return host

    def take_over(self, member: Member) -> None:
        """Have a replica become the primary of its shard, without loss.

        :raises NotNowError: when it does not within the time that a server gives it.
        """
        with self.connected(member.host, member.port) as client:
            ask(client, "CLUSTER", "FAILOVER")
            deadline = self._clock() + _FAILOVER_SECONDS
            while self._clock() < deadline:
                _members, me = self._seen(client)
                if me.slots:
                    return
                self._sleep(_POLL_SECONDS)
        raise NotNowError(f"{member.host}:{member.port} did not take over")

    def reload(self, port: int) -> None:
        """Have the member read certificate and key again; it reads both at once or neither."""
        own = self._configuration
        with self.connected(self.name, port) as client:
            ask(
                client,
                *("CONFIG", "SET", "tls-cert-file", own["certificate"]),
                *("tls-key-file", own["private_key"]),
            )

    def place(self) -> list[str]:
        """Take primaries back until no host leads two more than this one; returns what was done.

        :raises NotNowError: while something is wrong with the cluster.
        """
        done = []
        for port in self.ports:
            with self.connected(self.name, port) as client:
                members, me = self._seen(client)
                if len(members) == 1:
                    continue
                self._refuse_trouble(client, members)
                leader = next((one for one in members if one.id == me.primary), None)
                leading = Counter(member.host for member in members if member.slots)
                if leader is None or leading[leader.host] - leading[me.host] < 2:
                    continue
                if self._replication(client).get("master_link_status") != "up":
                    continue
            self.take_over(me)
            done.append(f"{me.host}:{me.port} leads again instead of {leader.host}:{leader.port}")
        return done


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


_CHECKS: Mapping[str, Callable[[Host, int], None]] = {
    "ready": Host.ready,
    "may-restart": Host.may_restart,
    "reload": Host.reload,
    "has-left": Host.has_left,
}


def run(host: Host, words: Sequence[str]) -> int:
    """Do what the command line says; returns the exit status."""
    name, port = words[0], int(words[1]) if len(words) > 1 else 0
    try:
        if name == "place":
            for line in host.place():
                _say(line)
        elif name == "hand-over":
            _say(f"{port} {host.hand_over(port)}")
        else:
            _CHECKS[name](host, port)
    except NotNowError as error:
        _say(f"{name}: {error}")
        # A member that can't hand over has to stop all the same; a timer tries again.
        return 0 if name in ("hand-over", "place") else 1
    return 0


def main() -> int:
    words = sys.argv[1:]
    of_a_member = len(words) == 2 and words[0] in {*_CHECKS, "hand-over"}
    if not of_a_member and words != ["place"]:
        sys.stderr.write(__doc__ or "")
        return 2
    return run(Host(json.loads(CONFIGURATION.read_text())), words)


if __name__ == "__main__":
    sys.exit(main())
