# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the pure plan that turns a found Redis Cluster into the desired one.

Every step can be simulated on the model. So the plan is made by trying it, check mode shows the
same steps that the real run takes, and a run that was interrupted is planned anew from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from .._core.errors import PlatformError
from .._core.plan import Change
from .model import SLOTS, Cluster, Desired, Node, Slots, as_text, refuse_impossible
from .placement import Shard, place


@dataclass(frozen=True)
class Step:
    """One step; *node* is the id of the node that it is about, *name* what a user calls it."""

    node: str
    name: str

    def after(self, cluster: Cluster) -> Cluster:
        """Return the cluster as it is when the step is done."""
        raise NotImplementedError

    def change(self) -> Change:
        """Return the step as its user sees it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Reset(Step):
    """Make a node forget its cluster, its role and its data: a new, empty node."""

    def after(self, cluster: Cluster) -> Cluster:
        node = cluster.nodes[self.node]
        blank = Node(node.id, node.place, joined=False, announced=node.announced)
        return cluster.with_(blank)

    def change(self) -> Change:
        return Change("reset", f"node {self.name}", "a part of a cluster", "empty and alone")


@dataclass(frozen=True)
class Meet(Step):
    """Have a node join the cluster."""

    def after(self, cluster: Cluster) -> Cluster:
        return cluster.with_(replace(cluster.nodes[self.node], joined=True))

    def change(self) -> Change:
        return Change("join", f"node {self.name}", "alone", "part of the cluster")


@dataclass(frozen=True)
class Announce(Step):
    """Have a node tell its clients a host name."""

    host: str

    def after(self, cluster: Cluster) -> Cluster:
        return cluster.with_(replace(cluster.nodes[self.node], announced=self.host))

    def change(self) -> Change:
        return Change("announce", f"node {self.name}", None, f"as {self.host}")


@dataclass(frozen=True)
class AddSlots(Step):
    """Have a primary serve slots that nobody serves."""

    slots: Slots

    def after(self, cluster: Cluster) -> Cluster:
        node = cluster.nodes[self.node]
        return cluster.with_(replace(node, slots=node.slots | self.slots))

    def change(self) -> Change:
        return Change(
            "assign", f"{len(self.slots)} slots to {self.name}", None, as_text(self.slots)
        )


@dataclass(frozen=True)
class CloseSlots(Step):
    """Take back that slots are on their way, where nothing can come of it."""

    slots: Slots

    def after(self, cluster: Cluster) -> Cluster:
        node = cluster.nodes[self.node]
        return cluster.with_(
            replace(
                node,
                migrating=_other(node.migrating, self.slots),
                importing=_other(node.importing, self.slots),
            )
        )

    def change(self) -> Change:
        return Change(
            "close", f"{len(self.slots)} open slots of {self.name}", as_text(self.slots), ""
        )


@dataclass(frozen=True)
class MoveSlots(Step):
    """Move slots with their keys to the primary *node*, from the primary *source*."""

    source: str
    source_name: str
    slots: Slots

    def after(self, cluster: Cluster) -> Cluster:
        source, node = cluster.nodes[self.source], cluster.nodes[self.node]
        return cluster.with_(
            replace(
                source,
                slots=source.slots - self.slots,
                migrating=_other(source.migrating, self.slots),
            ),
            replace(
                node,
                slots=node.slots | self.slots,
                importing=_other(node.importing, self.slots),
            ),
        )

    def change(self) -> Change:
        slots = as_text(self.slots)
        return Change(
            "move",
            f"{len(self.slots)} slots from {self.source_name} to {self.name}",
            f"{self.source_name}: {slots}",
            f"{self.name}: {slots}",
        )


@dataclass(frozen=True)
class Replicate(Step):
    """Have a node replicate a primary."""

    primary: str
    primary_name: str
    before: str = "a primary without slots"

    def after(self, cluster: Cluster) -> Cluster:
        node = cluster.nodes[self.node]
        # A replica of a replica turns to the primary above by itself.
        others = [replace(replica, primary=self.primary) for replica in cluster.replicas(node.id)]
        return cluster.with_(replace(node, primary=self.primary), *others)

    def change(self) -> Change:
        return Change(
            "attach",
            f"replica {self.name} to {self.primary_name}",
            self.before,
            f"replica of {self.primary_name}",
        )


@dataclass(frozen=True)
class Failover(Step):
    """Have a replica take over from its primary, without loss."""

    primary: str
    primary_name: str

    def after(self, cluster: Cluster) -> Cluster:
        node, old = cluster.nodes[self.node], cluster.nodes[self.primary]
        others = [
            replace(replica, primary=node.id)
            for replica in cluster.replicas(old.id)
            if replica.id != node.id
        ]
        return cluster.with_(
            replace(node, primary="", slots=old.slots, keys=old.keys),
            replace(old, primary=node.id, slots=frozenset(), migrating={}, importing={}),
            *others,
        )

    def change(self) -> Change:
        return Change(
            "hand over",
            f"primary {self.primary_name} to {self.name}",
            f"primary {self.primary_name}",
            f"primary {self.name}",
        )


@dataclass(frozen=True)
class Forget(Step):
    """Take a node without slots out of the cluster."""

    def after(self, cluster: Cluster) -> Cluster:
        return cluster.without(self.node)

    def change(self) -> Change:
        return Change("remove", f"node {self.name}", "part of the cluster", None)


def _other(marks: Mapping[int, str], slots: Slots) -> dict[int, str]:
    return {slot: node for slot, node in marks.items() if slot not in slots}


def refuse(cluster: Cluster, desired: Desired) -> None:
    """Refuse what cannot be reached without a loss, before the first step.

    :raises PlatformError: with what is in the way.
    """
    refuse_impossible(desired)
    absent = [spot.name for spot in desired.places if cluster.at(spot) is None]
    if absent:
        raise PlatformError(
            f"no answer from {', '.join(absent)}",
            where="nodes",
            hint="start the server there, or take the node out of the list",
        )
    for node in cluster.joined():
        if node.slots and not node.alive:
            raise PlatformError(
                f"{node.name} holds slots {as_text(node.slots)} and does not answer: "
                "their data would be lost",
                where="nodes",
                hint="start that server, or wait until one of its replicas has taken over; "
                "one that is not in the list has to accept the same login",
            )
    for node in cluster.nodes.values():
        _refuse_data(node)
    _refuse_overflow(cluster, desired)


def _refuse_overflow(cluster: Cluster, desired: Desired) -> None:
    """Refuse to move data to fewer primaries than have the memory for it."""
    leading = [node for node in cluster.primaries() if node.slots]
    if len(leading) <= desired.shards:
        return
    used = sum(node.used for node in leading)
    staying = [node for node in map(cluster.at, desired.places) if node and node.room]
    room = desired.shards * min((node.room for node in staying), default=used)
    if used > room:
        raise PlatformError(
            f"{len(leading)} primaries use {used >> 20} MiB, and the {desired.shards} that would "
            f"be left may use {room >> 20} MiB: slots would have nowhere to go",
            where="nodes",
            hint="keep the nodes, or have fewer data or a higher maxmemory first",
        )


def _refuse_data(node: Node) -> None:
    outside = not node.joined and not node.primary
    stray = node.joined and not node.primary and not node.slots and not node.importing
    if node.keys and (outside or stray):
        raise PlatformError(
            f"{node.name} holds {node.keys} keys that the cluster does not know: "
            "they would be lost",
            where="nodes",
            hint="save them elsewhere and empty the node (FLUSHALL), or take it out of the list",
        )


class _Planner:
    """Collects steps, and tries each on the model."""

    def __init__(self, cluster: Cluster, desired: Desired) -> None:
        self.cluster = cluster
        self.desired = desired
        self.steps: list[Step] = []

    def do(self, step: Step) -> None:
        self.steps.append(step)
        self.cluster = step.after(self.cluster)

    def node(self, node_id: str) -> Node:
        return self.cluster.nodes[node_id]

    def join(self) -> None:
        """Have all nodes in one cluster."""
        for node in sorted(self.cluster.nodes.values(), key=lambda node: node.name):
            if not node.joined and node.stale:
                self.do(Reset(node.id, node.name))
        for node in sorted(self.cluster.nodes.values(), key=lambda node: node.name):
            if not node.joined:
                self.do(Meet(node.id, node.name))
        for node in self.cluster.joined():
            listed = self.desired.announce and node.place in self.desired.places
            if listed and node.announced != node.place.host:
                self.do(Announce(node.id, node.name, node.place.host))

    def _serving(self, node_id: str) -> Node | None:
        """Return the living primary that now has the data of the node *node_id*."""
        node = self.cluster.nodes.get(node_id)
        if node is not None and node.primary:
            node = self.cluster.nodes.get(node.primary)
        return node if node is not None and node.alive and node.joined else None

    def _going(self) -> dict[int, str]:
        """Return the slots on their way to another node, with the id of where they go."""
        going: dict[int, str] = {}
        for node in self.cluster.primaries():
            for slot, other in sorted(node.migrating.items()):
                if slot in node.slots and self._serving(other):
                    going[slot] = other
        for node in self.cluster.primaries():
            for slot in sorted(node.importing):
                if slot not in node.slots:
                    going.setdefault(slot, node.id)
        return going

    def finish_open(self) -> None:
        """Finish the slots that an interrupted run left on their way, with keys on both sides."""
        moves: dict[tuple[str, str], set[int]] = {}
        for slot, other in self._going().items():
            source, target = self.cluster.owner(slot), self._serving(other)
            if source and target and source.id != target.id:
                moves.setdefault((source.id, target.id), set()).add(slot)
        for (source_id, target_id), slots in sorted(moves.items()):
            self.move(source_id, target_id, slots)
        for node in self.cluster.joined():
            left = frozenset(node.migrating) | frozenset(node.importing)
            if left and node.alive:
                self.do(CloseSlots(node.id, node.name, left))

    def move(self, source_id: str, target_id: str, slots: Iterable[int]) -> None:
        source, target = self.node(source_id), self.node(target_id)
        self.do(MoveSlots(target.id, target.name, source.id, source.name, frozenset(slots)))

    def attach(self, node_id: str, primary_id: str) -> None:
        node, primary = self.node(node_id), self.node(primary_id)
        before = "a primary without slots"
        if node.primary:
            followed = self.cluster.nodes.get(node.primary)
            before = f"replica of {followed.name if followed else node.primary}"
        self.do(Replicate(node.id, node.name, primary.id, primary.name, before))

    def begin(self, shards: Iterable[Shard]) -> None:
        """Have every new shard led by an empty primary."""
        for shard in shards:
            leader = self.node(shard.leader)
            if leader.primary:
                # A replica cannot become a primary of nothing by any gentler way.
                self.do(Reset(leader.id, leader.name))
                self.do(Meet(leader.id, leader.name))

    def gather(self, shards: Iterable[Shard], *, spare_only: bool) -> None:
        """Attach nodes to the shards they shall be in.

        :param spare_only: only those that their present shard can spare.
        """
        for shard in shards:
            leader = self.leader(shard)
            for member in sorted(shard.members - {leader}):
                node = self.node(member)
                if node.slots or node.primary == leader:
                    continue
                if not spare_only or self._is_spare(node):
                    self.attach(member, leader)

    def _is_spare(self, node: Node) -> bool:
        """Return whether no shard lacks a copy when *node* leaves it.

        A primary that gets slots before it has its replica would be given one by Redis itself,
        wherever that may run; so what can move does so first.
        """
        if node.primary:
            return len(self.cluster.replicas(node.primary)) > self.desired.replicas
        return not self.cluster.replicas(node.id)

    def leader(self, shard: Shard) -> str:
        """Return the id of the node that leads the shard at this point of the plan."""
        node = self.node(shard.leader)
        return node.primary or node.id

    def hand_over(self, shards: Iterable[Shard]) -> None:
        """Have the right member lead each shard, where it follows the present leader already."""
        for shard in shards:
            leader = self.leader(shard)
            if leader == shard.primary:
                continue
            successor, old = self.node(shard.primary), self.node(leader)
            if successor.primary == leader:
                self.do(Failover(successor.id, successor.name, old.id, old.name))

    def share(self, shards: tuple[Shard, ...]) -> None:
        """Give each shard an equal number of slots, moving as few as can be."""
        for leader, goals in self._lacking(shards):
            unassigned = sorted(self.cluster.unassigned())[:goals]
            if unassigned:
                node = self.node(leader)
                self.do(AddSlots(leader, node.name, frozenset(unassigned)))
        lacking = dict(self._lacking(shards))
        for source_id, surplus in self._spare(shards):
            available = sorted(self.node(source_id).slots)
            while surplus:
                target_id = next(leader for leader, count in lacking.items() if count)
                count = min(surplus, lacking[target_id])
                self.move(source_id, target_id, available[-count:])
                del available[-count:]
                surplus -= count
                lacking[target_id] -= count

    def _goals(self, shards: tuple[Shard, ...]) -> dict[str, int]:
        """Return how many slots each leader shall have.

        The odd ones go where the fewest have to move for it: to leaders that have too many anyway,
        before all to those that are done, so that a run after an interrupted one agrees with it.
        """
        leaders = [self.leader(shard) for shard in shards]
        least, odd = divmod(SLOTS, len(leaders))

        def order(leader: str) -> tuple[bool, int, str]:
            size = len(self.node(leader).slots)
            return (size <= least, size if size > least else -size, self.node(leader).name)

        leaders.sort(key=order)
        return {leader: least + (nth < odd) for nth, leader in enumerate(leaders)}

    def _lacking(self, shards: tuple[Shard, ...]) -> Iterator[tuple[str, int]]:
        for leader, goal in self._goals(shards).items():
            yield leader, max(0, goal - len(self.node(leader).slots))

    def _spare(self, shards: tuple[Shard, ...]) -> Iterator[tuple[str, int]]:
        goals = self._goals(shards)
        for node in self.cluster.primaries():
            spare = len(node.slots) - goals.get(node.id, 0)
            if spare > 0:
                yield node.id, spare

    def remove(self) -> None:
        """Forget the nodes that nobody wants any more, replicas first."""
        unwanted = [
            node
            for node in self.cluster.joined()
            if node.place not in self.desired.places or not node.alive
        ]
        for node in sorted(unwanted, key=lambda node: (not node.primary, node.name)):
            self.do(Forget(node.id, node.name))


def plan(cluster: Cluster, desired: Desired) -> tuple[Step, ...]:
    """Return the steps from the found *cluster* to the *desired* one, in their order.

    A copy of the data is never given up before its slots are elsewhere, and a primary never before
    a replica that has all of its data leads.

    :raises PlatformError: when that cannot be reached, or not without a loss.
    """
    refuse(cluster, desired)
    planner = _Planner(cluster, desired)
    planner.join()
    planner.finish_open()
    shards = place(planner.cluster, desired)
    planner.begin(shards)
    planner.gather(shards, spare_only=True)
    planner.share(shards)
    # A former primary can only follow once it has handed over, which may free another one.
    for _round in shards:
        before = len(planner.steps)
        planner.hand_over(shards)
        planner.gather(shards, spare_only=False)
        if len(planner.steps) == before:
            break
    planner.remove()
    _refuse_unfinished(planner, shards)
    return tuple(planner.steps)


def _refuse_unfinished(planner: _Planner, shards: tuple[Shard, ...]) -> None:
    for shard in shards:
        for member in shard.members - {shard.primary}:
            if planner.node(member).primary != shard.primary:
                name = planner.node(member).name
                raise PlatformError(
                    f"no order of steps brings {name} to its place without the loss of a copy",
                    where="nodes",
                    hint="add a node for the time of the change, and take it out afterwards",
                )


def changes(steps: Iterable[Step]) -> tuple[Change, ...]:
    """Return the steps as their user sees them."""
    return tuple(step.change() for step in steps)
