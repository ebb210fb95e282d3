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
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
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


def _covers(carried: frozenset[str], name: str) -> bool:
    names = {carried_name.lower() for carried_name in carried}
    try:
        return str(ipaddress.ip_address(name)) in names
    except ValueError:
        domain = name.lower().partition(".")[2]
        return name.lower() in names or bool(domain and f"*.{domain}" in names)


def _key_problems(leaf: x509.Certificate, private_key: bytes) -> list[str]:
    try:
        key = serialization.load_pem_private_key(private_key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
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
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _may_sign(certificate: x509.Certificate, now: datetime) -> bool:
    """Return whether *certificate* is an authority that is valid *now*."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return found.ca and certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def _chain_problems(chain: Sequence[x509.Certificate], ca: bytes, now: datetime) -> list[str]:
    try:
        anchors = x509.load_pem_x509_certificates(ca)
    except ValueError:
        return ["the authority's file holds no certificate in PEM format"]
    if chain[0] in anchors:
        return []
    signers = [issuer for issuer in (*anchors, *chain[1:]) if _may_sign(issuer, now)]
    reached = [chain[0]]
    for current in reached:
        issuers = [issuer for issuer in signers if _issued_by(current, issuer)]
        if any(issuer in anchors for issuer in issuers):
            return []
        reached += [issuer for issuer in issuers if issuer not in reached]
    return ["the certificate does not lead to the given authority, or one on the way has expired"]


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
    now = now or datetime.now(timezone.utc)
    carried = names_of(leaf)
    found = _time_problems(leaf, now, left)
    found += [
        f"the certificate lacks the name {name}" for name in names if not _covers(carried, name)
    ]
    if material.private_key:
        found += _key_problems(leaf, material.private_key)
    if material.ca:
        found += _chain_problems(chain, material.ca, now)
    return found


def describe(certificate: bytes) -> dict[str, object]:
    """Return what identifies the first certificate of the PEM text, nothing where there is none."""
    require_library()
    try:
        leaf = x509.load_pem_x509_certificates(certificate)[0]
    except ValueError:
        return {}
    return {
        "serial": f"{leaf.serial_number:x}",
        "issuer": leaf.issuer.rfc4514_string(),
        "subject": leaf.subject.rfc4514_string(),
        "names": sorted(names_of(leaf)),
        "not_before": leaf.not_valid_before_utc.isoformat(),
        "not_after": leaf.not_valid_after_utc.isoformat(),
    }
