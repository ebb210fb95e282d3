# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: reads, plans and applies what concerns one server, or only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from .._core.errors import PlatformError
from .._core.module import Context, Outcome
from . import acl, client, config
from .client import Connect, NotYetError, Server
from .model import Node, Place, View, as_text, is_member


@contextmanager
def _server(context: Context, connect: Connect, place: Place) -> Iterator[Server | None]:
    """Yield a connection, or None for a server that check mode does not find."""
    try:
        server = connect(place, client.login_from(context.params))
    except NotYetError as error:
        if not context.check_mode:
            raise
        context.warn(f"taken for a new server: {error.what}")
        yield None
        return
    try:
        yield server
    finally:
        server.close()


def _listed(options: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[str]]:
    present = [entry for entry in options["users"] if entry["state"] == "present"]
    return present, [entry["name"] for entry in options["users"] if entry["state"] == "absent"]


def _cold_users(options: Mapping[str, Any]) -> Outcome:
    """Return what would be done to a new server, whose commands nobody knows yet."""
    present, _absent = _listed(options)
    users = [
        replace(
            acl.desired_user({**entry, "rules": []}, acl.Commands({})),
            rules=tuple(word for rule in entry["rules"] for word in acl.words(rule)),
        )
        for entry in present
    ]
    return Outcome([step.change for step in acl.plan({}, users)], {"unlisted": []})


def _on_each(
    work: Callable[[Context, Connect, Place], Outcome], context: Context, connect: Connect
) -> Outcome:
    """Do *work* on every instance that the options name, and sum up."""
    places = client.places_from(context.params)
    outcomes = [work(context, connect, place) for place in places]
    if len(places) == 1:
        return outcomes[0]
    changes = [
        replace(change, what=f"{change.what} at port {place.port}")
        for place, outcome in zip(places, outcomes)
        for change in outcome.changes
    ]
    names = {name for outcome in outcomes for name in outcome.values}
    values = {
        name: sorted({item for outcome in outcomes for item in outcome.values[name]})
        for name in names
    }
    return Outcome(changes, values)


def apply_users(context: Context, connect: Connect = client.connect) -> Outcome:
    """Bring the servers' users to the state that the options describe."""
    return _on_each(_apply_users, context, connect)


def _apply_users(context: Context, connect: Connect, place: Place) -> Outcome:
    options = context.params
    with _server(context, connect, place) as server:
        if server is None:
            return _cold_users(options)
        commands = client.read_commands(server)
        current, own = client.read_users(server, commands)
        present, absent = _listed(options)
        desired = [acl.desired_user(entry, commands) for entry in present]
        protected = {*options["protected"], own}
        steps = acl.plan(
            current, desired, absent, exclusive=options["exclusive"], protected=protected
        )
        acl.refuse_lockout(steps, desired, own, options["password"])
        client.refuse_users(server, [step.words for step in steps])
        if not context.check_mode:
            client.change_users(server, [step.words for step in steps])
            # Also where nothing changed: a run before may have ended between the two.
            if not client.save_users(server) and steps:
                context.warn(
                    "the server has no aclfile, so its users are those of redis.conf after a start"
                )
    names = [user.name for user in desired] + absent
    left = [] if options["exclusive"] else acl.unlisted(current, names, {*protected, "default"})
    return Outcome([step.change for step in steps], {"unlisted": left})


def apply_config(context: Context, connect: Connect = client.connect) -> Outcome:
    """Bring the running servers' settings to what the options describe."""
    return _on_each(_apply_config, context, connect)


def _apply_config(context: Context, connect: Connect, place: Place) -> Outcome:
    options = context.params
    wanted = {**options["settings"], **options["secret_settings"]}
    with _server(context, connect, place) as server:
        if server is None:
            names = [*wanted, *options["reapply"]]
            found = dict.fromkeys((str(name).lower() for name in names), "")
        else:
            found = client.read_settings(server)
        setting = config.differing(found, wanted, options["reapply"])
        changes = config.plan(found, setting)
        if server and setting and not context.check_mode:
            client.set_settings(server, setting)
    return Outcome(changes)


def _keyspace(info: Mapping[str, str]) -> dict[str, int]:
    """Return keys and expiring keys of database 0, the only one that a cluster has."""
    pairs = (part.split("=", 1) for part in info.get("db0", "").split(",") if "=" in part)
    counts = {name: int(value) for name, value in pairs if value.isdigit()}
    return {"key_count": counts.get("keys", 0), "expires": counts.get("expires", 0)}


def _numbers(info: Mapping[str, str]) -> dict[str, Any]:
    hits, misses = int(info.get("keyspace_hits", 0)), int(info.get("keyspace_misses", 0))
    return {
        **_keyspace(info),
        "version": info.get("valkey_version") or info.get("redis_version", ""),
        "engine": "valkey" if "valkey_version" in info else "redis",
        "used_memory": int(info.get("used_memory", 0)),
        "maxmemory": int(info.get("maxmemory", 0)),
        "evicted_keys": int(info.get("evicted_keys", 0)),
        "hits": hits,
        "misses": misses,
        "hit_ratio": round(hits / (hits + misses), 4) if hits + misses else None,
        "replication_offset": int(
            info.get("slave_repl_offset") or info.get("master_repl_offset") or 0
        ),
        "link_up": info.get("master_link_status", "up") == "up",
    }


def _node(
    node: Node, names: Mapping[str, str], numbers: Mapping[str, Any] | None
) -> dict[str, Any]:
    return {
        "id": node.id,
        "host": node.place.host,
        "address": node.place.address,
        "port": node.place.port,
        "role": "replica" if node.primary else "primary",
        "primary": names.get(node.primary, ""),
        "slots": as_text(node.slots),
        "slot_count": len(node.slots),
        "open_slots": len(node.migrating) + len(node.importing),
        "failed": node.failed,
        "reachable": numbers is not None,
        **(numbers or {}),
    }


def _others(
    view: View, login: client.Login, connect: Connect, server: Server
) -> Iterator[tuple[Node, dict[str, Any] | None]]:
    for node in view.nodes:
        if "myself" in node.flags:
            yield node, _numbers(client.read_info(server))
            continue
        try:
            other = connect(node.place, login)
        except PlatformError:
            yield node, None
            continue
        try:
            seen = client.read_view(other)
            # Open slots are told by the node itself alone.
            yield (
                seen.myself if is_member(seen, view) else node,
                _numbers(client.read_info(other)),
            )
        finally:
            other.close()


def read_cluster(context: Context, connect: Connect = client.connect) -> Outcome:
    """Return what the server, and the nodes that it knows, say about their cluster."""
    options = context.params
    with _server(context, connect, client.place_from(options)) as server:
        if server is None:
            return Outcome(values={"state": "absent", "healthy": False, "size": 0, "nodes": []})
        view = client.read_view(server)
        login = client.login_from(options)
        names = {node.id: node.name for node in view.nodes}
        nodes = [
            _node(node, names, numbers) for node, numbers in _others(view, login, connect, server)
        ]
    state = view.info.get("cluster_state", "fail")
    unhealthy = [
        node
        for node in nodes
        if node["failed"] or not node["reachable"] or node["open_slots"] or not node["link_up"]
    ]
    return Outcome(
        values={
            "state": state,
            "healthy": state == "ok" and not unhealthy,
            "size": int(view.info.get("cluster_size", 0)),
            "nodes": sorted(nodes, key=lambda node: (node["host"], node["port"])),
        }
    )
