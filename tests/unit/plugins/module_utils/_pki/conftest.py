# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authorities and leaves, as real as a service's."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.now(timezone.utc).replace(microsecond=0)


@dataclass
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self):
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def _alternatives(names):
    for name in names:
        try:
            yield x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            yield x509.DNSName(name)


def issue(common_name, issuer=None, *, names=(), ca=False, start=-1, days=30, constraints=True):
    """Return a certificate that *issuer*, by default itself, has signed.

    :param start: days from now on which it begins to be valid.
    :param constraints: whether it says at all if it is an authority.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=start))
        .not_valid_after(NOW + timedelta(days=start + days))
    )
    if constraints:
        builder = builder.add_extension(
            x509.BasicConstraints(ca=ca, path_length=None), critical=True
        )
    if names:
        alternatives = x509.SubjectAlternativeName(list(_alternatives(names)))
        builder = builder.add_extension(alternatives, critical=False)
    return Issued(builder.sign((issuer.key if issuer else key), hashes.SHA256()), key)


@pytest.fixture(scope="session")
def root():
    return issue("root", ca=True, days=100)


@pytest.fixture(scope="session")
def intermediate(root):
    return issue("intermediate", root, ca=True, days=60)


@pytest.fixture(scope="session")
def leaf(intermediate):
    return issue("leaf", intermediate, names=("node1.example.org", "*.db.example.org", "10.0.0.1"))
