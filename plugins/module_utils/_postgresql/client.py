# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the only place that talks to PostgreSQL."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._core.errors import PlatformError
from . import databases, privileges
from .model import (
    Attributes,
    Content,
    Database,
    Extension,
    Grant,
    Relation,
    Role,
)
from .sql import Step, identifier

OPTIONS: dict[str, dict[str, Any]] = {
    "login_hosts": {"type": "list", "elements": "str", "default": ["/var/run/postgresql"]},
    "login_addresses": {"type": "list", "elements": "str", "default": []},
    "login_port": {"type": "int", "default": 5432},
    "login_user": {"type": "str", "default": "postgres"},
    "login_password": {"type": "str", "no_log": True},
    "login_database": {"type": "str", "default": "postgres"},
    "ssl_mode": {
        "type": "str",
        "default": "verify-full",
        "choices": ["disable", "prefer", "require", "verify-ca", "verify-full"],
    },
    "ca_path": {"type": "path"},
    "connect_timeout": {"type": "int", "default": 5},
    "wait": {"type": "int", "default": 30},
}
"""The argument spec of the doc fragment mcp.platform.postgresql."""

# The server answered, or the client turned the server down: waiting does not mend that.
_NO_DATABASE = re.compile(r'database "[^"]*" does not exist')
_REFUSAL = re.compile(
    r"FATAL:(?!.*(starting up|shutting down|recovery mode|in recovery|not yet accepting))"
    r"|fe_sendauth|no password supplied|certificate verify failed|does not match host name"
    r"|server does not support SSL",
)

_QUIET = (
    "SET LOCAL log_statement = 'none'",
    "SET LOCAL log_min_duration_statement = -1",
    "SET LOCAL log_min_error_statement = 'panic'",
    "SET LOCAL pg_stat_statements.track = 'none'",
)


class ServerAbsentError(PlatformError):
    """No server is there that accepts writes: down, still starting, or not made yet."""


class Session(Protocol):
    """One connection to one database."""

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return what *sql* selects; ``%s`` in it stands for *parameters*."""

    def apply(self, steps: Iterable[Step]) -> None:
        """Carry out *steps*: those that may share a transaction in one, after the others."""

    def version(self) -> str:
        """Return the server's version, such as ``17.6``."""

    def close(self) -> None:
        """End the connection."""


@dataclass(frozen=True)
class Login:
    """Where to log in and how far to trust who answers.

    :param hosts: names to verify, or a directory of sockets; the one that accepts writes is used.
    :param addresses: addresses of *hosts* in the same order, empty to resolve the names.
    :param timeout: seconds for one attempt with one host.
    :param wait: seconds to keep trying while no server accepts writes.
    """

    hosts: Sequence[str]
    addresses: Sequence[str] = ()
    port: int = 5432
    user: str = "postgres"
    password: str | None = field(default=None, repr=False)
    database: str = "postgres"
    ssl_mode: str = "verify-full"
    ca_path: str | None = None
    timeout: int = 5
    wait: int = 30

    def parameters(self, database: str) -> dict[str, Any]:
        """Return the connection's parameters as libpq names them."""
        parameters = {
            "host": ",".join(self.hosts),
            "hostaddr": ",".join(self.addresses),
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "dbname": database,
            "sslmode": self.ssl_mode,
            "sslrootcert": self.ca_path,
            "connect_timeout": self.timeout,
            "target_session_attrs": "read-write",
            "application_name": "mcp.platform",
            "passfile": "/dev/null",
            # Names in a database that others may create in must not shadow the catalogue's.
            "options": "-c search_path=",
        }
        return {name: value for name, value in parameters.items() if value not in (None, "")}

    @property
    def place(self) -> str:
        """Return the place for an error message."""
        return f"{','.join(self.hosts)}:{self.port}"


def login(options: Mapping[str, Any]) -> Login:
    """Return the login that a module's options describe.

    :raises PlatformError: when hosts and addresses do not pair up.
    """
    hosts, addresses = options["login_hosts"], options["login_addresses"] or []
    if not hosts or (addresses and len(addresses) != len(hosts)):
        raise PlatformError(
            f"{len(hosts)} hosts and {len(addresses)} addresses do not pair up",
            where="login_addresses",
            hint="give one address for each host in the same order, or none at all",
        )
    return Login(
        hosts=hosts,
        addresses=addresses,
        port=options["login_port"],
        user=options["login_user"],
        password=options["login_password"],
        database=options["login_database"],
        ssl_mode=options["ssl_mode"],
        ca_path=options["ca_path"],
        timeout=options["connect_timeout"],
        wait=options["wait"],
    )


def driver() -> Any:
    """Return the module psycopg2.

    :raises ServerAbsentError: when the host does not have it.
    """
    try:
        import psycopg2
        import psycopg2.extensions
    except ImportError:
        raise ServerAbsentError(
            "the Python library psycopg2 is not on the host",
            hint="install python3-psycopg2 there",
        ) from None
    return psycopg2


class _Connection:
    """A :class:`Session` over psycopg2."""

    def __init__(self, psycopg2: Any, connection: Any, database: str) -> None:
        self._psycopg2 = psycopg2
        self._connection = connection
        self._database = database

    def _failure(self, error: Exception) -> PlatformError:
        said = " ".join(str(error).split())
        return PlatformError(
            f"PostgreSQL refused: {said}",
            where=f"database {self._database}",
            hint="nothing of that transaction was kept; mend the cause and run again",
        )

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        self._connection.autocommit = True
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                return list(cursor.fetchall())
        except self._psycopg2.Error as error:
            raise self._failure(error) from None

    def _run(self, statements: Iterable[str]) -> None:
        with self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def apply(self, steps: Iterable[Step]) -> None:
        pending = list(steps)
        try:
            self._connection.autocommit = True
            for step in pending:
                if step.alone:
                    self._run(step.statements)
            together = [step for step in pending if not step.alone]
            if not together:
                return
            self._connection.autocommit = False
            if any(step.secret for step in together) and self._is_superuser():
                self._run(_QUIET)
            for step in together:
                self._run(step.statements)
            self._connection.commit()
        except self._psycopg2.Error as error:
            raise self._failure(error) from None

    def _is_superuser(self) -> bool:
        return bool(self._connection.get_parameter_status("is_superuser") == "on")

    def version(self) -> str:
        return str(self._connection.get_parameter_status("server_version")).split(maxsplit=1)[0]

    def close(self) -> None:
        self._connection.close()


def _may_lag(login: Login, said: str) -> bool:
    """Return whether a standby that was asked first may only lack the new database yet."""
    return len(login.hosts) > 1 and _NO_DATABASE.search(said) is not None


def connect(
    login: Login,
    database: str = "",
    *,
    wait: int | None = None,
    library: Callable[[], Any] = driver,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Session:
    """Return a connection to *database* on the server that accepts writes.

    :param wait: seconds to keep trying, instead of the login's own.
    :raises ServerAbsentError: when until then no server accepts writes.
    :raises PlatformError: when a server is there and refuses, or is not trusted.
    """
    psycopg2 = library()
    name = database or login.database
    deadline = clock() + (login.wait if wait is None else wait)
    while True:
        try:
            return _Connection(psycopg2, psycopg2.connect(**login.parameters(name)), name)
        except psycopg2.OperationalError as error:
            said = " ".join(str(error).split())
        if _REFUSAL.search(said) and not _may_lag(login, said):
            raise PlatformError(
                f"cannot log in as {login.user}: {said}",
                where=login.place,
                hint="check user, password, pg_hba.conf and the authority in ca_path",
            )
        if clock() >= deadline:
            raise ServerAbsentError(
                f"no server accepts writes: {said}",
                where=login.place,
                hint="check that the cluster has a leader and that this host may connect to it",
            )
        sleep(0.5)


_ROLES = """
SELECT r.rolname::text, r.rolcanlogin, r.rolsuper, r.rolcreatedb, r.rolcreaterole,
       r.rolreplication, r.rolbypassrls, r.rolinherit, r.rolconnlimit, r.rolpassword,
       ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
             WHERE m.member = r.oid),
       (SELECT s.setconfig FROM pg_db_role_setting s
        WHERE s.setrole = r.oid AND s.setdatabase = 0)
FROM pg_authid r
"""

_NAMES = "SELECT rolname::text, rolname = current_user FROM pg_roles"

_PARTS = {
    "<grantee>": "CASE WHEN x.grantee = 0 THEN 'public' ELSE pg_get_userbyid(x.grantee)::text END",
    "<of no extension>": (
        "NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e' AND e.classid = n.tableoid"
        " AND e.objid = n.oid) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    ),
    "<search path>": f"ARRAY['search_path={databases.LOOKUP_SEARCH_PATH}']",
}


def _query(text: str) -> str:
    """Return the query *text* with the parts that several queries share filled in."""
    for mark, part in _PARTS.items():
        text = text.replace(mark, part)
    return text


_DATABASES = _query("""
SELECT d.datname::text, pg_get_userbyid(d.datdba)::text, pg_encoding_to_char(d.encoding)::text,
       CASE to_jsonb(d)->>'datlocprovider' WHEN 'b' THEN 'builtin' WHEN 'i' THEN 'icu'
            ELSE 'libc' END,
       coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale', d.datcollate::text),
       d.datconnlimit,
       (SELECT s.setconfig FROM pg_db_role_setting s
        WHERE s.setrole = 0 AND s.setdatabase = d.oid),
       (SELECT json_agg(json_build_array(<grantee>, x.privilege_type))
        FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
        WHERE x.grantee <> d.datdba)
FROM pg_database d
WHERE d.datallowconn AND NOT d.datistemplate
""")

_SCHEMAS = _query("""
SELECT n.nspname::text, pg_get_userbyid(n.nspowner)::text,
       (SELECT json_agg(json_build_array(<grantee>, x.privilege_type))
        FROM aclexplode(n.nspacl) x WHERE x.grantee <> n.nspowner)
FROM pg_namespace n
WHERE <of no extension>
""")

_RELATIONS = _query("""
SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END,
       n.nspname::text, c.relname::text, pg_get_userbyid(c.relowner)::text,
       (SELECT json_agg(json_build_array(<grantee>, x.privilege_type))
        FROM aclexplode(c.relacl) x WHERE x.grantee <> c.relowner)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e' AND e.classid = c.tableoid
                  AND e.objid = c.oid)
  AND <of no extension>
""")

_DEFAULTS = _query("""
SELECT pg_get_userbyid(d.defaclrole)::text,
       CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' ELSE 'schemas' END,
       json_agg(json_build_array(<grantee>, x.privilege_type))
FROM pg_default_acl d, aclexplode(d.defaclacl) x
WHERE d.defaclnamespace = 0 AND d.defaclobjtype IN ('r', 'S', 'n') AND x.grantee <> d.defaclrole
GROUP BY 1, 2
""")

_EXTENSIONS = """
SELECT w.name::text, e.extversion, a.default_version, v.schema::text
FROM (SELECT unnest(%s::text[]) AS name UNION SELECT extname FROM pg_extension) w
LEFT JOIN pg_extension e ON e.extname = w.name
LEFT JOIN pg_available_extensions a ON a.name = w.name
LEFT JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
"""

_LOOKUP = _query("""
SELECT CASE WHEN p.prosecdef AND p.proconfig = <search path>
                 AND o.rolsuper THEN p.prosrc ELSE '' END,
       (SELECT json_agg(json_build_array(<grantee>, x.privilege_type))
        FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
        WHERE x.grantee <> p.proowner)
FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner
WHERE p.oid = to_regprocedure(%s)
""")


def _settings(stored: Sequence[str] | None) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in stored or ())
    return {name.lower(): value for name, _equals, value in pairs}


def _grants(kind: str, target: str, pairs: Sequence[Sequence[str]] | None) -> frozenset[Grant]:
    return frozenset(Grant(kind, target, grantee, name) for grantee, name in pairs or ())


def read_roles(session: Session) -> dict[str, Role]:
    """Return all roles of the server by name."""
    roles = {}
    for row in session.rows(_ROLES):
        login, superuser, createdb, createrole, replication, bypassrls, inherit, limit = row[1:9]
        attributes = Attributes(
            login=login,
            superuser=superuser,
            createdb=createdb,
            createrole=createrole,
            replication=replication,
            bypassrls=bypassrls,
            inherit=inherit,
            connection_limit=limit,
        )
        roles[row[0]] = Role(row[0], attributes, row[9], frozenset(row[10]), _settings(row[11]))
    return roles


def read_names(session: Session) -> tuple[frozenset[str], str]:
    """Return the names of all roles, and of the one that this session runs as."""
    rows = session.rows(_NAMES)
    return frozenset(name for name, _own in rows), next(name for name, own in rows if own)


def read_databases(session: Session) -> dict[str, Database]:
    """Return all databases that can be connected to, by name."""
    found = {}
    for name, owner, encoding, provider, locale, limit, settings, acl in session.rows(_DATABASES):
        found[name] = Database(
            name,
            owner,
            encoding,
            provider,
            locale,
            limit,
            _settings(settings),
            _grants("database", identifier(name), acl),
        )
    return found


def read_content(session: Session, extensions: Sequence[str]) -> Content:
    """Return what lies inside the session's database.

    :param extensions: also say of these whether the server has their files.
    """
    schemas = {}
    relations = set()
    grants: set[Grant] = set()
    for name, owner, acl in session.rows(_SCHEMAS):
        schemas[name] = owner
        grants |= _grants("schema", identifier(name), acl)
    for kind, schema, name, owner, acl in session.rows(_RELATIONS):
        target = f"{identifier(schema)}.{identifier(name)}"
        relations.add(Relation(kind, target, owner))
        grants |= _grants(kind, target, acl)
    for maker, kind, acl in session.rows(_DEFAULTS):
        grants |= _grants(kind, maker, acl)
    lookup = None
    for source, acl in session.rows(_LOOKUP, privileges.LOOKUP_FUNCTION):
        lookup = source
        grants |= _grants("function", privileges.LOOKUP_FUNCTION, acl)
    return Content(
        schemas=schemas,
        extensions={
            name: Extension(installed, available, schema)
            for name, installed, available, schema in session.rows(_EXTENSIONS, list(extensions))
        },
        relations=frozenset(relations),
        grants=frozenset(grants),
        lookup=lookup,
    )
