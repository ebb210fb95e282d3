# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the package cache that all labs of a machine share."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .._core.errors import PlatformError
from .client import Podman, networks
from .model import CACHE_NAME, CACHE_PORT, UPSTREAM_LABEL

LOCK = Path("/run/mcp-platform/shared.lock")
START_SECONDS = 20


@contextlib.contextmanager
def shared_things_locked() -> Iterator[None]:
    """Keep two runs from making the same image or cache at once: labs may be made side by side."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class FoundCache:
    """What exists of the cache: its container's state and what it was made from.

    :param status: podman's word for it; "silent" when it is said to run and nothing answers.
    """

    status: str = ""
    image: str = ""
    upstream: str = ""
    address: str = ""

    def serves(self, image: str, upstream: str) -> bool:
        """Tell whether it runs, made as asked for."""
        return (self.status, self.image, self.upstream) == ("running", image, upstream)

    @property
    def url(self) -> str:
        """The proxy's URL for the lab's hosts."""
        return f"http://{self.address}:{CACHE_PORT}"


def read_cache(podman: Podman) -> FoundCache:
    """Return what exists of the cache."""
    subnets = networks(podman).get(CACHE_NAME)
    address = str(subnets[0].network_address + 2) if subnets else ""
    if podman.attempt("container", "exists", CACHE_NAME).returncode != 0:
        return FoundCache(address=address)
    container = podman.documents("container", "inspect", CACHE_NAME)[0]
    status = container["State"]["Status"]
    if status == "running" and _silence(address):
        # Podman takes what ran when the machine was cut off for running still.
        status = "silent"
    return FoundCache(
        status,
        container["ImageName"],
        container["Config"]["Labels"].get(UPSTREAM_LABEL, ""),
        address,
    )


def _silence(address: str) -> str:
    """Return why nothing answers at the cache's *address*, empty when it does."""
    try:
        with socket.create_connection((address, CACHE_PORT), timeout=2):
            return ""
    except OSError as error:
        return str(error) or type(error).__name__


def _wait_until_it_answers(address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while reason := _silence(address):
        if time.monotonic() > deadline:
            raise PlatformError(
                f"the package cache does not answer at {address}:{CACHE_PORT}: {reason}",
                where=CACHE_NAME,
                hint="read podman logs mcp-platform-apt-cache, or go without: lab_apt_cache=false",
            )
        time.sleep(0.2)


def build_cache(podman: Podman, found: FoundCache, image: str, upstream: str) -> FoundCache:
    """Make the cache run *image*; its network and the volume with the packages are kept.

    Privileged only for the limits that crun sets (see image.py): the program is an unprivileged
    user's and can't become another.

    :param upstream: HTTP proxy that the cache itself goes through, empty for none.
    """
    if not found.address:
        # Podman picks a free range, so the cache needs no setting of its own.
        podman.run("network", "create", "--disable-dns", CACHE_NAME)
        found = read_cache(podman)
    if found.status:
        podman.run("rm", "--force", "--time", "2", CACHE_NAME)
    podman.run(
        *("run", "--detach", "--name", CACHE_NAME, "--restart=always"),
        *("--label", f"{UPSTREAM_LABEL}={upstream}"),
        *("--network", CACHE_NAME, "--ip", found.address),
        *("--volume", f"{CACHE_NAME}:/var/cache/apt-cacher-ng"),
        *("--privileged", "--security-opt", "no-new-privileges"),
        *("--user", "apt-cacher-ng", image, "apt-cacher-ng", "-c", "/etc/lab-apt-cache"),
        *([f"Proxy={upstream}"] if upstream else []),
    )
    _wait_until_it_answers(found.address)
    return FoundCache("running", image, upstream, found.address)
