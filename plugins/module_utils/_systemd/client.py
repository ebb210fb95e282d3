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
from pathlib import Path

from .._core.errors import PlatformError
from .._core.files import digest, write_atomically
from .model import Service, Unit

RECORDS = Path("/var/lib/mcp-platform/services")
_PROPERTIES = "LoadState,ActiveState,UnitFileState,ActiveEnterTimestamp,NeedDaemonReload"
_COMMAND_SECONDS = 300
_POLL_SECONDS = 0.2


def _run(*words: str, timeout: float = _COMMAND_SECONDS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, capture_output=True, text=True, timeout=max(timeout, 1), check=False
    )


def systemctl(verb: str, name: str) -> None:
    """Run ``systemctl VERB NAME``.

    :raises PlatformError: with the unit's last log lines, when it fails.
    """
    done = _run("systemctl", verb, name)
    if done.returncode != 0:
        raise PlatformError(
            f"systemctl {verb} failed: {done.stderr.strip()}{journal(name)}",
            where=name,
            hint=f"read `journalctl -u {name}` on the host, mend the cause, and run again",
        )


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
    needed = found.get("NeedDaemonReload") == "yes" or found.get("LoadState") == "not-found"
    if needed:
        _run("systemctl", "daemon-reload")
    return needed


def read(service: Service) -> Unit:
    """Return the unit's present state."""
    found = properties(service.name)
    paths = (*service.restart_files, *service.reload_files)
    return Unit(
        exists=found.get("LoadState") not in {None, "not-found"},
        active=found.get("ActiveState", "inactive"),
        enablement=found.get("UnitFileState", ""),
        started_at=int(found.get("ActiveEnterTimestamp", "").lstrip("@") or 0),
        digests={path: digest(Path(path)) for path in paths},
        changed_at={path: _changed_at(Path(path)) for path in paths},
        loaded=_recorded(service.name),
    )


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_ctime
    except (FileNotFoundError, NotADirectoryError):
        return time.time()


def _recorded(name: str) -> dict[str, str]:
    try:
        return dict(json.loads((RECORDS / f"{name}.json").read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def write_record(name: str, digests: Mapping[str, str]) -> None:
    """Remember which contents the unit's process has taken."""
    RECORDS.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = json.dumps(digests, indent=2, sort_keys=True).encode()
    if digest(RECORDS / f"{name}.json") == "" or dict(digests) != _recorded(name):
        write_atomically(RECORDS / f"{name}.json", content)


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


def _refusal(service: Service, command: Sequence[str], seconds: float) -> str:
    active = properties(service.name).get("ActiveState", "unknown")
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
