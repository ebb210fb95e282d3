# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what a host is, and what it lacks."""

from __future__ import annotations

import ipaddress
import os
import platform
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Drive:
    """A directory that should lie on a drive of its own.

    :param size_mb: size in MiB of the file system that it is on.
    :param on_root: whether that is the host's root file system.
    """

    path: str
    size_mb: int
    on_root: bool


@dataclass(frozen=True)
class Host:
    """What a host is.

    :param system: os-release's ID and VERSION_ID.
    :param architecture: the kernel's machine name.
    :param memory_mb: memory in MiB.
    :param init: name of the process with the id 1.
    :param ssh_clients: addresses with an established connection to the SSH server.
    :param drives: those that were asked about and exist.
    """

    system: tuple[str, str]
    architecture: str
    memory_mb: int
    init: str
    ssh_clients: tuple[str, ...] = ()
    drives: tuple[Drive, ...] = ()


@dataclass(frozen=True)
class Requirements:
    """What it must be; empty tuples and 0 ask for nothing."""

    systems: tuple[tuple[str, str], ...] = ()
    architectures: tuple[str, ...] = ()
    memory_mb: int = 0
    ssh_sources: tuple[str, ...] = ()
    drives: tuple[str, ...] = ()


def os_release(text: str) -> tuple[str, str]:
    """Return ID and VERSION_ID of an os-release file."""
    pairs = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    values = {key: "".join(shlex.split(value)) for key, value in pairs.items()}
    return values.get("ID", "unknown"), values.get("VERSION_ID", "unknown")


def memory_mb(text: str) -> int:
    """Return the memory in MiB that /proc/meminfo tells."""
    line = next(line for line in text.splitlines() if line.startswith("MemTotal:"))
    return int(line.split()[1]) // 1024


def ssh_clients(text: str) -> tuple[str, ...]:
    """Return the peers' addresses in the output of ``ss -Htn state established``."""
    peers = {line.split()[3].rpartition(":")[0].strip("[]") for line in text.splitlines() if line}
    return tuple(sorted(peer.removeprefix("::ffff:").partition("%")[0] for peer in peers))


def drives_at(paths: Iterable[str], root: Path) -> tuple[Drive, ...]:
    """Return what is known of those *paths* that are directories."""
    found = []
    for path in paths:
        place = root / path.lstrip("/")
        if place.is_dir():
            space = os.statvfs(place)
            size = space.f_blocks * space.f_frsize // 2**20
            found.append(Drive(path, size, place.stat().st_dev == root.stat().st_dev))
    return tuple(found)


def read(ssh_port: int, drives: Iterable[str] = (), root: Path = Path("/")) -> Host:
    """Return what the host this runs on is.

    :param ssh_port: port of its SSH server.
    :param drives: paths of directories that should be drives.
    :param root: where ``etc`` and ``proc`` are.
    """
    done = subprocess.run(  # pylint: disable=ansible-bad-function
        ["ss", "-Htn", "state", "established", f"( sport = :{ssh_port} )"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return Host(
        os_release((root / "etc/os-release").read_text()),
        platform.machine(),
        memory_mb((root / "proc/meminfo").read_text()),
        (root / "proc/1/comm").read_text().strip(),
        ssh_clients(done.stdout),
        drives_at(drives, root),
    )


def _inside(address: str, networks: Iterable[str]) -> bool:
    parsed = ipaddress.ip_address(address)
    return any(parsed in ipaddress.ip_network(network, strict=False) for network in networks)


def _locked_out(host: Host, sources: Sequence[str]) -> list[str]:
    if not sources or not host.ssh_clients:
        return []
    if any(_inside(client, sources) for client in host.ssh_clients):
        return []
    return [
        f"the firewall would cut this very connection: it comes from {', '.join(host.ssh_clients)},"
        f" and SSH is open to {', '.join(sources)}"
    ]


def _unfit(found: Sequence[Drive], wanted: Sequence[str]) -> list[str]:
    """Return what is wrong with drives that are asked for."""
    known = {drive.path for drive in found}
    told = [
        f"there is no directory {path}; mount a drive there" for path in wanted if path not in known
    ]
    told += [
        f"{drive.path} is on the root file system; mount a drive there"
        for drive in found
        if drive.on_root
    ]
    sizes = {drive.size_mb for drive in found}
    # A file system's own needs differ a little between drives of one size.
    if not told and sizes and max(sizes) - min(sizes) > max(sizes) // 20:
        shown = ", ".join(f"{drive.path} {drive.size_mb} MiB" for drive in found)
        told.append(f"the drives differ in size, and the smallest would count for all: {shown}")
    return told


def problems(host: Host, wanted: Requirements) -> list[str]:
    """Return what the host lacks, a sentence each."""
    found = []
    if wanted.systems and host.system not in wanted.systems:
        names = " or ".join(" ".join(system) for system in wanted.systems)
        found.append(f"the host runs {' '.join(host.system)}, not {names}")
    if wanted.architectures and host.architecture not in wanted.architectures:
        names = " or ".join(wanted.architectures)
        found.append(f"the host's architecture is {host.architecture}, not {names}")
    if host.memory_mb < wanted.memory_mb:
        found.append(
            f"the host has {host.memory_mb} MiB of memory, {wanted.memory_mb} MiB are asked for"
        )
    if host.init != "systemd":
        found.append(f"the host was started by {host.init}, not by systemd")
    found += _unfit(host.drives, wanted.drives)
    return found + _locked_out(host, wanted.ssh_sources)


def requirements_from(params: Mapping[str, Any]) -> Requirements:
    """Return the module's options as :class:`Requirements`."""
    return Requirements(
        tuple((system["id"], system["version"]) for system in params["systems"]),
        tuple(params["architectures"]),
        int(params["memory_mb"]),
        tuple(params["ssh_sources"]),
        tuple(params["drives"]),
    )
