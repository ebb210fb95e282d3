# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: brings a unit to its desired state."""

from __future__ import annotations

from .._core.errors import PlatformError
from .._core.plan import Change
from . import client
from .model import Service
from .plan import SERVES, plan, record, restart_pending

_LOADS = frozenset({"start", "restart", "reload"})


def apply(service: Service, *, check_mode: bool) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """Bring the unit to its desired state.

    :returns: what was done, and the files that wait for a restart which is not allowed here.
    :raises PlatformError: when the unit does not exist, does not start, or does not get ready.
    """
    if not check_mode:
        client.daemon_reload_if_needed(client.properties(service.name))
    unit = client.read(service)
    steps = plan(service, unit)
    pending = restart_pending(service, unit)
    changes = tuple(step.change for step in steps)
    if check_mode:
        return changes, pending
    if not unit.exists and (service.started or service.enabled):
        raise PlatformError(
            "there is no such unit",
            where=service.name,
            hint="install the package that brings it, or place its unit file first",
        )
    for step in steps:
        # One that does not serve, because its last settings were wrong, is missed by nobody.
        if step.verb == "restart" and unit.active in SERVES:
            client.wait_for(service, service.restart_when, "may not be restarted")
        client.systemctl(step.verb, service.name)
    # A run before this one may have been killed, or have failed, while it waited.
    if service.started and (not unit.proven or any(step.verb in _LOADS for step in steps)):
        client.wait_for(service, service.ready, "is not ready")
    invocation = client.invocation(service.name) if steps else unit.invocation
    client.write_record(service.name, record(service, unit, steps, invocation))
    return changes, pending
