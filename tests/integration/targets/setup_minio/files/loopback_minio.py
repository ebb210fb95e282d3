# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs MinIO servers on the loopback address for a test, and ends them.

loopback_minio.py start MINIO [COUNT]    starts them and prints where they are, as JSON
loopback_minio.py stop DIRECTORY         ends them and removes their directory
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

# A test that is killed must not leave servers behind for ever.
LONGEST = "1800"
USER = "administrator"
PASSWORD = "administrator-of-the-test"
KEY = "test-key"
DRIVES = 4


def certificate(directory: Path) -> None:
    """Make a certificate that is its own authority."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=minio.example.test"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command += ["-keyout", str(directory / "private.key"), "-out", str(directory / "public.crt")]
    subprocess.run(command, check=True, stdout=sys.stderr)
    (directory / "CAs").mkdir()
    # So that they trust each other when one copies to another.
    shutil.copy(directory / "public.crt", directory / "CAs")


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path) -> dict[str, str]:
    """Return the server's settings; no other MINIO_ variable of the caller's has a say."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("MINIO_")}
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    (home / "key").write_text(f"{KEY}:{key}")
    return {
        **own,
        "HOME": str(home),
        "MINIO_ROOT_USER": USER,
        "MINIO_ROOT_PASSWORD": PASSWORD,
        "MINIO_KMS_SECRET_KEY_FILE": str(home / "key"),
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        # Its drives are folders of one file system, which it would take for the system's drive.
        "MINIO_CI_CD": "on",
        "MINIO_SCANNER_SPEED": "fastest",
        # A target for events. Nobody listens there; what it would be sent waits in a folder.
        "MINIO_NOTIFY_WEBHOOK_ENABLE_TEST": "on",
        "MINIO_NOTIFY_WEBHOOK_ENDPOINT_TEST": "http://127.0.0.1:9/",
        "MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_TEST": str(home / "events"),
    }


def _is_ready(endpoint: str, ca: Path) -> bool:
    context = ssl.create_default_context(cafile=str(ca))
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        # Unlike /live, this one says whether it can be written to.
        opener.open(f"{endpoint}/minio/health/cluster", timeout=5).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def serve(program: str, directory: Path, nth: int) -> str:
    """Start the nth server, and return its endpoint."""
    home = directory / str(nth)
    for drive in range(1, DRIVES + 1):
        (home / f"drive{drive}").mkdir(parents=True)
    port = free_port()
    endpoint = f"https://127.0.0.1:{port}"
    words = ["timeout", LONGEST, program, "server", "--certs-dir", str(directory / "certs")]
    words += ["--address", f"127.0.0.1:{port}", f"{home}/drive{{1...{DRIVES}}}"]
    with open(home / "log", "wb") as log:
        server = subprocess.Popen(
            words,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env=environment(home),
        )
    (home / "pid").write_text(str(server.pid))
    deadline = time.monotonic() + 120
    while not _is_ready(endpoint, directory / "certs/public.crt"):
        if time.monotonic() > deadline or server.poll() is not None:
            sys.exit((home / "log").read_text())
        time.sleep(0.1)
    return endpoint


def start(program: str, count: int) -> dict[str, object]:
    """Start the servers and return where they are."""
    directory = Path(tempfile.mkdtemp(prefix="loopback-minio-"))
    try:
        (directory / "certs").mkdir()
        certificate(directory / "certs")
        endpoints = [serve(program, directory, nth) for nth in range(count)]
    except BaseException:
        stop(directory)
        raise
    return {
        "directory": str(directory),
        "endpoints": endpoints,
        "access_key": USER,
        "secret_key": PASSWORD,
        "ca_path": str(directory / "certs/public.crt"),
        "key": KEY,
        "event_arn": "arn:minio:sqs::TEST:webhook",
    }


def stop(directory: Path) -> None:
    """End the servers of *directory*, and remove it."""
    for file in directory.glob("*/pid"):
        try:
            os.killpg(int(file.read_text()), signal.SIGKILL)
        except ProcessLookupError:
            continue
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1] == "start":
        print(json.dumps(start(sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1)))
    else:
        stop(Path(sys.argv[2]))
