# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: makes keys and certificate requests on the host."""

from __future__ import annotations

import contextlib
from pathlib import Path

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID
except ImportError:  # reported by inspect.require_library()
    pass

from .._core.errors import PlatformError
from .._core.files import write_atomically
from . import inspect
from .requests import Found, Wanted

_STAGED = ".new"


def _content(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def find(wanted: Wanted) -> Found:
    """Return what is in the certificate's files now."""
    return Found(_content(wanted.certificate), _content(wanted.private_key))


def _staged_key(wanted: Wanted) -> Path:
    return Path(wanted.private_key + _STAGED)


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    """Return the staged key, None where there is none or it was not written to its end."""
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key
    return None


def request(wanted: Wanted) -> str:
    """Return a request for the certificate, signed by a new key that waits beside the old one.

    A key that an interrupted run has left there is used again.
    """
    inspect.require_library()
    staged = _staged_key(wanted)
    staged.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    key = _load_key(staged)
    if key is None:
        key = _new_key()
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_atomically(staged, text)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted.common_name)])
    built = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return built.public_bytes(serialization.Encoding.PEM).decode()


def staged_key(wanted: Wanted, certificate: bytes) -> bytes:
    """Return the key that waits for *certificate*.

    :raises PlatformError: when the certificate was made for another key.
    """
    key = _content(str(_staged_key(wanted)))
    if not key:
        found = ["the key that it was asked for with is gone"]
    else:
        names = (*wanted.names, *wanted.addresses)
        found = inspect.problems(inspect.Material(certificate, key), names=names)
    if not key or found:
        raise PlatformError(
            f"the signed certificate can't be used: {'; '.join(found)}",
            where=wanted.certificate,
            hint="check the clocks of this host and of the controller, and run again",
        )
    return key


def drop_staged(wanted: Wanted) -> None:
    """Remove the key that waited, once it is in place."""
    _staged_key(wanted).unlink(missing_ok=True)
