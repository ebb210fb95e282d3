# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What boto3 sends and how replies are read, without a server: its requests are caught."""

from __future__ import annotations

import sys

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError, SSLError

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

    def read(self):
        return self.content


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
