# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: how a lab is made and removed, from the request to the outcome."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .._core.errors import PlatformError
from .._core.module import Outcome
from .._core.plan import Change
from .cache import FoundCache, build_cache, read_cache, shared_things_locked
from .client import (
    Podman,
    build_up,
    networks,
    read,
    refuse_foreign,
    routes,
    tear_down,
)
from .image import machine_proxy
from .model import CACHE_NAME, Found, Lab, parse_subnet, place, refuse_taken
from .plan import plan, plan_removal


@dataclass(frozen=True)
class Request:
    """What the user asks for, as given."""

    name: str
    subnet: str
    hosts: tuple[str, ...]
    image: str
    authorized_key: str
    apt_cache_image: str = ""
    memory_required: int = 0
    drives: tuple[str, ...] = ()


def check_name(name: str) -> None:
    """Raise where *name* can't be the name of a lab."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,20}", name) or name in ("podman", CACHE_NAME):
        raise PlatformError(
            f"{name!r} can't be the name of a lab",
            where="lab_name",
            hint="use up to 21 lower-case letters, digits and hyphens, a letter first",
        )


def available_memory(meminfo: str) -> int:
    """Return the MiB that can be used without swapping, from the text of /proc/meminfo."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(found.group(1)) // 1024 if found else 0


def _refuse_little_memory(required: int) -> None:
    available = available_memory(Path("/proc/meminfo").read_text(encoding="ascii"))
    if available < required:
        raise PlatformError(
            f"{available} MiB of memory are available, the lab needs {required} MiB",
            where="lab_memory_required",
            hint="stop something, or destroy another lab; fewer hosts need less",
        )


def _refuse_taken_range(podman: Podman, lab: Lab) -> None:
    taken = [
        (f"podman's network {name}", subnet)
        for name, subnets in networks(podman).items()
        for subnet in subnets
    ]
    refuse_taken(lab.subnet, [*taken, *routes()])


def _ensure_cache(podman: Podman, image: str, *, check_mode: bool) -> tuple[list[Change], str]:
    """Return what had to be done for the cache, and the proxy's URL for the lab's hosts."""
    upstream = machine_proxy()
    if not image:
        return [], upstream
    found: FoundCache = read_cache(podman)
    if found.serves(image, upstream):
        return [], found.url
    changes = [Change("start", "package cache", None, {"image": image})]
    if check_mode:
        return changes, found.url
    with shared_things_locked():
        found = read_cache(podman)
        if not found.serves(image, upstream):
            found = build_cache(podman, found, image, upstream)
    return changes, found.url


def _values(lab: Lab, found: Found) -> dict[str, Any]:
    hosts = []
    for host in lab.hosts:
        present = found.hosts.get(host.container)
        if present is not None:
            hosts.append({**asdict(host), "image": present.image, "host_key": present.host_key})
    return {"hosts": hosts}


def _check_before_changes(
    podman: Podman, lab: Lab, found: Found, changes: Sequence[Change], memory_required: int
) -> None:
    if any(change.kind in ("create", "start") for change in changes):
        _refuse_little_memory(memory_required)
    if found.subnet is None:
        _refuse_taken_range(podman, lab)
    refuse_foreign(podman, lab, found)


def make(podman: Podman, request: Request, *, check_mode: bool) -> Outcome:
    """Bring the lab into being and return its hosts."""
    check_name(request.name)
    subnet = parse_subnet(request.subnet)
    found = read(podman, request.name)
    lab = Lab(
        name=request.name,
        subnet=subnet,
        hosts=place(request.name, subnet, request.hosts),
        image=request.image,
        authorized_key=request.authorized_key.strip(),
        drives=request.drives,
    )
    _check_before_changes(podman, lab, found, plan(found, lab), request.memory_required)
    cache_changes, proxy = _ensure_cache(podman, request.apt_cache_image, check_mode=check_mode)
    lab = Lab(**{**vars(lab), "apt_proxy": proxy})
    changes = [*cache_changes, *plan(found, lab)]
    if changes and not check_mode:
        found = build_up(podman, lab, found)
    return Outcome(changes, _values(lab, found))


def remove(podman: Podman, name: str, *, check_mode: bool) -> Outcome:
    """Remove the lab, and nothing that does not carry its label."""
    check_name(name)
    if shutil.which("podman") is None:
        return Outcome()
    found = read(podman, name)
    changes = plan_removal(found, name)
    if changes and not check_mode:
        tear_down(podman, name, found)
    return Outcome(changes)
