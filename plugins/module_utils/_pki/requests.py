# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: which certificates a host has to ask an authority for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .._core.plan import Change
from .._files.model import Attributes, File, normal_mode
from . import inspect

ISSUED = "certificate"


@dataclass(frozen=True)
class Wanted:
    """A certificate that a host should have.

    :param certificate: path of the leaf with its chain.
    :param private_key: path of its key, which never leaves the host.
    :param ca: path of the trust anchor beside it, empty for none.
    :param names: DNS names that it carries.
    :param addresses: IP addresses that it carries.
    :param owner: who owns the files.
    :param mode: permissions of the key.
    :param renew_below_days: it is issued again when it is valid for less.
    """

    certificate: str
    private_key: str
    ca: str
    common_name: str
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    owner: str
    group: str
    mode: str
    renew_below_days: int

    def file(self, path: str, content: bytes, mode: str, *, sensitive: bool = False) -> File:
        """Return *content* as the file at *path*, owned as this certificate's files are."""
        attributes = Attributes(self.owner, self.group, normal_mode(mode))
        return File(path, attributes, content, sensitive=sensitive)


@dataclass(frozen=True)
class Found:
    """The contents of the three files now; None where there is none."""

    certificate: bytes | None = None
    private_key: bytes | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether a certificate serves, and why not.

    :param broken: why it can't be used, a sentence each.
    :param due: why it should be renewed although it can be used.
    """

    broken: tuple[str, ...] = ()
    due: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why a new one is needed; empty when none is."""
        return self.broken or self.due


def wanted_from(params: Mapping[str, Any]) -> tuple[Wanted, ...]:
    """Return the module's options as desired certificates."""
    return tuple(
        Wanted(
            certificate=item["certificate"],
            private_key=item["private_key"],
            ca=item["ca"] or "",
            common_name=item["common_name"],
            names=tuple(item["names"]),
            addresses=tuple(item["addresses"]),
            owner=item["owner"],
            group=item["group"],
            mode=item["mode"],
            renew_below_days=item["renew_below_days"],
        )
        for item in params["certificates"]
    )


def judge(
    wanted: Wanted, found: Found, authority: bytes = b"", *, now: datetime | None = None
) -> Verdict:
    """Return whether what was found serves.

    :param authority: certificate of the authority that it must come from, empty when unknown.
    """
    if found.certificate is None or found.private_key is None:
        missing = wanted.certificate if found.certificate is None else wanted.private_key
        return Verdict((f"there is no {missing}",))
    material = inspect.Material(found.certificate, found.private_key, authority)
    names: Sequence[str] = (*wanted.names, *wanted.addresses)
    broken = inspect.problems(material, names=names, now=now)
    left = timedelta(days=wanted.renew_below_days)
    due = [] if broken else inspect.problems(material, names=names, now=now, left=left)
    return Verdict(tuple(broken), tuple(due))


def issue(wanted: Wanted, found: Found, verdict: Verdict) -> Change:
    """Return the change that a new certificate is; its reasons are what a diff shows."""
    kind = "issue" if found.certificate is None else "renew"
    after = {"common_name": wanted.common_name, "because": "; ".join(verdict.reasons)}
    return Change(kind, f"{ISSUED} {wanted.certificate}", None, after)
