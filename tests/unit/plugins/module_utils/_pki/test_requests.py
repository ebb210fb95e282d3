# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context
from ansible_collections.mcp.platform.plugins.module_utils._pki import requests_client as client
from ansible_collections.mcp.platform.plugins.module_utils._pki.requests_apply import apply

from .conftest import Issued, issue

_ME = pwd.getpwuid(os.getuid()).pw_name
_OURS = grp.getgrgid(os.getgid()).gr_name


class Host:
    """A host that wants one certificate, and an authority that signs for it elsewhere."""

    def __init__(self, folder, authority, anchor):
        self.folder, self.authority, self.anchor = folder / "pki", authority, anchor
        self.names = ["node1.example.org"]
        self.below = 10

    def _params(self, signed, can_sign):
        item = {
            "certificate": f"{self.folder}/server.crt",
            "private_key": f"{self.folder}/server.key",
            "ca": f"{self.folder}/ca.crt",
            "common_name": "node1",
            "names": self.names,
            "addresses": ["10.0.0.1"],
            "owner": _ME,
            "group": _OURS,
            "mode": "0600",
            "renew_below_days": self.below,
        }
        return {
            "certificates": [item],
            "signed": signed,
            "authority_certificate": self.authority.pem.decode(),
            "trust_anchor": self.anchor.pem.decode(),
            "can_sign": can_sign,
        }

    def run(self, signed=None, *, can_sign=True, check_mode=False):
        outcome = apply(Context(self._params(signed, can_sign), check_mode))
        return [str(change) for change in outcome.changes], outcome.values["requests"]

    def sign(self, request, *, days=30):
        """Return the certificate for the *request* with its chain, as a controller would."""
        asked = x509.load_pem_x509_csr(request["csr"].encode())
        assert asked.is_signature_valid
        made = issue("node1", self.authority, names=[*self.names, "10.0.0.1"], days=days)
        built = (
            x509.CertificateBuilder()
            .subject_name(asked.subject)
            .issuer_name(self.authority.certificate.subject)
            .public_key(asked.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(made.certificate.not_valid_before_utc)
            .not_valid_after(made.certificate.not_valid_after_utc)
        )
        for extension in made.certificate.extensions:
            built = built.add_extension(extension.value, critical=extension.critical)
        signed = Issued(built.sign(self.authority.key, hashes.SHA256()), made.key)
        return {request["certificate"]: (signed.pem + self.authority.pem).decode()}

    def path(self, name):
        return self.folder / name


@pytest.fixture
def host(tmp_path, intermediate, root):
    return Host(tmp_path, intermediate, root)


def _installed(host, **options):
    (request,) = host.run()[1]
    return host.run(host.sign(request, **options))


def test_a_certificate_is_asked_for_and_installed_once(host, root):
    changes, (request,) = host.run()
    assert changes == [f"issue certificate {host.path('server.crt')}"]
    assert request["broken"]
    assert host.path("server.key.new").stat().st_mode & 0o777 == 0o600
    changes, requests = host.run(host.sign(request))
    assert requests == []
    assert changes[0] == f"issue certificate {host.path('server.crt')}"
    assert sorted(path.name for path in host.folder.iterdir()) == [
        "ca.crt",
        "server.crt",
        "server.key",
    ]
    assert host.path("server.key").stat().st_mode & 0o777 == 0o600
    assert host.path("ca.crt").read_bytes() == root.pem
    assert host.run() == ([], [])


def test_check_mode_asks_and_writes_nothing(host):
    changes, (request,) = host.run(check_mode=True)
    assert len(changes) == 1
    assert request["csr"] == ""
    assert not host.folder.exists()


def test_without_an_authority_nothing_is_prepared(host):
    assert host.run(can_sign=False)[1][0]["csr"] == ""
    assert not host.folder.exists()


def test_a_run_that_was_killed_between_the_two_phases_asks_with_the_same_key(host):
    (first,) = host.run()[1]
    (second,) = host.run()[1]
    keys = [x509.load_pem_x509_csr(item["csr"].encode()).public_key() for item in (first, second)]
    assert keys[0] == keys[1]


@pytest.mark.parametrize("left", [b"", b"half a k"])
def test_a_key_that_was_written_by_halves_is_made_anew(host, left):
    host.folder.mkdir()
    host.path("server.key.new").write_bytes(left)
    _installed(host)
    assert host.run() == ([], [])


def test_a_key_of_another_kind_is_made_anew(host):
    host.folder.mkdir()
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    host.path("server.key.new").write_bytes(key)
    (request,) = host.run()[1]
    assert host.path("server.key.new").read_bytes() != key
    assert request["csr"]


def test_what_soon_expires_is_renewed_and_is_not_broken(host):
    _installed(host)
    host.below = 40
    changes, (request,) = host.run()
    assert changes == [f"renew certificate {host.path('server.crt')}"]
    assert not request["broken"]
    assert "sooner" in request["reasons"][0]
    old = host.path("server.key").read_bytes()
    host.run(host.sign(request, days=50))
    assert host.path("server.key").read_bytes() != old
    assert host.run() == ([], [])


def test_a_new_name_needs_a_new_certificate(host):
    _installed(host)
    host.names = [*host.names, "postgresql.example.org"]
    (request,) = host.run()[1]
    assert request["broken"]
    assert "postgresql.example.org" in request["reasons"][0]


@pytest.mark.parametrize("name", ["server.crt", "server.key"])
def test_a_file_that_is_gone_is_asked_for_again(host, name):
    _installed(host)
    host.path(name).unlink()
    (request,) = host.run()[1]
    assert request["reasons"] == [f"there is no {host.path(name)}"]
    host.run(host.sign(request))
    assert host.run() == ([], [])


def test_a_run_that_was_killed_between_key_and_certificate_is_finished(host):
    _installed(host)
    host.below = 40
    (request,) = host.run()[1]
    host.path("server.key").write_bytes(host.path("server.key.new").read_bytes())
    host.below = 10
    (request,) = host.run()[1]
    assert "does not belong" in request["reasons"][0]
    host.run(host.sign(request))
    assert host.run() == ([], [])


def test_a_lost_anchor_or_mode_is_put_back_without_a_new_certificate(host):
    _installed(host)
    host.path("ca.crt").unlink()
    host.path("server.key").chmod(0o644)
    changes, requests = host.run()
    assert requests == []
    assert changes == [f"update {host.path('server.key')}", f"create {host.path('ca.crt')}"]


@pytest.mark.parametrize("key", [None, b""])
def test_a_certificate_whose_key_is_gone_replaces_nothing(host, key):
    _installed(host)
    old = host.path("server.key").read_bytes()
    host.below = 40
    (request,) = host.run()[1]
    signed = host.sign(request, days=50)
    host.path("server.key.new").unlink()
    if key is not None:
        host.path("server.key.new").write_bytes(key)
    with pytest.raises(PlatformError, match="is gone"):
        host.run(signed)
    assert host.path("server.key").read_bytes() == old


def test_a_certificate_for_another_key_replaces_nothing(host, intermediate):
    host.run()
    other = issue("node1", intermediate, names=[*host.names, "10.0.0.1"])
    with pytest.raises(PlatformError, match="does not belong"):
        host.run({str(host.path("server.crt")): other.pem.decode()})
    assert not host.path("server.crt").exists()


def test_a_path_below_a_file_has_no_certificate(tmp_path):
    (tmp_path / "x").touch()
    assert client._content(str(tmp_path / "x" / "server.crt")) is None


def test_no_key_stands_in_a_change(host):
    (request,) = host.run()[1]
    outcome = apply(Context(host._params(host.sign(request), True), False))
    key = Path(host.path("server.key")).read_text().splitlines()[1]
    assert key not in str(outcome)
