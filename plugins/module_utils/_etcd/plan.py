# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what has to be done so that a member of etcd can start."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.plan import Change
from .model import Desired, Found, Member


@dataclass(frozen=True)
class Plan:
    """The steps, in their order.

    :param remove: what the cluster still lists in this member's place.
    :param add: whether the cluster has to expect the member.
    :param forget: whether a join that was prepared before has to be forgotten.
    """

    remove: tuple[Member, ...] = ()
    add: bool = False
    forget: bool = False


def plan(found: Found, desired: Desired) -> Plan:
    """Return what has to be done.

    A member with data starts from it. One without data founds the cluster together with the others
    where no cluster answers. Where one answers, it joins: under a new identity, since the old one
    has voted and acknowledged what is lost now.
    """
    if found.has_data:
        return Plan()
    if found.members is None:
        return Plan(forget=found.joins)
    lost = tuple(item for item in found.members if item.is_at(desired.name, desired.peer_url))
    return Plan(remove=lost, add=True)


def changes(steps: Plan, desired: Desired) -> tuple[Change, ...]:
    """Return the plan as a user sees it."""
    removed = [
        Change("remove", f"member {item.name or desired.name}, which lost its data", item.identity)
        for item in steps.remove
    ]
    added = [Change("add", f"member {desired.name}", None, desired.peer_url)] if steps.add else []
    forgotten = [Change("forget", "a join that was never finished")] if steps.forget else []
    return (*removed, *added, *forgotten)
