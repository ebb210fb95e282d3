# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: authorities whose keys live on the controller, and what they sign."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError as error:  # said in full where it is needed, see require_library()
    MISSING: ImportError | None = error
else:
    MISSING = None

ROOT_DAYS = 3650
INTERMEDIATE_DAYS = 1825
# A clock that is a little behind still accepts a new certificate.
_BACKDATED = timedelta(minutes=5)


@dataclass(frozen=True)
class Authority:
    """A certificate authority: its certificate and private key as PEM text."""

    certificate: str
    private_key: str

    def __repr__(self) -> str:
        return "Authority(...)"


def require_library() -> None:
    """Say what to install where the library ``cryptography`` is missing on the controller."""
    if MISSING is not None:
        raise PlatformError(
            "the Python library cryptography is missing on the controller",
            hint="install it into the environment that runs ansible-playbook",
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _load(authority: Authority) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        certificate = x509.load_pem_x509_certificate(authority.certificate.encode())
        key = serialization.load_pem_private_key(authority.private_key.encode(), None)
    except ValueError as error:
        raise PlatformError(
            "the authority's certificate or private key is not in PEM format",
            hint="take both from the platform's state",
        ) from error
    return certificate, key  # type: ignore[return-value]


def _days_at_most(certificate: x509.Certificate, days: int) -> int:
    """Return *days*, or as many as the issuer *certificate* lives: nothing outlives its issuer."""
    left = (certificate.not_valid_after_utc - datetime.now(timezone.utc)).days
    if left < 1:
        raise PlatformError(
            f"the authority ends on {certificate.not_valid_after_utc:%Y-%m-%d}, and signs no more",
            where=certificate.subject.rfc4514_string(),
            hint="renew the authority first",
        )
    return min(days, left)


def _issuer_key(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)


def create_root(common_name: str, *, days: int = ROOT_DAYS) -> Authority:
    """Create a root authority with a P-384 key.

    :param days: how long it is valid.
    """
    require_library()
    key = ec.generate_private_key(ec.SECP384R1())
    name = _name(common_name)
    certificate = (
        _builder(name, name, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .sign(key, hashes.SHA384())
    )
    return Authority(_pem(certificate), _key_pem(key))


def create_intermediate(
    root: Authority, common_name: str, *, days: int = INTERMEDIATE_DAYS
) -> Authority:
    """Create an intermediate authority with a P-256 key, signed by *root*."""
    require_library()
    key = ec.generate_private_key(ec.SECP256R1())
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(_name(common_name))
        .sign(key, hashes.SHA256())
    )
    text = request.public_bytes(serialization.Encoding.PEM).decode()
    return Authority(sign_intermediate(root, text, days=days), _key_pem(key))


def _checked_request(request: str) -> x509.CertificateSigningRequest:
    try:
        parsed = x509.load_pem_x509_csr(request.encode())
    except ValueError as error:
        raise PlatformError("a certificate request is not in PEM format") from error
    if not parsed.is_signature_valid:
        raise PlatformError("a certificate request is not signed by its own key")
    return parsed


def sign_intermediate(root: Authority, request: str, *, days: int = INTERMEDIATE_DAYS) -> str:
    """Sign the PEM *request* of an intermediate authority, which may sign leaves only.

    :returns: the certificate as PEM text.
    """
    require_library()
    parsed = _checked_request(request)
    certificate, key = _load(root)
    days = _days_at_most(certificate, days)
    signed = (
        _builder(parsed.subject, certificate.subject, parsed.public_key(), days)  # type: ignore[arg-type]
        .add_extension(_issuer_key(certificate), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .sign(key, hashes.SHA384())
    )
    return _pem(signed)


def sign_leaf(
    authority: Authority,
    request: str,
    *,
    names: Sequence[str],
    addresses: Sequence[str] = (),
    usages: Sequence[str] = ("server", "client"),
    days: int = 365,
) -> str:
    """Sign the PEM *request* of a service.

    :param names: DNS names that the certificate carries.
    :param addresses: IP addresses that it carries.
    :param usages: ``server``, ``client`` or both.
    :param days: how long it is valid, at most as long as *authority*.
    :returns: the certificate as PEM text, without its chain.
    """
    require_library()
    parsed = _checked_request(request)
    certificate, key = _load(authority)
    days = _days_at_most(certificate, days)
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    purposes = {
        "server": ExtendedKeyUsageOID.SERVER_AUTH,
        "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    }
    signed = (
        _builder(parsed.subject, certificate.subject, parsed.public_key(), days)  # type: ignore[arg-type]
        .add_extension(_issuer_key(certificate), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purposes[usage] for usage in usages]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pem(signed)
