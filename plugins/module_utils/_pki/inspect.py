# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what is wrong with a certificate that a service is about to use."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization
except ImportError as error:  # reported by require_library()
    MISSING: ImportError | None = error
else:
    MISSING = None

from .._core.errors import PlatformError


@dataclass(frozen=True)
class Material:
    """The PEM texts that belong together; empty where there is none to check.

    :param certificate: the leaf first, then its chain.
    :param private_key: the leaf's key.
    :param ca: the trust anchors.
    """

    certificate: bytes
    private_key: bytes = b""
    ca: bytes = b""


def require_library() -> None:
    """Say what to install where the library ``cryptography`` is missing."""
    if MISSING is not None:
        raise PlatformError(
            "the Python library cryptography is missing",
            hint="install the package python3-cryptography",
        )


def names_of(certificate: x509.Certificate) -> frozenset[str]:
    """Return the DNS names and IP addresses that *certificate* carries."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses = {str(address) for address in found.get_values_for_type(x509.IPAddress)}
    return frozenset(found.get_values_for_type(x509.DNSName)) | addresses


def _normal(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _covers(carried: frozenset[str], name: str) -> bool:
    wildcard = "*." + name.partition(".")[2]
    return _normal(name) in carried or wildcard in carried


def _key_problems(leaf: x509.Certificate, private_key: bytes) -> list[str]:
    try:
        key = serialization.load_pem_private_key(private_key, None)
    except (ValueError, TypeError):
        return ["the private key is not an unencrypted key in PEM format"]
    own = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    certified = leaf.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return [] if own == certified else ["the private key does not belong to the certificate"]


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _chain_problems(chain: Sequence[x509.Certificate], ca: bytes) -> list[str]:
    try:
        anchors = x509.load_pem_x509_certificates(ca)
    except ValueError:
        return ["the authority's file holds no certificate in PEM format"]
    current = chain[0]
    for _ in range(len(chain) + 1):
        if any(_issued_by(current, anchor) for anchor in anchors):
            return []
        following = [issuer for issuer in chain[1:] if _issued_by(current, issuer)]
        if not following or following[0] == current:
            break
        current = following[0]
    return ["the certificate does not lead to the given authority"]


def _time_problems(leaf: x509.Certificate, now: datetime, left: timedelta) -> list[str]:
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if now < start:
        return [f"the certificate is valid from {start:%Y-%m-%d %H:%M} UTC on only"]
    if now >= end:
        return [f"the certificate expired on {end:%Y-%m-%d %H:%M} UTC"]
    if now + left >= end:
        return [f"the certificate expires on {end:%Y-%m-%d %H:%M} UTC, sooner than asked for"]
    return []


def problems(
    material: Material,
    *,
    names: Sequence[str] = (),
    now: datetime | None = None,
    left: timedelta = timedelta(0),
) -> list[str]:
    """Return what is wrong, a sentence each; empty means that a service may use it.

    :param names: DNS names and IP addresses that the certificate must carry.
    :param now: the time to judge by, the present by default.
    :param left: how long it must still be valid.
    """
    require_library()
    try:
        chain = x509.load_pem_x509_certificates(material.certificate)
    except ValueError:
        return ["the certificate's file holds no certificate in PEM format"]
    leaf = chain[0]
    carried = names_of(leaf)
    found = _time_problems(leaf, now or datetime.now(timezone.utc), left)
    found += [
        f"the certificate lacks the name {name}" for name in names if not _covers(carried, name)
    ]
    if material.private_key:
        found += _key_problems(leaf, material.private_key)
    if material.ca:
        found += _chain_problems(chain, material.ca)
    return found


def describe(certificate: bytes) -> dict[str, object]:
    """Return what identifies the first certificate of the PEM text."""
    require_library()
    leaf = x509.load_pem_x509_certificates(certificate)[0]
    return {
        "serial": f"{leaf.serial_number:x}",
        "issuer": leaf.issuer.rfc4514_string(),
        "subject": leaf.subject.rfc4514_string(),
        "names": sorted(names_of(leaf)),
        "not_before": leaf.not_valid_before_utc.isoformat(),
        "not_after": leaf.not_valid_after_utc.isoformat(),
    }
