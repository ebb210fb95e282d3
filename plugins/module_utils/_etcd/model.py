# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: members of an etcd cluster, and what one of them has on its disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Member:
    """One member as the cluster lists it; a member that never started has no name."""

    identity: str
    name: str
    peer_urls: tuple[str, ...] = ()

    def is_at(self, name: str, peer_url: str) -> bool:
        """Return whether it has the name or the place of another one that is about to join."""
        return self.name == name or peer_url in self.peer_urls


@dataclass(frozen=True)
class Found:
    """What is there now.

    :param has_data: whether the member's data directory holds its log.
    :param members: what the other members say; None where none of them answers with a quorum.
    :param joins: whether a join was prepared before.
    """

    has_data: bool
    members: tuple[Member, ...] | None = None
    joins: bool = False


@dataclass(frozen=True)
class Desired:
    """The member that should be able to start."""

    name: str
    peer_url: str


def members_from(document: Mapping[str, Any]) -> tuple[Member, ...]:
    """Return the reply of etcd's gateway as members."""
    return tuple(
        Member(str(item["ID"]), item.get("name", ""), tuple(item.get("peerURLs", ())))
        for item in document.get("members", ())
    )


def environment(desired: Desired, members: tuple[Member, ...]) -> str:
    """Return the environment with which *desired* starts as one of the existing *members*."""
    others = [
        f"{member.name}={url}"
        for member in members
        if not member.is_at(desired.name, desired.peer_url)
        for url in member.peer_urls
    ]
    cluster = ",".join(sorted([*others, f"{desired.name}={desired.peer_url}"]))
    return f"ETCD_INITIAL_CLUSTER_STATE=existing\nETCD_INITIAL_CLUSTER={cluster}\n"
