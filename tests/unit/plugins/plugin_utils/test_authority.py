# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._pki.inspect import (
    Material,
    problems,
)
from ansible_collections.mcp.platform.plugins.plugin_utils import authority
from ansible_collections.mcp.platform.plugins.plugin_utils.authority import (
    Authority,
    create_intermediate,
    create_root,
    sign_intermediate,
    sign_leaf,
)


@pytest.fixture(scope="module")
def root():
    return create_root("demo root")


@pytest.fixture(scope="module")
def bootstrap(root):
    return create_intermediate(root, "demo bootstrap")


def _request(common_name="node1"):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    built = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return built.public_bytes(serialization.Encoding.PEM).decode(), pem


def _read(pem):
    return x509.load_pem_x509_certificate(pem.encode())


def _extension(pem, kind):
    return _read(pem).extensions.get_extension_for_class(kind)


def test_a_leaf_serves_under_its_names(root, bootstrap):
    request, key = _request()
    leaf = sign_leaf(bootstrap, request, names=["node1.example.org"], addresses=["10.0.0.1"])
    material = Material((leaf + bootstrap.certificate).encode(), key, root.certificate.encode())
    assert problems(material, names=["node1.example.org", "10.0.0.1"]) == []


def test_a_leaf_may_sign_nothing_and_says_what_it_is_for(bootstrap):
    request, _key = _request()
    leaf = sign_leaf(bootstrap, request, names=["a"], usages=["client"])
    assert not _extension(leaf, x509.BasicConstraints).value.ca
    assert not _extension(leaf, x509.KeyUsage).value.key_cert_sign
    assert list(_extension(leaf, x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_an_intermediate_may_sign_leaves_only(root, bootstrap):
    found = _extension(bootstrap.certificate, x509.BasicConstraints)
    assert (found.critical, found.value.ca, found.value.path_length) == (True, True, 0)
    assert _extension(root.certificate, x509.BasicConstraints).value.path_length == 1
    issuer = _extension(bootstrap.certificate, x509.AuthorityKeyIdentifier).value
    own = _extension(root.certificate, x509.SubjectKeyIdentifier).value
    assert issuer.key_identifier == own.digest


def test_an_intermediate_of_elsewhere_keeps_its_name_and_key(root):
    request, key = _request("vault etcd")
    signed = sign_intermediate(root, request)
    assert _read(signed).subject.rfc4514_string() == "CN=vault etcd"
    assert problems(Material(signed.encode(), key, root.certificate.encode())) == []


@given(st.integers(1, 5000))
def test_nothing_outlives_its_issuer(days):
    short = _SHORT
    request = _REQUEST
    end = _read(short.certificate).not_valid_after_utc
    assert _read(sign_intermediate(short, request, days=days)).not_valid_after_utc <= end
    leaf = _read(sign_leaf(short, request, names=["a"], days=days))
    assert leaf.not_valid_after_utc <= end
    wanted = datetime.now(timezone.utc) + timedelta(days=min(days, 29))
    assert abs(leaf.not_valid_after_utc - wanted) < timedelta(minutes=1)


_SHORT = create_root("short", days=30)
_REQUEST = _request()[0]


def test_an_authority_at_its_end_signs_no_more():
    over = create_root("over", days=0)
    for sign in (
        lambda: sign_intermediate(over, _REQUEST),
        lambda: sign_leaf(over, _REQUEST, names=["a"]),
    ):
        with pytest.raises(PlatformError, match="signs no more") as caught:
            sign()
        assert caught.value.where == "CN=over"


def test_a_clock_that_is_a_little_behind_accepts_it(root):
    assert _read(root.certificate).not_valid_before_utc < datetime.now(timezone.utc) - timedelta(
        minutes=4
    )


def test_what_is_no_request_is_refused(root):
    with pytest.raises(PlatformError, match="not in PEM format"):
        sign_intermediate(root, "nonsense")


def test_a_request_of_a_stranger_is_refused(root, monkeypatch):
    class Forged:
        is_signature_valid = False

    monkeypatch.setattr(authority.x509, "load_pem_x509_csr", lambda _text: Forged())
    with pytest.raises(PlatformError, match="own key"):
        sign_intermediate(root, _REQUEST)


@pytest.mark.parametrize("broken", [("", ""), ("nonsense", "nonsense")])
def test_a_broken_authority_is_told_without_its_key(broken):
    with pytest.raises(PlatformError, match="not in PEM format"):
        sign_leaf(Authority(*broken), _REQUEST, names=["a"])


def test_an_authority_does_not_show_its_key(root):
    assert "PRIVATE" not in repr(root)
    assert "PRIVATE" not in f"{root}"


def test_the_missing_library_is_named(monkeypatch):
    monkeypatch.setattr(authority, "MISSING", ImportError())
    with pytest.raises(PlatformError, match="cryptography is missing on the controller"):
        create_root("x")
