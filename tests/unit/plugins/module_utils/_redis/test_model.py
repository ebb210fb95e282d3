# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._redis import model
from ansible_collections.mcp.platform.plugins.module_utils._redis.model import (
    Node,
    Place,
    View,
    cluster_from,
    desired_from,
    parse_nodes,
)

LINES = """\
aa 192.0.2.1:7000@17000,node1.example.test,tls-port=0,shard-id=11 myself,master - 0 0 3 connected \
0-99 200 [7->-bb] [9-<-bb]
bb 192.0.2.2:7000@17000,,tls-port=0 master - 0 0 2 connected 100-199
cc 192.0.2.3:7000@17000 slave bb 0 0 2 connected
dd :0@0 master,noaddr - 0 0 1 disconnected
ee 2001:db8::1:7000@17000,? master,handshake - 0 0 1 connected
"""


def test_the_reply_to_cluster_nodes_is_read():
    known = Place("node2.example.test", "192.0.2.2", 7000)
    first, second, third, fourth, fifth = parse_nodes(LINES, [known])
    assert first.place == Place("node1.example.test", "192.0.2.1", 7000)
    assert first.announced == "node1.example.test"
    assert len(first.slots) == 101
    assert (first.migrating, first.importing) == ({7: "bb"}, {9: "bb"})
    assert second.place == known
    assert second.announced == ""
    assert third.primary == "bb"
    assert third.name == "192.0.2.3:7000"
    assert fourth.failed
    assert fourth.name == "dd"
    assert fifth.place.address == "2001:db8::1"
    view = View(known, (first, fifth))
    assert view.known == {"aa"}


@given(st.frozensets(st.integers(0, 16383), max_size=200))
def test_slots_and_their_ranges_are_the_same(slots):
    found = model.ranges(slots)
    assert model.members(found) == slots
    assert all(later[0] > earlier[1] + 1 for earlier, later in zip(found, found[1:]))


def test_ranges_read_well():
    assert model.as_text([1, 2, 3, 7]) == "1-3,7"


def test_a_list_of_nodes_is_checked():
    def options(*nodes):
        return {"nodes": [{"host": h, "address": a, "port": p} for h, a, p in nodes], "replicas": 0}

    three = [("a", "192.0.2.1", 1), ("b", "192.0.2.2", 1), ("c", None, 1)]
    desired = desired_from(options(*three))
    assert desired.places[2].address == "c"
    for twice in (("a", "192.0.2.9", 1), ("d", "192.0.2.1", 1), ("c", None, 1)):
        with pytest.raises(PlatformError, match="two nodes at one address"):
            desired_from(options(*three, twice))


def _view(nth, *others, slots=(), **more):
    place = Place(f"node{nth}", f"192.0.2.{nth}", 7000)
    me = Node(f"id{nth}", place, slots=frozenset(slots), flags=frozenset({"myself"}), **more)
    return View(place, (me, *others))


def _other(nth, **more):
    return Node(f"id{nth}", Place(f"node{nth}", f"192.0.2.{nth}", 7000), **more)


def test_two_clusters_are_refused():
    one = _view(1, slots=range(100))
    for other in (_view(2, slots=range(9)), _view(2, _other(3, slots=frozenset({5})))):
        with pytest.raises(PlatformError, match="another cluster"):
            cluster_from([one, other], [one.place, other.place])


def test_only_a_node_that_would_refuse_writes_has_too_little_room():
    full = {"used_memory": "7", "maxmemory": "9"}
    for policy, room in (("noeviction", 9), ("allkeys-lfu", 0)):
        info = {**full, "maxmemory_policy": policy}
        one = replace(_view(1, slots=range(100)), info=info)
        (node,) = cluster_from([one], [one.place]).nodes.values()
        assert (node.used, node.room) == (7, room)
    assert _view(1).room == 0


def test_a_node_that_was_taken_out_does_not_come_back_by_itself():
    one, other = _view(1, slots=range(100)), _view(2)
    assert set(cluster_from([one, other], [one.place]).nodes) == {"id1"}
    cluster = cluster_from([one, other], [one.place, other.place])
    assert not cluster.nodes["id2"].joined
    assert not cluster.nodes["id2"].stale


def test_a_node_that_remembers_the_cluster_is_stale():
    one = _view(1, slots=range(100))
    other = _view(2, _other(1, slots=frozenset(range(100))), primary="id1")
    assert cluster_from([one, other], [one.place, other.place]).nodes["id2"].stale
