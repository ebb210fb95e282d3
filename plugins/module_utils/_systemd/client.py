# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: talks to systemd on the host it runs on."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from .._core.errors import PlatformError
from .._core.files import digest, write_atomically
from .model import Record, Service, Unit

RECORDS = Path("/var/lib/mcp-platform/services")
# InactiveExitTimestamp and not ActiveEnterTimestamp: a service reads its files when its start
# begins, and may be active only much later.
_PROPERTIES = (
    "LoadState,ActiveState,UnitFileState,InactiveExitTimestamp,InvocationID,NeedDaemonReload,"
    "Triggers"
)
_COMMAND_SECONDS = 300
_POLL_SECONDS = 0.2


def _run(*words: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # pylint: disable=ansible-bad-function
        words,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_COMMAND_SECONDS if timeout is None else max(timeout, 1),
        check=False,
    )


def systemctl(verb: str, name: str) -> None:
    """Run ``systemctl VERB NAME``.

    :raises PlatformError: with the unit's last log lines, when it fails.
    """
    if verb in {"start", "restart"}:
        # A unit that has failed too often is refused a start, although its files are mended now.
        _failure("systemctl", "reset-failed", name)
    failure = _failure("systemctl", verb, name)
    if failure:
        raise PlatformError(
            f"systemctl {verb} failed: {failure}{journal(name)}",
            where=name,
            hint=f"read `journalctl -u {name}` on the host, mend the cause, and run again",
        )


def _failure(*words: str) -> str:
    """Run a command; return why it failed, empty when it did not."""
    try:
        done = _run(*words)
    except subprocess.TimeoutExpired:
        return f"it did not end within {_COMMAND_SECONDS} s"
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit status {done.returncode}"


def journal(name: str) -> str:
    """Return the last lines of the unit's log, each on a line of its own."""
    done = _run("journalctl", "-u", name, "-n", "12", "-o", "cat", "--no-pager")
    return "".join(f"\n  | {line}" for line in done.stdout.splitlines())


def properties(name: str) -> dict[str, str]:
    """Return systemd's properties of the unit; empty where there is no systemd."""
    if shutil.which("systemctl") is None:
        return {}
    done = _run("systemctl", "show", "--timestamp=unix", f"--property={_PROPERTIES}", name)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def daemon_reload_if_needed(found: Mapping[str, str]) -> bool:
    """Make systemd read its units again where it says that it has to; returns whether it did."""
    # What a timer starts is nobody's unit, and would go on as it was.
    units = [found, *map(properties, found.get("Triggers", "").split())]
    needed = found.get("LoadState") == "not-found" or any(
        unit.get("NeedDaemonReload") == "yes" for unit in units
    )
    failure = _failure("systemctl", "daemon-reload") if needed else ""
    if failure:
        raise PlatformError(
            f"systemctl daemon-reload failed: {failure}",
            hint="read `journalctl -n 50` on the host, mend the cause, and run again",
        )
    return needed


def invocation(name: str) -> str:
    """Return systemd's id of the unit's present run."""
    return properties(name).get("InvocationID", "")


def read(service: Service) -> Unit:
    """Return the unit's present state."""
    found = properties(service.name)
    recorded = _recorded(service.name)
    paths = service.files
    runs = found.get("ActiveState") == "active"
    return Unit(
        exists=found.get("LoadState") not in {None, "not-found"},
        active=found.get("ActiveState", "inactive"),
        enablement=found.get("UnitFileState", ""),
        started_at=int(found.get("InactiveExitTimestamp", "").lstrip("@") or 0),
        digests={path: digest(Path(path)) for path in paths},
        changed_at={path: _changed_at(Path(path)) for path in paths},
        invocation=found.get("InvocationID", ""),
        loaded=recorded.loaded,
        loaded_by=recorded.loaded_by,
        in_force=not (runs and service.in_force and _failure(*service.in_force)),
    )


def _changed_at(path: Path) -> float:
    """Return when the file changed; of a removed one, when its directory did."""
    try:
        return path.stat().st_ctime
    except (FileNotFoundError, NotADirectoryError):
        return _changed_at(path.parent)


def _recorded(name: str) -> Record:
    try:
        return Record(**json.loads((RECORDS / f"{name}.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        # None yet, or not ours: the clock tells instead.
        return Record()


def write_record(name: str, record: Record) -> None:
    """Remember which contents the unit's process has taken."""
    path = RECORDS / f"{name}.json"
    if path.exists() and record == _recorded(name):
        return
    RECORDS.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, json.dumps(asdict(record), indent=2, sort_keys=True).encode())


def wait_for(service: Service, command: Sequence[str], otherwise: str) -> None:
    """Poll until the unit is active and *command*, where there is one, exits with 0.

    :param otherwise: what the unit is, or may not be, when that takes longer than its
        ``ready_timeout``.
    :raises PlatformError: then, with what the command said last.
    """
    deadline = time.monotonic() + service.ready_timeout
    while True:
        said = _refusal(service, command, deadline - time.monotonic())
        if not said:
            return
        if time.monotonic() > deadline:
            raise PlatformError(
                f"{otherwise} after {service.ready_timeout} s: {said}{journal(service.name)}",
                where=service.name,
                hint=f"read `journalctl -u {service.name}` on the host, mend the cause, run again",
            )
        time.sleep(_POLL_SECONDS)


def _active(service: Service) -> str:
    """Return the unit's ActiveState.

    :raises PlatformError: when it has failed for good; one that will start again is activating.
    """
    active = properties(service.name).get("ActiveState", "unknown")
    if active == "failed":
        raise PlatformError(
            f"it started and then failed{journal(service.name)}",
            where=service.name,
            hint=f"read `journalctl -u {service.name}` on the host, mend the cause, run again",
        )
    return active


def _refusal(service: Service, command: Sequence[str], seconds: float) -> str:
    active = _active(service)
    if active != "active":
        return f"the unit is {active}"
    if not command:
        return ""
    try:
        done = _run(*command, timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"{command[0]} does not end"
    except FileNotFoundError:
        return f"there is no command {command[0]}"
    if done.returncode == 0:
        return ""
    return (done.stdout + done.stderr).strip()[-800:] or f"exit status {done.returncode}"
