# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs Redis servers in cluster mode on the loopback address for a test, and ends them.

loopback_redis.py start [COUNT]      starts them and prints where they are, as JSON
loopback_redis.py stop DIRECTORY     ends them and removes their directory
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# A test that is killed must not leave servers behind for ever.
LONGEST = "1800"
PASSWORD = "administrator-of-the-test"
PER_HOST = 2
# Quick enough for a test, and slow enough for a busy machine.
NODE_TIMEOUT = 2000


def name(nth: int) -> str:
    """Return the name of the host that the nth server pretends to run on."""
    return f"node{nth // PER_HOST + 1}.example.test"


def certificate(directory: Path, count: int) -> None:
    """Make a certificate that is its own authority, with the names of all hosts."""
    # The address for clients that are told no host name.
    names = ",".join([*sorted({f"DNS:{name(nth)}" for nth in range(count)}), "IP:127.0.0.1"])
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=redis.example.test"]
    command += ["-keyout", str(directory / "server.key"), "-out", str(directory / "server.crt")]
    command += ["-addext", f"subjectAltName={names}"]
    subprocess.run(command, check=True, stdout=sys.stderr)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Return ports that nobody uses now, nor the port of the cluster's bus that belongs to each."""
    candidates = [port for port in range(17000, 18000) if _is_free(port) and _is_free(port + 10000)]
    return sorted(random.sample(candidates, count))


def serve(directory: Path, nth: int, port: int) -> int:
    """Start the nth server, and return its process id."""
    home = directory / str(nth)
    home.mkdir()
    (home / "users.acl").write_text(
        f"user default off\nuser admin on sanitize-payload >{PASSWORD} ~* &* +@all\n"
    )
    pem = f"{directory}/server"
    (home / "redis.conf").write_text(
        f"bind 127.0.0.1\nport 0\ntls-port {port}\ndir {home}\naclfile {home}/users.acl\n"
        f"tls-cert-file {pem}.crt\ntls-key-file {pem}.key\ntls-ca-cert-file {pem}.crt\n"
        "tls-auth-clients optional\ntls-replication yes\ntls-cluster yes\n"
        f"cluster-enabled yes\ncluster-node-timeout {NODE_TIMEOUT}\n"
        f"masteruser admin\nmasterauth {PASSWORD}\n"
        'appendonly no\nsave ""\nrepl-diskless-sync-delay 0\n'
    )
    with open(home / "log", "wb") as log:
        server = subprocess.Popen(
            ["timeout", LONGEST, "redis-server", str(home / "redis.conf")],
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    (home / "pid").write_text(str(server.pid))
    deadline = time.monotonic() + 30
    while _is_free(port):
        if time.monotonic() > deadline or server.poll() is not None:
            sys.exit((home / "log").read_text())
        time.sleep(0.05)
    return server.pid


def start(count: int) -> dict[str, object]:
    """Start the servers and return where they are."""
    directory = Path(tempfile.mkdtemp(prefix="loopback-redis-"))
    try:
        certificate(directory, count)
        ports = free_ports(count)
        pids = [serve(directory, nth, port) for nth, port in enumerate(ports)]
    except BaseException:
        stop(directory)
        raise
    return {
        "directory": str(directory),
        "nodes": [
            {"host": name(nth), "address": "127.0.0.1", "port": port}
            for nth, port in enumerate(ports)
        ],
        "pids": pids,
        "username": "admin",
        "password": PASSWORD,
        "ca_path": str(directory / "server.crt"),
    }


def stop(directory: Path) -> None:
    """End the servers of *directory*, and remove it."""
    for file in directory.glob("*/pid"):
        # The group: timeout would wait for a server that is stopped at the moment.
        try:
            os.killpg(int(file.read_text()), signal.SIGKILL)
        except ProcessLookupError:
            continue
    shutil.rmtree(directory)


if __name__ == "__main__":
    if sys.argv[1] == "start":
        print(json.dumps(start(int(sys.argv[2]) if len(sys.argv) > 2 else 6)))
    else:
        stop(Path(sys.argv[2]))
