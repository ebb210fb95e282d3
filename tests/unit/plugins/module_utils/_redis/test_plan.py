# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._redis import plan as planning
from ansible_collections.mcp.platform.plugins.module_utils._redis.model import (
    SLOTS,
    Cluster,
    Desired,
    Node,
    Place,
    members,
    refuse_impossible,
)
from ansible_collections.mcp.platform.plugins.module_utils._redis.plan import (
    AddSlots,
    CloseSlots,
    Failover,
    Forget,
    Meet,
    MoveSlots,
    Replicate,
    Reset,
    changes,
    plan,
)


def _place(host, port=7000):
    return Place(f"node{host}.example.test", f"192.0.2.{host}", port)


def _places(*counts):
    return tuple(
        _place(host, 7000 + nth) for host, count in enumerate(counts, 1) for nth in range(count)
    )


def _fresh(places):
    return Cluster(
        {
            f"id-{spot.name}": Node(f"id-{spot.name}", spot, joined=False, announced=spot.host)
            for spot in places
        }
    )


def _after(cluster, steps):
    for step in steps:
        cluster = step.after(cluster)
    return cluster


def _made(desired):
    cluster = _fresh(desired.places)
    return _after(cluster, plan(cluster, desired))


def _with_new(cluster, desired):
    known = {node.place for node in cluster.nodes.values()}
    return cluster.with_(*_fresh(p for p in desired.places if p not in known).nodes.values())


def _check(cluster, desired):
    """Assert what a cluster is for: all slots served evenly, and no host with all of a shard."""
    joined = cluster.joined()
    assert {node.place for node in joined} == set(desired.places)
    primaries = cluster.primaries()
    assert len(primaries) == desired.shards
    assert sum(len(node.slots) for node in primaries) == SLOTS
    assert not cluster.unassigned()
    sizes = [len(node.slots) for node in primaries]
    assert max(sizes) - min(sizes) <= 1
    for node in primaries:
        hosts = [node.place.host, *(r.place.host for r in cluster.replicas(node.id))]
        assert len(hosts) > desired.replicas
        if desired.replicas:
            assert len(set(hosts)) == len(hosts)
    for node in joined:
        assert not node.migrating
        assert not node.importing


def _leads(cluster):
    counts = dict.fromkeys((node.place.host for node in cluster.joined()), 0)
    for node in cluster.primaries():
        counts[node.place.host] += 1
    return sorted(counts.values())


_SHAPES = st.tuples(
    st.lists(st.integers(1, 4), min_size=2, max_size=6), st.integers(min_value=0, max_value=2)
).map(lambda shape: Desired(_places(*shape[0]), shape[1]))


def _possible(desired):
    try:
        refuse_impossible(desired)
    except PlatformError:
        return False
    return True


_DESIRED = _SHAPES.filter(_possible)


def test_three_hosts_get_three_primaries_and_no_pair_on_one_host():
    desired = Desired(_places(2, 2, 2))
    cluster = _fresh(desired.places)
    steps = plan(cluster, desired)
    assert [type(step) for step in steps] == [Meet] * 6 + [Replicate] * 3 + [AddSlots] * 3
    made = _after(cluster, steps)
    _check(made, desired)
    assert _leads(made) == [1, 1, 1]
    assert plan(made, desired) == ()


def test_a_fourth_host_gets_a_quarter_of_the_slots_and_nothing_else_moves():
    made = _made(Desired(_places(2, 2, 2)))
    desired = Desired(_places(2, 2, 2, 2))
    grown = _with_new(made, desired)
    steps = plan(grown, desired)
    moved = sum(len(step.slots) for step in steps if isinstance(step, MoveSlots))
    assert moved == SLOTS // 4
    after = _after(grown, steps)
    _check(after, desired)
    assert _leads(after) == [1, 1, 1, 1]
    back = plan(after, Desired(_places(2, 2, 2)))
    assert sum(len(step.slots) for step in back if isinstance(step, MoveSlots)) == SLOTS // 4
    _check(_after(after, back), Desired(_places(2, 2, 2)))


def test_a_primary_is_handed_back_where_a_host_leads_too_much():
    desired = Desired(_places(2, 2, 2))
    made = _made(desired)
    replica = next(node for node in made.joined() if node.primary)
    old = made.nodes[replica.primary]
    tilted = Failover(replica.id, replica.name, old.id, old.name).after(made)
    assert _leads(tilted) == [0, 1, 2]
    steps = plan(tilted, desired)
    assert [type(step) for step in steps] == [Failover]
    assert _leads(_after(tilted, steps)) == [1, 1, 1]


def test_a_dead_replica_is_forgotten_and_a_new_node_takes_its_place():
    desired = Desired(_places(2, 2, 2))
    made = _made(desired)
    dead = next(node for node in made.joined() if node.primary)
    new = Node("id-new", dead.place, joined=False, announced=dead.announced)
    broken = made.with_(replace(dead, alive=False), new)
    steps = plan(broken, desired)
    assert [type(step) for step in steps] == [Meet, Replicate, Forget]
    assert steps[-1].node == dead.id
    _check(_after(broken, steps), desired)


def test_fewer_replicas_make_new_shards_of_the_nodes_left_over():
    made = _made(Desired(_places(3, 3, 3), 2))
    desired = Desired(_places(3, 3, 3), 1)
    steps = plan(made, desired)
    assert Reset in {type(step) for step in steps}
    _check(_after(made, steps), desired)


def _opened(slot=100):
    desired = Desired(_places(2, 2, 2))
    made = _made(desired)
    source = made.owner(slot)
    target = next(n for n in made.primaries() if n.id != source.id)
    return desired, made, source, target


def test_a_slot_on_its_way_arrives_and_the_balance_is_mended_after_it():
    desired, made, source, target = _opened()
    opened = made.with_(
        replace(source, migrating={100: target.id}), replace(target, importing={100: source.id})
    )
    steps = plan(opened, desired)
    assert isinstance(steps[0], MoveSlots)
    assert (steps[0].source, steps[0].node, steps[0].slots) == (source.id, target.id, {100})
    _check(_after(opened, steps), desired)


def test_a_slot_that_only_one_side_knows_of_is_finished_or_closed():
    desired, made, source, target = _opened()
    steps = plan(made.with_(replace(target, importing={100: source.id})), desired)
    assert isinstance(steps[0], MoveSlots)
    assert steps[0].node == target.id
    steps = plan(made.with_(replace(source, migrating={100: "gone"})), desired)
    assert [type(step) for step in steps] == [CloseSlots]
    steps = plan(made.with_(replace(source, importing={100: target.id})), desired)
    assert [type(step) for step in steps] == [CloseSlots]


def test_a_slot_on_its_way_to_a_primary_that_was_replaced_goes_to_its_successor():
    desired, made, source, target = _opened()
    successor = made.replicas(target.id)[0]
    opened = Failover(successor.id, "", target.id, "").after(
        made.with_(replace(source, migrating={100: target.id}))
    )
    first = plan(opened, desired)[0]
    assert isinstance(first, MoveSlots)
    assert first.node == successor.id


def test_a_node_that_remembers_an_old_cluster_is_reset_first():
    desired = Desired(_places(2, 2, 2))
    cluster = _fresh(desired.places)
    node = next(iter(cluster.nodes.values()))
    steps = plan(cluster.with_(replace(node, stale=True, primary="old", keys=3)), desired)
    assert isinstance(steps[0], Reset)
    assert steps[0].node == node.id


def test_each_node_announces_its_host_once():
    desired = Desired(_places(2, 2, 2))
    made = _made(desired)
    node = made.joined()[0]
    other = made.with_(replace(node, announced=""))
    (step,) = plan(other, desired)
    assert step.change().after == f"as {node.place.host}"
    assert plan(step.after(other), desired) == ()
    assert plan(other, replace(desired, announce=False)) == ()


@pytest.mark.parametrize(
    ("desired", "what"),
    [
        (Desired(_places(1, 1)), "three to elect"),
        (Desired(_places(2, 2, 1)), "three to elect"),
        (Desired(_places(6)), "cannot be placed on 1 hosts"),
        (Desired(_places(5, 1)), "only 3 primaries"),
        (Desired(_places(2, 2, 2), -1), "negative"),
    ],
)
def test_a_shape_that_cannot_work_is_refused(desired, what):
    with pytest.raises(PlatformError, match=what) as error:
        plan(_fresh(desired.places), desired)
    assert error.value.where in ("nodes", "replicas")


def test_what_would_lose_data_is_refused():
    desired = Desired(_places(2, 2, 2))
    made = _made(desired)
    primary = made.primaries()[0]
    with pytest.raises(PlatformError, match="no answer from node"):
        plan(made.without(primary.id), desired)
    gone = replace(primary, alive=False, place=_place(9))
    new = Node("new", primary.place, joined=False)
    with pytest.raises(PlatformError, match="data would be lost"):
        plan(made.with_(gone, new), desired)
    fresh = _fresh(desired.places)
    node = next(iter(fresh.nodes.values()))
    with pytest.raises(PlatformError, match="3 keys that the cluster does not know"):
        plan(fresh.with_(replace(node, keys=3)), desired)
    with pytest.raises(PlatformError, match="3 keys"):
        plan(fresh.with_(replace(node, keys=3, joined=True)), desired)


def test_data_that_would_not_fit_is_not_moved():
    large, small = Desired(_places(1, 1, 1, 1), 0), Desired(_places(1, 1, 1), 0)
    for used, room, refused in ((75, 100, False), (76, 100, True), (76, 0, False)):
        nodes = [
            replace(node, used=used << 20, room=room << 20) for node in _made(large).nodes.values()
        ]
        cluster = Cluster({node.id: node for node in nodes})
        assert plan(cluster, large) == ()
        if not refused:
            assert plan(cluster, small)
            continue
        with pytest.raises(PlatformError, match="the 3 that would be left may use 300 MiB"):
            plan(cluster, small)


def test_every_step_says_what_it_does():
    desired = Desired(_places(2, 2, 2))
    cluster = _fresh(desired.places)
    told = [str(change) for change in changes(plan(cluster, desired))]
    assert told[0] == "join node node1.example.test:7000"
    assert any("slots to node" in line for line in told)
    made = _made(desired)
    slots = members([(0, 9)])
    for step in (
        Reset("a", "a"),
        CloseSlots("a", "a", slots),
        MoveSlots("a", "a", "b", "b", slots),
        Failover("a", "a", "b", "b"),
        Forget("a", "a"),
    ):
        assert "a" in str(step.change())
    with pytest.raises(NotImplementedError):
        planning.Step("a", "a").after(made)
    with pytest.raises(NotImplementedError):
        planning.Step("a", "a").change()


@settings(max_examples=12, deadline=None)
@given(_DESIRED)
def test_any_possible_shape_is_reached_from_nothing(desired):
    made = _made(desired)
    _check(made, desired)
    assert plan(made, desired) == ()


@settings(max_examples=12, deadline=None)
@given(_DESIRED, _DESIRED, st.data())
def test_any_shape_leads_to_any_other_and_an_interruption_costs_nothing(first, second, data):
    found = _with_new(_made(first), second)
    steps = plan(found, second)
    reached = _after(found, steps)
    _check(reached, second)
    assert plan(reached, second) == ()
    done = data.draw(st.integers(0, len(steps)))
    cluster = _after(found, steps[:done])
    again = plan(cluster, second)
    _check(_after(cluster, again), second)
    assert len(again) <= len(steps) - done


@settings(max_examples=12, deadline=None)
@given(_DESIRED, st.data())
def test_after_any_failovers_the_plan_hands_back(desired, data):
    cluster = made = _made(desired)
    for _nth in range(data.draw(st.integers(0, 4))):
        replicas = [node for node in cluster.joined() if node.primary]
        if replicas:
            node = data.draw(st.sampled_from(replicas))
            old = cluster.nodes[node.primary]
            cluster = Failover(node.id, node.name, old.id, old.name).after(cluster)
    steps = plan(cluster, desired)
    assert {type(step) for step in steps} <= {Failover}
    assert sum(c * c for c in _leads(_after(cluster, steps))) <= sum(c * c for c in _leads(made))


@settings(max_examples=12, deadline=None)
@given(_DESIRED, _DESIRED, st.data())
def test_a_move_that_stopped_half_way_is_finished(first, second, data):
    found = _with_new(_made(first), second)
    steps = plan(found, second)
    places = [nth for nth, step in enumerate(steps) if isinstance(step, MoveSlots)]
    if not places:
        return
    nth = data.draw(st.sampled_from(places))
    step = steps[nth]
    slots = sorted(step.slots)
    moved = data.draw(st.integers(0, len(slots) - 1))
    opened = slots[moved : moved + data.draw(st.integers(1, 8))]
    cluster = replace(step, slots=frozenset(slots[:moved])).after(_after(found, steps[:nth]))
    source, target = cluster.nodes[step.source], cluster.nodes[step.node]
    cluster = cluster.with_(
        replace(source, migrating=dict.fromkeys(opened, target.id)),
        replace(target, importing=dict.fromkeys(opened, source.id), keys=5),
    )
    again = plan(cluster, second)
    _check(_after(cluster, again), second)
    total = sum(len(s.slots) for s in again if isinstance(s, MoveSlots))
    assert total == sum(len(s.slots) for s in steps[nth:] if isinstance(s, MoveSlots)) - moved
