# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: which steps lead from what exists of a lab to what is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from .._core.errors import PlatformError
from .._core.plan import Change
from .model import Found, FoundHost, Host, Lab


def _refuse_other_subnet(found: Found, lab: Lab) -> None:
    if found.subnet is not None and found.subnet != lab.subnet:
        raise PlatformError(
            f"a lab named {lab.name} exists with the subnet {found.subnet}, not {lab.subnet}",
            where="lab_subnet",
            hint=f"use LAB_SUBNET={found.subnet}, another LAB_NAME, or first: "
            f"make destroy LAB_NAME={lab.name}",
        )


def _host_changes(host: Host, found: FoundHost | None, lab: Lab) -> Iterator[Change]:
    if found is None:
        yield Change(
            "create", f"host {host.name}", None, {"address": host.address, "image": lab.image}
        )
        return
    if not found.running:
        # What is inside a stopped container can't be read, so it is compared once it runs.
        yield Change("start", f"host {host.name}", {"state": "stopped"}, {"state": "running"})
        return
    if found.authorized_key != lab.authorized_key:
        yield Change("update", f"key of host {host.name}", found.authorized_key, lab.authorized_key)
    if found.apt_proxy != lab.apt_proxy:
        yield Change("update", f"apt proxy of host {host.name}", found.apt_proxy, lab.apt_proxy)


def plan(found: Found, lab: Lab) -> tuple[Change, ...]:
    """Return the steps that make *lab* out of *found*.

    Hosts of another image stay as they are: what was deployed on them is the user's.

    :raises PlatformError: when a lab of this name exists elsewhere.
    """
    _refuse_other_subnet(found, lab)
    changes = []
    if found.subnet is None:
        changes.append(Change("create", f"network {lab.name}", None, str(lab.subnet)))
    for host in lab.hosts:
        changes.extend(_host_changes(host, found.hosts.get(host.container), lab))
    return tuple(changes)


def plan_removal(found: Found, name: str) -> tuple[Change, ...]:
    """Return the steps that remove all that *found* holds of the lab *name*."""
    changes = [Change("delete", f"host {container}") for container in sorted(found.hosts)]
    if found.subnet is not None:
        changes.append(Change("delete", f"network {name}", str(found.subnet), None))
    return tuple(changes)
