# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: reads, plans and applies; what the modules call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .._core.module import Outcome
from .._core.plan import Change
from . import client, databases, roles
from .client import Login, ServerAbsentError, Session
from .model import NEW_CONTENT, Content, DesiredDatabase, Role, desired_database, desired_role

Connect = Callable[..., Session]


@contextmanager
def _session(connect: Connect, login: Login, database: str = "", **how: Any) -> Iterator[Session]:
    session = connect(login, database, **how)
    try:
        yield session
    finally:
        session.close()


@contextmanager
def _administration(
    connect: Connect, login: Login, check_mode: bool, warn: Callable[[str], None]
) -> Iterator[Session | None]:
    """Yield a session, or None where check mode meets a server that this run would first make."""
    try:
        session = connect(login, wait=0 if check_mode else login.wait)
    except ServerAbsentError as error:
        if not check_mode:
            raise
        warn(f"taken for an empty server: {error.what}")
        yield None
        return
    try:
        yield session
    finally:
        session.close()


def apply_roles(
    options: Mapping[str, Any],
    *,
    check_mode: bool,
    warn: Callable[[str], None],
    connect: Connect = client.connect,
) -> Outcome:
    """Bring the server's roles to the state that *options* describe."""
    desired = [desired_role(entry) for entry in options["roles"]]
    protected = options["protected"]
    with _administration(connect, client.login(options), check_mode, warn) as session:
        # An empty server has the pre-defined roles; which ones, only a real one could tell.
        groups = {group for role in desired for group in role.memberships or ()}
        assumed = {name: Role(name) for name in groups if name.startswith("pg_")}
        current = client.read_roles(session) if session else assumed
        steps = roles.plan(current, desired, exclusive=options["exclusive"], protected=protected)
        if session and steps and not check_mode:
            session.apply(steps)
    listed = [] if options["exclusive"] else roles.unlisted(current, desired, protected)
    return Outcome(roles.changes(steps), {"unlisted": listed})


def _content(session: Session, desired: DesiredDatabase) -> Content:
    content = client.read_content(session, desired.extensions)
    databases.refuse_unavailable(desired, content)
    return content


def _inside(
    connect: Connect, login: Login, desired: DesiredDatabase, owner: str, check_mode: bool
) -> tuple[Sequence[Change], Content]:
    """Plan and carry out what lies inside one database; return the changes and what was there."""
    with _session(connect, login, desired.name) as session:
        content = _content(session, desired)
        steps = databases.plan_content(desired, content, owner)
        apart = [step for step in steps if step.alone]
        if not check_mode:
            session.apply(step for step in steps if not step.alone)
    if not check_mode:
        for step in apart:
            with _session(connect, login, desired.name) as session:
                session.apply((step,))
    return [step.change for step in steps], content


def apply_databases(
    options: Mapping[str, Any],
    *,
    check_mode: bool,
    warn: Callable[[str], None],
    connect: Connect = client.connect,
) -> Outcome:
    """Bring the server's databases, and what lies inside them, to the state of *options*."""
    desired = [desired_database(entry) for entry in options["databases"]]
    login = client.login(options)
    with _administration(connect, login, check_mode, warn) as session:
        current = client.read_databases(session) if session else {}
        administrator, version = login.user, ""
        if session:
            version = session.version()
            names, administrator = client.read_names(session)
            # In check mode the roles may be what the task before this one would create.
            known = names if not check_mode else names.union(*(d.roles for d in desired))
            databases.refuse_unknown(desired, known)
        steps = databases.plan(current, desired, administrator)
        if session and steps and not check_mode:
            session.apply(steps)
    changes = list(roles.changes(steps))
    drift: list[str] = []
    for database in desired:
        if not database.present:
            continue
        there = current.get(database.name)
        owner = database.owner or (there.owner if there else administrator)
        if there is None and check_mode:
            steps = databases.plan_content(database, NEW_CONTENT, owner)
            changes += [step.change for step in steps]
            continue
        made, content = _inside(connect, login, database, owner, check_mode)
        changes += made
        drift += databases.drift(database, there, content, owner)
    return Outcome(changes, {"drift": drift, "server_version": version})
