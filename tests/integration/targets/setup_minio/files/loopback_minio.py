# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs MinIO servers on the loopback address for a test, and ends them.

loopback_minio.py start MINIO [COUNT]    starts them and prints where they are, as JSON
loopback_minio.py restart DIRECTORY      starts them again, with what they hold
loopback_minio.py stop DIRECTORY         ends them and removes their directory
"""

from __future__ import annotations

import base64
import contextlib
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


def prepare(directory: Path, nth: int) -> None:
    """Make what the nth server needs: drives, a key, and a port."""
    home = directory / str(nth)
    for drive in range(1, DRIVES + 1):
        (home / f"drive{drive}").mkdir(parents=True)
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    (home / "key").write_text(f"{KEY}:{key}")
    (home / "port").write_text(str(free_port()))


def serve(directory: Path, nth: int) -> str:
    """Start the nth server, and return its endpoint."""
    home = directory / str(nth)
    address = f"127.0.0.1:{(home / 'port').read_text()}"
    words = ["timeout", LONGEST, (directory / "program").read_text(), "server"]
    words += ["--certs-dir", str(directory / "certs"), "--address", address]
    words += [f"{home}/drive{{1...{DRIVES}}}"]
    with open(home / "log", "ab") as log:
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
    while not _is_ready(f"https://{address}", directory / "certs/public.crt"):
        if time.monotonic() > deadline or server.poll() is not None:
            sys.exit((home / "log").read_text())
        time.sleep(0.1)
    return f"https://{address}"


def start(program: str, count: int) -> dict[str, object]:
    """Start the servers and return where they are."""
    directory = Path(tempfile.mkdtemp(prefix="loopback-minio-"))
    try:
        (directory / "certs").mkdir()
        certificate(directory / "certs")
        (directory / "program").write_text(program)
        for nth in range(count):
            prepare(directory, nth)
        endpoints = [serve(directory, nth) for nth in range(count)]
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


def end(home: Path) -> None:
    """End the server of *home* at once, as a loss of power would."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(int((home / "pid").read_text()), signal.SIGKILL)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def restart(directory: Path) -> None:
    """End the servers of *directory*, and start them again."""
    for file in sorted(directory.glob("*/pid")):
        end(file.parent)
        deadline = time.monotonic() + 30
        while not _is_free(int((file.parent / "port").read_text())):
            if time.monotonic() > deadline:
                sys.exit(f"the server of {file.parent} does not end")
            time.sleep(0.1)
        serve(directory, int(file.parent.name))


def stop(directory: Path) -> None:
    """End the servers of *directory*, and remove it."""
    for file in directory.glob("*/pid"):
        end(file.parent)
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1] == "start":
        print(json.dumps(start(sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1)))
    else:
        {"restart": restart, "stop": stop}[sys.argv[1]](Path(sys.argv[2]))
