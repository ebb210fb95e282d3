# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: tries endpoints the way an uninvited client would."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import socket
import ssl
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .._core.errors import PlatformError
from .model import Proof

# A refusal takes a round trip; a server that accepts stays silent for as long.
_REFUSAL_SECONDS = 0.5


@dataclass(frozen=True)
class Attempt:
    """One try, and how it has to end.

    :param url: ``https://host:port/path``, ``http://…``, or ``tcp://host:port``.
    :param expect: endings that prove it: ``status 401``, ``tls`` (the server refuses our
        certificate, or its absence), ``network`` (nothing answers), ``open`` (it connects).
    :param ca: file of the authorities that the server's certificate must lead to.
    :param client_certificate: PEM file to show, empty for none.
    :param client_key: its private key.
    :param foreign_certificate: whether to show a certificate that no authority of ours signed.
    """

    service: str
    proof: str
    url: str
    expect: tuple[str, ...]
    ca: str = ""
    client_certificate: str = ""
    client_key: str = ""
    foreign_certificate: bool = False
    method: str = "GET"
    body: str = ""
    timeout: int = 3


@dataclass(frozen=True)
class Ending:
    """How a try ended: its kind, as in :attr:`Attempt.expect`, and the words that came with it."""

    kind: str
    words: str = ""


def attempt_from(item: Mapping[str, Any]) -> Attempt:
    """Return one element of the module's list as an :class:`Attempt`."""
    values = {key: value for key, value in item.items() if value is not None}
    return Attempt(**{**values, "expect": tuple(item["expect"])})


def make_foreign_certificate(folder: Path) -> tuple[str, str]:
    """Write a certificate that is its own authority, and its key; returns their paths."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise PlatformError(
            "the Python library cryptography is missing",
            hint="install the package python3-cryptography",
        ) from error
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stranger")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "stranger.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "stranger.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(folder / "stranger.crt"), str(folder / "stranger.key")


def _context(attempt: Attempt, folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=attempt.ca or None)
    certificate, key = attempt.client_certificate, attempt.client_key
    if attempt.foreign_certificate:
        certificate, key = make_foreign_certificate(folder)
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


def _hear_refusal(connection: http.client.HTTPConnection) -> None:
    """Let a server that refuses our certificate say so, before a request makes it hang up instead.

    In TLS 1.3 it judges the client's certificate when the client already takes the handshake for
    done.
    """
    connection.connect()
    if isinstance(connection.sock, ssl.SSLSocket):
        connection.sock.settimeout(_REFUSAL_SECONDS)
        with contextlib.suppress(TimeoutError):
            connection.sock.recv(1)
        connection.sock.settimeout(connection.timeout)


def _request(attempt: Attempt, connection: http.client.HTTPConnection) -> Ending:
    target = urlsplit(attempt.url)
    try:
        _hear_refusal(connection)
        headers = {"Content-Type": "application/json"}
        connection.request(attempt.method, target.path or "/", attempt.body or None, headers)
        return Ending(f"status {connection.getresponse().status}")
    finally:
        connection.close()


def attempt_once(attempt: Attempt) -> Ending:
    """Try it, and return how it ended.

    :raises PlatformError: when the server could not be trusted, which proves nothing.
    """
    target = urlsplit(attempt.url)
    if target.hostname is None or target.port is None:
        raise PlatformError("a host or a port is missing", where=attempt.url)
    address = (target.hostname, target.port)
    try:
        if target.scheme == "tcp":
            socket.create_connection(address, attempt.timeout).close()
            return Ending("open")
        if target.scheme == "http":
            plain = http.client.HTTPConnection(*address, timeout=attempt.timeout)
            return _request(attempt, plain)
        with tempfile.TemporaryDirectory() as folder:
            context = _context(attempt, Path(folder))
        secure = http.client.HTTPSConnection(*address, timeout=attempt.timeout, context=context)
        return _request(attempt, secure)
    except ssl.SSLCertVerificationError as error:
        raise PlatformError(
            f"the server's certificate is not trusted: {error.verify_message}",
            where=attempt.url,
            hint="a refusal by the client proves nothing; correct the authority that is given",
        ) from error
    except ssl.SSLError as error:
        return Ending("tls", error.reason or str(error))
    except (OSError, http.client.HTTPException) as error:
        return Ending("network", str(error) or type(error).__name__)


def prove(
    attempts: Sequence[Attempt], *, attempt_one: Callable[[Attempt], Ending] = attempt_once
) -> list[Proof]:
    """Try each and return, for each, whether it ended as it has to."""
    proofs = []
    for attempt in attempts:
        try:
            ending = attempt_one(attempt)
        except PlatformError as error:
            ending = Ending("not tried", str(error))
        said = f"{ending.kind}: {ending.words}" if ending.words else ending.kind
        passed = ending.kind in attempt.expect
        proofs.append(Proof(attempt.service, attempt.proof, passed, said))
    return proofs
