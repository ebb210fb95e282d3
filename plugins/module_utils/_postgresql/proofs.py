# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: proofs that a PostgreSQL front door does what it is for.

Every proof is tried for real, as an ordinary user, in a scratch schema that is dropped at the end.
What must be refused is tried too, and only the right kind of refusal counts: a door that does not
answer at all refuses everything and proves nothing.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from .._proofs.model import Proof, RefutedError, try_all
from .._proofs.model import words as _words
from .client import driver

SERVICE = "postgresql"
_EXTENSION_PROOFS = ("timescaledb", "postgis", "vector")


@dataclass(frozen=True)
class Door:
    """Where clients come in, and as whom.

    :param address: address of *host*, empty to resolve the name.
    :param server_port: the servers' own port, which must be closed here; 0 leaves it untried.
    :param timeout: seconds within which a row has to arrive on a replica.
    """

    host: str
    database: str
    user: str
    password: str = field(repr=False)
    ca_path: str
    address: str = ""
    primary_port: int = 5000
    replica_port: int = 5001
    session_port: int = 5002
    server_port: int = 0
    replica_expected: bool = True
    extensions: Sequence[str] = _EXTENSION_PROOFS
    timeout: int = 30

    def parameters(self, port: int, **changed: Any) -> dict[str, Any]:
        """Return the parameters of a connection; None in *changed* leaves one out."""
        parameters = {
            "host": self.host,
            "hostaddr": self.address or None,
            "port": port,
            "user": self.user,
            "password": self.password,
            "dbname": self.database,
            "sslmode": "verify-full",
            "sslrootcert": self.ca_path,
            "connect_timeout": 10,
            "passfile": "/dev/null",
            "application_name": "mcp.platform proof",
            **changed,
        }
        return {name: value for name, value in parameters.items() if value is not None}


def door(options: Mapping[str, Any]) -> Door:
    """Return the door that the module's options describe."""
    fields = Door.__dataclass_fields__
    return Door(**{name: value for name, value in options.items() if name in fields})


class Prover:
    """Tries one door.

    :param scratch: name of a schema that nobody else uses.
    :param driver: psycopg2.
    """

    def __init__(
        self,
        door: Door,
        scratch: str,
        driver: Any,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        dial: Callable[..., Any] = socket.create_connection,
    ) -> None:
        self._door = door
        self._scratch = scratch
        self._driver = driver
        self._clock = clock
        self._sleep = sleep
        self._dial = dial

    @contextmanager
    def _cursor(self, port: int, *, autocommit: bool = True) -> Iterator[Any]:
        connection = self._driver.connect(**self._door.parameters(port))
        with closing(connection):
            connection.autocommit = autocommit
            with connection.cursor() as cursor:
                yield cursor

    def _one(self, cursor: Any, sql: str) -> tuple[Any, ...]:
        cursor.execute(sql.replace("scratch.", f"{self._scratch}."))
        row: tuple[Any, ...] = cursor.fetchone()
        return row

    def _do(self, cursor: Any, *statements: str) -> None:
        for statement in statements:
            cursor.execute(statement.replace("scratch.", f"{self._scratch}."))

    def write(self) -> str:
        """Commit a row through the primary's port."""
        with self._cursor(self._door.primary_port) as cursor:
            (recovering,) = self._one(cursor, "SELECT pg_is_in_recovery()")
            if recovering:
                raise RefutedError("a replica answered")
            cursor.execute(f"CREATE SCHEMA {self._scratch}")
            self._do(
                cursor,
                "CREATE TABLE scratch.rows (id int PRIMARY KEY, content text)",
                "INSERT INTO scratch.rows VALUES (1, 'written by a proof')",
            )
        return f"row committed through port {self._door.primary_port}"

    def read(self) -> str:
        """Read that row through the replicas' port, once it has arrived there."""
        started = self._clock()
        seen = "the row did not arrive"
        while self._clock() - started < self._door.timeout:
            try:
                with self._cursor(self._door.replica_port) as cursor:
                    content, recovering = self._one(
                        cursor, "SELECT content, pg_is_in_recovery() FROM scratch.rows"
                    )
            except self._driver.ProgrammingError as error:
                seen = _words(error)
                self._sleep(0.1)
                continue
            if not recovering and self._door.replica_expected:
                raise RefutedError("the primary answered: no replica is in service")
            source = "a replica" if recovering else "the primary, for want of a replica"
            after = round((self._clock() - started) * 1000)
            return f"{content!r} read from {source} after {after} ms"
        raise RefutedError(f"{seen} within {self._door.timeout} s")

    def refuse_write(self) -> str:
        """Have a write through the replicas' port refused."""
        with self._cursor(self._door.replica_port) as cursor:
            try:
                self._do(cursor, "INSERT INTO scratch.rows VALUES (2, 'never')")
            except self._driver.Error as error:
                return self._right_refusal(error, "read-only transaction")
        raise RefutedError("a row was written through the replicas' port")

    def session(self) -> str:
        """Keep a session over several transactions: temporary table, lock, notification."""
        with self._cursor(self._door.session_port) as cursor:
            self._do(
                cursor,
                "CREATE TEMPORARY TABLE kept AS SELECT 42 AS answer",
                "SELECT pg_advisory_lock(hashtext(current_database()))",
                f"LISTEN {self._scratch}",
            )
            (answer,) = self._one(cursor, "SELECT answer FROM kept")
            (held,) = self._one(cursor, "SELECT pg_advisory_unlock(hashtext(current_database()))")
            with self._cursor(self._door.primary_port) as other:
                self._do(other, f"NOTIFY {self._scratch}")
            deadline = self._clock() + 10
            while not cursor.connection.notifies and self._clock() < deadline:
                self._do(cursor, "SELECT")
                self._sleep(0.05)
            if (answer, held) != (42, True) or not cursor.connection.notifies:
                raise RefutedError("the session did not last")
        return "temporary table, advisory lock and notification kept over transactions"

    def hypertable(self) -> str:
        """Count rows of a hypertable by time_bucket."""
        with self._cursor(self._door.primary_port) as cursor:
            self._do(
                cursor,
                "CREATE TABLE scratch.measured (at timestamptz NOT NULL, value float8)",
                "SELECT create_hypertable('scratch.measured', 'at')",
                "INSERT INTO scratch.measured SELECT '2026-01-01Z'::timestamptz"
                " + n * interval '1 hour', n FROM generate_series(0, 719) AS n",
            )
            chunks, days, least = self._one(
                cursor,
                "SELECT (SELECT count(*) FROM show_chunks('scratch.measured')), count(*),"
                " min(n) FROM (SELECT time_bucket('1 day', at) AS day, count(*) AS n"
                " FROM scratch.measured GROUP BY 1) AS daily",
            )
        if (days, least) != (30, 24) or chunks < 2:
            raise RefutedError(f"{days} days of {least} rows in {chunks} chunks")
        return f"30 days of 24 rows in {chunks} chunks"

    def distance(self) -> str:
        """Measure the distance of two cities on the ellipsoid."""
        with self._cursor(self._door.primary_port) as cursor:
            (kilometres,) = self._one(
                cursor,
                "SELECT ST_Distance('POINT(13.405 52.52)'::geography,"
                " 'POINT(2.3522 48.8566)'::geography) / 1000",
            )
        # Karney's algorithm on WGS 84 gives 879.7 km.
        if not 879 < kilometres < 880.5:
            raise RefutedError(f"Berlin to Paris: {kilometres:.1f} km")
        return f"Berlin to Paris: {kilometres:.1f} km"

    def neighbour(self) -> str:
        """Find the nearest vector, by an index."""
        with self._cursor(self._door.primary_port) as cursor:
            self._do(
                cursor,
                "CREATE TABLE scratch.points (id int, place vector(3))",
                "INSERT INTO scratch.points SELECT n, ARRAY[n, n % 7, 1]::vector"
                " FROM generate_series(1, 100) AS n",
                "CREATE INDEX ON scratch.points USING hnsw (place vector_l2_ops)",
            )
            (nearest,) = self._one(
                cursor, "SELECT id FROM scratch.points ORDER BY place <-> '[41.9,0.2,1]' LIMIT 1"
            )
        if nearest != 42:
            raise RefutedError(f"nearest is {nearest}, not 42")
        return "nearest of 100 vectors found"

    def encryption(self) -> str:
        """Say which protocol protects the connection."""
        with self._cursor(self._door.primary_port) as cursor:
            info = cursor.connection.info
            if not info.ssl_in_use:
                raise RefutedError("the connection is not encrypted")
            protocol, cipher = info.ssl_attribute("protocol"), info.ssl_attribute("cipher")
        if protocol not in ("TLSv1.2", "TLSv1.3"):
            raise RefutedError(f"{protocol} is in use")
        return f"{protocol}, {cipher}, certificate of {self._door.host} verified"

    def _right_refusal(self, error: Exception, expected: str) -> str:
        said = _words(error)
        if not re.search(expected, said):
            raise RefutedError(f"refused for another reason: {said}") from error
        return said.rpartition("FATAL: ")[2].strip()

    def _refused(self, expected: str, **changed: Any) -> str:
        parameters = self._door.parameters(self._door.primary_port, **changed)
        try:
            connection = self._driver.connect(**parameters)
        except self._driver.OperationalError as error:
            return self._right_refusal(error, expected)
        connection.close()
        raise RefutedError("the login was accepted")

    def refuse_plain(self) -> str:
        """Have a connection without TLS refused."""
        return self._refused(
            "SSL required|no encryption|no pg_hba.conf entry", sslmode="disable", sslrootcert=None
        )

    def refuse_passwordless(self) -> str:
        """Have a login without a password refused."""
        return self._refused("no password supplied|authentication failed", password=None)

    def refuse_wrong_password(self) -> str:
        """Have a login with a wrong password refused."""
        return self._refused("authentication failed", password=f"{self._scratch} is wrong")

    def refuse_wrong_name(self) -> str:
        """Have the server's certificate refused for a name that is not the server's."""
        address = self._door.address or socket.gethostbyname(self._door.host)
        return self._refused(
            "does not match host name", host="another.name.invalid", hostaddr=address
        )

    def refuse_direct(self) -> str:
        """Have a connection to the servers' own port refused."""
        place = (self._door.address or self._door.host, self._door.server_port)
        try:
            self._dial(place, timeout=3).close()
        except OSError as error:
            return f"port {self._door.server_port}: {_words(error)}"
        raise RefutedError(f"port {self._door.server_port} is open to this host")

    def cleanup(self) -> str:
        """Drop what the proofs made."""
        with self._cursor(self._door.primary_port) as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {self._scratch} CASCADE")
        return f"schema {self._scratch} dropped"

    def plan(self) -> Sequence[tuple[str, Callable[[], str]]]:
        """Return what will be tried, in order, each with its name."""
        extensions = {
            "timescaledb": ("hypertable, time_bucket", self.hypertable),
            "postgis": ("distance on the ellipsoid", self.distance),
            "vector": ("nearest neighbour by index", self.neighbour),
        }
        ordered: list[tuple[str, Callable[[], str]]] = [
            ("TLS, server verified", self.encryption),
            ("write on the primary endpoint", self.write),
            ("read on the replica endpoint", self.read),
        ]
        if self._door.replica_expected:
            ordered.append(("refused: write on the replica endpoint", self.refuse_write))
        ordered.append(("lasting session on the session endpoint", self.session))
        ordered += [extensions[name] for name in self._door.extensions if name in extensions]
        ordered += [
            ("refused: no TLS", self.refuse_plain),
            ("refused: no password", self.refuse_passwordless),
            ("refused: wrong password", self.refuse_wrong_password),
            ("refused: wrong server name", self.refuse_wrong_name),
        ]
        if self._door.server_port:
            ordered.append(("refused: the servers' own port", self.refuse_direct))
        return (*ordered, ("nothing left behind", self.cleanup))

    def prove(self) -> list[Proof]:
        """Try everything."""
        return try_all(SERVICE, self.plan(), (self._driver.Error, OSError))


def prove(options: Mapping[str, Any], scratch: str) -> list[Proof]:
    """Try the door that *options* describe, in the schema *scratch*.

    :raises ServerAbsentError: when the host has no psycopg2.
    """
    return Prover(door(options), scratch, driver()).prove()
