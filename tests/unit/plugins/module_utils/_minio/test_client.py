# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the admin API is sent, without a server: its requests are caught."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import pytest
from botocore.awsrequest import HeadersDict
from botocore.exceptions import EndpointConnectionError
from minio import crypto

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._minio.client import connect
from ansible_collections.mcp.platform.plugins.module_utils._s3.client import (
    LoginError,
    RefusedError,
    ServerAbsentError,
)


@pytest.fixture
def admin(login):
    """Return a client whose replies are listed in ``replies``, and what was sent in ``sent``."""
    client = connect(login)
    client.sent, client.replies = [], []

    def send(request):
        client.sent.append(request)
        reply = client.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        status, content, *headers = reply
        return SimpleNamespace(status_code=status, content=content, headers=HeadersDict(*headers))

    client._session = SimpleNamespace(send=send)
    return client


class Reply(io.BytesIO):
    """A reply as the library reads it."""

    def release_conn(self):
        pass


def _opened(body):
    return json.loads(crypto.decrypt(Reply(body), "secret-of-root"))


def test_a_request_is_signed_and_its_reply_read(admin):
    admin.replies = [(200, b'{"mode": "online"}'), (200, b"")]
    assert admin.call("GET", "info", {"a": "b c"}) == {"mode": "online"}
    assert admin.call("GET", "/minio/health/cluster") is None
    first, second = admin.sent
    assert first.url == "https://s3.example.test/minio/admin/v3/info?a=b+c"
    assert second.url == "https://s3.example.test/minio/health/cluster"
    assert first.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=root/")
    assert "secret-of-root" not in str(first.headers)


def test_a_document_is_sealed_and_nothing_of_the_reply_kept(admin):
    admin.replies = [(200, b"sealed too")]
    document = {"secretKey": "secret-of-somebody"}
    assert admin.call("PUT", "add-user", {"accessKey": "a"}, document, sealed=True) is None
    assert b"secret-of-somebody" not in admin.sent[0].body
    assert _opened(admin.sent[0].body) == document


def test_a_sealed_reply_is_opened(admin):
    admin.replies = [(200, crypto.encrypt(b'{"alice": {}}', "secret-of-root")), (200, b"")]
    assert admin.call("GET", "list-users", sealed=True) == {"alice": {}}
    assert admin.call("GET", "list-users", sealed=True) is None


def test_a_text_travels_sealed_in_both_directions(admin):
    told = {"X-Minio-Config-Applied": "true"}
    admin.replies = [
        (200, crypto.encrypt(b"site name=lab", "secret-of-root")),
        (200, b"", told),
        (200, b""),
    ]
    assert admin.sealed_text("GET", "config").text == "site name=lab"
    reply = admin.sealed_text("PUT", "set-config-kv", "site name=öf")
    assert (reply.text, reply.applied) == ("", True)
    opened = crypto.decrypt(Reply(admin.sent[1].body), "secret-of-root")
    assert opened.decode() == "site name=öf"
    assert not admin.sealed_text("PUT", "set-config-kv", "site name=").applied


def test_a_plain_document_travels_as_json(admin):
    admin.replies = [(200, b"")]
    admin.call("PUT", "update-group-members", document={"group": "crew"})
    assert json.loads(admin.sent[0].body) == {"group": "crew"}
    assert admin.sent[0].headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("reply", "kind", "what"),
    [
        (
            (403, b'{"Code": "SignatureDoesNotMatch", "Message": "no"}'),
            LoginError,
            "log in as root",
        ),
        ((403, b'{"Code": "AccessDenied", "Message": "no"}'), RefusedError, "needs a policy"),
        ((400, b'{"Code": "X", "Message": "no"}'), RefusedError, r"info was refused: no \(X\)"),
        ((404, b"<html>"), RefusedError, "no reply of MinIO's admin API"),
        ((404, b"[]"), RefusedError, "no reply of MinIO's admin API"),
        ((200, b"<html>"), PlatformError, "is not JSON"),
        (EndpointConnectionError(endpoint_url="x"), ServerAbsentError, "no answer"),
    ],
)
def test_what_goes_wrong_is_told(admin, reply, kind, what):
    admin.replies = [reply]
    with pytest.raises(kind, match=what):
        admin.call("GET", "info")


@pytest.mark.parametrize("document", [None, {}])
def test_what_travels_sealed_needs_the_libraries(admin, monkeypatch, document):
    monkeypatch.setitem(sys.modules, "argon2", None)
    with pytest.raises(PlatformError, match="install python3-argon2"):
        admin.call("GET", "list-users", document=document, sealed=True)
    assert admin.sent == []


def test_a_reply_sealed_for_somebody_else_is_told(admin):
    admin.replies = [(200, crypto.encrypt(b"{}", "another"))]
    with pytest.raises(PlatformError, match="does not open"):
        admin.call("GET", "list-users", sealed=True)
