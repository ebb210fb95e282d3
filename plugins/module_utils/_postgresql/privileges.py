# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: who may do what in a database, as sets that are compared.

The vocabulary is small: an **owner** creates, **writers** change rows, **readers** read them,
**visitors** connect. What an owner creates later is covered by default privileges. PUBLIC keeps
nothing that lets a role in, or lets it create.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .._core.plan import Change
from .model import PUBLIC, Content, DesiredDatabase, Grant
from .sql import Step, identifier

LOOKUP_SCHEMA = "auth_lookup"
LOOKUP_FUNCTION = f"{identifier(LOOKUP_SCHEMA)}.{identifier('verifier')}(text)"

_READ: dict[str, tuple[str, ...]] = {"table": ("SELECT",), "sequence": ("SELECT",)}
_WRITE: dict[str, tuple[str, ...]] = {
    "table": ("DELETE", "INSERT", "SELECT", "UPDATE"),
    "sequence": ("SELECT", "UPDATE", "USAGE"),
}
_OBJECTS = {
    "database": "DATABASE",
    "schema": "SCHEMA",
    "table": "TABLE",
    "sequence": "SEQUENCE",
    "function": "FUNCTION",
}
_DEFAULTS = ("tables", "sequences", "schemas")


def creators(desired: DesiredDatabase, owner: str) -> frozenset[str]:
    """Return the roles whose objects the entry speaks for: the owners of database and schemas."""
    return frozenset((owner, *(name or owner for name in desired.schemas.values())))


def wanted_on_database(desired: DesiredDatabase, owner: str) -> frozenset[Grant]:
    """Return the privileges on the database itself."""
    target = identifier(desired.name)
    connecting = desired.writers | desired.readers | desired.visitors
    if desired.lookup_role:
        connecting |= {desired.lookup_role}
    if desired.public_connect:
        connecting |= {PUBLIC}
    return frozenset(
        (
            *(Grant("database", target, role, "CONNECT") for role in connecting - {owner}),
            *(Grant("database", target, role, "TEMPORARY") for role in desired.writers - {owner}),
        )
    )


def _members(desired: DesiredDatabase) -> Iterable[tuple[str, dict[str, tuple[str, ...]]]]:
    for role in sorted(desired.writers | desired.readers):
        yield role, (_WRITE if role in desired.writers else _READ)


def managed_schemas(desired: DesiredDatabase, content: Content, owner: str) -> frozenset[str]:
    """Return the schemas whose privileges the entry decides."""
    owners = creators(desired, owner) | {"pg_database_owner"}
    return frozenset(name for name, holder in content.schemas.items() if holder in owners)


def wanted_inside(desired: DesiredDatabase, content: Content, owner: str) -> frozenset[Grant]:
    """Return the privileges inside the database, on what is there and on what comes later."""
    makers = creators(desired, owner)
    grants: set[Grant] = set()
    for role, privileges in _members(desired):
        for schema in managed_schemas(desired, content, owner):
            if content.schemas[schema] == role:
                continue
            grants.add(Grant("schema", identifier(schema), role, "USAGE"))
        for relation in content.relations:
            if relation.owner in makers and relation.owner != role:
                grants |= {
                    Grant(relation.kind, relation.name, role, privilege)
                    for privilege in privileges[relation.kind]
                }
        for maker in makers - {role}:
            grants.add(Grant("schemas", maker, role, "USAGE"))
            for kind, names in privileges.items():
                grants |= {Grant(f"{kind}s", maker, role, privilege) for privilege in names}
    if desired.lookup_role:
        schema = identifier(LOOKUP_SCHEMA)
        grants.add(Grant("schema", schema, desired.lookup_role, "USAGE"))
        grants.add(Grant("function", LOOKUP_FUNCTION, desired.lookup_role, "EXECUTE"))
    return frozenset(grants)


def _spoken_for(desired: DesiredDatabase, content: Content, owner: str) -> frozenset[str]:
    """Return the targets inside the database whose privileges the entry decides."""
    makers = creators(desired, owner)
    targets = {identifier(name) for name in managed_schemas(desired, content, owner)}
    targets |= {relation.name for relation in content.relations if relation.owner in makers}
    if desired.lookup_role:
        targets |= {identifier(LOOKUP_SCHEMA), LOOKUP_FUNCTION}
    return frozenset(targets | makers)


def refused(grant: Grant) -> bool:
    """Tell whether PUBLIC never keeps *grant*: it would let any role in, or let it create."""
    if grant.grantee != PUBLIC:
        return False
    return grant.kind in ("database", "function") or grant.privilege == "CREATE"


def surplus_on_database(
    desired: DesiredDatabase, grants: frozenset[Grant], owner: str
) -> tuple[frozenset[Grant], frozenset[Grant]]:
    """Return what must go from the database's privileges, and what merely nobody asked for."""
    extra = {
        grant for grant in grants - wanted_on_database(desired, owner) if grant.grantee != owner
    }
    gone = {grant for grant in extra if refused(grant)}
    return frozenset(gone), frozenset(extra - gone)


def surplus_inside(
    desired: DesiredDatabase, content: Content, owner: str
) -> tuple[frozenset[Grant], frozenset[Grant]]:
    """Return likewise for the privileges inside the database."""
    targets = _spoken_for(desired, content, owner)
    extra = {
        grant
        for grant in content.grants - wanted_inside(desired, content, owner)
        if grant.target in targets
    }
    gone = {grant for grant in extra if refused(grant)}
    unasked = {grant for grant in extra - gone if grant.grantee != PUBLIC}
    return frozenset(gone), frozenset(unasked)


def _place(kind: str, targets: list[str], database: str) -> str:
    if kind == "database":
        return f"database {database}"
    if kind in _DEFAULTS:
        subject = f"future {kind} of role {targets[0]}"
    else:
        subject = f"{kind} {targets[0]}" if len(targets) == 1 else f"{len(targets)} {kind}s"
    return f"{subject} in database {database}"


def _grouped(
    grants: Iterable[Grant],
) -> Iterable[tuple[str, str, tuple[str, ...], list[str]]]:
    """Yield kind, grantee, privileges and the targets that share them, in a stable order."""
    by_target: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for grant in grants:
        by_target[grant.kind, grant.grantee, grant.target].add(grant.privilege)
    groups: dict[tuple[str, str, tuple[str, ...], str], list[str]] = defaultdict(list)
    for (kind, grantee, target), privileges in sorted(by_target.items()):
        # Default privileges belong to one creating role each, so they never share a statement.
        apart = target if kind in _DEFAULTS else ""
        groups[kind, grantee, tuple(sorted(privileges)), apart].append(target)
    for (kind, grantee, names, _apart), targets in groups.items():
        yield kind, grantee, names, targets


def described(database: str, grants: Iterable[Grant]) -> list[str]:
    """Return *grants* in words, one line for each group of objects."""
    return [
        f"{', '.join(names)} on {_place(kind, targets, database)} for {grantee}"
        for kind, grantee, names, targets in _grouped(grants)
    ]


def steps(verb: str, database: str, grants: Iterable[Grant]) -> tuple[Step, ...]:
    """Return the statements that grant or revoke *grants*, one for each group of objects.

    :param verb: ``grant`` or ``revoke``.
    """
    link = "to" if verb == "grant" else "from"
    made: list[Step] = []
    for kind, grantee, names, targets in _grouped(grants):
        whom = "PUBLIC" if grantee == PUBLIC else identifier(grantee)
        what = ", ".join(names)
        if kind in _DEFAULTS:
            sql = (
                f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(targets[0])}"
                f" {verb.upper()} {what} ON {kind.upper()} {link.upper()} {whom}"
            )
        else:
            objects = f"{_OBJECTS[kind]} {', '.join(targets)}"
            sql = f"{verb.upper()} {what} ON {objects} {link.upper()} {whom}"
        text = f"{what} on {_place(kind, targets, database)} {link} {grantee}"
        shown = {"privileges": list(names), "objects": targets, "role": grantee}
        before, after = (None, shown) if verb == "grant" else (shown, None)
        made.append(Step(Change(verb, text, before, after), (sql,)))
    return tuple(made)
