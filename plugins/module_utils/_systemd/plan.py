# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what has to be done to a unit."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.plan import Change
from .model import Record, Service, Unit

SERVES = frozenset({"active", "reloading", "refreshing"})
# A unit that starts for long, or that starts again and again because it fails.
_BEGINS = "activating"
_RUNS = SERVES | {_BEGINS}
_ON = frozenset({"enabled", "static", "indirect", "generated", "alias"})
_MASKED = frozenset({"masked", "masked-runtime"})


@dataclass(frozen=True)
class Step:
    """One thing to do: a verb of systemctl, and the change that it stands for."""

    verb: str
    change: Change


def _is_stale(unit: Unit, path: str) -> bool:
    """Return whether the running process has not taken the file's present content.

    Of a process that we have recorded, the record tells. Of another one the clock does: a start
    that is younger than the file has taken it, whoever started the unit. systemd tells the start
    in whole seconds, so the very second counts as older.
    """
    if unit.proven and path in unit.loaded:
        return unit.digests.get(path, "") != unit.loaded[path]
    return unit.changed_at.get(path, 0) >= unit.started_at


def _stale(unit: Unit, paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(path for path in paths if _is_stale(unit, path))


def _enablement(service: Service, unit: Unit) -> list[Step]:
    steps = []
    if unit.enablement in _MASKED and (service.enabled or service.started):
        steps.append(Step("unmask", Change("unmask", service.name)))
    if service.enabled and (steps or unit.enablement not in _ON):
        steps.append(Step("enable", Change("enable", service.name)))
    elif not service.enabled and unit.enablement in {"enabled", "enabled-runtime"}:
        steps.append(Step("disable", Change("disable", service.name)))
    return steps


def _activity(service: Service, unit: Unit) -> list[Step]:
    runs = unit.active in _RUNS
    if not service.started:
        return [Step("stop", Change("stop", service.name, "running", "stopped"))] if runs else []
    serves = unit.active in SERVES
    # What does not serve yet can't be reloaded, and loses nothing by being started anew.
    stale = _stale(unit, service.restart_files if serves else service.files)
    if runs and stale and service.restart:
        return [Step("restart", Change("restart", f"{service.name}: {', '.join(stale)} changed"))]
    if not serves:
        return [Step("start", Change("start", service.name, unit.active, "running"))]
    stale = _stale(unit, service.only_reload_files)
    if stale:
        return [Step("reload", Change("reload", f"{service.name}: {', '.join(stale)} changed"))]
    if not unit.in_force:
        return [Step("reload", Change("reload", f"{service.name}: it is not in force"))]
    return []


def plan(service: Service, unit: Unit) -> tuple[Step, ...]:
    """Return the steps that bring *unit* to the state *service*, in their order."""
    return (*_enablement(service, unit), *_activity(service, unit))


def restart_pending(service: Service, unit: Unit) -> tuple[str, ...]:
    """Return the changed files that only a restart, which is not allowed here, would load."""
    if not service.started or service.restart or unit.active not in _RUNS:
        return ()
    return _stale(unit, service.restart_files)


def record(service: Service, unit: Unit, steps: tuple[Step, ...], invocation: str = "") -> Record:
    """Return what to remember once *steps* are done.

    :param unit: as it was before them.
    :param invocation: the run that they have led to.
    """
    if not service.started:
        return Record()
    verbs = {step.verb for step in steps}
    if "restart" in verbs or unit.active not in _RUNS:
        return Record(unit.digests, invocation)
    # To start what begins already is to join that start, which may have read older files.
    joined = service.only_reload_files if "start" in verbs else ()
    kept = _stale(unit, (*service.restart_files, *joined))
    loaded = {**unit.digests, **{path: unit.loaded.get(path, "") for path in kept}}
    return Record(loaded, invocation)
