# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that is only played: it takes the client's commands, and keeps what they change."""

from __future__ import annotations

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._redis.client import (
    RefusedError,
    ServerAbsentError,
)
from ansible_collections.mcp.platform.plugins.module_utils._redis.model import ranges


class FakeNode:
    """One server: what it is, what it serves, and what it was asked."""

    def __init__(self, port):
        self.port = port
        self.generation = 0
        self.blank()
        self.announced = ""
        self.alive = True
        self.settings = {"aclfile": "/users.acl", "maxmemory": "0", "requirepass": ""}
        self.users = ["user default on nopass ~* &* +@all"]
        self.saved = 0

    def blank(self):
        """Forget everything, as after CLUSTER RESET HARD."""
        self.generation += 1
        self.id = f"{self.port:04x}{self.generation:036x}"
        self.primary = ""
        self.slots = set()
        self.migrating = {}
        self.importing = {}
        self.keys = {}
        self.known = {self.id}


class FakeRedis:
    """All servers; *refusals* are taken one by one for the command that they are listed under."""

    def __init__(self, ports=()):
        self.nodes = {port: FakeNode(port) for port in ports}
        self.refusals = {}
        self.asked = []
        self.link = "up"
        self.state = "ok"
        self.now = 0.0

    def clock(self):
        return self.now

    def sleep(self, seconds):
        # A played clock may run fast: fewer looks, the same deadlines.
        self.now += 5 * seconds

    def by_id(self, node_id):
        return next((node for node in self.nodes.values() if node.id == node_id), None)

    def connect(self, place, _login):
        if place.port not in self.nodes or not self.nodes[place.port].alive:
            raise ServerAbsentError("no answer: nobody", where=place.name)
        return FakeServer(self, place)


class FakeServer:
    """A connection to one of them."""

    def __init__(self, redis, place):
        self.redis = redis
        self.place = place
        self.node = redis.nodes[place.port]
        self.closed = False

    def close(self):
        self.closed = True

    def call(self, *words):
        (reply,) = self.many([words])
        if isinstance(reply, RefusedError):
            raise reply
        return reply

    def many(self, commands):
        if not self.node.alive:
            raise ServerAbsentError("no answer: gone", where=self.place.name)
        return [self._answer([str(word) for word in words]) for words in commands]

    def _answer(self, words):
        self.redis.asked.append((self.place.port, words))
        name = "_".join(words[:2] if words[0] in ("CLUSTER", "ACL", "CONFIG") else words[:1])
        planned = self.redis.refusals.get(name)
        if planned:
            return RefusedError(f"Redis refused: {planned.pop(0)}", where=self.place.name)
        return getattr(self, name.lower())(*words)

    def _line(self, node_id):
        node = self.redis.by_id(node_id)
        if node is None:
            return f"{node_id} :0@0 master,noaddr - 0 0 1 disconnected"
        flags = "slave" if node.primary else "master"
        flags = f"myself,{flags}" if node is self.node else flags
        flags = flags if node.alive else f"{flags},fail"
        words = [f"{node.id} 127.0.0.1:{node.port}@1{node.port},{node.announced},tls-port=0"]
        words += [flags, node.primary or "-", "0", "0", str(node.port), "connected"]
        words += [f"{a}-{b}" if a != b else f"{a}" for a, b in ranges(node.slots)]
        if node is self.node:
            words += [f"[{slot}->-{other}]" for slot, other in node.migrating.items()]
            words += [f"[{slot}-<-{other}]" for slot, other in node.importing.items()]
        return " ".join(words)

    def cluster_nodes(self, *_words):
        return "\n".join(self._line(node_id) for node_id in sorted(self.node.known)).encode()

    def cluster_info(self, *_words):
        return f"cluster_state:{self.redis.state}\r\ncluster_size:3\r\n".encode()

    def dbsize(self, *_words):
        return sum(len(keys) for keys in self.node.keys.values())

    def info(self, *_words):
        return (
            f"# Replication\r\nmaster_link_status:{self.redis.link}\r\nredis_version:8.0.2\r\n"
            "keyspace_hits:3\r\nkeyspace_misses:1\r\ndb0:keys=7,expires=2,avg_ttl=0\r\n"
        ).encode()

    def cluster_meet(self, _c, _m, _ip, port):
        together = self.node.known | self.redis.nodes[int(port)].known
        for node_id in together:
            node = self.redis.by_id(node_id)
            if node:
                node.known |= together
        return b"OK"

    def cluster_addslotsrange(self, _c, _a, *numbers):
        for first, last in zip(numbers[::2], numbers[1::2]):
            self.node.slots |= set(range(int(first), int(last) + 1))
        return b"OK"

    def cluster_setslot(self, _c, _s, slot, what, *rest):
        slot = int(slot)
        if what == "IMPORTING":
            self.node.importing[slot] = rest[0]
        elif what == "MIGRATING":
            self.node.migrating[slot] = rest[0]
        else:
            self.node.migrating.pop(slot, None)
            self.node.importing.pop(slot, None)
        if what == "NODE":
            for node in self.redis.nodes.values():
                node.slots.discard(slot)
            self.redis.by_id(rest[0]).slots.add(slot)
        return b"OK"

    def cluster_countkeysinslot(self, _c, _k, slot):
        return len(self.node.keys.get(int(slot), ()))

    def cluster_getkeysinslot(self, _c, _k, slot, count):
        return self.node.keys.get(int(slot), [])[: int(count)]

    def migrate(self, _m, _ip, port, *rest):
        moving = rest[rest.index("KEYS") + 1 :]
        for slot in self.node.migrating:
            keys = self.node.keys.get(slot, [])
            if not set(keys) & set(moving):
                continue
            there = self.redis.nodes[int(port)].keys.setdefault(slot, [])
            there += [key for key in keys if key in moving]
            self.node.keys[slot] = [key for key in keys if key not in moving]
        return b"OK"

    def cluster_replicate(self, _c, _r, primary):
        for node in self.redis.nodes.values():
            if node.primary == self.node.id:
                node.primary = primary
        self.node.primary = primary
        return b"OK"

    def cluster_failover(self, *_words):
        old = self.redis.by_id(self.node.primary)
        self.node.slots, old.slots = old.slots, set()
        self.node.primary = ""
        for node in self.redis.nodes.values():
            if node.primary == old.id:
                node.primary = self.node.id
        old.primary = self.node.id
        return b"OK"

    def cluster_reset(self, *_words):
        self.node.blank()
        return b"OK"

    def cluster_forget(self, _c, _f, node_id):
        if node_id not in self.node.known:
            return RefusedError("Redis refused: ERR Unknown node")
        self.node.known.discard(node_id)
        return b"OK"

    def config_set(self, _c, _s, *pairs):
        for name, value in zip(pairs[::2], pairs[1::2]):
            self.node.settings[name] = value
            if name == "cluster-announce-hostname":
                self.node.announced = value
        return b"OK"

    def config_get(self, _c, _g, pattern):
        found = [(n, v) for n, v in self.node.settings.items() if pattern in ("*", n)]
        return [word.encode() for pair in found for word in pair]

    def acl_cat(self, _a, _c, category=None):
        categories = {
            "read": ["get", "strlen"],
            "write": ["set", "incr"],
            "admin": [
                *("config", "config|get", "config|set", "acl", "acl|cat", "acl|list"),
                *("acl|setuser", "acl|deluser", "acl|whoami"),
            ],
        }
        return [name.encode() for name in (categories[category] if category else categories)]

    def acl_list(self, *_words):
        return [line.encode() for line in self.node.users]

    def acl_whoami(self, *_words):
        return b"default"

    def acl_setuser(self, _a, _s, name, *rules):
        unknown = [rule for rule in rules if rule in ("~after-all", "judge-only")]
        if unknown:
            return RefusedError(
                f"Redis refused: Error in ACL SETUSER modifier '{unknown[0]}': no",
                where=self.place.name,
            )
        self.acl_deluser("", "", name)
        words = [rule for rule in rules if rule not in ("reset", "resetchannels")]
        self.node.users.append(" ".join(["user", name, *words]))
        return b"OK"

    def acl_deluser(self, _a, _d, name):
        self.node.users = [line for line in self.node.users if line.split()[1] != name]
        return 1

    def acl_save(self, *_words):
        self.node.saved += 1
        return b"OK"


@pytest.fixture
def fake():
    """Return eight servers that know nothing of each other."""
    return FakeRedis(range(7000, 7008))


@pytest.fixture
def options():
    """Return the options that all modules share."""
    return {
        "username": "default",
        "password": "secret",
        "ca_path": "/ca.crt",
        "client_certificate": None,
        "client_key": None,
        "timeout": 1,
    }
