# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: which node shall be in which shard, and who shall lead it.

Both questions are flows of least cost. Nodes to shards: every shard gets an equal number of nodes,
of one host at most one. Leaders: one for each shard, as even over the hosts as can be. What is
there already costs nothing, so a cluster that is placed well is left as it is.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from .flow import Network
from .model import Cluster, Desired, Node, Place

# A primary that changes its shard costs a failover and a copy of the data, a replica only the copy.
_MOVE_REPLICA = 1
_MOVE_PRIMARY = 1000
# More than all moves together: what the shape demands comes before what is cheap.
_DEMAND = 10**6


@dataclass(frozen=True)
class Shard:
    """Nodes that shall hold the same slots.

    :param leader: the node that leads it now, or that the shard begins with.
    :param primary: the node that shall lead it.
    :param members: all of them, by id.
    """

    leader: str
    primary: str
    members: frozenset[str]


def kept_leaders(cluster: Cluster, desired: Desired) -> list[str]:
    """Return the primaries whose shards stay, best reason first.

    Shards with slots come first, because slots are the most expensive to move; then those that a
    run before this one has begun to make.
    """
    wanted = set(desired.places)

    def worth(node: Node) -> tuple[int, ...]:
        shard = [node, *cluster.replicas(node.id)]
        staying = [member for member in shard if member.place in wanted and member.alive]
        return (len(staying) > 0, node.place in wanted, len(staying), len(node.slots))

    held = [node for node in cluster.primaries() if node.slots]
    begun = [
        node
        for node in cluster.primaries()
        if not node.slots and node.place in wanted and cluster.replicas(node.id)
    ]
    ordered = sorted(held, key=worth, reverse=True) + sorted(begun, key=worth, reverse=True)
    staying = [node.id for node in ordered if worth(node)[0]]
    return staying[: desired.shards]


def _current_shard(node: Node) -> str:
    return node.primary or node.id


def _spot(node: Node, shard: Hashable, desired: Desired) -> tuple[str, Hashable]:
    """Return what only one node may take: a host's part in a shard."""
    return (node.place.host if desired.replicas else node.id, shard)


def _cost(node: Node, shard: Hashable, leaders: Sequence[str]) -> int:
    """Return what it costs to have *node* in *shard*."""
    if node.id in leaders:
        return 0 if node.id == shard else _MOVE_PRIMARY
    if isinstance(shard, str):
        return 0 if _current_shard(node) == shard else _MOVE_REPLICA
    # A replica would have to be emptied before it can begin a new shard.
    return 2 * _MOVE_REPLICA if node.primary else 0


def group(
    nodes: Sequence[Node], leaders: Sequence[str], desired: Desired
) -> dict[Hashable, list[Node]]:
    """Return the nodes of each shard: its leader's id, or a number for a new one."""
    shards: list[Hashable] = [*leaders, *range(desired.shards - len(leaders))]
    network = Network()
    least, extra = divmod(len(nodes), len(shards))
    for node in nodes:
        network.add("from", node.id, 1)
        for shard in shards:
            network.add(node.id, _spot(node, shard, desired), 1, _cost(node, shard, leaders))
    spots = dict.fromkeys(_spot(node, shard, desired) for node in nodes for shard in shards)
    for spot in spots:
        network.add(spot, ("shard", spot[1]), 1)
    for shard in shards:
        network.add(("shard", shard), "to", least)
        network.add(("shard", shard), "more", 1 if extra else 0)
    network.add("more", "to", extra)
    network.run("from", "to")
    grouped: dict[Hashable, list[Node]] = {shard: [] for shard in shards}
    for node in nodes:
        taken = set(network.used(node.id))
        for shard in shards:
            if _spot(node, shard, desired) in taken:
                grouped[shard].append(node)
    return grouped


def lead(
    grouped: Mapping[Hashable, Sequence[Node]], current: Mapping[Hashable, str]
) -> dict[Hashable, str]:
    """Return who shall lead each shard: even over the hosts, then with few changes."""
    network = Network()
    hosts = sorted({node.place.host for nodes in grouped.values() for node in nodes})
    for shard, nodes in grouped.items():
        network.add("from", ("shard", shard), 1)
        for node in nodes:
            cost = 0 if current.get(shard) == node.id else 1
            # A node that is a primary already leads a new shard as it is.
            cost += 1 if node.primary and shard not in current else 0
            network.add(("shard", shard), node.id, 1, cost)
            network.add(node.id, ("host", node.place.host), 1)
    for host in hosts:
        for nth in range(len(grouped)):
            # Each further primary of a host costs more than the one before: the sum is least where
            # they are even.
            network.add(("host", host), ("load", host, nth), 1, nth * _DEMAND)
            network.add(("load", host, nth), "to", 1)
    network.run("from", "to")
    return {shard: str(network.used(("shard", shard))[0]) for shard in grouped}


def place(cluster: Cluster, desired: Desired) -> tuple[Shard, ...]:
    """Return the shards that the desired nodes shall form.

    :param cluster: in which every desired place has its node.
    """
    nodes = [node for node in (cluster.at(spot) for spot in sorted_places(desired)) if node]
    leaders = kept_leaders(cluster, desired)
    grouped = group(nodes, leaders, desired)
    chosen = lead(grouped, {leader: leader for leader in leaders})
    return tuple(
        Shard(
            leader=shard if isinstance(shard, str) else chosen[shard],
            primary=chosen[shard],
            members=frozenset(node.id for node in grouped[shard]),
        )
        for shard in grouped
    )


def sorted_places(desired: Desired) -> list[Place]:
    """Return the desired places in an order that does not depend on how they were listed."""
    return sorted(desired.places, key=lambda spot: (spot.host, spot.port))
