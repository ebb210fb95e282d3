# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replaces the pools' certificate under a connected client.

Fails unless the client keeps its session and the new certificate is served.
"""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import sys
import time
from pathlib import Path

import psycopg2

FOLDER = Path("/etc/ssl/own")
LEAF, KEY = FOLDER / "pgbouncer.crt", FOLDER / "pgbouncer.key"


def served(port: int) -> bytes:
    """Return the certificate that the pool at *port* shows."""
    context = ssl.create_default_context(cafile=str(FOLDER / "ca.crt"))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        plain.sendall(struct.pack("!ii", 8, 80877103))
        if plain.recv(1) != b"S":
            sys.exit(f"port {port} does not speak TLS")
        with context.wrap_socket(plain, server_hostname="postgresql.example.test") as secure:
            return secure.getpeercert(binary_form=True) or b""


def reload() -> None:
    """Have both pools read their files again."""
    units = ["pgbouncer@transaction.service", "pgbouncer@session.service"]
    subprocess.run(["systemctl", "reload", *units], check=True)


def wait_for(wanted: bytes) -> None:
    """Wait until both pools show the certificate *wanted*."""
    deadline = time.monotonic() + 15
    while any(served(port) != wanted for port in (6432, 6433)):
        if time.monotonic() > deadline:
            sys.exit("the certificate in place is not the one that is served")
        time.sleep(0.1)


def main() -> None:
    """Try it, and put the old certificate back."""
    old_leaf, old_key, before = LEAF.read_bytes(), KEY.read_bytes(), served(6432)
    client = psycopg2.connect(
        host="postgresql.example.test",
        port=6433,
        user="app_owner",
        dbname="app",
        sslmode="verify-full",
        sslrootcert=str(FOLDER / "ca.crt"),
    )
    client.autocommit = True
    cursor = client.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    process = cursor.fetchone()
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=new", "-keyout", "/run/new.key"),
            *("-out", "/run/new.crt", "-CA", str(FOLDER / "ca.crt")),
            *("-CAkey", str(FOLDER / "ca.key"), "-addext", "basicConstraints=critical,CA:FALSE"),
            *("-addext", "subjectAltName=DNS:postgresql.example.test"),
        ],
        check=True,
    )
    new = Path("/run/new.crt").read_text()
    LEAF.write_text(new)
    KEY.write_bytes(Path("/run/new.key").read_bytes())
    reload()
    wait_for(ssl.PEM_cert_to_DER_cert(new))
    cursor.execute("SELECT pg_backend_pid()")
    if cursor.fetchone() != process:
        sys.exit("the client did not keep its session")
    LEAF.write_bytes(old_leaf)
    KEY.write_bytes(old_key)
    reload()
    wait_for(before)


if __name__ == "__main__":
    main()
