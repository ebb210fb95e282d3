# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import time

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._systemd import client
from ansible_collections.mcp.platform.plugins.module_utils._systemd.apply import apply
from ansible_collections.mcp.platform.plugins.module_utils._systemd.model import Service

# Answers from files: what it shows is in properties, and a verb may fail or have an effect.
_SYSTEMCTL = """#!/bin/sh
cd "$(dirname "$0")/.."
echo "$*" >>calls
case $1 in
show) cat properties ;;
*)
    if [ -e "fails.$1" ]; then cat "fails.$1" >&2; exit 1; fi
    if [ -e "effect.$1" ]; then cp "effect.$1" properties; fi
    ;;
esac
"""
_JOURNALCTL = """#!/bin/sh
cat "$(dirname "$0")/../journal"
"""
# As Debian 13's systemctl shows them.
_BARE = {
    "LoadState": "loaded",
    "ActiveState": "inactive",
    "UnitFileState": "disabled",
    "InactiveExitTimestamp": "",
    "InvocationID": "",
    "NeedDaemonReload": "no",
}
_RUNS = {
    **_BARE,
    "ActiveState": "active",
    "UnitFileState": "enabled",
    "InvocationID": "i1",
}


class Host:
    """A host whose systemd is scripted."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "x.conf"
        self.config.write_text("old")
        (folder / "calls").touch()
        (folder / "journal").write_text("it says why\n")
        self.shows(_BARE)

    def shows(self, properties, name="properties", **changed):
        # What systemd tells of a start is in whole seconds.
        stamp = {"InactiveExitTimestamp": f"@{int(time.time()) + 1}"}
        new = {**properties, **(stamp if properties.get("InvocationID") else {}), **changed}
        text = "".join(f"{key}={value}\n" for key, value in new.items())
        (self.folder / name).write_text(text)

    def after(self, verb, properties, **changed):
        self.shows(properties, f"effect.{verb}", **changed)

    def fails(self, verb, text="Job failed."):
        (self.folder / f"fails.{verb}").write_text(text)

    def asked(self):
        """Return the verbs since the last time, without those that only look."""
        calls = (self.folder / "calls").read_text().splitlines()
        (self.folder / "calls").write_text("")
        return [call.split()[0] for call in calls if call.split()[0] not in {"show"}]

    def service(self, **options):
        return Service("x.service", reload_files=(str(self.config),), **options)

    def record(self):
        return json.loads((client.RECORDS / "x.service.json").read_text())


@pytest.fixture
def host(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("systemctl", _SYSTEMCTL), ("journalctl", _JOURNALCTL)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(client, "RECORDS", tmp_path / "records")
    monkeypatch.setattr(client, "_POLL_SECONDS", 0.01)
    return Host(tmp_path)


def _apply(service, *, check_mode=False):
    changes, pending = apply(service, check_mode=check_mode)
    return [change.kind for change in changes], pending


def _started(host, **options):
    host.after("start", _RUNS)
    _apply(host.service(**options))
    host.asked()


def test_a_service_is_enabled_and_started_once(host):
    host.after("start", _RUNS)
    assert _apply(host.service()) == (["enable", "start"], ())
    assert host.asked() == ["enable", "reset-failed", "start"]
    assert host.record()["loaded_by"] == "i1"
    assert _apply(host.service()) == ([], ())
    assert host.asked() == []


def test_check_mode_only_looks(host):
    assert _apply(host.service(), check_mode=True) == (["enable", "start"], ())
    assert host.asked() == []
    assert not client.RECORDS.exists()


def test_check_mode_passes_on_a_host_without_systemd(host, monkeypatch):
    monkeypatch.setenv("PATH", str(host.folder / "none"))
    assert _apply(host.service(), check_mode=True) == (["enable", "start"], ())


@pytest.mark.parametrize("properties", [{}, {**_BARE, "LoadState": "not-found"}])
def test_a_missing_unit_would_be_started_and_is_an_error(host, properties):
    host.shows(properties)
    assert _apply(host.service(), check_mode=True)[0] == ["enable", "start"]
    with pytest.raises(PlatformError, match="no such unit"):
        _apply(host.service())
    with pytest.raises(PlatformError, match="no such unit"):
        _apply(host.service(started=False))


def test_a_missing_unit_that_should_not_run_is_fine(host):
    host.shows({**_BARE, "LoadState": "not-found", "UnitFileState": ""})
    assert _apply(host.service(enabled=False, started=False)) == ([], ())


def test_a_changed_file_is_loaded_by_the_next_run_whoever_placed_it(host):
    _started(host)
    host.config.write_text("new")
    assert _apply(host.service(), check_mode=True)[0] == ["reload"]
    assert _apply(host.service())[0] == ["reload"]
    assert host.asked() == ["reload"]
    assert _apply(host.service())[0] == []


def test_a_changed_unit_file_is_read_before_the_restart(host):
    _started(host)
    host.shows(_RUNS, NeedDaemonReload="yes")
    host.after("daemon-reload", _RUNS)
    host.after("restart", _RUNS, InvocationID="i2")
    host.config.write_text("new")
    service = Service("x.service", restart_files=(str(host.config),))
    assert _apply(service)[0] == ["restart"]
    assert host.asked() == ["daemon-reload", "reset-failed", "restart"]
    assert host.record()["loaded_by"] == "i2"


def test_a_changed_unit_that_a_timer_starts_is_read(monkeypatch):
    seen = []

    def shown(name):
        seen.append(name)
        return {"LoadState": "loaded", "NeedDaemonReload": "yes"}

    done = []
    monkeypatch.setattr(client, "properties", shown)
    monkeypatch.setattr(client, "_failure", lambda *words: done.append(words) or "")
    timer = {"LoadState": "loaded", "NeedDaemonReload": "no", "Triggers": "x.service"}
    assert client.daemon_reload_if_needed(timer)
    assert (seen, done) == (["x.service"], [("systemctl", "daemon-reload")])


def test_a_daemon_reload_that_fails_is_an_error(host):
    host.shows(_RUNS, NeedDaemonReload="yes")
    host.fails("daemon-reload", "Refused.")
    with pytest.raises(PlatformError, match="daemon-reload failed: Refused"):
        _apply(host.service())


def test_a_member_of_a_cluster_reports_its_pending_restart(host):
    service = Service("x.service", restart_files=(str(host.config),), restart=False)
    host.after("start", _RUNS)
    _apply(service)
    host.asked()
    host.config.write_text("new")
    assert _apply(service) == ([], (str(host.config),))
    assert _apply(service) == ([], (str(host.config),))
    assert host.asked() == []


def test_a_start_that_fails_shows_the_log_and_is_tried_again(host):
    host.fails("start", "Job for x.service failed.")
    for _unused in range(2):
        with pytest.raises(PlatformError, match="start failed: Job for") as caught:
            _apply(host.service())
        assert "| it says why" in caught.value.what
        assert host.asked()[-2:] == ["reset-failed", "start"]


def test_a_service_that_fails_after_its_start_is_not_waited_for(host):
    host.after("start", _RUNS, ActiveState="failed")
    with pytest.raises(PlatformError, match="started and then failed") as caught:
        _apply(host.service(ready_timeout=3600))
    assert "| it says why" in caught.value.what
    assert not client.RECORDS.exists()


def test_a_service_that_never_gets_active_is_named(host):
    host.after("start", _RUNS, ActiveState="activating")
    with pytest.raises(PlatformError, match="not ready after 0 s: the unit is activating"):
        _apply(host.service(ready_timeout=0))


def test_the_ready_command_is_asked_until_it_agrees(host):
    asked = host.folder / "asked"
    script = f"echo x >>{asked}; [ $(wc -l <{asked}) -ge 3 ]"
    _started(host, ready=("sh", "-c", script))
    assert asked.read_text().count("x") == 3


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("sh", "-c", "echo still joining; exit 1"), "still joining"),
        (("false",), "exit status 1"),
        (("no-such-command",), "there is no command no-such-command"),
        (("sleep", "60"), "sleep does not end"),
    ],
)
def test_what_never_gets_ready_is_told_and_asked_again_by_the_next_run(host, command, said):
    host.after("start", _RUNS)
    service = host.service(ready=command, ready_timeout=0)
    with pytest.raises(PlatformError, match=said) as caught:
        _apply(service)
    assert "| it says why" in caught.value.what
    host.asked()
    # The unit runs now, but nobody has seen it ready.
    with pytest.raises(PlatformError, match=said):
        _apply(service)
    assert host.asked() == []
    assert _apply(host.service(ready=("true",))) == ([], ())
    assert host.record()["loaded_by"] == "i1"
    assert _apply(service) == ([], ())


def test_a_start_of_somebody_else_is_seen_ready_once(host):
    _started(host)
    host.shows(_RUNS, InvocationID="i2")
    with pytest.raises(PlatformError, match="not ready"):
        _apply(host.service(ready=("false",), ready_timeout=0))
    assert _apply(host.service(ready=("true",))) == ([], ())
    assert host.record()["loaded_by"] == "i2"


def test_a_restart_waits_until_the_cluster_allows_it(host):
    service = Service("x.service", restart_files=(str(host.config),), ready_timeout=0)
    host.after("start", _RUNS)
    _apply(service)
    host.asked()
    host.config.write_text("new")
    held = Service(**{**service.__dict__, "restart_when": ("false",)})
    with pytest.raises(PlatformError, match="may not be restarted"):
        _apply(held)
    assert host.asked() == []
    allowed = Service(**{**service.__dict__, "restart_when": ("true",)})
    assert _apply(allowed)[0] == ["restart"]


def test_what_does_not_serve_is_restarted_without_asking_the_cluster(host):
    service = Service(
        "x.service",
        restart_files=(str(host.config),),
        restart_when=("false",),
        ready_timeout=0,
    )
    host.shows(_RUNS, ActiveState="activating", InactiveExitTimestamp="@1")
    host.after("restart", _RUNS, InvocationID="i2")
    assert _apply(service)[0] == ["restart"]


def test_what_should_not_run_is_stopped_and_forgotten(host):
    _started(host)
    host.after("stop", _BARE, UnitFileState="enabled")
    assert _apply(host.service(enabled=False, started=False))[0] == ["disable", "stop"]
    assert host.record() == {"loaded": {}, "loaded_by": ""}


def test_a_masked_unit_is_unmasked(host):
    host.shows(_BARE, LoadState="masked", UnitFileState="masked")
    host.after("start", _RUNS)
    assert _apply(host.service())[0] == ["unmask", "enable", "start"]


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"/etc/x.conf": "abc"}', "null"])
def test_a_record_that_is_none_is_taken_for_none(host, text):
    _started(host)
    (client.RECORDS / "x.service.json").write_text(text)
    assert _apply(host.service()) == ([], ())
    assert host.record()["loaded_by"] == "i1"


def test_a_record_is_written_when_it_changes_only(host):
    _started(host)
    path = client.RECORDS / "x.service.json"
    inode = path.stat().st_ino
    assert client.RECORDS.stat().st_mode & 0o777 == 0o700
    _apply(host.service())
    assert path.stat().st_ino == inode


def test_a_removed_file_changed_when_its_directory_did(host):
    now = host.folder.stat().st_ctime
    assert client._changed_at(host.folder / "gone") == now
    assert client._changed_at(host.folder / "gone" / "below") == now
    assert client._changed_at(host.config / "below") == host.config.stat().st_ctime


def test_a_command_of_systemd_that_hangs_is_no_traceback(host, monkeypatch):
    monkeypatch.setattr(client, "_COMMAND_SECONDS", 1)
    (host.folder / "bin" / "systemctl").write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(PlatformError, match="start failed: it did not end within 1 s"):
        client.systemctl("start", "x.service")
