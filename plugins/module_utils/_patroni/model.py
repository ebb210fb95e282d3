# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: a Patroni cluster as its REST API describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LEADERS = frozenset({"leader", "standby_leader"})
SYNCHRONOUS = frozenset({"sync_standby", "quorum_standby"})


@dataclass(frozen=True)
class Member:
    """One member of the cluster.

    :param role: ``leader``, ``standby_leader``, ``sync_standby``, ``quorum_standby``, ``replica``.
    :param state: ``running``, ``streaming``, ``starting``, ``creating replica``, …
    :param lag: bytes behind the leader; None for the leader, and where Patroni does not know.
    :param timeline: 0 where Patroni does not know.
    :param pending_restart: why PostgreSQL has to be restarted: old and new value by setting's name.
    """

    name: str
    role: str
    state: str
    host: str = ""
    port: int = 0
    api_url: str = ""
    timeline: int = 0
    lag: int | None = None
    is_restart_pending: bool = False
    pending_restart: Mapping[str, Any] | None = None

    @property
    def is_leader(self) -> bool:
        return self.role in LEADERS

    @property
    def is_healthy(self) -> bool:
        """Whether it does its work: a leader runs, all others stream."""
        return self.state == ("running" if self.is_leader else "streaming")

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "role": self.role,
            "state": self.state,
            "healthy": self.is_healthy,
            "synchronous": self.role in SYNCHRONOUS,
            "host": self.host,
            "port": self.port,
            "api_url": self.api_url,
            "timeline": self.timeline,
            "lag": self.lag,
            "restart_pending": self.is_restart_pending,
            "restart_pending_for": dict(self.pending_restart or {}),
        }


@dataclass(frozen=True)
class Cluster:
    """All members, as the member that was asked sees them."""

    scope: str
    members: tuple[Member, ...] = ()
    paused: bool = False

    @property
    def leader(self) -> str:
        """Name of the leader, empty where there is none."""
        return next((member.name for member in self.members if member.is_leader), "")

    def unready(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return, in words, what keeps the leader and the members *names* from being healthy."""
        by_name = {member.name: member for member in self.members}
        reasons = [] if self.leader else ["the cluster has no leader"]
        for name in dict.fromkeys((*names, self.leader) if self.leader else names):
            member = by_name.get(name)
            if member is None:
                reasons.append(f"{name} is not a member")
            elif not member.is_healthy:
                reasons.append(f"{name} ({member.role}) is {member.state or 'unknown'}")
        return tuple(reasons)

    def as_dict(self) -> dict[str, Any]:
        return {
            "scope": self.scope,
            "leader": self.leader,
            "paused": self.paused,
            "synchronous": sorted(m.name for m in self.members if m.role in SYNCHRONOUS),
            "restart_pending": sorted(m.name for m in self.members if m.is_restart_pending),
            "healthy": bool(self.members)
            and not self.unready(tuple(member.name for member in self.members)),
            "members": [member.as_dict() for member in self.members],
        }


def member_from(document: Mapping[str, Any]) -> Member:
    """Return one entry of ``GET /cluster`` as :class:`Member`."""
    lag = document.get("lag")
    return Member(
        name=document["name"],
        role=document.get("role", ""),
        state=document.get("state", ""),
        host=document.get("host", ""),
        port=int(document.get("port", 0)),
        api_url=document.get("api_url", ""),
        timeline=int(document.get("timeline", 0)),
        lag=lag if isinstance(lag, int) else None,
        is_restart_pending=bool(document.get("pending_restart")),
        pending_restart=document.get("pending_restart_reason"),
    )


def cluster_from(document: Mapping[str, Any]) -> Cluster:
    """Return the reply of ``GET /cluster`` as :class:`Cluster`."""
    return Cluster(
        scope=document.get("scope", ""),
        members=tuple(member_from(item) for item in document.get("members", ())),
        paused=bool(document.get("pause")),
    )
