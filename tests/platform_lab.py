# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for tests of the whole platform: playbooks, commands on hosts, and what runs there."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
LOGS = REPO / ".cache" / "logs"
HOSTS = ("node1", "node2", "node3")
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s.*skipped=(\d+)", re.M)
_PLAY = re.compile(r"^PLAY \[(.+)\]")
SERVICES = (
    "openbao vault-agent etcd patroni pgbouncer@transaction pgbouncer@session haproxy nftables "
    "redis-cluster@6379 redis-cluster@6380 redis-exporter minio"
)


@dataclass(frozen=True)
class Run:
    """How a playbook ended.

    :param changed: number of changed tasks by host.
    :param tasks: number of tasks by host, those that were skipped included.
    :param plays: seconds by play.
    """

    status: int
    output: str
    seconds: float
    changed: Mapping[str, int] = field(default_factory=dict)
    tasks: Mapping[str, int] = field(default_factory=dict)
    plays: Mapping[str, float] = field(default_factory=dict)

    def explain(self) -> str:
        """Return the errors, or the end of the output."""
        errors = [
            line for line in self.output.splitlines() if re.search(r"ERROR|fatal:|msg:", line)
        ]
        return "\n".join(errors[:12]) or self.output[-1500:]

    def changed_tasks(self) -> list[str]:
        """Return the names of the tasks that changed something."""
        result, task = [], ""
        for line in self.output.splitlines():
            if line.startswith("TASK ["):
                task = line[6 : line.rindex("]")]
            elif line.startswith("changed:") and task not in result:
                result.append(task)
        return result


class Lab:
    """A lab, named so that it stands beside others.

    :param subnet: its network; the third number is the lab's own.
    """

    def __init__(self, name: str, subnet: str) -> None:
        self.name = name
        self.directory = Path.home() / ".local/share/mcp-platform/labs" / name
        self.network = subnet.rpartition(".")[0]
        self.environment = {
            **os.environ,
            "LAB_NAME": name,
            "LAB_SUBNET": subnet,
            "ANSIBLE_NOCOLOR": "1",
            # Where skipped hosts are hidden, a task's name comes with its first result: too late.
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "1",
        }

    def address(self, host: str) -> str:
        """Return the host's IP address."""
        return f"{self.network}.{10 + int(host.removeprefix('node'))}"

    def play(
        self,
        playbook: str,
        *arguments: str,
        inventory: bool = True,
        environment: Mapping[str, str] | None = None,
        kill_at: str = "",
        kill_after: float = 0,
    ) -> Run:
        """Run a playbook of the collection.

        :param kill_at: kill ansible with SIGKILL at the first task whose name has this;
        :param kill_after: so many seconds into it.
        """
        where = ["-i", str(REPO / "inventories/lab")] if inventory else []
        command = ["ansible-playbook", *where, f"mcp.platform.{playbook}", *arguments]
        started = time.monotonic()
        lines: list[str] = []
        plays: dict[str, float] = {}
        LOGS.mkdir(parents=True, exist_ok=True)
        with (
            (LOGS / f"{self.name}.log").open("a", buffering=1) as log,
            subprocess.Popen(
                command,
                cwd=REPO,
                env={**self.environment, **(environment or {})},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            ) as process,
        ):
            assert process.stdout is not None
            log.write(f"$ {' '.join(command)}\n")
            for line in process.stdout:
                lines.append(line)
                now = time.monotonic()
                if line.startswith(("PLAY", "TASK")):
                    log.write(f"{now - started:.1f} s\n")
                log.write(line)
                if play := _PLAY.match(line):
                    began, name = now, play[1]
                if plays or play:
                    plays[name] = now - began
                if kill_at and line.startswith("TASK [") and kill_at in line:
                    time.sleep(kill_after)
                    os.killpg(process.pid, signal.SIGKILL)
                    break
        output = "".join(lines)
        rows = _RECAP.findall(output)
        return Run(
            process.returncode,
            output,
            time.monotonic() - started,
            {row[0]: int(row[2]) for row in rows},
            {row[0]: int(row[1]) + int(row[3]) for row in rows},
            plays,
        )

    def ssh_command(self, host: str, command: str) -> list[str]:
        """Return what runs *command* as root on the host."""
        return [
            *("ssh", "-i", str(self.directory / "id_ed25519"), "-oIdentitiesOnly=yes"),
            *("-oStrictHostKeyChecking=yes", f"-oUserKnownHostsFile={self.directory}/known_hosts"),
            *("-oConnectTimeout=5", "-oBatchMode=yes", f"platform@{self.address(host)}"),
            f"sudo -n sh -c {shlex.quote(command)}",
        ]

    def ssh(self, host: str, command: str, *, check: bool = True, timeout: float = 60) -> str:
        """Run *command* as root on the host and return what it printed."""
        done = subprocess.run(
            self.ssh_command(host, command),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{host}: {command}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def podman(self, *words: str) -> str:
        """Run the lab's podman."""
        command = [str(REPO / "roles/lab/files/lab-podman"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def running(self) -> dict[str, str]:
        """Return, by host and unit, what tells one run from another, and a reload from none."""
        result = {}
        shown = "--property=Id,InvocationID,NRestarts,StateChangeTimestampMonotonic"
        for host in HOSTS:
            for block in self.ssh(host, f"systemctl show {shown} {SERVICES}").split("\n\n"):
                facts = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
                result[f"{host} {facts.pop('Id')}"] = str(sorted(facts.items()))
        return result


class Writing:
    """A writer that plays an application; it ends with its figures.

    :param command: the program and its options, started by tools/connect.
    """

    def __init__(self, lab: Lab, *command: object) -> None:
        self.figures: dict[str, Any] = {}
        self._lab = lab
        self._command = [str(word) for word in (REPO / "tools/connect", *command)]

    def __enter__(self) -> Writing:
        self._process = subprocess.Popen(
            self._command,
            env=self._lab.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        first = self._process.stdout.readline()
        assert first.startswith("writing"), f"the writer could not begin: {first.strip()}"
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.terminate()
        said = self._process.communicate(timeout=300)[0]
        last = (said.splitlines() or [""])[-1]
        assert last.startswith("{"), f"the writer ended without figures: {said[-1500:]}"
        self.figures = json.loads(last)


def postgresql_writer(lab: Lab) -> Writing:
    """Return a writer of 50 commits a second through the primary door."""
    return Writing(
        lab,
        *("libpq", sys.executable, REPO / "tests/faults/postgresql_writer.py"),
        *("--host", "postgresql.platform.internal", "--database", "app"),
        *("--hostaddr", ",".join(lab.address(host) for host in HOSTS)),
        *("--user", "app_owner", "--ca", lab.directory / "state/ca.crt"),
        *("--rate", "50", "--seconds", "1200"),
    )


def redis_writer(lab: Lab, *options: str) -> Writing:
    """Return a writer of 50 keys a second to each shard."""
    program = (sys.executable, REPO / "tests/faults/redis_writer.py")
    return Writing(lab, "redis-env", *program, "--rate", "50", "--seconds", "1200", *options)


def s3_writer(lab: Lab) -> Writing:
    """Return a writer of 20 objects a second through the doors, who reads as many."""
    program = (sys.executable, REPO / "tests/faults/s3_writer.py")
    return Writing(lab, "s3-env", *program, "--rate", "20", "--seconds", "1200")


def s3_is_open(lab: Lab) -> bool:
    """Tell whether every host reaches an object store that takes writes."""
    ask = "curl -sf --max-time 3 --cacert /etc/mcp-platform/pki/ca.crt https://"
    place = "s3.platform.internal:9010/minio/health/cluster && echo open"
    return all(lab.ssh(host, ask + place, check=False).strip() == "open" for host in HOSTS)


def redis_is_whole(lab: Lab) -> bool:
    """Tell whether every Redis member of every host could be restarted now."""
    tool = "/usr/local/libexec/mcp-platform/redis-node may-restart"
    ask = f"{tool} 6379 && {tool} 6380 && echo whole"
    return all(lab.ssh(host, ask, check=False).strip() == "whole" for host in HOSTS)


def succeeded(run: Run) -> Run:
    """Return *run*, which has to have succeeded."""
    assert run.status == 0, run.explain()
    return run


def unchanged(run: Run) -> Run:
    """Return *run*, which has to have succeeded without a change on any host."""
    succeeded(run)
    assert run.changed, "no host was reached"
    assert not any(run.changed.values()), f"changed: {'; '.join(run.changed_tasks())}"
    return run


def wait_until(what: str, condition: Callable[[], bool], seconds: float = 120) -> float:
    """Poll *condition* until it holds; returns the seconds that took.

    :raises AssertionError: when it does not hold in time.
    """
    started = time.monotonic()
    while True:
        try:
            if condition():
                return time.monotonic() - started
        except (AssertionError, OSError, subprocess.SubprocessError):
            pass
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.5)
