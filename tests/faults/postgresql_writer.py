#!/usr/bin/env python3
# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes through a PostgreSQL door at a steady rate, and tells what a fault or a deployment cost.

An id counts as acknowledged once the server has confirmed its commit; only then it is written,
and synced, to a log on this machine. At the end every acknowledged id has to be readable. What was
sent and never answered is unknown: it may be there or not, and is counted apart.

The password comes from PGPASSWORD. The run ends by itself after --seconds, or earlier on SIGTERM or
SIGINT; the last line of output is a JSON object. Exit status 1: an acknowledged row is lost, or one
is there that nobody sent, or a limit was passed; 2: the run could not begin.

Example:
  PGPASSWORD=... tests/faults/writer.py --host postgresql.platform.internal \\
      --hostaddr 10.77.0.11,10.77.0.12,10.77.0.13 --database app --user app_owner --ca ca.crt
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

_READ_BACK_SECONDS = 120
_RECONNECT_PAUSE = 0.05


@dataclass
class Tally:
    """What happened so far; times are seconds of a steady clock."""

    sent: int = 0
    acknowledged: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    reconnects: int = 0

    def failed(self, error: Exception) -> None:
        """Count *error* by its first line."""
        text = (str(error).strip() or type(error).__name__).splitlines()[0]
        self.errors[text] = self.errors.get(text, 0) + 1


def percentile(values: list[float], share: float) -> float:
    """Return the value that *share* of *values* does not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def gaps(times: list[float]) -> list[float]:
    """Return the seconds between consecutive acknowledgements."""
    return [later - earlier for earlier, later in zip(times, times[1:])]


class Writer:
    """One client with one connection, as an application has it."""

    def __init__(self, options: argparse.Namespace, table: str, log: Path) -> None:
        self._options = options
        self._table = table
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._connection: Any = None
        self.tally = Tally()
        self.stopped = False

    def connect(self) -> Any:
        """Return a new connection that notices a dead peer within seconds."""
        options = self._options
        parameters = {
            "host": ",".join([options.host] * len(options.hostaddr.split(","))),
            "hostaddr": options.hostaddr,
            "port": options.port,
            "user": options.user,
            "dbname": options.database,
            "sslmode": "verify-full",
            "sslrootcert": options.ca,
            "connect_timeout": 2,
            "keepalives_idle": 2,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "tcp_user_timeout": 5000,
            "application_name": "writer",
        }
        connection = psycopg2.connect(**parameters)
        connection.autocommit = True
        return connection

    def execute(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run *sql* on a connection of its own."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    def _commit(self, number: int) -> None:
        if self._connection is None:
            self._connection = self.connect()
            self.tally.reconnects += 1
        with self._connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {self._table} VALUES (%s, now())", (number,))  # noqa: S608

    def _attempt(self) -> None:
        tally = self.tally
        tally.sent += 1
        began = time.monotonic()
        try:
            self._commit(tally.sent)
        except psycopg2.Error as error:
            tally.failed(error)
            if self._connection is not None:
                with suppress(psycopg2.Error):
                    self._connection.close()
            self._connection = None
            time.sleep(_RECONNECT_PAUSE)
            return
        ended = time.monotonic()
        os.write(self._log, f"{tally.sent}\n".encode())
        os.fsync(self._log)
        tally.acknowledged.append(tally.sent)
        tally.times.append(ended)
        tally.latencies.append(ended - began)

    def run(self) -> None:
        """Write until the time is up or somebody says stop."""
        began = time.monotonic()
        beats = 0
        while not self.stopped and time.monotonic() - began < self._options.seconds:
            self._attempt()
            beats = max(beats + 1, int((time.monotonic() - began) * self._options.rate))
            pause = began + beats / self._options.rate - time.monotonic()
            if pause > 0:
                time.sleep(pause)
        if self._connection is not None:
            self._connection.close()

    def read_back(self) -> set[int]:
        """Return the ids that are there, asking until somebody answers."""
        deadline = time.monotonic() + _READ_BACK_SECONDS
        while True:
            try:
                rows = self.execute(f"SELECT id FROM {self._table}")  # noqa: S608
            except psycopg2.Error:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return {row[0] for row in rows}


def acknowledged_ids(log: Path) -> list[int]:
    """Return the ids of a log; a last line that was cut off is no acknowledgement."""
    text = log.read_text()
    complete = text[: text.rfind("\n") + 1]
    return [int(line) for line in complete.splitlines()]


def report(tally: Tally, acknowledged: list[int], there: set[int]) -> dict[str, Any]:
    """Return the figures of a finished run."""
    between = gaps(tally.times)
    sent = set(range(1, tally.sent + 1))
    return {
        "sent": tally.sent,
        "acknowledged": len(acknowledged),
        "unknown": tally.sent - len(acknowledged),
        "lost": len(set(acknowledged) - there),
        "phantom": len(there - sent),
        "errors": sum(tally.errors.values()),
        "error_texts": tally.errors,
        "reconnects": max(0, tally.reconnects - 1),
        "gap_p95_ms": round(percentile(between, 0.95) * 1000),
        "gap_max_ms": round(max(between, default=0.0) * 1000),
        "latency_p95_ms": round(percentile(tally.latencies, 0.95) * 1000),
        "latency_max_ms": round(max(tally.latencies, default=0.0) * 1000),
    }


def failures(figures: dict[str, Any], options: argparse.Namespace) -> list[str]:
    """Return what of *figures* must not be."""
    found = [f"{name}: {figures[name]}" for name in ("lost", "phantom") if figures[name]]
    if not figures["acknowledged"]:
        found.append("nothing was acknowledged, so nothing is proven")
    if options.max_errors is not None and figures["errors"] > options.max_errors:
        found.append(f"{figures['errors']} errors, {options.max_errors} allowed")
    if options.max_gap is not None and figures["gap_max_ms"] > options.max_gap * 1000:
        found.append(f"a gap of {figures['gap_max_ms']} ms, {options.max_gap} s allowed")
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", required=True, help="name that the certificate has")
    parser.add_argument("--hostaddr", required=True, help="addresses of the doors, with commas")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--database", required=True)
    parser.add_argument("--user", required=True, help="needs CREATE in the database")
    parser.add_argument("--ca", required=True, help="file of the authority to trust")
    parser.add_argument("--rate", type=float, default=50, help="commits per second")
    parser.add_argument("--seconds", type=float, default=60, help="the run's end at the latest")
    parser.add_argument("--log", type=Path, help="file for acknowledged ids; a temporary one else")
    parser.add_argument("--max-errors", type=int, help="more of them fail the run")
    parser.add_argument("--max-gap", type=float, help="a longer one, in seconds, fails the run")
    return parser.parse_args()


def main() -> int:
    """Run one writer and return the exit status."""
    options = _arguments()
    schema = f"writer_{secrets.token_hex(6)}"
    with tempfile.TemporaryDirectory() as folder:
        log = options.log or Path(folder) / "acknowledged"
        writer = Writer(options, f"{schema}.rows", log)

        def stop(_number: int, _frame: object) -> None:
            writer.stopped = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        try:
            writer.execute(f"CREATE SCHEMA {schema}")
            writer.execute(f"CREATE TABLE {schema}.rows (id bigint PRIMARY KEY, at timestamptz)")
        except psycopg2.Error as error:
            print(f"writer: cannot begin: {error}", file=sys.stderr)
            return 2
        print(f"writing at {options.rate:g}/s for {options.seconds:g} s at most", flush=True)
        writer.run()
        figures = report(writer.tally, acknowledged_ids(log), writer.read_back())
        writer.execute(f"DROP SCHEMA {schema} CASCADE")
    found = failures(figures, options)
    for problem in found:
        print(f"writer: {problem}", file=sys.stderr)
    print(json.dumps(figures))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
