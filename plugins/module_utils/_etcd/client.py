# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: talks to other members of an etcd cluster, and looks at the own disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._core import web
from .._core.errors import PlatformError
from .._core.files import write_atomically
from .._core.web import Endpoint, Reply
from .model import Desired, Found, Member, environment, members_from
from .plan import Plan

_POLL_SECONDS = 1.0
# Members that have just started count as unhealthy for 5 s, and then no change is taken.
_SETTLE_SECONDS = 20.0

Request = Callable[..., Reply]


def has_data(data_dir: Path) -> bool:
    """Return whether the directory holds a member's write-ahead log."""
    return any(data_dir.glob("member/wal/*.wal"))


@dataclass(frozen=True)
class Cluster:
    """The other members, any of which may answer.

    :param endpoints: their client addresses.
    """

    endpoints: Sequence[Endpoint]
    request: Request = web.request
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def _ask(self, endpoint: Endpoint, path: str, document: dict[str, Any]) -> tuple[Member, ...]:
        reply = self.request("POST", endpoint, path, document)
        if reply.status != 200 or not isinstance(reply.body, dict):
            raise PlatformError(
                f"etcd answered {path} with {reply.status}: {str(reply.body)[:300]}",
                where=endpoint.url,
                hint="see that the other members are healthy (etcdctl endpoint health --cluster)",
            )
        return members_from(reply.body)

    def _any(self, path: str, document: dict[str, Any]) -> tuple[Member, ...]:
        last = PlatformError("there is no other member", hint="list all members")
        for endpoint in self.endpoints:
            try:
                return self._ask(endpoint, path, document)
            except PlatformError as error:
                last = error
        raise last

    def members(self, seconds: int) -> tuple[Member, ...] | None:
        """Return the members, None where no quorum answers within *seconds*."""
        try:
            # Only a quorum can answer this; a lone member's memory of better days can't.
            return self._insist("/v3/cluster/member/list", {"linearizable": True}, seconds)
        except PlatformError:
            return None

    def replace(self, steps: Plan, desired: Desired) -> tuple[Member, ...]:
        """Remove and add members as planned; returns the members afterwards."""
        for member in steps.remove:
            self._insist("/v3/cluster/member/remove", {"ID": member.identity}, _SETTLE_SECONDS)
        added = {"peerURLs": [desired.peer_url]}
        return self._insist("/v3/cluster/member/add", added, _SETTLE_SECONDS)

    def _insist(self, path: str, document: dict[str, Any], seconds: float) -> tuple[Member, ...]:
        """Ask again and again for *seconds*, and raise the last refusal then."""
        deadline = self.clock() + seconds
        while True:
            try:
                return self._any(path, document)
            except PlatformError:
                if self.clock() >= deadline:
                    raise
            self.sleep(_POLL_SECONDS)


def find(data_dir: Path, join_file: Path, cluster: Cluster, seconds: int) -> Found:
    """Return what is there now; the others are asked only where there are no data."""
    if has_data(data_dir):
        return Found(has_data=True)
    return Found(has_data=False, members=cluster.members(seconds), joins=join_file.exists())


def apply(steps: Plan, desired: Desired, cluster: Cluster, join_file: Path) -> None:
    """Do what is planned."""
    if steps.forget:
        join_file.unlink()
    if steps.add:
        members = cluster.replace(steps, desired)
        write_atomically(join_file, environment(desired, members).encode(), mode=0o644)
