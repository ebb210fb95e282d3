# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what a PostgreSQL server holds, and what it shall hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._core.errors import PlatformError
from .sql import checked_name, setting_text

UNLIMITED = -1
PUBLIC = "public"
"""Grantee that stands for every role; no role can have this name, the server reserves it."""


@dataclass(frozen=True)
class Attributes:
    """What a role may do by itself."""

    login: bool = True
    superuser: bool = False
    createdb: bool = False
    createrole: bool = False
    replication: bool = False
    bypassrls: bool = False
    inherit: bool = True
    connection_limit: int = UNLIMITED


@dataclass(frozen=True)
class Role:
    """A role as it is on the server.

    :param verifier: what is stored in place of the password; None where there is no password.
    :param memberships: the roles that this one is a direct member of.
    :param settings: what ALTER ROLE … SET has stored for all databases.
    """

    name: str
    attributes: Attributes = Attributes()
    verifier: str | None = field(default=None, repr=False)
    memberships: frozenset[str] = frozenset()
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DesiredRole:
    """A role as it shall be; None leaves alone what is there."""

    name: str
    present: bool = True
    attributes: Attributes = Attributes()
    password: str | None = field(default=None, repr=False)
    memberships: frozenset[str] | None = None
    settings: Mapping[str, str] | None = None


def _settings(options: Mapping[str, Any] | None) -> dict[str, str] | None:
    if options is None:
        return None
    return {str(name).lower(): setting_text(value) for name, value in options.items()}


def desired_role(options: Mapping[str, Any]) -> DesiredRole:
    """Return the role that one entry of the option ``roles`` describes.

    :raises PlatformError: when its name or password cannot be used.
    """
    name = checked_name(options["name"], "roles")
    if name.startswith("pg_") or name in (PUBLIC, "none"):
        raise PlatformError(
            f"the name {name} belongs to PostgreSQL itself",
            where="roles",
            hint="list the pre-defined role under the memberships of a role of yours",
        )
    password = options.get("password")
    if password is not None and (not password or any(c in password for c in "\n\r\0")):
        raise PlatformError(
            f"the password of role {name} is empty or holds a line break",
            where="roles",
            hint="leave the password out for a role that has none",
        )
    memberships = options.get("memberships")
    return DesiredRole(
        name=name,
        present=options.get("state", "present") == "present",
        attributes=Attributes(
            **{
                attribute: options[attribute]
                for attribute in Attributes.__dataclass_fields__
                if options.get(attribute) is not None
            }
        ),
        password=password,
        memberships=None if memberships is None else frozenset(memberships),
        settings=_settings(options.get("settings")),
    )


@dataclass(frozen=True)
class Grant:
    """One privilege of one role on one object.

    :param kind: ``database``, ``schema``, ``table``, ``sequence`` or ``function``; ``tables``,
        ``sequences`` or ``schemas`` for the default privileges on what *target* creates later.
    :param target: the object, as a qualified name already quoted; for defaults the creating role.
    :param grantee: a role, or :data:`PUBLIC`.
    :param privilege: ``SELECT``, ``USAGE``, …
    """

    kind: str
    target: str
    grantee: str
    privilege: str


@dataclass(frozen=True)
class Relation:
    """A table or a sequence that belongs to no extension.

    :param kind: ``table`` (views and foreign tables too) or ``sequence``.
    """

    kind: str
    name: str
    owner: str


@dataclass(frozen=True)
class Extension:
    """An extension of a database, or one that could be.

    :param installed: version in the database, None when it is not there.
    :param available: version that the server's files offer by default, None when there is none.
    :param schema: the only schema that the extension accepts, None when any will do.
    """

    installed: str | None = None
    available: str | None = None
    schema: str | None = None


@dataclass(frozen=True)
class Database:
    """A database as the server's shared catalogue knows it."""

    name: str
    owner: str
    encoding: str = ""
    locale_provider: str = ""
    locale: str = ""
    connection_limit: int = UNLIMITED
    settings: Mapping[str, str] = field(default_factory=dict)
    grants: frozenset[Grant] = frozenset()


@dataclass(frozen=True)
class Content:
    """What lies inside a database.

    :param schemas: name and owner of the schemas that are neither the system's nor an extension's.
    :param lookup: source text of the look-up function when it is the way it shall be, else None.
    """

    schemas: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    relations: frozenset[Relation] = frozenset()
    grants: frozenset[Grant] = frozenset()
    lookup: str | None = None


NEW_CONTENT = Content(
    schemas={"public": "pg_database_owner"},
    grants=frozenset((Grant("schema", '"public"', PUBLIC, "USAGE"),)),
)
"""What a database made from the template holds (PostgreSQL 15 and later)."""


@dataclass(frozen=True)
class DesiredDatabase:
    """A database as it shall be; None leaves alone what is there."""

    name: str
    present: bool = True
    owner: str | None = None
    encoding: str | None = None
    locale_provider: str | None = None
    locale: str | None = None
    connection_limit: int | None = None
    settings: Mapping[str, str] | None = None
    extensions: Sequence[str] = ()
    schemas: Mapping[str, str | None] = field(default_factory=dict)
    writers: frozenset[str] = frozenset()
    readers: frozenset[str] = frozenset()
    visitors: frozenset[str] = frozenset()
    public_connect: bool = False
    exclusive: bool = False
    lookup_role: str | None = None

    @property
    def roles(self) -> frozenset[str]:
        """Return every role that the entry names."""
        named = {self.owner, self.lookup_role, *self.schemas.values()} - {None}
        return frozenset(
            name for name in (*named, *self.writers, *self.readers, *self.visitors) if name
        )


def desired_database(options: Mapping[str, Any]) -> DesiredDatabase:
    """Return the database that one entry of the option ``databases`` describes.

    :raises PlatformError: when names in it cannot be used or contradict each other.
    """
    name = checked_name(options["name"], "databases")
    if name in ("template0", "template1"):
        raise PlatformError(f"{name} is a template and is left alone", where="databases")
    schemas = {
        checked_name(schema["name"], f"databases.{name}.schemas"): schema.get("owner")
        for schema in options.get("schemas") or ()
    }
    desired = DesiredDatabase(
        name=name,
        present=options.get("state", "present") == "present",
        owner=options.get("owner"),
        encoding=options.get("encoding"),
        locale_provider=options.get("locale_provider"),
        locale=options.get("locale"),
        connection_limit=options.get("connection_limit"),
        settings=_settings(options.get("settings")),
        extensions=tuple(dict.fromkeys(options.get("extensions") or ())),
        schemas=schemas,
        writers=frozenset(options.get("writers") or ()),
        readers=frozenset(options.get("readers") or ()),
        visitors=frozenset(options.get("visitors") or ()),
        public_connect=bool(options.get("public_connect")),
        exclusive=bool(options.get("exclusive")),
        lookup_role=options.get("lookup_role"),
    )
    if bool(desired.locale_provider) != bool(desired.locale):
        raise PlatformError(
            f"locale_provider and locale of database {name} are not given together",
            where="databases",
            hint="name both, or neither to take those of the server's template",
        )
    return desired
