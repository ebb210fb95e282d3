# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: requests to the admin API as the steps of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .._core.module import Context
from .._core.plan import Change
from .._s3.client import NotYetError, login_from
from .client import Admin, Connect


@dataclass(frozen=True)
class Request:
    """One request; the document may hold secrets and is not shown."""

    method: str
    command: str
    query: Mapping[str, str] = field(default_factory=dict)
    document: Any = field(default=None, repr=False)
    sealed: bool = False


@dataclass(frozen=True)
class Step:
    """One change, and the requests that make it."""

    change: Change
    requests: tuple[Request, ...]


def carry_out(admin: Admin, steps: Iterable[Step]) -> None:
    """Send all requests of *steps*, in their order."""
    for step in steps:
        for one in step.requests:
            admin.call(one.method, one.command, one.query, one.document, sealed=one.sealed)


@contextmanager
def opened(context: Context, connect: Connect) -> Iterator[tuple[Admin, Any] | None]:
    """Yield a login with what the server says about itself, or None for one that is not there yet.

    Only check mode takes an absent server for one to come.
    """
    login = login_from(context.params)
    try:
        admin = connect(login)
        # The first reply tells whether somebody is there, and needs no more than a login.
        about = admin.call("GET", "accountinfo")
    except NotYetError as error:
        if not context.check_mode:
            raise
        context.warn(f"taken for a new server: {error.what}")
        yield None
        return
    yield admin, about
