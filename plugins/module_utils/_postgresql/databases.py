# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the pure plans for databases and for what lies inside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import Change
from . import privileges
from .model import (
    PUBLIC,
    Content,
    Database,
    DesiredDatabase,
    Extension,
    Grant,
)
from .sql import Step, identifier, literal, settings_clauses

LOOKUP_BODY = """
  SELECT rolname::text,
         CASE WHEN rolvaliduntil IS NULL OR rolvaliduntil > now() THEN rolpassword END
  FROM pg_authid
  WHERE rolname = $1 AND rolcanlogin AND NOT rolsuper AND NOT rolreplication
"""
"""What a connection pool may ask: the verifier of an ordinary login role, and of no other."""

LOOKUP_SEARCH_PATH = "pg_catalog, pg_temp"

_LOCALE = {"builtin": "BUILTIN_LOCALE", "icu": "ICU_LOCALE", "libc": "LOCALE"}


def refuse_unknown(desired: Sequence[DesiredDatabase], roles: Iterable[str]) -> None:
    """Refuse a list that names a database twice, or a role that is not among *roles*."""
    names = [database.name for database in desired]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PlatformError(f"listed twice: {', '.join(twice)}", where="databases")
    known = set(roles)
    for database in desired:
        missing = sorted(database.roles - known) if database.present else []
        if missing:
            raise PlatformError(
                f"database {database.name} names roles that do not exist: {', '.join(missing)}",
                where="databases",
                hint="make them first, with mcp.platform.postgresql_roles",
            )


def _refuse_fixed(current: Database, desired: DesiredDatabase) -> None:
    """Refuse what can only be decided when a database is made."""
    for what in ("encoding", "locale_provider", "locale"):
        has, shall = getattr(current, what), getattr(desired, what)
        if shall is not None and shall != has:
            raise PlatformError(
                f"{what} of database {current.name} is {has}, not {shall},"
                " and is fixed when a database is made",
                where=f"databases.{current.name}.{what}",
                hint="dump the database, drop it, and load it into a new one",
            )


def _shown(database: Database) -> dict[str, Any]:
    return {
        "owner": database.owner,
        "connection_limit": database.connection_limit,
        "settings": dict(database.settings),
    }


def _creation(desired: DesiredDatabase, owner: str) -> str:
    clauses = [f"CREATE DATABASE {identifier(desired.name)} OWNER {identifier(owner)}"]
    if desired.encoding:
        clauses.append(f"ENCODING {literal(desired.encoding)}")
    if desired.locale_provider and desired.locale:
        clauses.append(
            f"LOCALE_PROVIDER {identifier(desired.locale_provider)}"
            f" {_LOCALE[desired.locale_provider]} {literal(desired.locale)}"
        )
    if desired.encoding or desired.locale:
        # Only the untouched template can be copied into another encoding or locale.
        clauses.append("TEMPLATE template0")
    return " ".join(clauses)


def blank(desired: DesiredDatabase, owner: str) -> Database:
    """Return the database as CREATE DATABASE leaves it behind."""
    target = identifier(desired.name)
    return Database(
        desired.name,
        owner,
        encoding=desired.encoding or "",
        locale_provider=desired.locale_provider or "",
        locale=desired.locale or "",
        grants=frozenset(
            Grant("database", target, PUBLIC, privilege) for privilege in ("CONNECT", "TEMPORARY")
        ),
    )


def _attribute_statements(before: Database, after: Database) -> tuple[str, ...]:
    name = identifier(after.name)
    statements = []
    if after.owner != before.owner:
        statements.append(f"ALTER DATABASE {name} OWNER TO {identifier(after.owner)}")
    if after.connection_limit != before.connection_limit:
        statements.append(f"ALTER DATABASE {name} CONNECTION LIMIT {after.connection_limit}")
    clauses = settings_clauses(dict(before.settings), dict(after.settings))
    return (*statements, *(f"ALTER DATABASE {name} {clause}" for clause in clauses))


def _target(current: Database, desired: DesiredDatabase) -> Database:
    limit = desired.connection_limit
    return replace(
        current,
        owner=desired.owner or current.owner,
        connection_limit=current.connection_limit if limit is None else limit,
        settings=current.settings if desired.settings is None else desired.settings,
    )


def _plan_present(
    current: Database | None, desired: DesiredDatabase, administrator: str
) -> tuple[Step, ...]:
    steps: list[Step] = []
    before = current
    if before is None:
        before = blank(desired, desired.owner or administrator)
        after = _target(before, desired)
        change = Change("create", f"database {desired.name}", None, _shown(after))
        steps.append(Step(change, (_creation(desired, before.owner),), alone=True))
    else:
        _refuse_fixed(before, desired)
        after = _target(before, desired)
        change = Change("update", f"database {desired.name}", _shown(before), _shown(after))
    statements = _attribute_statements(before, after)
    if statements:
        steps.append(Step(change, statements))
    gone, unasked = privileges.surplus_on_database(desired, before.grants, after.owner)
    missing = privileges.wanted_on_database(desired, after.owner) - before.grants
    steps += privileges.steps("revoke", desired.name, gone | unasked if desired.exclusive else gone)
    steps += privileges.steps("grant", desired.name, missing)
    return tuple(steps)


def plan(
    current: Mapping[str, Database], desired: Sequence[DesiredDatabase], administrator: str
) -> tuple[Step, ...]:
    """Return the steps for the databases themselves; what lies inside has :func:`plan_content`.

    :param administrator: the role that runs the statements, owner of what names no owner.
    :raises PlatformError: when a database's encoding or locale is not the desired one.
    """
    steps: list[Step] = []
    for database in desired:
        there = current.get(database.name)
        if database.present:
            steps += _plan_present(there, database, administrator)
        elif there:
            change = Change("delete", f"database {database.name}", _shown(there), None)
            sql = f"DROP DATABASE {identifier(database.name)}"
            steps.append(Step(change, (sql,), alone=True))
    return tuple(steps)


def _extension_steps(desired: DesiredDatabase, content: Content) -> Iterable[Step]:
    for name in desired.extensions:
        state = content.extensions.get(name, Extension())
        if state.installed is None:
            after = {"version": state.available or "the server's default"}
            # An empty search path is in force, so the schema is said, unless it is not free.
            schema = "" if state.schema else " SCHEMA public"
            yield Step(
                Change("create", f"extension {name} in database {desired.name}", None, after),
                (f"CREATE EXTENSION {identifier(name)}{schema} CASCADE",),
            )
        elif state.available and state.available != state.installed:
            # timescaledb demands that this is the first statement of its session.
            yield Step(
                Change(
                    "update",
                    f"extension {name} in database {desired.name}",
                    {"version": state.installed},
                    {"version": state.available},
                ),
                (f"ALTER EXTENSION {identifier(name)} UPDATE",),
                alone=True,
            )


def refuse_unavailable(desired: DesiredDatabase, content: Content) -> None:
    """Refuse extensions whose files are not on the server."""
    missing = [
        name
        for name in desired.extensions
        if content.extensions.get(name, Extension()) == Extension()
    ]
    if missing:
        raise PlatformError(
            f"the server has no files of extension {', '.join(missing)}",
            where=f"databases.{desired.name}.extensions",
            hint="install its package on every server (Debian: postgresql-<version>-<extension>)",
        )


def _schema_steps(desired: DesiredDatabase, content: Content, owner: str) -> Iterable[Step]:
    for name, holder in desired.schemas.items():
        shall = holder or owner
        what = f"schema {name} in database {desired.name}"
        if name not in content.schemas:
            sql = f"CREATE SCHEMA {identifier(name)} AUTHORIZATION {identifier(shall)}"
            yield Step(Change("create", what, None, {"owner": shall}), (sql,))
        elif content.schemas[name] != shall and not (
            # Its members are whoever owns the database: already what was asked for.
            content.schemas[name] == "pg_database_owner" and shall == owner
        ):
            sql = f"ALTER SCHEMA {identifier(name)} OWNER TO {identifier(shall)}"
            before = {"owner": content.schemas[name]}
            yield Step(Change("update", what, before, {"owner": shall}), (sql,))


def _lookup_steps(desired: DesiredDatabase, content: Content) -> Iterable[Step]:
    if not desired.lookup_role:
        return
    if privileges.LOOKUP_SCHEMA not in content.schemas:
        schema = identifier(privileges.LOOKUP_SCHEMA)
        what = f"schema {privileges.LOOKUP_SCHEMA} in database {desired.name}"
        yield Step(Change("create", what, None, {}), (f"CREATE SCHEMA {schema}",))
    if content.lookup != LOOKUP_BODY:
        sql = (
            f"CREATE OR REPLACE FUNCTION {privileges.LOOKUP_FUNCTION}"
            " RETURNS TABLE (username text, password text)"
            f" LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = {LOOKUP_SEARCH_PATH}"
            f" AS {literal(LOOKUP_BODY)}"
        )
        kind = "create" if content.lookup is None else "update"
        what = f"function auth_lookup.verifier in database {desired.name}"
        yield Step(Change(kind, what, content.lookup, LOOKUP_BODY), (sql,))


def foreseen(desired: DesiredDatabase, content: Content, owner: str) -> Content:
    """Return *content* with the schemas and the function that the plan is about to make."""
    schemas = dict(content.schemas)
    for name, holder in desired.schemas.items():
        if schemas.get(name) != "pg_database_owner" or (holder or owner) != owner:
            schemas[name] = holder or owner
    grants = content.grants
    if desired.lookup_role:
        schemas.setdefault(privileges.LOOKUP_SCHEMA, "")
        if content.lookup is None:
            execute = Grant("function", privileges.LOOKUP_FUNCTION, PUBLIC, "EXECUTE")
            grants |= {execute}
    return replace(content, schemas=schemas, grants=grants)


def plan_content(desired: DesiredDatabase, content: Content, owner: str) -> tuple[Step, ...]:
    """Return the steps for what lies inside one database.

    :param owner: role that owns the database once :func:`plan` is carried out.
    """
    later = foreseen(desired, content, owner)
    gone, unasked = privileges.surplus_inside(desired, later, owner)
    missing = privileges.wanted_inside(desired, later, owner) - later.grants
    return (
        *_extension_steps(desired, content),
        *_schema_steps(desired, content, owner),
        *_lookup_steps(desired, content),
        *privileges.steps("revoke", desired.name, gone | unasked if desired.exclusive else gone),
        *privileges.steps("grant", desired.name, missing),
    )


def drift(
    desired: DesiredDatabase, current: Database | None, content: Content, owner: str
) -> list[str]:
    """Return in words what is there although nobody asked for it, and what stays."""
    found = sorted(
        f"extension {name} in database {desired.name}"
        for name, extension in content.extensions.items()
        if extension.installed is not None and name not in (*desired.extensions, "plpgsql")
    )
    if desired.exclusive:
        return found
    _gone, inside = privileges.surplus_inside(desired, content, owner)
    outside: frozenset[Grant] = frozenset()
    if current:
        _gone, outside = privileges.surplus_on_database(desired, current.grants, owner)
    return found + privileges.described(desired.name, outside | inside)
