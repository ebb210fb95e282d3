# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context
from ansible_collections.mcp.platform.plugins.module_utils._redis import apply as applying
from ansible_collections.mcp.platform.plugins.module_utils._redis import client
from ansible_collections.mcp.platform.plugins.module_utils._redis.apply import (
    Driver,
    apply_cluster,
    drive,
)
from ansible_collections.mcp.platform.plugins.module_utils._redis.client import (
    CertificatesAbsentError,
    Login,
)
from ansible_collections.mcp.platform.plugins.module_utils._redis.model import desired_from


def _nodes(*ports):
    return [
        {"host": f"node{(port - 7000) // 2 + 1}", "address": "127.0.0.1", "port": port}
        for port in ports
    ]


def _wanted(options, *ports, replicas=1):
    return {**options, "nodes": _nodes(*ports), "replicas": replicas, "settle_timeout": 20}


def _driver(fake, wanted):
    return Driver(
        desired_from(wanted),
        Login("/ca.crt", password="secret"),
        timeout=20,
        connect=fake.connect,
        clock=fake.clock,
        sleep=fake.sleep,
    )


def _drive(fake, wanted):
    driver = _driver(fake, wanted)
    steps = drive(driver, driver.first(), desired_from(wanted))
    driver.close()
    return [str(step.change()).split()[0] for step in steps], driver


SIX = tuple(range(7000, 7006))
EIGHT = tuple(range(7000, 7008))


def test_a_cluster_is_made_grows_and_shrinks(fake, options):
    done, _used = _drive(fake, _wanted(options, *SIX))
    assert done == ["join"] * 5 + ["announce"] * 6 + ["attach"] * 3 + ["assign"] * 3
    assert _drive(fake, _wanted(options, *SIX))[0] == []
    for node in fake.nodes.values():
        node.keys = {slot: [f"{slot}"] for slot in list(node.slots)}
    done, driver = _drive(fake, _wanted(options, *EIGHT))
    assert done.count("move") == 3
    assert driver.moved_keys == 4096
    assert len(fake.nodes[7006].slots or fake.nodes[7007].slots) == 4096
    done, _used = _drive(fake, _wanted(options, *SIX))
    assert done.count("remove") == 2
    assert fake.nodes[7006].known == {fake.nodes[7006].id}
    assert sum(len(keys) for node in fake.nodes.values() for keys in node.keys.values()) == 16384
    migrations = [words for _port, words in fake.asked if words[0] == "MIGRATE"]
    assert all("REPLACE" in words and "AUTH2" in words for words in migrations)


def test_check_mode_tells_the_same_and_does_nothing(fake, options):
    wanted = _wanted(options, *SIX)
    tried = apply_cluster(Context(wanted, check_mode=True), fake.connect)
    asked = {" ".join(words) for _port, words in fake.asked}
    infos = {"CLUSTER INFO", "INFO replication", "INFO memory"}
    assert asked == {"CLUSTER NODES", "DBSIZE", *infos}
    done = apply_cluster(Context(wanted, check_mode=False), fake.connect)
    assert tried.changes == done.changes
    assert done.values == {"moved_keys": 0}
    again = apply_cluster(Context(wanted, check_mode=False), fake.connect)
    assert not again.changes


def test_check_mode_takes_servers_that_are_not_there_for_new_ones(fake, options):
    warned = []
    for node in fake.nodes.values():
        node.alive = False
    wanted = _wanted(options, *SIX)
    tried = apply_cluster(Context(wanted, True, warned.append), fake.connect)
    assert len(tried.changes) == 12
    assert warned == ["taken for new servers: no node answers"]
    with pytest.raises(PlatformError, match="no node answers"):
        _drive(fake, wanted)


def test_check_mode_before_the_certificates_are_there(options):
    def connect(place, login):
        raise CertificatesAbsentError("the certificates to talk to Redis with cannot be read")

    warned = []
    wanted = _wanted(options, *SIX)
    assert apply_cluster(Context(wanted, True, warned.append), connect).changes
    assert warned

    def turned_away(place, login):
        raise PlatformError("cannot log in as default: WRONGPASS")

    with pytest.raises(PlatformError, match="WRONGPASS"):
        apply_cluster(Context(wanted, check_mode=True), turned_away)


def test_a_primary_is_handed_back_and_one_that_leaves_hands_over(fake, options):
    _drive(fake, _wanted(options, *SIX))
    replica = next(node for node in fake.nodes.values() if node.primary)
    fake.connect(_place(replica.port), None).cluster_failover()
    assert _drive(fake, _wanted(options, *SIX))[0] == ["hand"]
    done, _used = _drive(fake, _wanted(options, *range(7002, 7008)))
    assert "hand" in done
    assert "move" not in done


def _place(port):
    return applying.Place("node", "127.0.0.1", port)


def test_a_failover_that_is_not_heard_is_asked_for_again(fake, options, monkeypatch):
    _drive(fake, _wanted(options, *SIX))
    replica = next(node for node in fake.nodes.values() if node.primary)
    fake.connect(_place(replica.port), None).cluster_failover()
    real, asked = client.failover, []

    def deaf(server):
        asked.append(server.place.port)
        if len(asked) > 1:
            real(server)

    monkeypatch.setattr(client, "failover", deaf)
    assert _drive(fake, _wanted(options, *SIX))[0] == ["hand"]
    assert len(asked) == 2


def test_a_failover_that_never_happens_is_told(fake, options, monkeypatch):
    _drive(fake, _wanted(options, *SIX))
    replica = next(node for node in fake.nodes.values() if node.primary)
    fake.connect(_place(replica.port), None).cluster_failover()
    monkeypatch.setattr(client, "failover", lambda _server: None)
    with pytest.raises(PlatformError, match="leads not yet"):
        _drive(fake, _wanted(options, *SIX))


def test_a_dead_node_is_replaced(fake, options):
    _drive(fake, _wanted(options, *SIX))
    dead = next(node for node in fake.nodes.values() if node.primary)
    dead.alive = False
    ports = [port for port in SIX if port != dead.port]
    with pytest.raises(PlatformError, match="no answer from"):
        _drive(fake, _wanted(options, *SIX))
    done, _used = _drive(fake, _wanted(options, *ports, 7006))
    assert done[-1] == "remove"
    assert "move" not in done


def test_a_node_at_the_place_of_a_dead_one_is_a_new_one(fake, options):
    _drive(fake, _wanted(options, *SIX))
    replica = next(node for node in fake.nodes.values() if node.primary)
    replica.blank()
    done, _used = _drive(fake, _wanted(options, *SIX))
    assert done == ["join", "attach", "remove"]


def test_a_dead_node_that_a_newcomer_never_heard_of_is_forgotten_by_all(fake, options):
    _drive(fake, _wanted(options, *SIX))
    replica = next(node for node in fake.nodes.values() if node.primary)
    gone = replica.id
    # Its data is lost, it comes back as another node, and joins by itself.
    others = [fake.nodes[port] for port in SIX if port != replica.port]
    replica.blank()
    replica.known = {replica.id, *(node.id for node in others)}
    for node in others:
        node.known = {*node.known, replica.id}
    done, _used = _drive(fake, _wanted(options, *SIX))
    assert done.count("attach") == 1
    assert done.count("remove") == 1
    assert all(gone not in node.known for node in fake.nodes.values())
    assert _drive(fake, _wanted(options, *SIX))[0] == []


def test_slots_without_a_living_node_are_waited_for_and_then_refused(fake, options):
    _drive(fake, _wanted(options, *SIX))
    dead = next(node for node in fake.nodes.values() if node.slots)
    dead.alive = False
    ports = [port for port in SIX if port != dead.port]
    with pytest.raises(PlatformError, match="data would be lost"):
        _drive(fake, _wanted(options, *ports, 7006))
    assert fake.now >= 20


def test_a_replica_that_begins_a_shard_is_emptied(fake, options):
    fake.nodes.update({7008: type(fake.nodes[7000])(7008)})
    nine = (*EIGHT, 7008)

    def wanted(replicas):
        nodes = [
            {"host": f"node{nth % 3}", "address": "127.0.0.1", "port": port}
            for nth, port in enumerate(nine)
        ]
        return {**options, "nodes": nodes, "replicas": replicas, "settle_timeout": 20}

    _drive(fake, wanted(2))
    done, _used = _drive(fake, wanted(1))
    assert "reset" in done
    assert len([node for node in fake.nodes.values() if node.slots]) == 4


def test_open_slots_are_finished_or_closed(fake, options):
    _drive(fake, _wanted(options, *SIX))
    source, target, _third = (node for node in fake.nodes.values() if node.slots)
    slot = min(source.slots)
    source.migrating[slot] = target.id
    source.keys[slot] = ["left"]
    target.importing[slot] = source.id
    source.importing[max(source.slots)] = "nobody"
    done, driver = _drive(fake, _wanted(options, *SIX))
    assert done[:2] == ["move", "close"]
    assert driver.moved_keys == 1
    assert not source.importing
    assert not target.importing


def test_a_refused_step_is_planned_anew_and_given_up_in_the_end(fake, options):
    fake.refusals["CLUSTER_REPLICATE"] = ["ERR Unknown node"]
    done, _used = _drive(fake, _wanted(options, *SIX))
    assert done.count("assign") == 3
    fake.refusals["CONFIG_SET"] = ["ERR no"] * 9
    for node in fake.nodes.values():
        node.announced = ""
    with pytest.raises(PlatformError, match="ERR no"):
        _drive(fake, _wanted(options, *SIX))


def test_a_plan_that_never_ends_is_ended(fake, options, monkeypatch):
    wanted = _wanted(options, *SIX)
    driver = _driver(fake, wanted)
    monkeypatch.setattr(driver, "take", lambda _steps, _cluster: None)
    with pytest.raises(PlatformError, match="changes faster"):
        drive(driver, driver.first(), desired_from(wanted))


def test_a_replica_without_its_data_is_waited_for(fake, options):
    fake.link = "down"
    with pytest.raises(PlatformError, match="does not have its primary's data yet"):
        _drive(fake, _wanted(options, *SIX))


def test_why_a_cluster_has_not_settled(fake, options):
    wanted = _wanted(options, *SIX)
    driver = _driver(fake, wanted)
    assert driver.unsettled([]) == "no node answers"
    _drive(fake, wanted)
    assert driver.unsettled(driver.views()) == ""
    fake.state = "fail"
    assert "state is not ok" in driver.unsettled(driver.views())
    fake.state = "ok"
    fake.nodes[7000].known.discard(fake.nodes[7001].id)
    assert "see different clusters" in driver.unsettled(driver.views())
    fake.nodes[7000].known.add(fake.nodes[7001].id)
    views = driver.views()
    doubted = [
        applying.View(
            view.place,
            tuple(
                applying.Node(**{**vars(node), "flags": node.flags | {"fail?"}})
                for node in view.nodes
            ),
        )
        for view in views
    ]
    assert "for dead" in driver.unsettled(doubted)
    shaking = [
        applying.View(
            view.place,
            tuple(
                applying.Node(**{**vars(node), "flags": node.flags | {"handshake"}})
                if "myself" not in node.flags and view is views[0]
                else node
                for node in view.nodes
            ),
        )
        for view in views[:1]
    ]
    assert "shaking hands" in driver.unsettled(shaking)


def test_a_connection_that_was_closed_is_made_again(fake, options):
    wanted = _wanted(options, *SIX)
    driver = _driver(fake, wanted)
    driver.views()
    closed = list(driver._servers.values())
    for server in closed:
        server.node = type(server.node)(1)
        server.node.alive = False
    assert len(driver.views()) == 6
    assert all(server.closed for server in closed)


def test_an_unlisted_node_that_turns_the_login_away_counts_as_dead(fake, options):
    _drive(fake, _wanted(options, *EIGHT))
    keep = _wanted(options, *SIX)

    def connect(place, login):
        if place.port == 7007:
            raise PlatformError("cannot log in")
        return fake.connect(place, login)

    driver = _driver(fake, keep)
    driver._connect = connect
    assert len(driver.views()) == 7


def test_what_is_missing_after_a_step(fake, options):
    wanted = _wanted(options, *SIX)
    driver = _driver(fake, wanted)
    cluster = driver.found()
    node_id = next(iter(cluster.nodes))
    assert "does not answer" in driver._missing(applying.Meet("gone", "x"), cluster)
    assert "not joined" not in driver._missing(applying.Reset(node_id, "x"), cluster)
    blank = {n.id: n for n in cluster.nodes.values() if not n.joined}
    other = next(iter(blank))
    slots = frozenset({1})
    for step, what in (
        (applying.Meet(other, "x"), "has not joined"),
        (applying.Announce(other, "x", "h"), "announces no host"),
        (applying.AddSlots(other, "x", slots), "does not serve"),
        (applying.MoveSlots(other, "x", "y", "y", slots), "does not serve"),
        (applying.Replicate(other, "x", "y", "y"), "is no replica yet"),
        (applying.Forget(other, "x"), "is not forgotten"),
    ):
        assert what in driver._missing(step, cluster)


def test_a_server_that_goes_away_while_it_settles(fake, options, monkeypatch):
    driver = _driver(fake, _wanted(options, *SIX))

    def views():
        raise client.ServerAbsentError("no answer: gone", where="node1:7000")

    monkeypatch.setattr(driver, "views", views)
    with pytest.raises(PlatformError, match="does not settle within 20 s: no answer: gone"):
        driver.settled(lambda _cluster: "")
