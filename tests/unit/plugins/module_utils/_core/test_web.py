# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import ipaddress
import json
import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.web import (
    Endpoint,
    Reply,
    request,
)


def _write_own_certificate(folder, name):
    """Write NAME.crt, which is its own authority, and NAME.key for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    for name in ("server", "client", "stranger"):
        _write_own_certificate(folder, name)
    return folder


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append(self)
        length = int(self.headers.get("Content-Length") or 0)
        self.sent = self.rfile.read(length).decode()
        self.shown = self.connection.getpeercert()
        status, body, headers = self.server.replies[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def do_PUT(self):
        self.do_GET()

    def log_message(self, *words):
        pass


@pytest.fixture
def server(pki):
    """Serves HTTPS on the loopback, and wants a client certificate of its own authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "server.crt", pki / "server.key")
    context.load_verify_locations(pki / "client.crt")
    context.verify_mode = ssl.CERT_OPTIONAL
    server = TCPServer(("127.0.0.1", 0), _Handler)  # HTTPServer would look up a name
    server.handle_error = lambda *_words: None
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.seen, server.replies = [], {}
    server.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _endpoint(server, pki, **options):
    return Endpoint(server.url, str(pki / "server.crt"), **options)


def test_a_document_goes_out_and_one_comes_back(server, pki):
    server.replies["/config"] = (200, '{"ttl": 30}', {})
    reply = request("PUT", _endpoint(server, pki), "/config", {"ttl": 30})
    assert reply == Reply(200, {"ttl": 30})
    (seen,) = server.seen
    assert (seen.command, json.loads(seen.sent)) == ("PUT", {"ttl": 30})
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.headers["Authorization"] is None


def test_a_status_that_is_no_success_is_a_reply_too(server, pki):
    server.replies["/health"] = (503, "starting", {})
    assert request("GET", _endpoint(server, pki), "/health") == Reply(503, "starting")


def test_the_password_goes_out_without_being_asked_for(server, pki):
    server.replies["/"] = (200, "{}", {})
    request("GET", _endpoint(server, pki, username="u", password="p"), "/")
    expected = "Basic " + base64.b64encode(b"u:p").decode()
    assert server.seen[0].headers["Authorization"] == expected


def test_the_client_shows_its_certificate(server, pki):
    server.replies["/"] = (200, "{}", {})
    shown = {"client_certificate": str(pki / "client.crt"), "client_key": str(pki / "client.key")}
    request("GET", _endpoint(server, pki, **shown), "/")
    ((field,),) = server.seen[0].shown["subject"]
    assert field == ("commonName", "client")


def test_a_redirection_is_not_followed(server, pki):
    server.replies["/"] = (302, "", {"Location": "/elsewhere"})
    assert request("GET", _endpoint(server, pki), "/").status == 302
    assert len(server.seen) == 1


def test_a_server_of_another_authority_gets_nothing(server, pki):
    endpoint = Endpoint(server.url, str(pki / "stranger.crt"), username="u", password="secret")
    with pytest.raises(PlatformError, match="certificate verify failed") as caught:
        request("GET", endpoint, "/")
    assert caught.value.where == server.url
    assert server.seen == []
    assert "secret" not in str(caught.value)


def test_nobody_listening_is_an_error_with_the_address(pki):
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{unheard.getsockname()[1]}"
        with pytest.raises(PlatformError, match="no answer to GET /x") as caught:
            request("GET", Endpoint(url, str(pki / "server.crt")), "/x")
    assert caught.value.where == url


@pytest.mark.parametrize("nonsense", [b"220 smtp ready\r\n", b""])
def test_what_does_not_speak_http_is_an_error(pki, nonsense):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            connection = listener.accept()[0]
            with connection:
                connection.recv(4096)
                connection.sendall(nonsense)

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(PlatformError, match="no answer"):
            request("GET", Endpoint(url, str(pki / "server.crt")), "/")
        thread.join()


def test_a_missing_authority_is_an_error(server, tmp_path):
    with pytest.raises(PlatformError, match="no answer"):
        request("GET", Endpoint(server.url, str(tmp_path / "none.crt")), "/")


def test_no_document_is_no_body():
    sent = []

    def opener(*words):
        sent.append(words)
        return 204, ""

    endpoint = Endpoint("https://localhost", "")
    assert request("DELETE", endpoint, "/x", opener=opener) == Reply(204, "")
    assert sent == [("DELETE", endpoint, "/x", None)]


def test_an_endpoint_shows_its_address_alone():
    assert repr(Endpoint("https://h:1", "ca", password="secret")) == "Endpoint(https://h:1)"
