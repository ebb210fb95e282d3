# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what a lab is, and what was found of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._core.errors import PlatformError

LAB_LABEL = "mcp.platform.lab"
HOST_LABEL = "mcp.platform.host"
UPSTREAM_LABEL = "mcp.platform.upstream"

CACHE_NAME = "mcp-platform-apt-cache"
CACHE_PORT = 3142

# .1 is the bridge; up to here the addresses are left for load tests and virtual addresses.
FIRST_ADDRESS = 11


@dataclass(frozen=True)
class Host:
    """One host of the lab: a systemd container with a fixed address."""

    name: str
    container: str
    address: str

    @property
    def hardware_address(self) -> str:
        """A hardware address of its own that stays, as a machine's does.

        One made anew at each start would leave the neighbours sending to the old one for seconds.
        Its first byte marks it as locally administered (IEEE 802), the last four are the address.
        """
        return "02:4d:" + ipaddress.IPv4Address(self.address).packed.hex(":")


@dataclass(frozen=True)
class Lab:
    """The lab that is asked for.

    :param name: prefix of its containers and name of its network.
    :param subnet: its own IPv4 network.
    :param image: image of its hosts.
    :param authorized_key: public key that the lab's user accepts.
    :param apt_proxy: URL of the proxy that its hosts' apt uses, empty for none.
    :param drives: where each of its hosts has a volume besides its root file system.
    """

    name: str
    subnet: ipaddress.IPv4Network
    hosts: tuple[Host, ...]
    image: str
    authorized_key: str
    apt_proxy: str = ""
    drives: tuple[str, ...] = ()

    @property
    def gateway(self) -> str:
        """The address of the machine itself in the lab's network."""
        return str(self.subnet.network_address + 1)


@dataclass(frozen=True)
class FoundHost:
    """What is known of an existing container; the last three only when it runs and answers."""

    running: bool
    image: str = ""
    authorized_key: str = ""
    apt_proxy: str = ""
    host_key: str = ""


@dataclass(frozen=True)
class Found:
    """What exists of a lab.

    :param subnet: the subnet of its network, None without a network.
    :param hosts: its containers by name.
    """

    subnet: ipaddress.IPv4Network | None = None
    hosts: Mapping[str, FoundHost] = field(default_factory=dict)


def parse_subnet(text: str) -> ipaddress.IPv4Network:
    """Return the IPv4 network *text*; a /24 keeps the inventory's address arithmetic readable."""
    try:
        subnet = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise PlatformError(
            f"{text!r} is not an IPv4 network: {error}",
            where="lab_subnet",
            hint="give a /24 such as 10.77.0.0/24",
        ) from error
    if subnet.prefixlen != 24 or not subnet.is_private:
        raise PlatformError(
            f"{text} is not a private /24",
            where="lab_subnet",
            hint="give a /24 of a private range, such as 10.77.0.0/24",
        )
    return subnet


def place(lab: str, subnet: ipaddress.IPv4Network, names: Sequence[str]) -> tuple[Host, ...]:
    """Return the hosts with their containers' names and addresses, in the order of *names*."""
    if len(set(names)) != len(names):
        raise PlatformError("two hosts of the lab have the same name", where="hosts")
    return tuple(
        Host(name, f"{lab}-{name}", str(subnet.network_address + FIRST_ADDRESS + number))
        for number, name in enumerate(names)
    )


def refuse_taken(
    subnet: ipaddress.IPv4Network, taken: Iterable[tuple[str, ipaddress.IPv4Network]]
) -> None:
    """Raise when *subnet* overlaps a network in *taken*, given as (who uses it, network)."""
    for owner, network in taken:
        if subnet.overlaps(network):
            raise PlatformError(
                f"the address range {subnet} is taken: {network} belongs to {owner}",
                where="lab_subnet",
                hint="choose another range, such as: make lab LAB_SUBNET=10.78.0.0/24",
            )
