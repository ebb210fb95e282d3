# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context
from ansible_collections.mcp.platform.plugins.module_utils._redis import server


def _options(options, **own):
    there = {"host": "node1", "address": "127.0.0.1", "port": 7000, "further_ports": []}
    own = {"secret_settings": {}, **own}
    return {**options, **there, **own}


def _users(options, *users, **own):
    whole = [{"state": "present", "rules": [], **user} for user in users]
    return _options(options, users=whole, exclusive=False, protected=[], **own)


def _apply(work, fake, options, **mode):
    warned = []
    outcome = work(Context(options, warn=warned.append, **mode), fake.connect)
    return [str(change) for change in outcome.changes], outcome.values, warned


def test_users_are_made_saved_and_left_alone_then(fake, options):
    wanted = _users(options, {"name": "app", "rules": ["~a +get"], "passwords": ["p"]})
    for mode in ({"check_mode": True}, {}):
        done, values, warned = _apply(server.apply_users, fake, wanted, **mode)
        assert done == ["create user app"]
        assert values == {"unlisted": []}
        assert warned == []
    assert fake.nodes[7000].saved == 1
    assert _apply(server.apply_users, fake, wanted)[0] == []
    assert _apply(server.apply_users, fake, _users(options))[1] == {"unlisted": ["app"]}
    gone = _users(options, {"name": "app", "state": "absent"})
    assert _apply(server.apply_users, fake, gone)[0] == ["delete user app"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_rules_that_only_the_server_refuses_change_nobody(fake, options, check_mode):
    wanted = _users(options, {"name": "fine"}, {"name": "bad", "rules": ["~* ~after-all"]})
    with pytest.raises(PlatformError, match="modifier '~after-all'") as refused:
        _apply(server.apply_users, fake, wanted, check_mode=check_mode)
    assert refused.value.where == "user bad"
    assert fake.nodes[7000].users == ["user default on nopass ~* &* +@all"]
    assert fake.nodes[7000].saved == 0


def test_all_instances_of_a_host_are_brought_to_the_same(fake, options):
    wanted = _users(options, {"name": "app"}, further_ports=[7001, 7000])
    done, values, _warned = _apply(server.apply_users, fake, wanted)
    assert done == ["create user app at port 7000", "create user app at port 7001"]
    assert values == {"unlisted": []}
    assert _apply(server.apply_users, fake, wanted)[0] == []
    settings = _options(options, settings={"maxmemory": "1gb"}, reapply=[], further_ports=[7001])
    assert len(_apply(server.apply_config, fake, settings)[0]) == 2
    assert fake.nodes[7001].settings["maxmemory"] == "1gb"


def test_users_of_a_server_without_a_file_are_warned_of(fake, options):
    fake.nodes[7000].settings["aclfile"] = ""
    wanted = {**_users(options, {"name": "app"}), "exclusive": True}
    assert "no aclfile" in _apply(server.apply_users, fake, wanted)[2][0]
    assert _apply(server.apply_users, fake, wanted)[2] == []


def test_check_mode_takes_a_server_that_is_not_there_for_a_new_one(fake, options):
    fake.nodes[7000].alive = False
    wanted = _users(options, {"name": "app", "rules": ["+@unheard-of"]})
    done, _values, warned = _apply(server.apply_users, fake, wanted, check_mode=True)
    assert done == ["create user app"]
    assert "taken for a new server" in warned[0]
    settings = _options(options, settings={"maxmemory": "1gb"}, reapply=["tls-cert-file"])
    assert len(_apply(server.apply_config, fake, settings, check_mode=True)[0]) == 2
    info = _apply(server.read_cluster, fake, _options(options), check_mode=True)[1]
    assert info["state"] == "absent"
    for work, own in ((server.apply_users, wanted), (server.apply_config, settings)):
        with pytest.raises(PlatformError, match="no answer"):
            _apply(work, fake, own)


def test_check_mode_does_not_hide_that_the_login_is_wrong(options):
    def connect(place, login):
        raise PlatformError("cannot log in", where=place.name)

    with pytest.raises(PlatformError, match="cannot log in"):
        server.read_cluster(Context(_options(options), check_mode=True), connect)


def test_settings_are_set_at_once(fake, options):
    settings = _options(options, settings={"maxmemory": "1gb"}, reapply=["requirepass"])
    assert len(_apply(server.apply_config, fake, settings, check_mode=True)[0]) == 2
    assert fake.nodes[7000].settings["maxmemory"] == "0"
    _apply(server.apply_config, fake, settings)
    assert fake.nodes[7000].settings["maxmemory"] == "1gb"
    sets = [words for _port, words in fake.asked if words[:2] == ["CONFIG", "SET"]]
    assert len(sets) == 1
    secret = {**settings, "reapply": [], "secret_settings": {"requirepass": "new"}}
    assert _apply(server.apply_config, fake, secret)[0] == ["update setting requirepass"]
    done = _apply(server.apply_config, fake, {**settings, "reapply": []})[0]
    assert done == [] or fake.nodes[7000].settings["maxmemory"] == "1gb"


def test_a_cluster_is_read_from_all_its_nodes(fake, options):
    first, second, third = (fake.nodes[port] for port in (7000, 7001, 7002))
    first.known = second.known = third.known = {first.id, second.id, third.id}
    first.slots = set(range(16384))
    second.primary = first.id
    second.announced = "node1.example.test"
    third.alive = False
    _changes, values, _warned = _apply(server.read_cluster, fake, _options(options))
    assert values["state"] == "ok"
    assert not values["healthy"]
    by_port = {node["port"]: node for node in values["nodes"]}
    assert by_port[7000]["slot_count"] == 16384
    assert [by_port[7000][name] for name in ("hits", "misses", "hit_ratio")] == [3, 1, 0.75]
    assert by_port[7000]["key_count"] == 7
    assert by_port[7000]["version"] == "8.0.2"
    assert by_port[7001]["role"] == "replica"
    assert by_port[7001]["host"] == "node1.example.test"
    assert by_port[7001]["primary"] == "node1:7000"
    assert by_port[7002]["failed"]
    assert not by_port[7002]["reachable"]
    assert "version" not in by_port[7002]
    third.alive = True
    assert _apply(server.read_cluster, fake, _options(options))[1]["healthy"]


def test_numbers_of_an_engine_that_tells_little():
    numbers = server._numbers({"valkey_version": "8.1.0", "redis_version": "7.2.4"})
    assert (numbers["engine"], numbers["version"]) == ("valkey", "8.1.0")
    assert numbers["hit_ratio"] is None
