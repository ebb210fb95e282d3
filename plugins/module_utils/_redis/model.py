# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: a Redis Cluster as it is found, and as it shall be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._core.errors import PlatformError

SLOTS = 16384
"""Number of hash slots of every cluster; fixed by the cluster protocol."""

Slots = frozenset[int]
Ranges = tuple[tuple[int, int], ...]

_OPEN = re.compile(r"^\[(\d+)-([<>])-(.+)\]$")


def ranges(slots: Iterable[int]) -> Ranges:
    """Return *slots* as ascending ranges, both ends included."""
    found: list[tuple[int, int]] = []
    for slot in sorted(slots):
        if found and found[-1][1] == slot - 1:
            found[-1] = (found[-1][0], slot)
        else:
            found.append((slot, slot))
    return tuple(found)


def members(slot_ranges: Iterable[Sequence[int]]) -> Slots:
    """Return the slots of *slot_ranges*."""
    return frozenset(slot for first, last in slot_ranges for slot in range(first, last + 1))


def as_text(slots: Iterable[int]) -> str:
    """Return *slots* as a user reads them: ``0-5460,16383``."""
    return ",".join(
        str(first) if first == last else f"{first}-{last}" for first, last in ranges(slots)
    )


@dataclass(frozen=True)
class Place:
    """Where a node shall run.

    :param host: the name its certificate has, clients are told, and placement counts by.
    :param address: the address other nodes reach it at.
    """

    host: str
    address: str
    port: int

    @property
    def name(self) -> str:
        """Return its name in messages."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Node:
    """A node as the cluster, or as it itself while it is alone, sees it.

    :param primary: id of the node that it replicates, empty for a primary.
    :param migrating: slots on their way out of it, with the id of the node they go to.
    :param importing: slots on their way to it, with the id of the node they come from.
    :param joined: whether it belongs to the cluster that the plan is about.
    :param stale: whether it remembers a cluster that no longer counts it in.
    :param alive: whether it answers.
    :param keys: how many keys it holds.
    :param used: bytes that it uses.
    :param room: bytes beyond which it refuses writes, 0 where it never does.
    :param announced: the host name that it tells clients.
    """

    id: str
    place: Place
    primary: str = ""
    slots: Slots = frozenset()
    migrating: Mapping[int, str] = field(default_factory=dict)
    importing: Mapping[int, str] = field(default_factory=dict)
    joined: bool = True
    stale: bool = False
    alive: bool = True
    keys: int = 0
    used: int = 0
    room: int = 0
    announced: str = ""
    flags: frozenset[str] = frozenset()
    epoch: int = 0

    @property
    def name(self) -> str:
        """Return its name in messages; without an address only its id is left."""
        return self.place.name if self.place.port else self.id

    @property
    def failed(self) -> bool:
        """Return whether the cluster takes it for dead, or is about to."""
        return bool(self.flags & {"fail", "fail?", "noaddr"})


@dataclass(frozen=True)
class Cluster:
    """All nodes that matter, by id: those of the cluster, and those that shall join it."""

    nodes: Mapping[str, Node]

    def joined(self) -> list[Node]:
        """Return the nodes of the cluster, in a fixed order."""
        return [node for _id, node in sorted(self.nodes.items()) if node.joined]

    def primaries(self) -> list[Node]:
        """Return the primaries of the cluster, with and without slots."""
        return [node for node in self.joined() if not node.primary]

    def replicas(self, primary: str) -> list[Node]:
        """Return the replicas of the node with the id *primary*."""
        return [node for node in self.joined() if node.primary == primary]

    def owner(self, slot: int) -> Node | None:
        """Return the node that serves *slot*."""
        return next((node for node in self.joined() if slot in node.slots), None)

    def unassigned(self) -> Slots:
        """Return the slots that nobody serves."""
        return members([(0, SLOTS - 1)]).difference(*(node.slots for node in self.joined()))

    def at(self, place: Place) -> Node | None:
        """Return the living node at *place*."""
        found = (node for node in self.nodes.values() if node.place == place and node.alive)
        return next(found, None)

    def with_(self, *nodes: Node) -> Cluster:
        """Return the cluster with these nodes in place of those with the same ids."""
        return Cluster({**self.nodes, **{node.id: node for node in nodes}})

    def without(self, node_id: str) -> Cluster:
        """Return the cluster without one node."""
        return Cluster({key: node for key, node in self.nodes.items() if key != node_id})


@dataclass(frozen=True)
class Desired:
    """The whole cluster as it shall be.

    :param replicas: how many replicas every primary has at least.
    :param announce: whether each node tells its clients the host's name.
    """

    places: tuple[Place, ...]
    replicas: int = 1
    announce: bool = True

    @property
    def shards(self) -> int:
        """Return the number of primaries; nodes that are left over become further replicas."""
        return len(self.places) // (self.replicas + 1)

    def per_host(self) -> dict[str, int]:
        """Return how many nodes each host has."""
        counts: dict[str, int] = {}
        for place in self.places:
            counts[place.host] = counts.get(place.host, 0) + 1
        return counts


def _ends(place: Place) -> set[tuple[str, int]]:
    """Return what nobody else may be reached at: its name, and its address where that differs."""
    return {(place.host, place.port), (place.address, place.port)}


def desired_from(options: Mapping[str, Any]) -> Desired:
    """Return what a module's options describe.

    :raises PlatformError: when a cluster like that cannot work.
    """
    places = tuple(
        Place(str(entry["host"]), str(entry.get("address") or entry["host"]), int(entry["port"]))
        for entry in options["nodes"]
    )
    ends = Counter(end for place in places for end in _ends(place))
    twice = sorted({place.name for place in places if any(ends[end] > 1 for end in _ends(place))})
    if twice:
        raise PlatformError(
            f"two nodes at one address and port: {', '.join(twice)}",
            where="nodes",
            hint="give every instance of a host its own port",
        )
    desired = Desired(places, int(options["replicas"]), bool(options.get("announce", True)))
    refuse_impossible(desired)
    return desired


def refuse_impossible(desired: Desired) -> None:
    """Refuse a shape that Redis Cluster, or the loss of one host, does not allow.

    :raises PlatformError: with what has to change.
    """
    if desired.replicas < 0:
        raise PlatformError("a negative number of replicas", where="replicas")
    if desired.shards < 3:
        raise PlatformError(
            f"{len(desired.places)} nodes with {desired.replicas} replicas per primary give "
            f"{desired.shards} primaries, a cluster needs three to elect by majority",
            where="nodes",
            hint=f"list at least {3 * (desired.replicas + 1)} nodes, or ask for fewer replicas",
        )
    counts = desired.per_host()
    if not desired.replicas:
        return
    if len(counts) <= desired.replicas:
        raise PlatformError(
            f"{desired.replicas} replicas per primary cannot be placed on {len(counts)} hosts",
            where="replicas",
            hint="a primary and each of its replicas need a host of their own: "
            f"use at least {desired.replicas + 1} hosts",
        )
    crowded = sorted(host for host, count in counts.items() if count > desired.shards)
    if crowded:
        raise PlatformError(
            f"{crowded[0]} has {counts[crowded[0]]} nodes, but there are only {desired.shards} "
            "primaries: two nodes with the same data would share that host",
            where="nodes",
            hint="spread the nodes more evenly over the hosts",
        )


def _address(field_text: str) -> tuple[str, int, str]:
    """Return address, port and announced host name from a line's second field."""
    address, _comma, rest = field_text.partition(",")
    announced = rest.split(",", 1)[0]
    # Since Redis 7 further name=value fields follow; a host name never holds an equals sign.
    announced = "" if "=" in announced or announced == "?" else announced
    ends, _at, _bus = address.partition("@")
    ip, _colon, port = ends.rpartition(":")
    return ip, int(port or 0), announced


def _slots(words: Iterable[str]) -> tuple[Slots, dict[int, str], dict[int, str]]:
    owned: set[int] = set()
    migrating: dict[int, str] = {}
    importing: dict[int, str] = {}
    for word in words:
        marked = _OPEN.match(word)
        if marked:
            (importing if marked[2] == "<" else migrating)[int(marked[1])] = marked[3]
            continue
        first, _dash, last = word.partition("-")
        owned.update(range(int(first), int(last or first) + 1))
    return frozenset(owned), migrating, importing


def parse_nodes(text: str, places: Iterable[Place] = ()) -> list[Node]:
    """Return the nodes of a reply to CLUSTER NODES.

    :param places: the known ones, which give a node the name it is verified by. The others have
        the host name they announce, or else their address.
    """
    known = {(place.address, place.port): place for place in places}
    named = {(place.host, place.port): place for place in places}
    nodes = []
    for line in text.splitlines():
        node_id, where, flag_words, primary, _ping, _pong, epoch, _link, *words = line.split()
        ip, port, announced = _address(where)
        place = known.get((ip, port)) or named.get((announced, port))
        owned, migrating, importing = _slots(words)
        nodes.append(
            Node(
                id=node_id,
                place=place or Place(announced or ip, ip, port),
                primary="" if primary == "-" else primary,
                slots=owned,
                migrating=migrating,
                importing=importing,
                announced=announced,
                flags=frozenset(flag_words.split(",")),
                epoch=int(epoch),
            )
        )
    return nodes


def parse_info(text: str) -> dict[str, str]:
    """Return the fields of a reply to INFO or CLUSTER INFO."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name: value.strip() for name, value in pairs}


@dataclass(frozen=True)
class View:
    """What one node says about itself and the others.

    :param nodes: all it knows, itself among them with the flag ``myself``.
    """

    place: Place
    nodes: tuple[Node, ...]
    keys: int = 0
    info: Mapping[str, str] = field(default_factory=dict)

    @property
    def myself(self) -> Node:
        """Return the node that was asked."""
        return next(node for node in self.nodes if "myself" in node.flags)

    @property
    def room(self) -> int:
        """Return beyond how many bytes it refuses writes; 0 where it has no limit, or evicts."""
        refuses = self.info.get("maxmemory_policy") == "noeviction"
        return int(self.info.get("maxmemory", 0)) if refuses else 0

    @property
    def known(self) -> frozenset[str]:
        """Return the ids of the nodes it has shaken hands with."""
        return frozenset(node.id for node in self.nodes if "handshake" not in node.flags)

    @property
    def served(self) -> frozenset[str]:
        """Return the ids of the nodes that it knows to serve slots."""
        return frozenset(node.id for node in self.nodes if node.slots)

    @property
    def coverage(self) -> int:
        """Return the number of slots that it knows to be served."""
        return sum(len(node.slots) for node in self.nodes)

    def layout(self) -> frozenset[tuple[str, str, Slots, int]]:
        """Return what all nodes of a settled cluster agree on: who is what, and serves what.

        The config epoch decides whose claim to a slot wins, so it belongs to that. Nobody tells a
        newcomer of a dead node, so one that serves nothing is no matter for agreement.
        """
        return frozenset(
            (node.id, node.primary, node.slots, node.epoch if node.slots else 0)
            for node in self.nodes
            if "handshake" not in node.flags and (node.slots or not node.failed)
        )


def leading_view(views: Sequence[View]) -> View:
    """Return the view of the cluster that counts: the one whose members serve most slots.

    Only members that answer and know each other count, because a node that was taken out may
    remember the whole cluster, with more nodes than it has now.
    """

    def weight(view: View) -> tuple[int, int, int, str]:
        inside = [other.myself for other in views if is_member(other, view)]
        served = sum(len(node.slots) for node in inside)
        return (served, len(inside), view.coverage, view.place.name)

    return max(views, key=weight)


def is_member(view: View, leading: View) -> bool:
    """Return whether both sides know each other; one alone is a MEET that is not through yet."""
    return view.myself.id in leading.known and leading.myself.id in view.known


def cluster_from(views: Sequence[View], places: Iterable[Place]) -> Cluster:
    """Return the one cluster that *views* show, with those nodes that are not in it yet.

    :param views: of all nodes that answer.
    :param places: where nodes shall be; one that is elsewhere only counts as a member.
    :raises PlatformError: when they show two clusters.
    """
    leading = leading_view(views)
    wanted = set(places)
    inside = [view for view in views if is_member(view, leading)]
    # What the leading one says counts, but a dead node may be known to the others alone.
    nodes = {
        node.id: replace(node, alive=False)
        for view in (*inside, leading)
        for node in view.nodes
        if "handshake" not in node.flags
    }
    for view in views:
        used = int(view.info.get("used_memory", 0))
        me = replace(view.myself, keys=view.keys, used=used, room=view.room, place=view.place)
        if is_member(view, leading):
            seen = nodes[me.id]
            # Open slots are only told by the node itself; the rest is as the others see it.
            nodes[me.id] = replace(
                seen,
                place=me.place,
                announced=me.announced,
                migrating=me.migrating,
                importing=me.importing,
                alive=True,
                keys=me.keys,
                used=me.used,
                room=me.room,
            )
            continue
        if view.place not in wanted:
            continue
        strangers = view.served - leading.known - {me.id}
        if strangers or (me.slots and leading.served):
            raise PlatformError(
                f"{me.name} belongs to another cluster, which serves slots",
                where="nodes",
                hint="take it out of the list, or reset it after its data has been saved: "
                "FLUSHALL, then CLUSTER RESET HARD",
            )
        nodes[me.id] = replace(me, joined=False, stale=len(view.known) > 1 or bool(me.primary))
    return Cluster(nodes)
