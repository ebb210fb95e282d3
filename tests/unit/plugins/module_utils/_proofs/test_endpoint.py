# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import http.server
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._proofs import endpoint
from ansible_collections.mcp.platform.plugins.module_utils._proofs.endpoint import Attempt
from ansible_collections.mcp.platform.plugins.plugin_utils import authority as ca


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(401)
        self.end_headers()

    def log_message(self, *_words):
        pass


def leaf(folder, authority, name):
    """Write a certificate for 127.0.0.1 with its key, and return both paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    text = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    signed = ca.sign_leaf(authority, text, names=[name], addresses=["127.0.0.1"])
    (folder / f"{name}.crt").write_text(signed + authority.certificate)
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(folder / f"{name}.crt"), str(folder / f"{name}.key")


@pytest.fixture
def pki(tmp_path):
    root = ca.create_root("root")
    (tmp_path / "ca.crt").write_text(root.certificate)
    return tmp_path, ca.create_intermediate(root, "services")


@pytest.fixture
def server(pki):
    folder, authority = pki
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.crt"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(*leaf(folder, authority, "server"))
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{httpd.server_address[1]}/"
    httpd.shutdown()
    httpd.server_close()


def attempt(url, folder, **more):
    return Attempt("s", "p", url, ("tls",), ca=str(folder / "ca.crt"), **more)


def test_a_missing_certificate_ends_in_the_handshake(server, pki):
    assert endpoint.attempt_once(attempt(server, pki[0])).kind == "tls"


def test_a_foreign_certificate_ends_in_the_handshake(server, pki):
    ending = endpoint.attempt_once(attempt(server, pki[0], foreign_certificate=True))
    assert ending.kind == "tls"


def test_our_own_certificate_is_answered(server, pki):
    folder, authority = pki
    certificate, key = leaf(folder, authority, "client")
    ending = endpoint.attempt_once(
        attempt(server, folder, client_certificate=certificate, client_key=key)
    )
    assert ending.kind == "status 401"


def test_a_server_that_is_not_trusted_proves_nothing(server, tmp_path):
    (tmp_path / "ca.crt").write_text(ca.create_root("another").certificate)
    (proof,) = endpoint.prove([attempt(server, tmp_path)])
    assert not proof.passed
    assert "not trusted" in proof.detail


def test_plain_http_to_a_tls_port_gets_no_answer(server):
    ending = endpoint.attempt_once(Attempt("s", "p", server.replace("https", "http"), ()))
    assert ending.kind == "network"


def test_a_closed_port_and_an_open_one_are_told_apart():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        assert endpoint.attempt_once(Attempt("s", "p", url, ())).kind == "open"
    assert endpoint.attempt_once(Attempt("s", "p", url, ())).kind == "network"


def test_a_url_without_a_port_is_refused():
    with pytest.raises(PlatformError, match="port is missing"):
        endpoint.attempt_once(Attempt("s", "p", "https://127.0.0.1/", ()))


def test_only_the_expected_ending_passes():
    one = endpoint.attempt_from(
        {"service": "s", "proof": "p", "url": "tcp://h:1", "expect": ["network"], "ca": None}
    )
    kinds = {
        kind: endpoint.prove([one], attempt_one=lambda _attempt, kind=kind: endpoint.Ending(kind))
        for kind in ("network", "open", "tls")
    }
    assert {kind: proof[0].passed for kind, proof in kinds.items()} == {
        "network": True,
        "open": False,
        "tls": False,
    }
