# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: reads a cluster, plans, and takes the steps one after the other.

After every kind of step the cluster is read again and planned anew: Redis changes roles by itself
(a failover, a replica that moves to an orphaned primary), and the plan has to be about what is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._core.errors import PlatformError
from .._core.module import Context, Outcome
from . import client
from .client import Connect, Login, NotYetError, RefusedError, Server, ServerAbsentError
from .model import (
    SLOTS,
    Cluster,
    Desired,
    Node,
    Place,
    View,
    cluster_from,
    desired_from,
    is_member,
    leading_view,
    ranges,
)
from .plan import (
    AddSlots,
    Announce,
    CloseSlots,
    Failover,
    Forget,
    Meet,
    MoveSlots,
    Replicate,
    Reset,
    Step,
    changes,
    plan,
)

_POLL_SECONDS = 0.2
# The server gives a manual failover five seconds, and then forgets about it.
_FAILOVER_SECONDS = 6.0
_TRIES = 5
# Steps of these kinds do not depend on each other, so the cluster only has to settle once.
_TOGETHER = (Meet, Announce, AddSlots, CloseSlots, Replicate, Forget)


def _serves(step: AddSlots | MoveSlots, node: Node) -> str:
    return "" if step.slots <= node.slots else "does not serve its slots"


class Driver:
    """Talks to the nodes of one cluster.

    :param connect: opens a connection; tests give a scripted one.
    """

    def __init__(
        self,
        desired: Desired,
        login: Login,
        *,
        timeout: int = 60,
        connect: Connect = client.connect,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._desired = desired
        self._login = login
        self._timeout = timeout
        self._connect = connect
        self._clock = clock
        self._sleep = sleep
        self._servers: dict[Place, Server] = {}
        self.moved_keys = 0

    def _server(self, place: Place) -> Server:
        if place not in self._servers:
            self._servers[place] = self._connect(place, self._login)
        return self._servers[place]

    def close(self) -> None:
        """End all connections."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    def _view(self, place: Place) -> View | None:
        """Return what the node at *place* says; None where nobody answers."""
        for _attempt in range(2):
            try:
                return client.read_view(self._server(place), self._desired.places)
            except ServerAbsentError:
                # A connection that the server has closed looks the same as no server.
                gone = self._servers.pop(place, None)
                if gone is None:
                    return None
                gone.close()
        return None

    def _unlisted_view(self, node: Node) -> View | None:
        try:
            return self._view(node.place)
        except PlatformError:
            # It may not have the platform's certificate or login; then it counts as dead.
            return None

    def views(self) -> list[View]:
        """Return what every node says that answers: those listed, and those that they know."""
        listed = (self._view(place) for place in self._desired.places)
        views = [view for view in listed if view is not None]
        if not views:
            return []
        answered = {view.myself.id for view in views}
        unlisted = [
            node
            for node in leading_view(views).nodes
            if node.id not in answered
            and node.place not in self._desired.places
            and node.place.port
        ]
        further = (self._unlisted_view(node) for node in unlisted)
        return views + [view for view in further if view is not None]

    def unsettled(self, views: Sequence[View]) -> str:
        """Return why the nodes do not agree yet, empty when they do."""
        if not views:
            return "no node answers"
        leading = leading_view(views)
        inside = [view for view in views if is_member(view, leading)]
        alive = {view.myself.id for view in inside}
        for view in inside:
            if any("handshake" in node.flags for node in view.nodes):
                return f"{view.place.name} is shaking hands"
            if view.layout() != leading.layout():
                return f"{view.place.name} and {leading.place.name} see different clusters"
            doubted = [node.name for node in view.nodes if node.failed and node.id in alive]
            if doubted:
                return f"{view.place.name} takes {doubted[0]} for dead"
            # Before all slots are assigned no node can call the cluster's state ok.
            if leading.coverage == SLOTS and view.info.get("cluster_state") != "ok":
                return f"the cluster's state is not ok for {view.place.name}"
        return ""

    def settled(self, done: Callable[[Cluster], str]) -> Cluster:
        """Poll until the nodes agree and *done* has no objection; return the cluster.

        :raises PlatformError: when that takes too long, with the last objection.
        """
        deadline = self._clock() + self._timeout
        while True:
            try:
                views = self.views()
                reason = self.unsettled(views)
                if not reason:
                    cluster = cluster_from(views, self._desired.places)
                    reason = done(cluster)
                    if not reason:
                        return cluster
            except ServerAbsentError as error:
                reason = str(error)
            if self._clock() >= deadline:
                raise PlatformError(
                    f"the cluster does not settle within {self._timeout} s: {reason}",
                    where="timeout",
                    hint="look at the log of the server named here, and run again",
                )
            self._sleep(_POLL_SECONDS)

    def first(self) -> Cluster:
        """Return the cluster as it is found, settled if it settles in time."""
        try:
            return self.settled(self._complete)
        except PlatformError:
            # The plan says better what is wrong than that something is.
            return self.found()

    def _complete(self, cluster: Cluster) -> str:
        absent = [spot.name for spot in self._desired.places if cluster.at(spot) is None]
        if absent:
            return f"no answer from {absent[0]}"
        orphans = [node.name for node in cluster.joined() if node.slots and not node.alive]
        return f"{orphans[0]} holds slots and does not answer" if orphans else ""

    def found(self) -> Cluster:
        """Return the cluster as it is now."""
        views = self.views()
        if not views:
            raise ServerAbsentError(
                "no node answers", where="nodes", hint="start the servers of the list first"
            )
        return cluster_from(views, self._desired.places)

    def take(self, steps: Sequence[Step], cluster: Cluster) -> None:
        """Take *steps*, which are of one kind, and wait until the cluster agrees on them."""
        for step in steps:
            self._acts[type(step)](self, step, cluster)
        self.settled(lambda found: next(filter(None, (self._missing(s, found) for s in steps)), ""))

    def _missing(self, step: Step, cluster: Cluster) -> str:
        """Return what is not yet as *step* leaves it."""
        there = cluster.nodes.get(step.node)
        if isinstance(step, Forget):
            return f"{step.name} is not forgotten" if there else ""
        if isinstance(step, Reset):
            return f"{step.name} is not reset" if there and (there.joined or there.stale) else ""
        if there is None:
            return f"{step.name} does not answer"
        missing = self._effects[type(step)](step, there)
        if not missing and isinstance(step, Replicate):
            missing = self._copying(there)
        return f"{step.name} {missing}" if missing else ""

    def _copying(self, node: Node) -> str:
        view = self._view(node.place)
        up = view is not None and view.info.get("master_link_status") == "up"
        return "" if up else "does not have its primary's data yet"

    _effects: Mapping[type[Step], Callable[[Any, Node], str]] = {
        Meet: lambda _step, node: "" if node.joined else "has not joined",
        Announce: lambda step, node: "" if node.announced == step.host else "announces no host",
        AddSlots: _serves,
        CloseSlots: lambda step, node: (
            "has open slots" if step.slots & {*node.migrating, *node.importing} else ""
        ),
        MoveSlots: _serves,
        Replicate: lambda step, node: "" if node.primary == step.primary else "is no replica yet",
        Failover: lambda _step, node: "leads not yet" if node.primary else "",
    }

    def _meet(self, step: Meet, cluster: Cluster) -> None:
        newcomer = cluster.nodes[step.node]
        joined = [node for node in cluster.joined() if node.alive]
        client.meet(self._server(joined[0].place), newcomer.place)

    def _announce(self, step: Announce, cluster: Cluster) -> None:
        client.announce(self._server(cluster.nodes[step.node].place), step.host)

    def _add_slots(self, step: AddSlots, cluster: Cluster) -> None:
        client.add_slots(self._server(cluster.nodes[step.node].place), ranges(step.slots))

    def _close_slots(self, step: CloseSlots, cluster: Cluster) -> None:
        client.close_slots(self._server(cluster.nodes[step.node].place), sorted(step.slots))

    def _move_slots(self, step: MoveSlots, cluster: Cluster) -> None:
        source, target = cluster.nodes[step.source], cluster.nodes[step.node]
        others = [
            self._server(node.place)
            for node in cluster.primaries()
            if node.alive and node.id not in (source.id, target.id)
        ]
        slow = self._connect(source.place, client.patient(self._login))
        try:
            mover = client.Mover(
                slow, self._server(target.place), source, target, self._login, others
            )
            self.moved_keys += mover.move(step.slots)
        finally:
            slow.close()

    def _replicate(self, step: Replicate, cluster: Cluster) -> None:
        client.replicate(self._server(cluster.nodes[step.node].place), step.primary)

    def _failover(self, step: Failover, cluster: Cluster) -> None:
        node = cluster.nodes[step.node]
        self.settled(lambda _cluster: self._copying(node))
        deadline = self._clock() + self._timeout
        while self._clock() < deadline:
            client.failover(self._server(node.place))
            asked = self._clock()
            while self._clock() < asked + _FAILOVER_SECONDS:
                view = self._view(node.place)
                if view is not None and not view.myself.primary:
                    return
                self._sleep(_POLL_SECONDS)

    def _reset(self, step: Reset, cluster: Cluster) -> None:
        node = cluster.nodes[step.node]
        client.reset(self._server(node.place))
        self._forget_by_all(node, cluster)

    def _forget(self, step: Forget, cluster: Cluster) -> None:
        node = cluster.nodes[step.node]
        if node.alive:
            # First, so that it cannot tell the others about itself again.
            client.reset(self._server(node.place))
        self._forget_by_all(node, cluster)

    def _forget_by_all(self, node: Node, cluster: Cluster) -> None:
        for other in cluster.joined():
            if other.alive and other.id != node.id:
                client.forget(self._server(other.place), node.id)

    _acts: Mapping[type[Step], Callable[[Driver, Any, Cluster], None]] = {
        Meet: _meet,
        Announce: _announce,
        AddSlots: _add_slots,
        CloseSlots: _close_slots,
        MoveSlots: _move_slots,
        Replicate: _replicate,
        Failover: _failover,
        Reset: _reset,
        Forget: _forget,
    }


def _next(steps: Sequence[Step]) -> Sequence[Step]:
    """Return the first step, with those that can be taken together with it."""
    kind = type(steps[0])
    if kind not in _TOGETHER:
        return steps[:1]
    count = next((nth for nth, step in enumerate(steps) if not isinstance(step, kind)), len(steps))
    return steps[:count]


def drive(driver: Driver, cluster: Cluster, desired: Desired) -> tuple[Step, ...]:
    """Take the steps of the plan until there are none; return those that were taken.

    :raises PlatformError: when a step cannot be taken, or the plan does not come to its end.
    """
    taken: list[Step] = []
    steps = plan(cluster, desired)
    rounds = 20 + 4 * len(steps)
    failures = 0
    while steps:
        rounds -= 1
        if not rounds:
            raise PlatformError(
                f"the cluster changes faster than it is put in order; next: {steps[0].change()}",
                where="nodes",
                hint="look for somebody else who changes it, and run again",
            )
        due = _next(steps)
        try:
            driver.take(due, cluster)
            taken += due
            failures = 0
        except RefusedError:
            # The cluster has changed since it was read, a failover for example.
            failures += 1
            if failures >= _TRIES:
                raise
        cluster = driver.settled(lambda _cluster: "")
        steps = plan(cluster, desired)
    return tuple(taken)


def _cold(cluster: Cluster | None, desired: Desired) -> Cluster:
    """Return the cluster with a blank node at each place where a server would be made first."""
    found = cluster or Cluster({})
    for spot in desired.places:
        if not any(node.place == spot for node in found.nodes.values()):
            blank = Node(f"new {spot.name}", spot, joined=False, announced=spot.host)
            found = found.with_(blank)
    return found


def apply_cluster(context: Context, connect: Connect = client.connect) -> Outcome:
    """Bring the whole cluster to the state that the options describe."""
    options = context.params
    desired = desired_from(options)
    login = client.login_from(options)
    driver = Driver(desired, login, timeout=options["settle_timeout"], connect=connect)
    try:
        if context.check_mode:
            return _tried(driver, desired, context)
        cluster = driver.first()
        steps = drive(driver, cluster, desired)
        return Outcome(changes(steps), {"moved_keys": driver.moved_keys})
    finally:
        driver.close()


def _tried(driver: Driver, desired: Desired, context: Context) -> Outcome:
    try:
        found: Cluster | None = driver.found()
    except NotYetError as error:
        context.warn(f"taken for new servers: {error.what}")
        found = None
    return Outcome(changes(plan(_cold(found, desired), desired)), {"moved_keys": 0})
