# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: how a MinIO server is told its drives, and which layouts it takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .._core.errors import PlatformError

SET_SIZES = range(2, 17)
"""How many drives an erasure set may have."""

_NUMBERED = re.compile(r"^(.*?)([0-9]+)([^0-9]*)$")


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Return a key by which ``node10`` stands behind ``node9``."""
    return tuple(
        (int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", name)
    )


@dataclass(frozen=True)
class Pool:
    """Servers that were added together.

    The place of a drive in the server's arguments is written on the drive, so an inventory that
    lists the same hosts in another order must not make another pool.

    :param hosts: their full names.
    :param drives: paths of the drives, the same on each of them.
    """

    hosts: tuple[str, ...]
    drives: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "hosts", tuple(sorted(self.hosts, key=_natural)))
        object.__setattr__(self, "drives", tuple(sorted(self.drives, key=_natural)))


@dataclass(frozen=True)
class Layout:
    """How the server lays objects out.

    :param volumes: the server's arguments, one or more for each pool.
    :param set_sizes: drives of an erasure set, by pool.
    :param parity: how many drives of a set may be lost while objects can be read.
    """

    volumes: tuple[str, ...]
    set_sizes: tuple[int, ...]
    parity: int


def pattern(names: Sequence[str]) -> str | None:
    """Return *names* as one word with a range, ``node{1...3}``; None where they are no range."""
    if len(names) == 1:
        return names[0]
    parts = [_NUMBERED.match(name) for name in names]
    found = [part.groups() for part in parts if part]
    if len(found) != len(names) or len({(before, after) for before, _number, after in found}) != 1:
        return None
    numbers = [number for _before, number, _after in found]
    first = int(numbers[0])
    width = len(numbers[0]) if numbers[0].startswith("0") else 0
    if numbers != [f"{first + step:0{width}d}" for step in range(len(numbers))]:
        return None
    return f"{found[0][0]}{{{numbers[0]}...{numbers[-1]}}}{found[0][2]}"


def set_size(pool: Pool) -> int:
    """Return how many drives the server puts into an erasure set of *pool*; 0 where it can't.

    Of the sizes that divide all drives, and spread evenly over hosts, it takes the largest.
    """
    hosts, drives = len(pool.hosts), len(pool.drives)
    if hosts * drives == 1:
        return 1
    fits = [
        size
        for size in SET_SIZES
        if hosts * drives % size == 0
        and all(size % count == 0 or count % size == 0 for count in (hosts, drives))
    ]
    return max(fits, default=0)


def default_parity(size: int) -> int:
    """Return the parity that the server takes for sets of *size* drives."""
    if size == 1:
        return 0
    return 1 if size < 4 else 2 if size < 6 else 3 if size < 8 else 4


def _url(host: str, drive: str, port: int) -> str:
    return f"https://{host}:{port}{drive}"


def _arguments(pool: Pool, port: int, *, alone: bool) -> tuple[str, ...]:
    """Return the arguments for one pool; more than one only where it is the only pool."""
    if len(pool.hosts) * len(pool.drives) == 1:
        # A server with a single drive is told its path.
        return pool.drives
    hosts, drives = pattern(pool.hosts), pattern(pool.drives)
    if hosts and drives:
        return (_url(hosts, drives, port),)
    if not alone:
        raise PlatformError(
            f"{', '.join(pool.hosts if not hosts else pool.drives)} are not numbered one after the "
            "other, and a store of several pools is told them as ranges",
            hint="call the hosts and drives of a pool so that only a number differs, "
            "such as store4, store5, store6",
        )
    # Drive by drive, so that every set spreads over the hosts.
    return tuple(_url(host, drive, port) for drive in pool.drives for host in pool.hosts)


def layout(pools: Sequence[Pool], port: int, parity: int = 0) -> Layout:
    """Return how a store of *pools* is laid out.

    :param port: that all servers listen on.
    :param parity: drives of a set that may be lost; 0 for what the server takes by itself.
    :raises PlatformError: for a layout that the server would refuse.
    """
    if not pools:
        raise PlatformError("there is no pool", hint="list hosts and drives")
    hosts = [host for pool in pools for host in pool.hosts]
    twice = sorted({host for host in hosts if hosts.count(host) > 1})
    if twice:
        raise PlatformError(
            f"{', '.join(twice)} stands twice", hint="a host belongs to one pool, once"
        )
    sizes = []
    for number, pool in enumerate(pools, 1):
        size = set_size(pool)
        count = len(pool.hosts) * len(pool.drives)
        if not size or (size == 1 and len(pools) > 1):
            raise PlatformError(
                f"{count} drives ({len(pool.hosts)} hosts with {len(pool.drives)} each) of pool "
                f"{number} can't be split into sets of {SET_SIZES[0]} to {SET_SIZES[-1]} drives "
                "that spread evenly over hosts",
                hint="change the number of hosts or of drives on each, "
                "for example to four hosts with four",
            )
        sizes.append(size)
    # The first pool's, where nobody says: all pools have the same.
    parity = parity or default_parity(sizes[0])
    if parity > min(sizes) // 2:
        raise PlatformError(
            f"a parity of {parity} is more than half of a set of {min(sizes)} drives",
            hint=f"set the parity to at most {min(sizes) // 2}, or use more drives",
        )
    volumes = [word for pool in pools for word in _arguments(pool, port, alone=len(pools) == 1)]
    return Layout(tuple(volumes), tuple(sizes), parity)
