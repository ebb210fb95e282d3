# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what has to be done to a unit."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.plan import Change
from .model import Service, Unit

_RUNS = frozenset({"active", "reloading", "activating"})
_ON = frozenset({"enabled", "enabled-runtime", "static", "indirect", "generated", "alias"})


@dataclass(frozen=True)
class Step:
    """One thing to do: a verb of systemctl, and the change that it stands for."""

    verb: str
    change: Change


def _stale(unit: Unit, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return those files whose present content the running process has not taken.

    A start that is younger than the file has taken it, whoever started the unit. systemd tells
    the start in whole seconds, so the very second counts as older.
    """
    return tuple(
        path
        for path in paths
        if unit.digests.get(path, "") != unit.loaded.get(path)
        and unit.changed_at.get(path, 0) >= unit.started_at
    )


def _enablement(service: Service, unit: Unit) -> list[Step]:
    if unit.enablement in {"masked", "masked-runtime"}:
        steps = [Step("unmask", Change("unmask", service.name))]
    else:
        steps = []
    if service.enabled and (steps or unit.enablement not in _ON):
        steps.append(Step("enable", Change("enable", service.name)))
    elif not service.enabled and unit.enablement in {"enabled", "enabled-runtime"}:
        steps.append(Step("disable", Change("disable", service.name)))
    return steps


def _activity(service: Service, unit: Unit) -> list[Step]:
    runs = unit.active in _RUNS
    if not service.started:
        return [Step("stop", Change("stop", service.name, "running", "stopped"))] if runs else []
    if not runs:
        return [Step("start", Change("start", service.name, unit.active, "running"))]
    stale = _stale(unit, service.restart_files)
    if stale and service.restart:
        return [Step("restart", Change("restart", f"{service.name}: {', '.join(stale)} changed"))]
    stale = _stale(unit, service.reload_files)
    if stale:
        return [Step("reload", Change("reload", f"{service.name}: {', '.join(stale)} changed"))]
    return []


def plan(service: Service, unit: Unit) -> tuple[Step, ...]:
    """Return the steps that bring *unit* to the state *service*, in their order."""
    return (*_enablement(service, unit), *_activity(service, unit))


def restart_pending(service: Service, unit: Unit) -> bool:
    """Return whether only a restart, which is not allowed here, would load a changed file."""
    return (
        service.started
        and not service.restart
        and unit.active in _RUNS
        and bool(_stale(unit, service.restart_files))
    )


def record(service: Service, unit: Unit, steps: tuple[Step, ...]) -> dict[str, str]:
    """Return the digests that the running process has taken once *steps* are done."""
    verbs = {step.verb for step in steps}
    if not service.started:
        return {}
    if verbs & {"start", "restart"}:
        return dict(unit.digests)
    kept = {path: unit.loaded.get(path, "") for path in _stale(unit, service.restart_files)}
    return {**unit.digests, **kept}
