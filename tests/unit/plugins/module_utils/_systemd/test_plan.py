# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._systemd.model import (
    Service,
    Unit,
    services_from,
)
from ansible_collections.mcp.platform.plugins.module_utils._systemd.plan import (
    plan,
    record,
    restart_pending,
)

_UNIT = "/etc/systemd/system/x.service"
_CONFIG = "/etc/x.conf"
_X = Service("x.service", restart_files=(_UNIT,), reload_files=(_CONFIG,))
_LOADED = {_UNIT: "u1", _CONFIG: "c1"}
# Runs, was started by us at 100, and has taken both files.
_RUNNING = Unit(
    exists=True,
    active="active",
    enablement="enabled",
    started_at=100,
    digests=_LOADED,
    changed_at={_UNIT: 50.0, _CONFIG: 50.0},
    invocation="i1",
    loaded=_LOADED,
    loaded_by="i1",
)


def _verbs(service, unit):
    return [step.verb for step in plan(service, unit)]


def _changed(path, *, at=200.0):
    return {
        "digests": {**_LOADED, path: "new"},
        "changed_at": {**_RUNNING.changed_at, path: at},
    }


def test_what_runs_with_its_files_is_left_alone():
    assert plan(_X, _RUNNING) == ()
    assert record(_X, _RUNNING, (), "i1").loaded == _LOADED


def test_a_bare_host_is_told_what_would_be_done():
    assert _verbs(_X, Unit()) == ["enable", "start"]


@pytest.mark.parametrize(
    ("path", "verb"),
    [(_UNIT, "restart"), (_CONFIG, "reload")],
)
def test_a_changed_file_is_taken(path, verb):
    (step,) = plan(_X, replace(_RUNNING, **_changed(path)))
    assert step.verb == verb
    assert str(step.change) == f"{verb} x.service: {path} changed"


def test_a_restart_takes_the_reloadable_files_too():
    unit = replace(_RUNNING, digests={_UNIT: "u2", _CONFIG: "c2"}, changed_at={})
    assert _verbs(_X, unit) == ["restart"]
    assert record(_X, unit, plan(_X, unit), "i2").loaded == unit.digests


def test_a_member_of_a_cluster_is_reloaded_and_its_restart_reported():
    member = replace(_X, restart=False)
    unit = replace(_RUNNING, digests={_UNIT: "u2", _CONFIG: "c2"})
    assert _verbs(member, unit) == ["reload"]
    assert restart_pending(member, unit)
    done = record(member, unit, plan(member, unit), "i1")
    assert done.loaded == {_UNIT: "u1", _CONFIG: "c2"}
    later = replace(unit, loaded=done.loaded)
    assert plan(member, later) == ()
    assert restart_pending(member, later)


def test_what_is_no_longer_in_force_is_reloaded():
    assert _verbs(_X, replace(_RUNNING, in_force=False)) == ["reload"]
    assert _verbs(_X, replace(_RUNNING, in_force=False, **_changed(_UNIT))) == ["restart"]


def test_nothing_is_pending_where_nothing_runs():
    unit = replace(_RUNNING, active="inactive", **_changed(_UNIT))
    assert not restart_pending(replace(_X, restart=False), unit)
    assert not restart_pending(_X, replace(_RUNNING, **_changed(_UNIT)))


def test_the_record_tells_of_our_own_process_whatever_the_clock_says():
    unit = replace(_RUNNING, started_at=10**10, **_changed(_CONFIG))
    assert _verbs(_X, unit) == ["reload"]


def test_a_start_of_somebody_else_after_the_change_has_taken_it():
    unit = replace(_RUNNING, **_changed(_UNIT), invocation="i2", started_at=300)
    assert plan(_X, unit) == ()
    assert record(_X, unit, (), "i2").loaded[_UNIT] == "new"


def test_a_start_of_somebody_else_before_the_change_has_not():
    unit = replace(_RUNNING, **_changed(_UNIT), invocation="i2", started_at=150)
    assert _verbs(_X, unit) == ["restart"]


def test_a_start_in_the_same_second_counts_as_older():
    unit = replace(_RUNNING, **_changed(_UNIT, at=200.9), invocation="i2", started_at=200)
    assert _verbs(_X, unit) == ["restart"]


def test_a_role_that_names_one_more_file_does_not_restart_what_has_it():
    unit = replace(_RUNNING, loaded={_CONFIG: "c1"})
    assert plan(_X, unit) == ()
    assert record(_X, unit, (), "i1").loaded == _LOADED


def test_a_role_that_names_a_file_that_is_not_there_does_not_restart():
    unit = replace(
        _RUNNING, digests={_UNIT: "", _CONFIG: "c1"}, loaded={_CONFIG: "c1"}, changed_at={}
    )
    assert plan(_X, unit) == ()


def test_a_removed_file_is_a_changed_one():
    unit = replace(_RUNNING, digests={_UNIT: "", _CONFIG: "c1"})
    assert _verbs(_X, unit) == ["restart"]


def test_a_file_in_both_lists_needs_a_restart():
    service = replace(_X, reload_files=(_CONFIG, _UNIT))
    assert service.files == (_UNIT, _CONFIG)
    assert _verbs(service, replace(_RUNNING, **_changed(_UNIT))) == ["restart"]
    held = replace(service, restart=False)
    assert plan(held, replace(_RUNNING, **_changed(_UNIT))) == ()


@pytest.mark.parametrize("enablement", ["enabled", "static", "indirect", "generated", "alias"])
def test_what_starts_at_boot_needs_no_enabling(enablement):
    assert plan(_X, replace(_RUNNING, enablement=enablement)) == ()


@pytest.mark.parametrize("enablement", ["disabled", "enabled-runtime", "linked", ""])
def test_what_a_boot_would_not_start_is_enabled(enablement):
    assert _verbs(_X, replace(_RUNNING, enablement=enablement)) == ["enable"]


@pytest.mark.parametrize("enablement", ["enabled", "enabled-runtime"])
def test_what_should_not_start_at_boot_is_disabled(enablement):
    service = replace(_X, enabled=False)
    assert _verbs(service, replace(_RUNNING, enablement=enablement)) == ["disable"]
    assert plan(service, replace(_RUNNING, enablement="disabled")) == ()


@pytest.mark.parametrize("enablement", ["masked", "masked-runtime"])
def test_a_mask_is_taken_off_what_should_run_and_stays_on_what_should_not(enablement):
    masked = Unit(exists=True, enablement=enablement)
    assert _verbs(_X, masked) == ["unmask", "enable", "start"]
    assert plan(replace(_X, enabled=False, started=False), masked) == ()


def test_what_should_not_run_is_stopped_and_forgotten():
    stopped = replace(_X, started=False, enabled=False)
    steps = plan(stopped, _RUNNING)
    assert [step.verb for step in steps] == ["disable", "stop"]
    assert record(stopped, _RUNNING, steps, "").loaded == {}
    assert plan(stopped, replace(_RUNNING, active="failed", enablement="disabled")) == ()


@pytest.mark.parametrize("active", ["inactive", "failed", "deactivating"])
def test_what_does_not_run_is_started_and_has_taken_all(active):
    unit = replace(_RUNNING, active=active, **_changed(_CONFIG))
    steps = plan(_X, unit)
    assert [step.verb for step in steps] == ["start"]
    assert record(_X, unit, steps, "i2").loaded == unit.digests


def test_a_crash_loop_gets_its_mended_file_by_a_restart():
    unit = replace(_RUNNING, active="activating", invocation="i9", **_changed(_CONFIG))
    steps = plan(_X, unit)
    assert [step.verb for step in steps] == ["restart"]
    assert record(_X, unit, steps, "i10").loaded == unit.digests


def test_a_member_that_still_begins_is_joined_and_its_files_stay_unread():
    member = replace(_X, restart=False)
    unit = replace(_RUNNING, active="activating", invocation="i9", **_changed(_UNIT))
    steps = plan(member, unit)
    assert [step.verb for step in steps] == ["start"]
    assert restart_pending(member, unit)
    assert record(member, unit, steps, "i9").loaded == _LOADED
    unit = replace(_RUNNING, active="activating", invocation="i9", **_changed(_CONFIG))
    assert record(member, unit, plan(member, unit), "i9").loaded == _LOADED


def test_a_long_start_with_the_present_files_is_waited_for():
    assert _verbs(_X, replace(_RUNNING, active="activating")) == ["start"]


_PATHS = ("/a", "/b", "/c")
_DIGESTS = st.fixed_dictionaries({path: st.sampled_from(["", "1", "2"]) for path in _PATHS})
_SERVICES = st.builds(
    Service,
    st.just("x.service"),
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from(_PATHS), unique=True).map(tuple),
    st.lists(st.sampled_from(_PATHS), unique=True).map(tuple),
    st.booleans(),
)
_ACTIVE = ["active", "reloading", "refreshing", "activating", "deactivating", "inactive", "failed"]
_ENABLEMENT = ["enabled", "enabled-runtime", "disabled", "static", "masked", "masked-runtime", ""]
_UNITS = st.builds(
    Unit,
    st.just(True),
    st.sampled_from(_ACTIVE),
    st.sampled_from(_ENABLEMENT),
    st.integers(0, 5),
    _DIGESTS,
    st.fixed_dictionaries({path: st.floats(0, 5) for path in _PATHS}),
    st.sampled_from(["i1", "i2"]),
    st.dictionaries(st.sampled_from(_PATHS), st.sampled_from(["", "1", "2"])),
    st.sampled_from(["", "i1", "i2"]),
)


def _after(unit, steps, now=9):
    """Return the unit as systemd would show it once *steps* are done, before any record."""
    for step in steps:
        if step.verb in {"start", "restart"}:
            joined = step.verb == "start" and unit.active == "activating"
            new = {} if joined else {"invocation": "i3", "started_at": now}
            unit = replace(unit, active="active", **new)
        elif step.verb == "stop":
            unit = replace(unit, active="inactive", invocation="")
        elif step.verb in {"enable", "disable"}:
            unit = replace(unit, enablement=f"{step.verb}d")
        elif step.verb == "unmask":
            unit = replace(unit, enablement="disabled")
    return unit


def _recorded(service, unit, steps):
    after = _after(unit, steps)
    done = record(service, unit, steps, after.invocation)
    return replace(after, loaded=done.loaded, loaded_by=done.loaded_by)


@given(_SERVICES, _UNITS)
def test_after_the_steps_and_their_record_nothing_is_left_to_do(service, unit):
    after = _recorded(service, unit, plan(service, unit))
    left = plan(service, after)
    if unit.active == "activating" and not service.restart:
        # It has joined a start that may have begun before the file changed.
        assert {step.verb for step in left} <= {"reload"}
        after = _recorded(service, after, left)
    assert plan(service, after) == ()


@given(_SERVICES, _UNITS)
def test_a_run_that_is_killed_before_its_record_is_finished_by_the_next(service, unit):
    """Files are old, as they are when a run is killed: what a start has taken is not taken anew."""
    killed = _after(unit, plan(service, unit))
    verbs = {step.verb for step in plan(service, killed)}
    joined = unit.active == "activating" and killed.invocation == unit.invocation
    assert verbs <= ({"reload", "restart"} if joined else {"reload"})
    assert plan(service, _recorded(service, killed, plan(service, killed))) == ()


@given(_SERVICES, _UNITS)
def test_a_restart_that_is_not_allowed_is_never_planned(service, unit):
    service = replace(service, restart=False)
    assert "restart" not in _verbs(service, unit)
    after = _recorded(service, unit, plan(service, unit))
    if service.started:
        assert restart_pending(service, after) == restart_pending(service, unit)


@given(_SERVICES, _UNITS)
def test_a_running_service_is_touched_for_a_file_of_its_own_only(service, unit):
    unit = replace(unit, active="active", loaded=unit.digests, loaded_by=unit.invocation)
    assert {"start", "restart", "reload"}.isdisjoint(_verbs(service, unit))


def test_what_was_taken_before_somebody_elses_start_says_nothing_of_the_process():
    """Another content stood there at that start, and now the old one does again."""
    unit = replace(
        _RUNNING, loaded=_RUNNING.digests, loaded_by="an earlier run", changed_at={_UNIT: 9}
    )
    assert _verbs(replace(_X, restart_files=(_UNIT,)), replace(unit, started_at=5)) == ["restart"]


def test_options_become_services():
    item = {
        "name": "x.service",
        "enabled": False,
        "state": "stopped",
        "restart_files": [_UNIT],
        "reload_files": [],
        "restart": True,
        "restart_when": ["gate"],
        "in_force": ["holds"],
        "ready": ["curl", "x"],
        "ready_timeout": 5,
    }
    (service,) = services_from({"services": [item]})
    assert service == Service(
        "x.service", False, False, (_UNIT,), (), True, ("gate",), ("holds",), ("curl", "x"), 5
    )
    (service,) = services_from({"services": [{**item, "state": "started"}]})
    assert service.started
