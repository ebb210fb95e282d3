#!/usr/bin/env python3
# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes to every shard of a Redis Cluster at a steady rate, and tells what a fault cost.

Each shard has a client of its own, as one application among many has it, and keys all over its
slots. A key counts as acknowledged once its primary has answered, and with --wait as confirmed once
a replica has it too. At the end every one has to hold its value; with --wait those that no replica
confirmed are counted apart, and with --forgive those of the last seconds. Redirections are the
client's own business; what it raises is counted as an error, and the key is written again.

Where the cluster is and whom to log in as comes from the environment that `tools/connect redis-env`
makes. The run ends by itself after --seconds, or earlier on SIGTERM or SIGINT; the last line of
output is a JSON object. Exit status 1: an acknowledged key is lost; 2: the run could not begin.

Example: tools/connect redis-env tests/faults/redis_writer.py --rate 50 --seconds 60
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import threading
import time
from dataclasses import dataclass, field

import redis
from redis.cluster import ClusterNode, RedisCluster

_SLOTS = 16384
_LIFE_SECONDS = 3600
_READ_BACK_SECONDS = 120
_AGAIN_AFTER = 0.02
_READ_AT_ONCE = 500


def connect() -> RedisCluster:
    """Return a client, as an application has it: verified, and with short patience."""
    members = dict(member.split("=", 1) for member in os.environ["REDIS_MEMBERS"].split(","))
    port = int(os.environ["REDIS_PORT"])
    return RedisCluster(
        startup_nodes=[ClusterNode(address, port) for address in members.values()],
        address_remap=lambda there: (members.get(there[0], there[0]), there[1]),
        username=os.environ["REDIS_USER"],
        password=os.environ["REDIS_PASSWORD"],
        ssl=True,
        ssl_ca_certs=os.environ["REDIS_CA"],
        ssl_check_hostname=True,
        socket_timeout=1,
        socket_connect_timeout=1,
        protocol=2,
    )


def reconnect() -> RedisCluster:
    """Return a client of a cluster that may first have to come back."""
    deadline = time.monotonic() + _READ_BACK_SECONDS
    while True:
        try:
            return connect()
        except (redis.exceptions.RedisError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


@dataclass
class Tally:
    """What happened on one shard; times are seconds of a steady clock."""

    acknowledged: list[tuple[float, str]] = field(default_factory=list)
    unconfirmed: set[str] = field(default_factory=set)
    errors: dict[str, int] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0

    def gap(self) -> float:
        """Return the longest time without an acknowledgement, the run's ends included."""
        times = [self.began, *(when for when, _key in self.acknowledged), self.ended]
        return max(later - earlier for earlier, later in zip(times, times[1:]))


def shards(cluster: RedisCluster) -> list[frozenset[int]]:
    """Return the slots of each shard, as they are now."""
    owned: dict[str, set[int]] = {}
    for slot in range(_SLOTS):
        owned.setdefault(cluster.nodes_manager.slots_cache[slot][0].name, set()).add(slot)
    return [frozenset(slots) for _name, slots in sorted(owned.items())]


class Writer:
    """Writes to the slots of one shard, wherever they may go."""

    def __init__(self, slots: frozenset[int], prefix: str, rate: float, wait: bool) -> None:
        self._slots = slots
        self._prefix = prefix
        self._pause = 1 / rate
        self._wait = wait
        self._number = 0
        self.cluster = connect()
        self.tally = Tally()
        self.stopped = threading.Event()

    def _next_key(self) -> str:
        while True:
            self._number += 1
            key = f"{self._prefix}{self._number}"
            if self.cluster.keyslot(key) in self._slots:
                return key

    def _write(self, key: str) -> bool:
        try:
            self.cluster.set(key, key, ex=_LIFE_SECONDS)
            if self._wait and not self._confirmed(key):
                self.tally.unconfirmed.add(key)
        except (redis.exceptions.RedisError, OSError) as error:
            self._failed(f"{type(error).__name__}: {error}".splitlines()[0][:100])
            return False
        self.tally.acknowledged.append((time.monotonic(), key))
        return True

    def _confirmed(self, key: str) -> bool:
        node = self.cluster.get_node_from_key(key)
        return bool(self.cluster.execute_command("WAIT", 1, 100, target_nodes=node))

    def _failed(self, text: str) -> None:
        self.tally.errors[text] = self.tally.errors.get(text, 0) + 1

    def run(self, until: float) -> None:
        """Write until *until*, or until it is stopped."""
        due = self.tally.began = time.monotonic()
        key = self._next_key()
        while not self.stopped.is_set() and time.monotonic() < until:
            if not self._write(key):
                self.stopped.wait(_AGAIN_AFTER)
                continue
            key = self._next_key()
            due = max(due + self._pause, time.monotonic() - 1)
            self.stopped.wait(max(0.0, due - time.monotonic()))
        self.tally.ended = time.monotonic()


def lost(cluster: RedisCluster, keys: list[str]) -> list[str]:
    """Return those keys that do not hold their value; the cluster may first have to come back."""
    deadline = time.monotonic() + _READ_BACK_SECONDS
    missing: list[str] = []
    pending = [keys[n : n + _READ_AT_ONCE] for n in range(0, len(keys), _READ_AT_ONCE)]
    while pending:
        try:
            values = cluster.mget_nonatomic(pending[0])
        except (redis.exceptions.RedisError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
            continue
        found = zip(pending.pop(0), values)
        missing += [key for key, value in found if value != key.encode()]
    return missing


def main() -> int:
    """Write, read back, tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=50, help="writes a second and shard")
    parser.add_argument("--seconds", type=float, default=60, help="the run's length at most")
    parser.add_argument("--prefix", default="app:", help="what the user's keys begin with")
    parser.add_argument("--wait", action="store_true", help="ask for a replica that has each write")
    parser.add_argument(
        "--forgive",
        type=float,
        default=0,
        help="seconds before the end of writing, or before the first error, that may be lost",
    )
    options = parser.parse_args()
    prefix = f"{options.prefix}writer:{secrets.token_hex(4)}:"
    try:
        parts = shards(connect())
        writers = [
            Writer(slots, f"{prefix}{n}:", options.rate, options.wait)
            for n, slots in enumerate(parts)
        ]
    except (redis.exceptions.RedisError, OSError) as error:
        print(f"the cluster does not answer: {error}")
        return 2

    def stop(*_signal: object) -> None:
        for writer in writers:
            writer.stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    until = time.monotonic() + options.seconds
    threads = [threading.Thread(target=writer.run, args=(until,)) for writer in writers]
    print(f"writing to {len(writers)} shards", flush=True)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figures = told(writers, options.forgive)
    print(json.dumps(figures))
    return 1 if figures["lost"] else 0


def told(writers: list[Writer], forgive: float) -> dict[str, object]:
    """Read everything back, and return the figures."""
    ends = [writer.tally.acknowledged[-1][0] for writer in writers if writer.tally.acknowledged]
    late = min(ends, default=0.0) - forgive
    everything = [item for writer in writers for item in writer.tally.acknowledged]
    missing = set(lost(reconnect(), [key for _when, key in everything]))
    unconfirmed = set().union(*(writer.tally.unconfirmed for writer in writers))
    early = {key for when, key in everything if not forgive or when < late}
    firm = (missing & early) - unconfirmed
    errors: dict[str, int] = {}
    for writer in writers:
        for text, count in writer.tally.errors.items():
            errors[text] = errors.get(text, 0) + count
    spans = sorted((round(writer.tally.gap() * 1000) for writer in writers), reverse=True)
    return {
        "acknowledged": len(everything),
        "unconfirmed": len(unconfirmed),
        "lost": len(firm),
        "lost_unconfirmed": len(missing & unconfirmed),
        "forgiven": len(missing - early - unconfirmed),
        "gap_max_ms": spans[0],
        "gaps_ms": spans,
        "errors": sum(errors.values()),
        "error_kinds": errors,
    }


if __name__ == "__main__":
    sys.exit(main())
