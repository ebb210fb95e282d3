# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

pytest.importorskip("cryptography")
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._vault.authorities import (
    Authority,
    Found,
    authorities_from,
    change_for,
    check_signable,
    install_certificate,
    plan_urls,
    read,
    reasons,
    request_certificate,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import Reply, Vault

WANTED = Authority("pki", "Platform intermediate", urls={"ocsp_servers": ("http://o",)})


def _certificate(name: str, issuer: str, key: Any, signer: Any, days: int) -> str:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


@pytest.fixture(scope="module")
def keys() -> Any:
    return ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def root(keys: Any) -> str:
    return _certificate("root", "root", keys[0], keys[0], 3650)


def _signed(keys: Any, name: str = "Platform intermediate", days: int = 1000) -> Found:
    return Found(_certificate(name, "root", keys[1], keys[0], days))


def test_a_good_authority_stays(keys: Any, root: str) -> None:
    assert reasons(_signed(keys), WANTED, root) == []


def test_an_authority_that_lives_as_long_as_its_root_stays(keys: Any) -> None:
    root = _certificate("root", "root", keys[0], keys[0], 200)
    assert reasons(_signed(keys, days=200), WANTED, root) == []
    assert "sooner" in reasons(_signed(keys, days=100), WANTED, root)[0]


def test_why_a_new_one_is_needed(keys: Any, root: str) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    foreign = Found(_certificate("Platform intermediate", "root", keys[1], other, 1000))
    assert reasons(Found(), WANTED, root) == ["there is none"]
    assert "sooner" in reasons(_signed(keys, days=300), WANTED, root)[0]
    assert "does not lead" in reasons(foreign, WANTED, root)[0]
    assert reasons(_signed(keys, "Old name"), WANTED, root) == ["its subject is CN=Old name"]


def test_what_can_not_be_signed_is_refused() -> None:
    check_signable({WANTED: ["there is none"]}, signable=True)
    check_signable({WANTED: []}, signable=False)
    with pytest.raises(PlatformError, match="private key is not given") as caught:
        check_signable({WANTED: ["there is none"]}, signable=False)
    assert caught.value.where == "authority Platform intermediate in pki/: there is none"


def test_how_it_is_shown(keys: Any) -> None:
    assert str(change_for(Found(), WANTED, ["there is none"])) == (
        "create authority Platform intermediate in pki/"
    )
    change = change_for(_signed(keys, "Old"), WANTED, ["why"])
    assert change.kind == "update"
    assert "CN=Old" in str(change.before)


def _item(**more: Any) -> dict[str, Any]:
    return {
        "mount": "/pki/",
        "common_name": "x",
        "key_type": "ec",
        "key_bits": 256,
        "ttl": "1825d",
        "minimum_left": "365d",
        "issuing_certificates": None,
        "ocsp_servers": [],
        **more,
    }


def test_options() -> None:
    (authority,) = authorities_from({"authorities": [_item()]})
    assert authority == Authority("pki", "x", urls={"ocsp_servers": ()})


@pytest.mark.parametrize(("ttl", "left"), [("30d", "30d"), ("30d", "1h"), ("1d", "2d")])
def test_lives_that_would_never_settle(ttl: str, left: str) -> None:
    with pytest.raises(PlatformError, match="minimum_left"):
        authorities_from({"authorities": [_item(ttl=ttl, minimum_left=left)]})


def test_urls() -> None:
    found = Found(urls={"ocsp_servers": (), "issuing_certificates": ("http://i",)})
    (step,) = plan_urls(found, WANTED)
    assert step.document == {"ocsp_servers": ["http://o"], "issuing_certificates": ["http://i"]}
    assert step.change.after == {"ocsp_servers": ["http://o"]}
    assert plan_urls(Found(urls={"ocsp_servers": ("http://o",)}), WANTED) == ()


class Engine:
    """A PKI engine that signs nothing but takes what is signed."""

    def __init__(self) -> None:
        self.default = ""
        self.mapping: dict[str, str] = {"new": "key", "root": ""}
        self.written: list[tuple[str, Any]] = []

    def authenticate(self, token: str) -> None:
        """Nobody asks."""

    def __call__(self, method: str, path: str, document: Any) -> Reply:
        if method == "POST":
            self.written.append((path, document))
        data: Any = {
            "pki/config/issuers": {"default": self.default},
            "pki/issuer/new": {"certificate": "PEM"},
            "pki/config/urls": {"ocsp_servers": ["http://o"], "issuing_certificates": None},
            "pki/intermediate/generate/internal": {"csr": "CSR"},
            "pki/intermediate/set-signed": {"mapping": self.mapping},
        }.get(path)
        return Reply(404) if data is None else Reply(200, {"data": data})


def test_reading() -> None:
    engine = Engine()
    vault = Vault(engine, "")
    urls = {
        "issuing_certificates": (),
        "crl_distribution_points": (),
        "ocsp_servers": ("http://o",),
    }
    assert read(vault, "pki") == Found("", urls)
    engine.default = "new"
    assert read(vault, "pki") == Found("PEM", urls)
    assert read(vault, "other").certificate == ""


def test_a_request_and_its_certificate() -> None:
    engine = Engine()
    vault = Vault(engine, "")
    request = request_certificate(vault, WANTED)
    assert request.as_dict() == {"mount": "pki", "csr": "CSR", "days": 1825}
    install_certificate(vault, "pki", "CRT")
    assert engine.written[1:] == [
        ("pki/intermediate/set-signed", {"certificate": "CRT"}),
        ("pki/config/issuers", {"default": "new"}),
    ]


def test_a_certificate_without_its_key() -> None:
    engine = Engine()
    engine.mapping = {"new": ""}
    with pytest.raises(PlatformError, match="belongs to no key"):
        install_certificate(Vault(engine, ""), "pki", "CRT")
