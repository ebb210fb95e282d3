# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: proves what a host can and cannot do with its login to the vault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._core.errors import PlatformError
from .._pki.inspect import Material, problems
from .._vault.client import Vault
from .model import Proof, try_all


@dataclass(frozen=True)
class Wanted:
    """What to try.

    :param mount: key-value engine of version 2.
    :param secret: path of a secret that this login may read.
    :param forbidden_secret: path of one that it may not.
    :param issue: path that issues certificates, ``pki/issue/node1``.
    :param common_name: a name that it issues for.
    :param foreign_name: a name that it must refuse.
    :param ca: the authority that certificates must lead to, PEM.
    """

    mount: str
    secret: str
    forbidden_secret: str
    issue: str
    common_name: str
    foreign_name: str
    ca: bytes


def _read(vault: Vault, wanted: Wanted) -> str:
    found = vault.read(f"{wanted.mount}/data/{wanted.secret}")
    if not found or not found.get("data"):
        raise PlatformError(f"there is no secret {wanted.secret}")
    return f"{wanted.secret}, version {found['metadata']['version']}"


def _issue(vault: Vault, wanted: Wanted) -> str:
    document = {"common_name": wanted.common_name, "ttl": "5m"}
    issued = vault.write(wanted.issue, document)
    chain = "\n".join([issued["certificate"], *issued.get("ca_chain", [])])
    material = Material(chain.encode(), issued["private_key"].encode(), wanted.ca)
    found = problems(material, names=[wanted.common_name])
    if found:
        raise PlatformError("; ".join(found))
    return f"{wanted.common_name}, serial {issued['serial_number'][:11]}…"


def _refused(vault: Vault, method: str, path: str, document: Mapping[str, Any] | None) -> str:
    reply = vault.request(method, path, document, accept=(400, 403, 404))
    if reply.status in {400, 403}:
        return f"status {reply.status}"
    raise PlatformError(f"it answered with status {reply.status}")


def prove(vault: Vault, wanted: Wanted) -> list[Proof]:
    """Try everything, and return for each try whether it ended as it has to."""

    def forbidden() -> str:
        return _refused(vault, "GET", f"{wanted.mount}/data/{wanted.forbidden_secret}", None)

    def foreign() -> str:
        return _refused(vault, "POST", wanted.issue, {"common_name": wanted.foreign_name})

    tries: dict[str, Callable[[], str]] = {
        "a secret is read with the host's own AppRole": lambda: _read(vault, wanted),
        "a certificate is issued, and leads to the root": lambda: _issue(vault, wanted),
        "refused: another's secret": forbidden,
        "refused: a certificate for a foreign name": foreign,
    }
    return try_all("vault", tries.items(), (PlatformError,))
