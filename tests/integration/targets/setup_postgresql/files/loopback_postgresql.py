# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a PostgreSQL server and a replica on the loopback address for a test, and ends them.

loopback_postgresql.py start             starts both and prints where they are, as JSON
loopback_postgresql.py stop DIRECTORY    ends them and removes their directory
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# A test that is killed must not leave servers behind for ever.
LONGEST = "1800"
NAME = "db.example.test"
PASSWORD = "administrator of the test"
RULES = """
local all pooler peer map=pool
local all all scram-sha-256
hostssl all all 127.0.0.1/32 scram-sha-256
hostssl replication all 127.0.0.1/32 scram-sha-256
"""


def programs() -> Path:
    """Return the directory of the newest server's programs."""
    found = Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")
    return max(found, key=lambda path: float(path.parent.parent.name)).parent


def _user() -> str:
    # A server refuses to run as root.
    return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def run(*command: object, environment: dict[str, str] | None = None) -> None:
    """Run *command* as the servers' user."""
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["runuser", "--user=postgres", "--", *words]
    variables = {**os.environ, **(environment or {})}
    subprocess.run(words, check=True, stdout=sys.stderr, env=variables, cwd="/")


def certificate(directory: Path) -> None:
    """Make a certificate that is its own authority."""
    run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "2"),
        *("-keyout", directory / "server.key", "-out", directory / "server.crt"),
        *("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"),
    )


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(directory: Path, data: str, port: int) -> None:
    """Start the server of *data*, and wait until it accepts connections."""
    words = ["timeout", LONGEST, str(programs() / "postgres"), "-D", str(directory / data)]
    words += ["-p", str(port)]
    if os.geteuid() == 0:
        words = ["runuser", "--user=postgres", "--", *words]
    with open(directory / f"{data}.log", "wb") as log:
        subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True, cwd="/")
    deadline = time.monotonic() + 60
    ready = ["pg_isready", "--quiet", f"--host={directory}", f"--port={port}"]
    while subprocess.run(ready, check=False).returncode:
        if time.monotonic() > deadline:
            sys.exit((directory / f"{data}.log").read_text())
        time.sleep(0.1)


def initialise(directory: Path) -> None:
    """Make the primary's data directory."""
    password = directory / "password"
    password.write_text(PASSWORD)
    shutil.chown(password, _user())
    run(
        programs() / "initdb",
        f"--pgdata={directory / 'primary'}",
        "--username=postgres",
        "--auth=scram-sha-256",
        f"--pwfile={password}",
        *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
    )
    with open(directory / "primary/postgresql.conf", "a") as settings:
        settings.write(
            f"unix_socket_directories = '{directory}'\nlisten_addresses = '127.0.0.1'\n"
            f"ssl = on\nssl_cert_file = '{directory}/server.crt'\n"
            f"ssl_key_file = '{directory}/server.key'\nfsync = off\nlog_statement = all\n"
        )
    (directory / "primary/pg_hba.conf").write_text(RULES)
    (directory / "primary/pg_ident.conf").write_text(f"pool {_user()} pooler\n")


def start() -> dict[str, object]:
    """Start both servers and return where they are."""
    directory = Path(tempfile.mkdtemp(prefix="loopback-postgresql-"))
    directory.chmod(0o755)
    shutil.chown(directory, _user())
    try:
        certificate(directory)
        initialise(directory)
        port, replica_port = free_port(), free_port()
        serve(directory, "primary", port)
        run(
            programs() / "pg_basebackup",
            f"--pgdata={directory / 'replica'}",
            *("--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--wal-method=stream"),
            f"--dbname=host=127.0.0.1 port={port} user=postgres sslmode=require",
            environment={"PGPASSWORD": PASSWORD},
        )
        serve(directory, "replica", replica_port)
    except BaseException:
        stop(directory)
        raise
    return {
        "directory": str(directory),
        "name": NAME,
        "port": port,
        "replica_port": replica_port,
        "ca_path": str(directory / "server.crt"),
        "log": str(directory / "primary.log"),
        "password": PASSWORD,
    }


def stop(directory: Path) -> None:
    """End the servers of *directory*, and remove it."""
    for data in ("replica", "primary"):
        if (directory / data / "postmaster.pid").exists():
            run(programs() / "pg_ctl", "stop", f"--pgdata={directory / data}", "--mode=immediate")
    shutil.rmtree(directory)


if __name__ == "__main__":
    if sys.argv[1] == "start":
        print(json.dumps(start()))
    else:
        stop(Path(sys.argv[2]))
