# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the members of a vault cluster, as they present themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from .._core.errors import PlatformError
from .client import Connection, Transport, UnavailableError, Vault


@dataclass(frozen=True)
class Member:
    """One member, asked without a login.

    :param active: whether it is the one that serves writes; a standby answers for it.
    :param seal_type: ``shamir``, ``static``, ``transit``, …
    :param threshold: how many unseal keys a Shamir seal needs.
    :param error: why it did not answer.
    """

    address: str
    reachable: bool = False
    initialized: bool = False
    sealed: bool = True
    active: bool = False
    version: str = ""
    cluster_id: str = ""
    seal_type: str = ""
    threshold: int = 0
    error: str = ""

    @property
    def serving(self) -> bool:
        """Whether it is a working part of a cluster."""
        return self.reachable and self.initialized and not self.sealed

    def described(self) -> str:
        """Return its state in words."""
        if not self.reachable:
            return f"{self.address} does not answer ({self.error})"
        if not self.initialized:
            return f"{self.address} has not joined"
        return f"{self.address} is {'sealed' if self.sealed else 'unsealed'}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as a module returns it."""
        return {**asdict(self), "standby": self.serving and not self.active}


def read_member(connection: Connection, make: Callable[[Connection], Transport]) -> Member:
    """Ask one member how it is.

    :raises PlatformError: when its certificate is not trusted or hvac is missing, which waiting
        does not mend; a member that does not answer is returned as unreachable.
    """
    address = connection.address
    transport = make(connection)
    try:
        seal = transport("GET", "sys/seal-status", None)
        health = transport("GET", "sys/health", None)
    except UnavailableError as error:
        return Member(address, error=error.what)
    if "sealed" not in seal.body:
        return Member(address, error=f"status {seal.status}, which is not a vault's")
    return Member(
        address=address,
        reachable=True,
        initialized=bool(seal.body.get("initialized")),
        sealed=bool(seal.body["sealed"]),
        active=health.status == 200,
        version=str(seal.body.get("version", "")),
        cluster_id=str(seal.body.get("cluster_id", "")),
        seal_type=str(seal.body.get("type", "")),
        threshold=int(seal.body.get("t", 0)),
    )


def raft_peers(vault: Vault) -> list[dict[str, Any]]:
    """Return raft's own list of members; needs a token that may read it."""
    found = (vault.read("sys/storage/raft/configuration") or {}).get("config") or {}
    return [
        {key: server[key] for key in ("node_id", "address", "leader", "voter")}
        for server in found.get("servers", ())
    ]


def unseal(transport: Transport, member: Member, keys: tuple[str, ...]) -> None:
    """Give the member its Shamir keys.

    :raises PlatformError: when there are too few of them, or they are another vault's.
    """
    if len(set(keys)) < member.threshold:
        raise PlatformError(
            f"it needs {member.threshold} unseal keys, {len(set(keys))} are given",
            where=member.address,
            hint="set unseal_keys to at least so many different keys",
        )
    # Keys that somebody gave before, and maybe wrong ones, must not be counted in.
    transport("PUT", "sys/unseal", {"reset": True})
    for key in keys[: member.threshold]:
        reply = transport("PUT", "sys/unseal", {"key": key})
        if reply.status != 200:
            raise PlatformError(
                f"the unseal keys are not this vault's: {reply.errors}",
                where=member.address,
                hint="use the keys of this platform's state",
            )
