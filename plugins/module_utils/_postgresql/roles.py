# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the pure plan that turns a server's roles into the desired ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import HIDDEN, Change
from . import scram
from .model import Attributes, DesiredRole, Role
from .sql import Step, identifier, identifiers, literal, settings_clauses

_KEYWORDS = {
    "login": "LOGIN",
    "superuser": "SUPERUSER",
    "createdb": "CREATEDB",
    "createrole": "CREATEROLE",
    "replication": "REPLICATION",
    "bypassrls": "BYPASSRLS",
    "inherit": "INHERIT",
}


def target(current: Role | None, desired: DesiredRole) -> Role:
    """Return the state that *desired* leads to; a password that already fits is kept as it is."""
    base = current or Role(desired.name)
    stored = base.verifier
    if desired.password is not None and not scram.matches(stored, desired.password):
        given = desired.password
        stored = given if scram.is_verifier(given) else scram.verifier(given)
    return replace(
        base,
        attributes=desired.attributes,
        verifier=stored,
        memberships=base.memberships if desired.memberships is None else desired.memberships,
        settings=base.settings if desired.settings is None else desired.settings,
    )


def _clauses(before: Attributes, after: Attributes) -> list[str]:
    was, shall = asdict(before), asdict(after)
    clauses = [
        keyword if shall[name] else f"NO{keyword}"
        for name, keyword in _KEYWORDS.items()
        if shall[name] != was[name]
    ]
    if after.connection_limit != before.connection_limit:
        clauses.append(f"CONNECTION LIMIT {after.connection_limit}")
    return clauses


# What CREATE ROLE gives when nothing is said: not this module's defaults, LOGIN differs.
_CREATED = Attributes(login=False)


def _statements(before: Role | None, after: Role) -> Iterator[str]:
    name = identifier(after.name)
    base = before or Role(after.name, _CREATED)
    clauses = _clauses(base.attributes, after.attributes)
    if after.verifier is not None and after.verifier != base.verifier:
        clauses.append(f"PASSWORD {literal(after.verifier)}")
    if before is None:
        yield " ".join((f"CREATE ROLE {name}", *clauses))
    elif clauses:
        yield " ".join((f"ALTER ROLE {name}", *clauses))
    for clause in settings_clauses(dict(base.settings), dict(after.settings)):
        yield f"ALTER ROLE {name} {clause}"


def _membership_statements(before: Role | None, after: Role) -> Iterator[str]:
    had = before.memberships if before else frozenset()
    gained, lost = sorted(after.memberships - had), sorted(had - after.memberships)
    if gained:
        yield f"GRANT {identifiers(gained)} TO {identifier(after.name)}"
    if lost:
        yield f"REVOKE {identifiers(lost)} FROM {identifier(after.name)}"


def _shown(role: Role, *, hide_as: str) -> dict[str, Any]:
    return {
        **asdict(role.attributes),
        "password": hide_as if role.verifier is not None else None,
        "memberships": sorted(role.memberships),
        "settings": dict(role.settings),
    }


def _change(before: Role | None, after: Role) -> Change:
    new_password = before is None or before.verifier != after.verifier
    shown = _shown(after, hide_as=f"{HIDDEN} (new)" if new_password else HIDDEN)
    if before is None:
        return Change("create", f"role {after.name}", None, shown)
    return Change("update", f"role {after.name}", _shown(before, hide_as=HIDDEN), shown)


def _drop(role: Role) -> Step:
    return Step(
        Change("delete", f"role {role.name}", _shown(role, hide_as=HIDDEN), None),
        (f"DROP ROLE {identifier(role.name)}",),
    )


def unlisted(
    current: Mapping[str, Role], desired: Iterable[DesiredRole], protected: Collection[str]
) -> list[str]:
    """Return the roles on the server that nobody speaks for: not listed and not protected."""
    listed = {role.name for role in desired}
    return sorted(
        name
        for name in current
        if name not in listed and name not in protected and not name.startswith("pg_")
    )


def _refuse_unknown(current: Mapping[str, Role], desired: Sequence[DesiredRole]) -> None:
    names = [role.name for role in desired]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PlatformError(f"listed twice: {', '.join(twice)}", where="roles")
    known = set(current) | {role.name for role in desired if role.present}
    for role in desired:
        missing = sorted((role.memberships or frozenset()) - known)
        if role.present and missing:
            raise PlatformError(
                f"role {role.name} cannot become a member of {', '.join(missing)}: no such role",
                where="roles",
                hint="list that role too; pre-defined ones start with pg_",
            )


def plan(
    current: Mapping[str, Role],
    desired: Sequence[DesiredRole],
    *,
    exclusive: bool = False,
    protected: Collection[str] = (),
) -> tuple[Step, ...]:
    """Return the steps from the *current* roles to the *desired* ones.

    All roles are made before the first membership, so their order in the list is free.

    :param exclusive: drop what :func:`unlisted` names.
    :raises PlatformError: when a membership's role neither exists nor is listed.
    """
    _refuse_unknown(current, desired)
    created: list[Step] = []
    finished: list[Step] = []
    for role in desired:
        before = current.get(role.name)
        if not role.present:
            finished += [_drop(before)] if before else []
            continue
        after = target(before, role)
        first = tuple(_statements(before, after))
        then = tuple(_membership_statements(before, after))
        change = _change(before, after)
        secret = after.verifier is not None and (not before or before.verifier != after.verifier)
        if first:
            created.append(Step(change, first, secret=secret))
        if then:
            # A change is told once: a role that is created and granted is one step to its user.
            finished.append(Step(change, then))
    if exclusive:
        finished += [_drop(current[name]) for name in unlisted(current, desired, protected)]
    return (*created, *finished)


def changes(steps: Iterable[Step]) -> tuple[Change, ...]:
    """Return what the *steps* change, each thing once."""
    seen: list[Change] = []
    for step in steps:
        if step.change not in seen:
            seen.append(step.change)
    return tuple(seen)
