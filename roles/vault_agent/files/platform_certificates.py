# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the certificates that the vault's agent renders, and proves that services serve them.

The agent never tries a failed hook again, so its hook only starts the unit that runs this program;
the same unit runs at boot and from a timer. Each run compares three things per certificate - what
the agent rendered, what stands in the service's files, and what the service serves - and does what
is missing.

    platform-certificates               one run; fails when a certificate is not where it belongs
    platform-certificates wait [SECS]   start the unit until every certificate is; for deployments
"""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

CONFIGURATION = Path("/etc/mcp-platform/certificates.json")
UNIT = "platform-certificates.service"
_PROBE_SECONDS = 5
_SERVED_SECONDS = 30
_RELOAD_SECONDS = 60
# SSLRequest of PostgreSQL's protocol 3.0: the message's length, and the code 1234.5679.
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class CertificateError(Exception):
    """Why a certificate is not where it belongs."""


class NothingListensError(CertificateError):
    """Nothing listens at the probed address, so nothing serves an old certificate."""


@dataclass(frozen=True)
class Bundle:
    """What the agent rendered: key, certificate, and the authority that issued it, as PEM."""

    key: str
    certificate: str
    issuer: str
    serial: int
    not_after: datetime

    @property
    def chain(self) -> str:
        return self.certificate + self.issuer


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _public(key: Any) -> bytes:
    return bytes(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def parse_bundle(text: str) -> Bundle:
    """Return the parts of a rendered bundle.

    :raises CertificateError: when one is missing, or the key belongs to another certificate.
    """
    try:
        certificates = x509.load_pem_x509_certificates(text.encode())
        key = serialization.load_pem_private_key(text.encode(), None)
    except ValueError as error:
        raise CertificateError(f"the rendered bundle can't be read: {error}") from None
    if len(certificates) < 2:
        raise CertificateError("the rendered bundle lacks the issuing authority")
    leaf = next(
        (item for item in certificates if _public(item.public_key()) == _public(key.public_key())),
        None,
    )
    if leaf is None:
        raise CertificateError("the rendered key does not belong to the rendered certificate")
    key_text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    others = "".join(_pem(item) for item in certificates if item is not leaf)
    return Bundle(key_text, _pem(leaf), others, leaf.serial_number, leaf.not_valid_after_utc)


def read_bundle(path: Path) -> Bundle:
    """Return what the agent rendered.

    :raises CertificateError: when it rendered nothing yet, or what it rendered has expired.
    """
    try:
        bundle = parse_bundle(path.read_text())
    except FileNotFoundError:
        raise CertificateError("the agent has not rendered it yet") from None
    if bundle.not_after <= datetime.now(timezone.utc):
        raise CertificateError(
            f"it expired at {bundle.not_after:%Y-%m-%d %H:%M} UTC and the agent has not renewed it"
        )
    return bundle


def wanted_files(item: Mapping[str, Any], bundle: Bundle) -> dict[Path, tuple[str, int]]:
    """Return content and mode of each file that the service reads, the key first."""
    contents = {
        "private_key": (bundle.key, 0o600),
        "combined": (bundle.chain + bundle.key, 0o600),
        "certificate": (bundle.chain, 0o644),
        "ca": (bundle.issuer, 0o644),
    }
    return {Path(item[name]): value for name, value in contents.items() if item.get(name)}


def _ids(item: Mapping[str, Any]) -> tuple[int, int]:
    try:
        return pwd.getpwnam(item["owner"]).pw_uid, grp.getgrnam(item["group"]).gr_gid
    except KeyError as error:
        raise CertificateError(f"{error.args[0]}; install the service first") from None


def _in_place(path: Path, content: str, mode: int, ids: tuple[int, int]) -> bool:
    try:
        status = path.lstat()
        found = (status.st_mode & 0o7777, status.st_uid, status.st_gid)
        return found == (mode, *ids) and path.read_text() == content
    except (FileNotFoundError, NotADirectoryError):
        return False


@contextlib.contextmanager
def _staged(path: Path, content: str, mode: int, ids: tuple[int, int]) -> Iterator[str]:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as stream:
            os.fchown(stream.fileno(), *ids)
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        yield name
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def place(item: Mapping[str, Any], bundle: Bundle) -> bool:
    """Make the service's files those of *bundle*; returns whether one had to change.

    All are on disk before the first is renamed: key and certificate differ for microseconds.
    """
    ids = _ids(item)
    changed = {
        path: value
        for path, value in wanted_files(item, bundle).items()
        if not _in_place(path, *value, ids)
    }
    with contextlib.ExitStack() as stack:
        staged = {
            path: stack.enter_context(_staged(path, *value, ids)) for path, value in changed.items()
        }
        for path, name in staged.items():
            os.replace(name, path)
    for folder in {path.parent for path in changed}:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(descriptor)
        os.close(descriptor)
    return bool(changed)


def _connect(probe: Mapping[str, Any], port: int) -> socket.socket:
    address = (probe.get("address") or "127.0.0.1", port)
    try:
        return socket.create_connection(address, timeout=_PROBE_SECONDS)
    except ConnectionRefusedError:
        raise NothingListensError(f"nothing listens at {address[0]}:{address[1]}") from None


def _context(item: Mapping[str, Any]) -> ssl.SSLContext:
    """Return a context that takes any certificate: the point is to learn which one is served."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if item.get("combined"):
        context.load_cert_chain(item["combined"])
    elif item.get("certificate") and item.get("private_key"):
        context.load_cert_chain(item["certificate"], item["private_key"])
    return context


def _ports(item: Mapping[str, Any]) -> list[int]:
    """Return every port that the service serves the certificate at."""
    probe = item["probe"]
    return [int(port) for port in (probe["port"], *(probe.get("further_ports") or ()))]


def served_serial(item: Mapping[str, Any], port: int) -> int:
    """Return the serial number of the certificate that the service serves at *port*.

    :raises NothingListensError: when nothing listens.
    :raises CertificateError: when there is no TLS to be had.
    """
    probe = item["probe"]
    try:
        with _connect(probe, port) as raw:
            if probe["kind"] == "postgresql":
                raw.sendall(_SSL_REQUEST)
                if raw.recv(1) != b"S":
                    raise CertificateError("the server does not offer TLS")
            with _context(item).wrap_socket(raw) as secured:
                found = secured.getpeercert(binary_form=True)
    except OSError as error:
        raise CertificateError(f"the served certificate can't be read: {error}") from None
    if not found:
        raise CertificateError("the server shows no certificate")
    return x509.load_der_x509_certificate(found).serial_number


def is_running(unit: str) -> bool:
    """Return whether the unit is up, so that it may serve an older certificate."""
    done = subprocess.run(
        ["systemctl", "is-active", "--quiet", unit], check=False, timeout=_RELOAD_SECONDS
    )
    return done.returncode == 0


def reload(item: Mapping[str, Any]) -> None:
    """Run the command that makes the service read its files again.

    :raises CertificateError: with its last words, when it fails.
    """
    if not item.get("reload"):
        return
    try:
        done = subprocess.run(
            item["reload"], capture_output=True, text=True, check=False, timeout=_RELOAD_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CertificateError(f"the reload failed: {error}") from None
    if done.returncode != 0:
        raise CertificateError(f"the reload failed: {(done.stderr or done.stdout).strip()[-300:]}")


def _await_served(item: Mapping[str, Any], serial: int) -> None:
    deadline = time.monotonic() + float(item.get("timeout") or _SERVED_SECONDS)
    while True:
        old = _older(item, serial)
        if not old:
            return
        if time.monotonic() > deadline:
            raise CertificateError(f"the service still serves {old[0]:x}, not {serial:x}")
        time.sleep(0.2)


def hand_over(item: Mapping[str, Any], bundle: Bundle, taken: Path) -> bool:
    """See to it that the running service uses *bundle*; returns whether it had to be told.

    :param taken: file that remembers the serial which a service that can't be probed has taken.
    """
    told = False
    if item.get("unit") and is_running(item["unit"]):
        if item["probe"]["kind"] == "none":
            if not taken.is_file() or taken.read_text() != f"{bundle.serial:x}":
                reload(item)
                told = True
        elif _older(item, bundle.serial):
            reload(item)
            _await_served(item, bundle.serial)
            told = True
    if item["probe"]["kind"] == "none":
        taken.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        taken.write_text(f"{bundle.serial:x}")
    return told


def _older(item: Mapping[str, Any], serial: int) -> list[int]:
    """Return the serials of other certificates that the service serves; a closed port has none."""
    found = []
    for port in _ports(item):
        with contextlib.suppress(NothingListensError):
            found.append(served_serial(item, port))
    return [other for other in found if other != serial]


def handle(item: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Finish what is missing for one certificate, and return how it stands."""
    result: dict[str, Any] = {"ok": False, "changed": False, "not_after": 0}
    try:
        bundle = read_bundle(Path(item["bundle"]))
        result["not_after"] = int(bundle.not_after.timestamp())
        result["serial"] = f"{bundle.serial:x}"
        placed = place(item, bundle)
        result["changed"] = placed
        told = hand_over(item, bundle, Path(configuration["records"]) / item["name"])
        result.update(ok=True, changed=placed or told, told=told)
    except (CertificateError, OSError, ssl.SSLError, subprocess.TimeoutExpired) as error:
        result["problem"] = str(error)
    return result


def metrics(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the results in Prometheus' text format."""
    lines = [
        "# HELP mcp_platform_certificate_installed Whether the service has and serves it.",
        "# TYPE mcp_platform_certificate_installed gauge",
    ]
    lines += [
        f'mcp_platform_certificate_installed{{name="{name}"}} {int(found["ok"])}'
        for name, found in results.items()
    ]
    lines += [
        "# HELP mcp_platform_certificate_not_after_seconds End of the certificate's life.",
        "# TYPE mcp_platform_certificate_not_after_seconds gauge",
    ]
    lines += [
        f'mcp_platform_certificate_not_after_seconds{{name="{name}"}} {found["not_after"]}'
        for name, found in results.items()
        if found["not_after"]
    ]
    lines += [
        "# HELP mcp_platform_certificates_run_seconds When the certificates were last looked at.",
        "# TYPE mcp_platform_certificates_run_seconds gauge",
        f"mcp_platform_certificates_run_seconds {int(time.time())}",
    ]
    return "\n".join(lines) + "\n"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _replace(path: Path, content: str) -> None:
    with _staged(path, content, 0o644, (0, 0)) as name:
        os.replace(name, path)


def _remove_old_bundles(configuration: Mapping[str, Any]) -> None:
    wanted = {item["bundle"] for item in configuration["certificates"]}
    for path in Path(configuration["bundles"]).glob("*.pem"):
        if str(path) not in wanted:
            path.unlink()


def run(configuration: Mapping[str, Any]) -> int:
    """Handle every certificate; returns the exit status."""
    results = {item["name"]: handle(item, configuration) for item in configuration["certificates"]}
    for name, found in results.items():
        if found["changed"] or not found["ok"]:
            _say(f"{name}: {found.get('problem') or 'installed ' + found['serial']}")
    _remove_old_bundles(configuration)
    _replace(Path(configuration["metrics"]), metrics(results))
    _replace(Path(configuration["status"]), json.dumps(results))
    return 0 if all(found["ok"] for found in results.values()) else 1


def _ready(configuration: Mapping[str, Any]) -> bool:
    return all(Path(item["bundle"]).is_file() for item in configuration["certificates"])


def wait(configuration: Mapping[str, Any], seconds: float) -> int:
    """Start the unit until it succeeds, and print what it did; returns the exit status."""
    deadline = time.monotonic() + seconds
    changed = False
    while True:
        if _ready(configuration):
            done = subprocess.run(["systemctl", "start", UNIT], capture_output=True, check=False)
            results = json.loads(Path(configuration["status"]).read_text())
            changed = changed or any(found["changed"] for found in results.values())
            if done.returncode == 0 and set(results) == _names(configuration):
                _say(json.dumps({"changed": changed, "certificates": results}))
                return 0
        if time.monotonic() > deadline:
            sys.stderr.write(_unfinished(configuration) + "\n")
            return 1
        time.sleep(0.3)


def _names(configuration: Mapping[str, Any]) -> set[str]:
    return {item["name"] for item in configuration["certificates"]}


def _unfinished(configuration: Mapping[str, Any]) -> str:
    lines = []
    for item in configuration["certificates"]:
        if not Path(item["bundle"]).is_file():
            lines.append(
                f"{item['name']}: the agent has not rendered it (journalctl -u vault-agent)"
            )
    with contextlib.suppress(FileNotFoundError, ValueError):
        results = json.loads(Path(configuration["status"]).read_text())
        lines += [
            f"{name}: {found['problem']}" for name, found in results.items() if not found["ok"]
        ]
    return "\n".join(lines)


def main() -> int:
    configuration = json.loads(CONFIGURATION.read_text())
    if sys.argv[1:2] == ["wait"]:
        return wait(configuration, float(sys.argv[2]) if len(sys.argv) > 2 else 120)
    return run(configuration)


if __name__ == "__main__":
    sys.exit(main())
