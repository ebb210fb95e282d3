# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What boto3 sends and how replies are read, without a server: its requests are caught."""

from __future__ import annotations

import http.server
import socket
import ssl
import sys
import threading
from dataclasses import replace

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError, SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._s3 import client
from ansible_collections.mcp.platform.plugins.module_utils._s3.client import (
    CertificatesAbsentError,
    Login,
    LoginError,
    RefusedError,
    ServerAbsentError,
    connect,
    login_from,
)
from ansible_collections.mcp.platform.plugins.plugin_utils import authority as ca

LOGIN = Login("https://s3.example.test:9000", "admin", "secret-of-admin")
ERROR = "<Error><Code>{}</Code><Message>{}</Message></Error>"
RULES = b"""<ReplicationConfiguration><Role></Role>
<Rule><ID>a</ID><Priority>1</Priority><Status>Enabled</Status>
<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>
<DeleteReplication><Status>Enabled</Status></DeleteReplication>
<Destination><Bucket>arn</Bucket></Destination></Rule>
<Rule><Priority>2</Priority><Status>Enabled</Status>
<Destination><Bucket>arn</Bucket></Destination></Rule>
</ReplicationConfiguration>"""


class _Raw:
    def __init__(self, content):
        self.content = content

    def stream(self, **_unused):
        yield self.content

    def read(self, *_most):
        return self.content

    def close(self):
        pass


class Caught:
    """Replies one after the other, and what was sent."""

    def __init__(self, s3, *replies):
        self.sent = []
        self.replies = list(replies)
        s3._client.meta.events.register("before-send.s3", self)

    def __call__(self, request, **_unused):
        self.sent.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        status, content, server = reply
        headers = {"server": server} if server else {}
        return AWSResponse(request.url, status, headers, _Raw(content))


def _options(**own):
    return {
        "endpoint": "https://s3.example.test:9000/",
        "access_key": "admin",
        "secret_key": "secret-of-admin",
        "ca_path": None,
        "region": "us-east-1",
        "timeout": 5,
        **own,
    }


def test_a_login_shows_no_secret():
    login = login_from(_options())
    assert login.endpoint == "https://s3.example.test:9000"
    assert "secret-of-admin" not in repr(login)


@pytest.mark.parametrize(
    ("own", "what"), [({"region": "eu 1"}, "is no region"), ({"timeout": 0}, "not above 0")]
)
def test_what_no_request_could_be_made_of_is_refused(own, what):
    with pytest.raises(PlatformError, match=what):
        login_from(_options(**own))


@pytest.mark.parametrize(
    "endpoint",
    ["http://s3", "s3:9000", "https://s3/path", "https://s3?a=b", "https://a b", "https://s3:x"],
)
def test_an_endpoint_without_tls_is_refused(endpoint):
    with pytest.raises(PlatformError, match="not the URL of a server with TLS"):
        login_from(_options(endpoint=endpoint))


def test_a_reply_is_read_and_the_engine_remembered():
    s3 = connect(LOGIN)
    assert s3.engine == ""
    body = b"<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>"
    caught = Caught(s3, (200, body, "MinIO"))
    assert s3.call("list_buckets")["Buckets"] == []
    assert s3.engine == "MinIO"
    assert caught.sent[0].url == "https://s3.example.test:9000/"


@pytest.mark.parametrize(
    ("code", "kind", "what"),
    [
        ("SignatureDoesNotMatch", LoginError, "cannot log in as admin"),
        ("InvalidAccessKeyId", LoginError, "cannot log in as admin"),
        ("AccessDenied", RefusedError, "needs a policy"),
        ("NoSuchBucketPolicy", RefusedError, "get_bucket_policy was refused: no"),
    ],
)
def test_a_refusal_has_its_code(code, kind, what):
    s3 = connect(LOGIN)
    Caught(s3, (403, ERROR.format(code, "no").encode(), ""))
    with pytest.raises(kind) as error:
        s3.call("get_bucket_policy", Bucket="shop")
    assert error.value.code == code
    assert what in str(error.value)
    assert "secret-of-admin" not in str(error.value)


def test_nobody_there_and_strangers_are_told_apart():
    s3 = connect(LOGIN)
    Caught(
        s3,
        *[EndpointConnectionError(endpoint_url="https://s3")] * 3,
        *[SSLError(endpoint_url="https://s3", error="CERTIFICATE_VERIFY_FAILED: unknown")] * 3,
    )
    with pytest.raises(ServerAbsentError, match="no answer"):
        s3.call("list_buckets")
    with pytest.raises(PlatformError, match="not trusted") as error:
        s3.call("list_buckets")
    assert not isinstance(error.value, ServerAbsentError)


def test_a_parameter_that_is_none_is_refused():
    with pytest.raises(PlatformError, match="cannot be asked for"):
        connect(LOGIN).call("put_bucket_tagging", Bucket="shop", Tagging=7)


@pytest.mark.parametrize("engine", ["MinIO", "Other"])
def test_what_minio_says_about_deletes_is_heard_and_said(engine):
    s3 = connect(LOGIN)
    caught = Caught(s3, (200, RULES, engine), (200, b"", engine))
    found = s3.call("get_bucket_replication", Bucket="shop")
    assert found["DeleteReplication"] == {"a": True}
    rules = [
        {
            "ID": name,
            "Priority": priority,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": "arn"},
        }
        for priority, name in enumerate("ab", start=1)
    ]
    s3.call(
        "put_bucket_replication",
        Bucket="shop",
        ReplicationConfiguration={"Role": "", "Rules": rules},
        DeleteReplication={"a": True, "b": False},
    )
    body = caught.sent[1].body
    said = [
        body.count(b"<DeleteReplication><Status>Enabled</Status></DeleteReplication>"),
        body.count(b"<DeleteReplication><Status>Disabled</Status></DeleteReplication>"),
    ]
    assert said == ([1, 1] if engine == "MinIO" else [0, 0])
    assert body.count(b"<Rule>") == 2
    assert body.endswith(b"</ReplicationConfiguration>")


def test_authorities_that_cannot_be_read_are_still_to_come(tmp_path):
    with pytest.raises(CertificatesAbsentError, match="cannot be read"):
        connect(Login("https://s3", "a", "b", str(tmp_path / "missing")))


def test_a_host_without_boto3_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(PlatformError, match="boto3 is not on the host"):
        client.library()


def test_own_authorities_are_trusted(tmp_path):
    import certifi

    assert client.trusted(Login("https://s3", "a", "b", certifi.where())) == certifi.where()
    assert client.trusted(LOGIN) is True


def test_the_content_of_an_object_is_read():
    s3 = connect(LOGIN)
    Caught(s3, (200, b"content", "MinIO"), (403, ERROR.format("AccessDenied", "no").encode(), ""))
    assert s3.content(Bucket="shop", Key="a") == b"content"
    with pytest.raises(RefusedError, match="get_object was refused"):
        s3.content(Bucket="shop", Key="a")


def test_a_content_that_breaks_off_is_no_answer(monkeypatch):
    class Late:
        def read(self):
            raise ReadTimeoutError(endpoint_url="https://s3", error="timed out")

        def close(self):
            pass

    s3 = connect(LOGIN)
    monkeypatch.setattr(s3, "call", lambda *_words, **_parameters: {"Body": Late()})
    with pytest.raises(ServerAbsentError, match="no answer"):
        s3.content(Bucket="shop", Key="a")


def test_a_url_is_signed_for_some_seconds():
    url = connect(LOGIN).presigned(60, Bucket="shop", Key="a/b")
    assert url.startswith("https://s3.example.test:9000/shop/a/b?")
    assert "X-Amz-Expires=60" in url
    assert "secret-of-admin" not in url
    with pytest.raises(PlatformError, match="cannot be asked for"):
        connect(LOGIN).presigned(60, Bucket="The Shop", Key="a")


def test_an_anonymous_request_is_not_signed():
    signed, unsigned = connect(LOGIN), connect(replace(LOGIN, anonymous=True))
    sent = []
    for s3 in (signed, unsigned):
        caught = Caught(s3, (200, b"<ListBucketResult></ListBucketResult>", "MinIO"))
        s3.call("list_objects_v2", Bucket="shop")
        sent += caught.sent
    assert ["Authorization" in request.headers for request in sent] == [True, False]


def test_an_endpoint_has_an_address():
    assert client.address(LOGIN) == ("s3.example.test", 9000)
    assert client.address(Login("https://[2001:db8::1]", "a", "b")) == ("2001:db8::1", 443)
    with pytest.raises(PlatformError, match="port is none"):
        client.address(Login("https://s3:99999", "a", "b"))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/gibberish":
            self.wfile.write(b"gibberish\n")
            return
        self.send_response(403 if self.headers["Authorization"] else 200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_words):
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return the login to a server with TLS on the loopback address."""
    folder = tmp_path_factory.mktemp("server")
    root = ca.create_root("root")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    text = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    services = ca.create_intermediate(root, "services")
    signed = ca.sign_leaf(services, text, names=["localhost"], addresses=["127.0.0.1"])
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "ca.crt").write_text(root.certificate)
    (folder / "server.pem").write_text(private.decode() + signed + services.certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    endpoint = f"https://127.0.0.1:{httpd.server_address[1]}"
    yield Login(endpoint, "a", "b", str(folder / "ca.crt"), timeout=10)
    httpd.shutdown()
    httpd.server_close()


def test_a_trusted_server_is_greeted_and_asked_without_a_login(server):
    assert client.greet(server).startswith("TLSv1.3, ")
    assert client.fetch(server, f"{server.endpoint}/a?b=c") == (200, b"/a?b=c")
    assert client.fetch(server, f"{server.endpoint}/a") == (200, b"/a")


def test_a_reply_that_is_not_http_is_none(server):
    with pytest.raises(ServerAbsentError, match="no answer"):
        client.fetch(server, f"{server.endpoint}/gibberish")


@pytest.mark.parametrize("ask", [client.greet, lambda login: client.fetch(login, login.endpoint)])
def test_neither_strangers_nor_the_absent_are_asked(server, ask):
    with pytest.raises(PlatformError, match="not trusted"):
        ask(replace(server, ca_path=None))
    with pytest.raises(ServerAbsentError, match="no answer"):
        ask(replace(server, endpoint="https://127.0.0.1:1"))


def test_a_name_leads_where_it_is_told_to_and_only_meanwhile():
    before = socket.getaddrinfo
    login = Login("https://s3.example.test:9000", "shop", "secret")
    with client.led_to(login, "127.0.0.1"):
        (found,) = {place[4][0] for place in socket.getaddrinfo("s3.example.test", 9000)}
        assert found == "127.0.0.1"
        assert socket.getaddrinfo("127.0.0.2", 9000)[0][4][0] == "127.0.0.2"
    assert socket.getaddrinfo is before


def test_without_an_address_a_name_leads_where_it_did():
    before = socket.getaddrinfo
    with client.led_to(Login("https://s3.example.test", "shop", "secret"), ""):
        assert socket.getaddrinfo is before
