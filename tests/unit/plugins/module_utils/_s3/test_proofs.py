# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import email.utils
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._s3 import proofs
from ansible_collections.mcp.platform.plugins.module_utils._s3.client import (
    Login,
    LoginError,
    RefusedError,
    ServerAbsentError,
)
from ansible_collections.mcp.platform.plugins.module_utils._s3.proofs import Door, Prover

LOGIN = Login("https://s3.example.test:9000", "shop", "secret-of-shop", "/ca.crt", timeout=5)
DOOR = Door(LOGIN, "media", "archive", "bank")
TOLD = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
BEGINNING = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
SCRATCH = "platform-proof/1/"


def refused(code, message="no"):
    kind = LoginError if code in ("SignatureDoesNotMatch", "InvalidAccessKeyId") else RefusedError
    return kind(f"{message} ({code})", code=code)


@dataclass
class World:
    """A service that does what it should, until it is told otherwise."""

    objects: list = field(default_factory=list)  # bucket, key, version, content, retained until
    uploads: dict = field(default_factory=dict)
    now: float = 0.0
    plain: tuple = (TOLD,)
    versioned: bool = True
    encrypted: str = "AES256"
    garbled: bool = False
    hides: bool = False
    retains: bool = True
    refuses: dict = field(default_factory=dict)  # operation: code
    open_to: set = field(default_factory=set)  # strangers
    known: dict = field(default_factory=lambda: {"shop": "secret-of-shop"})
    undying: bool = False

    def connect(self, login):
        return S3(self, login)

    def greet(self, login):
        return "TLSv1.3, TLS_AES_128_GCM_SHA256"

    def sleep(self, seconds):
        self.now += seconds

    def dial(self, address, timeout):
        assert address == ("s3.example.test", 9000)
        answers = [*self.plain, b""]

        def recv(_count):
            answer = answers.pop(0)
            if answer == b"reset":
                raise ConnectionResetError
            return answer

        return SimpleNamespace(sendall=lambda _data: None, recv=recv, close=lambda: None)

    def fetch(self, login, url):
        path, _mark, signature = url.partition("?")
        bucket, _slash, key = path[len(login.endpoint) + 1 :].partition("/")
        if not signature and "url" not in self.open_to:
            return 403, b"<Error><Code>AccessDenied</Code></Error>"
        if "get_object" in self.refuses:
            return 403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"
        return 200, self.stored(bucket, key)[3]

    def stored(self, bucket, key, version=None):
        for one in reversed(self.objects):
            if one[:2] == (bucket, key) and version in (None, one[2]):
                return one
        raise refused("NoSuchKey")


class S3:
    def __init__(self, world, login):
        self.world = world
        self.login = login

    def _log_in(self, bucket):
        world, login = self.world, self.login
        if login.anonymous:
            if "anonymous" not in world.open_to:
                raise refused("AccessDenied", f"operation on {bucket} was refused: no")
        elif login.access_key not in world.known:
            if "unknown" not in world.open_to:
                raise refused("InvalidAccessKeyId")
        elif world.known[login.access_key] != login.secret_key and "wrong" not in world.open_to:
            raise refused("SignatureDoesNotMatch")

    def call(self, operation, Bucket, **parameters):  # noqa: N803
        world = self.world
        self._log_in(Bucket)
        code = world.refuses.get((operation, Bucket)) or world.refuses.get(operation)
        if isinstance(code, Exception):
            raise code
        if code:
            raise refused(code)
        if Bucket == "bank" and not world.open_to & {f"bank {operation}", "bank"}:
            raise refused("AccessDenied", "the bank is closed")
        reply = getattr(self, operation)(Bucket, **parameters)
        date = BEGINNING + datetime.timedelta(seconds=world.now)
        said = email.utils.format_datetime(date, usegmt=True)
        return {**reply, "ResponseMetadata": {"HTTPHeaders": {"date": said}}}

    def content(self, Bucket, Key, VersionId=None):  # noqa: N803
        self.call("get_object", Bucket=Bucket)
        content = self.world.stored(Bucket, Key, VersionId)[3]
        return content[1:] if self.world.garbled else content

    def presigned(self, seconds, Bucket, Key):  # noqa: N803
        assert seconds > 0
        return f"{self.login.endpoint}/{Bucket}/{Key}?signature"

    def get_object(self, bucket):
        return {}

    def put_object(
        self,
        bucket,
        Key,  # noqa: N803
        Body,  # noqa: N803
        ObjectLockMode="",  # noqa: N803
        ObjectLockRetainUntilDate=None,  # noqa: N803
        **more,
    ):
        until = 0.0
        if ObjectLockRetainUntilDate:
            assert ObjectLockMode == "GOVERNANCE" and more["ChecksumSHA256"]
            until = (ObjectLockRetainUntilDate - BEGINNING).total_seconds()
        version = f"v{len(self.world.objects)}" if self.world.versioned else "null"
        assert Key.startswith(SCRATCH)
        self.world.objects.append((bucket, Key, version, Body, until))
        return {"VersionId": version} if self.world.versioned else {}

    def list_objects_v2(self, bucket, Prefix="", MaxKeys=0):  # noqa: N803
        found = [{"Key": one[1]} for one in self.world.objects if one[0] == bucket]
        return {} if self.world.hides else {"Contents": found}

    def list_object_versions(self, bucket, Prefix):  # noqa: N803
        found = [one for one in self.world.objects if one[0] == bucket]
        return {"Versions": [{"Key": one[1], "VersionId": one[2]} for one in found]}

    def head_object(self, bucket, Key):  # noqa: N803
        self.world.stored(bucket, Key)
        return {"ServerSideEncryption": self.world.encrypted} if self.world.encrypted else {}

    def delete_object(self, bucket, Key, VersionId):  # noqa: N803
        one = self.world.stored(bucket, Key, VersionId)
        if self.world.retains and one[4] > self.world.now:
            raise refused("InvalidRequest", "Object is WORM protected and cannot be overwritten")
        if not self.world.undying:
            self.world.objects.remove(one)
        return {}

    def create_multipart_upload(self, bucket, Key):  # noqa: N803
        self.world.uploads["u"] = {}
        return {"UploadId": "u"}

    def upload_part(self, bucket, Key, UploadId, PartNumber, Body):  # noqa: N803
        assert PartNumber == 2 or len(Body) == 5 * 1024 * 1024
        self.world.uploads[UploadId][PartNumber] = Body
        return {"ETag": f"e{PartNumber}"}

    def complete_multipart_upload(self, bucket, Key, UploadId, MultipartUpload):  # noqa: N803
        parts = self.world.uploads.pop(UploadId)
        wanted = [{"PartNumber": number, "ETag": f"e{number}"} for number in sorted(parts)]
        assert MultipartUpload == {"Parts": wanted}
        return self.put_object(bucket, Key, b"".join(parts[number] for number in sorted(parts)))

    def abort_multipart_upload(self, bucket, Key, UploadId):  # noqa: N803
        del self.world.uploads[UploadId]
        return {}


def _prove(world, door=DOOR):
    prover = Prover(
        door,
        SCRATCH,
        connect=world.connect,
        greet=world.greet,
        fetch=world.fetch,
        dial=world.dial,
        clock=lambda: world.now,
        sleep=world.sleep,
    )
    return {proof.proof: proof for proof in prover.prove()}


def _failed(found):
    return {name for name, proof in found.items() if not proof.passed}


def test_a_good_service_is_proven():
    world = World()
    found = _prove(world)
    assert _failed(found) == set()
    assert [proof.service for proof in found.values()] == ["s3"] * 15
    assert found["TLS, server verified"].detail.endswith("certificate of s3.example.test verified")
    assert found["refused: deleting a retained version"].detail.startswith("until 00:00:10 UTC")
    assert "HTTPS server" in found["refused: no TLS"].detail
    assert found["nothing left behind"].detail == "5 versions removed"
    assert not world.objects
    # It had to wait for the retained one, and not much longer.
    assert 10 <= world.now < 11
    assert "secret-of-shop" not in repr(found)


def test_what_is_not_named_is_not_tried():
    world = World()
    found = _prove(world, Door(LOGIN, "media"))
    assert _failed(found) == set()
    assert len(found) == 13
    assert world.now == 0


RETENTION = "refused: deleting a retained version"
UNSIGNED = "refused: that URL without its signature"
URL = "presigned URL without a login"
PARTS = "upload in two parts, and get it back"
WRITE = "put an object, and get it back"
OLD = "old version of an overwritten object"
BANK = "refused: another's bucket"
LEFT = "nothing left behind"


@pytest.mark.parametrize(
    ("world", "wrong"),
    [
        (World(versioned=False), {OLD}),
        (World(encrypted=""), {"the server says it is encrypted"}),
        (World(encrypted="ROT13"), {"the server says it is encrypted"}),
        (World(garbled=True), {WRITE, PARTS, OLD}),
        (World(hides=True), {"list finds it"}),
        (World(retains=False), {RETENTION}),
        (World(refuses={("delete_object", "archive"): "AccessDenied"}), {RETENTION, LEFT}),
        (World(refuses={("put_object", "archive"): "InvalidRequest"}), {RETENTION}),
        (World(refuses={("list_object_versions", "media"): "AccessDenied"}), {LEFT}),
        (World(refuses={"get_object": "AccessDenied"}), {WRITE, PARTS, URL, UNSIGNED, OLD}),
        (World(open_to={"url"}), {UNSIGNED}),
        (World(open_to={"anonymous"}), {"refused: no login"}),
        (World(open_to={"wrong"}), {"refused: wrong secret"}),
        (World(open_to={"unknown"}), {"refused: unknown user"}),
        (World(open_to={"bank"}), {BANK}),
        (World(open_to={"bank list_objects_v2"}), {BANK}),
        (World(refuses={("list_objects_v2", "bank"): "NoSuchBucket"}), {BANK}),
        (World(plain=(b"HTTP/1.1 200 OK\r\n", b"\r\n<List>")), {"refused: no TLS"}),
        (World(plain=(b"HTTP/1.1 400 Bad Request\r\n\r\n<Error>",)), {"refused: no TLS"}),
        (World(plain=(b"reset",)), set()),
        (World(plain=(b"\x15\x03\x01",)), set()),
    ],
)
def test_what_is_wrong_is_found(world, wrong):
    assert _failed(_prove(world)) == wrong


def test_an_intruder_is_removed_again():
    world = World(open_to={"bank put_object", "bank list_object_versions", "bank delete_object"})
    found = _prove(world)
    assert _failed(found) == {BANK}
    assert found[BANK].detail == "a write to bank was accepted"
    assert not world.objects


def test_an_upload_that_fails_is_aborted():
    world = World(refuses={"complete_multipart_upload": "InternalError"})
    assert _failed(_prove(world)) == {PARTS}
    assert not world.uploads and not world.objects


def test_what_may_have_been_written_is_looked_for():
    lost = ServerAbsentError("no answer: late")
    world = World(refuses={"put_object": lost, "list_object_versions": lost})
    found = _prove(world, Door(LOGIN, "media"))
    assert not found[LEFT].passed
    assert found[LEFT].detail == "no answer: late"


def test_a_retained_object_is_waited_for_although_its_reply_was_lost():
    class Late(S3):
        def put_object(self, bucket, Key, Body, **more):  # noqa: N803
            super().put_object(bucket, Key, Body, **more)
            if bucket == "archive":
                raise ServerAbsentError("no answer: late")
            return {"VersionId": self.world.objects[-1][2]}

    world = World()
    world.connect = lambda login: Late(world, login)
    assert _failed(_prove(world)) == {RETENTION}
    assert not world.objects


@pytest.mark.parametrize("code", ["AccessDenied", "SignatureDoesNotMatch"])
def test_nothing_is_looked_for_where_nothing_was_written(code):
    world = World(
        refuses={"put_object": code, "create_multipart_upload": code, "list_object_versions": code}
    )
    assert _prove(world)[LEFT].detail == "0 versions removed"


@pytest.mark.parametrize(
    ("world", "why"),
    [
        (
            World(refuses={("delete_object", "media"): "AccessDenied"}),
            "4 versions are left in media",
        ),
        (World(undying=True), "the server says that they were deleted"),
    ],
)
def test_what_is_left_behind_is_told(world, why):
    found = _prove(world, Door(LOGIN, "media"))
    assert _failed(found) == {LEFT}
    assert why in found[LEFT].detail
    assert world.now == 0


def test_a_retention_that_never_ends_is_not_waited_for():
    world = World()
    delete = S3.delete_object
    calls = []

    class Forever(S3):
        def delete_object(self, bucket, Key, VersionId):  # noqa: N803
            calls.append(bucket)
            if bucket == "archive":
                raise refused("InvalidRequest", "Object is WORM protected")
            return delete(self, bucket, Key, VersionId)

    world.connect = lambda login: Forever(world, login)
    found = _prove(world)
    assert _failed(found) == {LEFT}
    assert "1 versions are left in archive: Object is WORM protected" in found[LEFT].detail
    # The other bucket is empty, though.
    assert {one[0] for one in world.objects} == {"archive"}
    assert 15 <= world.now < 16


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
def test_a_server_that_does_not_say_its_time_has_ours(headers):
    found = proofs._server_time({"ResponseMetadata": {"HTTPHeaders": headers}})
    now = datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(0) <= now - found < datetime.timedelta(minutes=1)


def test_nothing_is_tried_where_nobody_is_reached():
    world = World()

    def greet(_login):
        raise ServerAbsentError("no answer: nobody")

    world.greet = greet
    world.connect = None
    found = _prove(world)
    assert len(found) == len(_failed(found)) == 15
    assert found["TLS, server verified"].detail == "no answer: nobody"
    assert "not tried" in found[LEFT].detail


def test_the_options_describe_a_door(monkeypatch, options):
    monkeypatch.setattr(Prover, "prove", lambda self: [self._door, self._scratch])
    own = {"bucket": "media", "locked_bucket": "", "forbidden_bucket": "bank"}
    own |= {"address": "192.0.2.1", "drives": ["/srv/drive1"]}
    found, scratch = proofs.prove(options(**own), SCRATCH)
    assert (found.bucket, found.locked_bucket, found.forbidden_bucket) == ("media", "", "bank")
    assert (found.address, found.drives) == ("192.0.2.1", ("/srv/drive1",))
    assert scratch == SCRATCH
    assert "secret-of-admin" not in repr(found)


@pytest.mark.parametrize("wrong", [{"bucket": ""}, {"forbidden_bucket": "The Bank"}])
def test_a_name_that_no_bucket_has_is_refused(options, wrong):
    own = {"bucket": "media", "locked_bucket": "", "forbidden_bucket": "", **wrong}
    with pytest.raises(PlatformError, match="S3 forbids the name") as error:
        proofs.door(options(**own))
    assert error.value.where in wrong


class OnDrives(World):
    """A service that keeps its objects on drives."""

    def __init__(self, folder, *, plain_text=False, holds=0):
        super().__init__()
        self.folder, self.plain_text, self.holds = folder, plain_text, holds

    def connect(self, login):
        world = self

        class Kept(S3):
            def put_object(self, bucket, Key, Body, **more):  # noqa: N803
                reply = super().put_object(bucket, Key, Body, **more)
                if Key.endswith(f"sealed/{world.holds}"):
                    place = world.folder / bucket / Key / "id"
                    place.mkdir(parents=True)
                    content = Body if world.plain_text else bytes(one ^ 85 for one in Body)
                    (place / "part.1").write_bytes(content)
                return reply

        return Kept(self, login)


def _on_drives(world):
    prover = Prover(
        Door(LOGIN, "media", drives=(str(world.folder),)),
        SCRATCH,
        connect=world.connect,
        greet=world.greet,
        fetch=world.fetch,
        dial=world.dial,
        clock=lambda: world.now,
        sleep=world.sleep,
    )
    return next(proof for proof in prover.prove() if proof.proof == "no plain text on the drives")


@pytest.mark.parametrize("holds", [0, 3])
def test_a_part_that_nobody_can_read_is_looked_for_until_one_is_here(tmp_path, holds):
    proof = _on_drives(OnDrives(tmp_path, holds=holds))
    assert proof.passed and proof.detail.startswith("1 parts on")


def test_an_object_that_can_be_read_on_a_drive_is_told(tmp_path):
    proof = _on_drives(OnDrives(tmp_path, plain_text=True))
    assert not proof.passed and "it can be read in" in proof.detail


def test_drives_that_hold_nothing_prove_nothing(tmp_path):
    proof = _on_drives(OnDrives(tmp_path, holds=99))
    assert not proof.passed and "no part of" in proof.detail
