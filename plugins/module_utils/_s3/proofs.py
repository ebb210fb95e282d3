# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: proofs that an S3 service does what it is for, and refuses the rest."""

from __future__ import annotations

import base64
import contextlib
import datetime
import email.utils
import hashlib
import re
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from .._core.errors import PlatformError
from .._proofs.model import Proof, RefutedError, try_all
from .._proofs.model import words as _words
from . import client
from .client import S3, Login, LoginError, RefusedError
from .model import check_name

SERVICE = "s3"
# The least that a part may have which is not the last one.
_PART = 5 * 1024 * 1024
_REST = 1000
_SMALL = 4096
_LARGE = 1024 * 1024
# How many objects are put until a part of one lies on this host.
_TRIES = 32
_URL_SECONDS = 60
# Long enough for a slow server to be asked in the meantime; the proof waits until it is over.
_RETENTION_SECONDS = 10
_PAUSE_SECONDS = 0.5
_ENCRYPTED = ("AES256", "aws:kms", "aws:kms:dsse")
# MinIO's words, and Amazon's.
_RETAINED = re.compile(r"WORM|object lock|retention", re.IGNORECASE)
# After these a write has certainly not been done.
_UNWRITTEN = ("AccessDenied", "NoSuchBucket")
_MOST_HEARD = 65536


@dataclass(frozen=True)
class Door:
    """Where an application finds the service, as whom, and its bucket.

    :param locked_bucket: a bucket with object lock, empty for none.
    :param forbidden_bucket: a bucket that the user must be refused, empty for none.
    :param address: IP address that the endpoint's name leads to, empty for what it resolves to.
    :param drives: directories on this host where the service keeps objects.
    """

    login: Login
    bucket: str
    locked_bucket: str = ""
    forbidden_bucket: str = ""
    address: str = ""
    drives: tuple[str, ...] = ()


def door(options: Mapping[str, Any]) -> Door:
    """Return the door that the module's options describe.

    :raises PlatformError: for what no request could be made of.
    """
    buckets = {name: options[name] for name in ("bucket", "locked_bucket", "forbidden_bucket")}
    for option, name in buckets.items():
        if name or option == "bucket":
            check_name(name, option)
    return Door(
        client.login_from(options),
        **buckets,
        address=options["address"],
        drives=tuple(options["drives"]),
    )


def _server_time(reply: Mapping[str, Any]) -> datetime.datetime:
    """Return when the server replied, by its own clock; by ours where it does not say."""
    said = reply.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        found = email.utils.parsedate_to_datetime(said)
    except (TypeError, ValueError):
        found = datetime.datetime.now(datetime.timezone.utc)
    return found.replace(microsecond=0)


class Prover:
    """Tries one door.

    :param scratch: what the keys of all objects begin with; nobody else's do.
    """

    _s3: S3

    def __init__(
        self,
        door: Door,
        scratch: str,
        *,
        connect: client.Connect = client.connect,
        greet: Callable[[Login], str] = client.greet,
        fetch: Callable[[Login, str], tuple[int, bytes]] = client.fetch,
        dial: Callable[..., socket.socket] = socket.create_connection,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._door = door
        self._scratch = scratch
        self._connect = connect
        self._greet = greet
        self._fetch = fetch
        self._dial = dial
        self._clock = clock
        self._sleep = sleep
        self._object = {"Bucket": door.bucket, "Key": f"{scratch}object"}
        self._content = secrets.token_bytes(_SMALL)
        self._touched: set[str] = set()
        self._released: dict[str, float] = {}
        self._upload: dict[str, str] = {}
        self._url = ""

    def reach(self) -> str:
        """Greet the server, and verify its certificate."""
        said = self._greet(self._door.login)
        self._s3 = self._connect(self._door.login)
        return f"{said}, certificate of {client.address(self._door.login)[0]} verified"

    def _put(self, place: Mapping[str, str], content: bytes, **more: Any) -> dict[str, Any]:
        before = set(self._touched)
        self._touched.add(place["Bucket"])
        try:
            return self._s3.call("put_object", **place, Body=content, **more)
        except RefusedError as error:
            if error.code in _UNWRITTEN or isinstance(error, LoginError):
                self._touched = before
            raise

    def write(self) -> str:
        """Put an object, and read it back."""
        self._put(self._object, self._content)
        self._compare(self._s3.content(**self._object), self._content)
        return f"{_SMALL} bytes"

    @staticmethod
    def _compare(found: bytes, wanted: bytes) -> None:
        if found != wanted:
            raise RefutedError(f"{len(found)} bytes came back, and not those that were sent")

    def retain(self) -> str:
        """Put an object that nobody may delete for some seconds, and try to delete it."""
        bucket = self._door.locked_bucket
        place = {"Bucket": bucket, "Key": f"{self._scratch}retained"}
        asked = self._s3.call("list_objects_v2", Bucket=bucket, Prefix=self._scratch)
        until = _server_time(asked) + datetime.timedelta(seconds=_RETENTION_SECONDS)
        # Object lock wants a checksum with every object.
        checksum = base64.b64encode(hashlib.sha256(self._content).digest()).decode()
        # Before it is put: it may be there although no reply came.
        self._released[bucket] = self._clock() + _RETENTION_SECONDS
        put = self._put(
            place,
            self._content,
            ObjectLockMode="GOVERNANCE",
            ObjectLockRetainUntilDate=until,
            ChecksumSHA256=checksum,
        )
        try:
            self._s3.call("delete_object", **place, VersionId=put.get("VersionId", "null"))
        except RefusedError as error:
            if _RETAINED.search(error.what):
                return f"until {until:%H:%M:%S} UTC: {error.what}"
            raise RefutedError(f"it was refused for another reason: {error.what}") from None
        raise RefutedError(f"it was deleted, although retained until {until:%H:%M:%S} UTC")

    def listed(self) -> str:
        """Find the object in a list of its bucket."""
        found = self._s3.call("list_objects_v2", Bucket=self._door.bucket, Prefix=self._scratch)
        keys = [one["Key"] for one in found.get("Contents") or ()]
        if self._object["Key"] not in keys:
            raise RefutedError(f"it is not among {len(keys)} objects")
        return f"among {len(keys)} objects below {self._scratch}"

    def encryption(self) -> str:
        """Have the server say that it keeps the object encrypted."""
        said = self._s3.call("head_object", **self._object).get("ServerSideEncryption")
        if said not in _ENCRYPTED:
            raise RefutedError(f"it says {said}" if said else "it says nothing of encryption")
        return str(said)

    def sealed(self) -> str:
        """Look for an object's content in what lies on the drives."""
        marker = secrets.token_hex(16).encode()
        for number in range(_TRIES):
            place = {"Bucket": self._door.bucket, "Key": f"{self._scratch}sealed/{number}"}
            # Too large to be kept in with what is said about it.
            self._put(place, marker * (_LARGE // len(marker)))
            # A store of many sets keeps an object in one of them.
            parts = [
                part
                for drive in self._door.drives
                for part in Path(drive, place["Bucket"], place["Key"]).rglob("part.*")
            ]
            if parts:
                break
        else:
            raise RefutedError(f"no part of {_TRIES} objects lies on these drives")
        for part in parts:
            if marker in part.read_bytes():
                raise RefutedError(f"it can be read in {part}")
        return f"{len(parts)} parts on {', '.join(self._door.drives)}"

    def multipart(self) -> str:
        """Put an object in two parts, and read it back."""
        place = {"Bucket": self._door.bucket, "Key": f"{self._scratch}parts"}
        content = secrets.token_bytes(_PART + _REST)
        begun = self._s3.call("create_multipart_upload", **place)
        self._touched.add(self._door.bucket)
        self._upload = {**place, "UploadId": begun["UploadId"]}
        parts = []
        for number, part in enumerate((content[:_PART], content[_PART:]), start=1):
            sent = self._s3.call("upload_part", **self._upload, PartNumber=number, Body=part)
            parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        self._s3.call("complete_multipart_upload", **self._upload, MultipartUpload={"Parts": parts})
        self._upload = {}
        self._compare(self._s3.content(**place), content)
        return f"{_PART} + {_REST} bytes, SHA-256 {hashlib.sha256(content).hexdigest()[:16]}…"

    def presigned(self) -> str:
        """Get the object by a URL that holds all that is needed."""
        url = self._s3.presigned(_URL_SECONDS, **self._object)
        status, found = self._fetch(self._door.login, url)
        if status != 200:
            raise RefutedError(f"status {status}: {self._said(found)}")
        self._compare(found, self._content)
        self._url = url
        return f"{len(found)} bytes without a login"

    def refuse_unsigned(self) -> str:
        """Have that URL refused when it is not signed."""
        if not self._url:
            raise RefutedError("not tried: the URL did not work with its signature either")
        status, found = self._fetch(self._door.login, self._url.partition("?")[0])
        if status != 403 or b"AccessDenied" not in found:
            raise RefutedError(f"status {status}: {self._said(found)}")
        return "status 403, AccessDenied"

    @staticmethod
    def _said(body: bytes) -> str:
        # An object's content is nobody's business.
        code = re.search(rb"<Code>(\w+)</Code>", body)
        return code[1].decode() if code else f"{len(body)} bytes"

    def old_version(self) -> str:
        """Overwrite an object, and read what it was before."""
        place = {"Bucket": self._door.bucket, "Key": f"{self._scratch}overwritten"}
        old, new = (
            self._put(place, content).get("VersionId", "null") for content in (b"old", b"new")
        )
        if "null" in (old, new):
            raise RefutedError(f"{self._door.bucket} keeps no old versions")
        self._compare(self._s3.content(**place), b"new")
        self._compare(self._s3.content(**place, VersionId=old), b"old")
        return f"version {old}"

    @staticmethod
    def _refused(wanted: str, what: str, request: Callable[[], Any]) -> str:
        try:
            request()
        except RefusedError as error:
            if error.code == wanted:
                return error.what
            raise RefutedError(f"{what} was refused for another reason: {error.what}") from None
        raise RefutedError(f"{what} was accepted")

    def _refused_list(self, wanted: str, bucket: str, **changed: Any) -> str:
        other = self._connect(replace(self._door.login, **changed))
        request = partial(other.call, "list_objects_v2", Bucket=bucket, MaxKeys=1)
        return self._refused(wanted, f"listing {bucket}", request)

    def refuse_anonymous(self) -> str:
        """Have somebody without a login refused."""
        return self._refused_list("AccessDenied", self._door.bucket, anonymous=True)

    def refuse_wrong_secret(self) -> str:
        """Have a wrong secret refused."""
        return self._refused_list(
            "SignatureDoesNotMatch", self._door.bucket, secret_key=secrets.token_hex(20)
        )

    def refuse_unknown_user(self) -> str:
        """Have a user refused whom nobody knows."""
        return self._refused_list(
            "InvalidAccessKeyId", self._door.bucket, access_key=secrets.token_hex(8)
        )

    def refuse_plain(self) -> str:
        """Have a request without TLS refused, by a server that is there."""
        login = self._door.login
        name = login.endpoint.partition("://")[2]
        request = f"GET /{self._door.bucket}?list-type=2 HTTP/1.0\r\nHost: {name}\r\n\r\n"
        heard = b""
        with contextlib.closing(self._dial(client.address(login), timeout=login.timeout)) as line:
            line.sendall(request.encode())
            with contextlib.suppress(ConnectionError):
                while len(heard) < _MOST_HEARD and (more := line.recv(_MOST_HEARD)):
                    heard += more
        if not heard.startswith(b"HTTP/"):
            return "hung up on"
        head, _end, body = heard.decode(errors="replace").partition("\r\n\r\n")
        status = head.splitlines()[0]
        # With such an error the service itself answers, behind the encryption that was left out.
        if " 400 " not in status or "<Error>" in body:
            raise RefutedError(f"it answered {status}")
        return _words(f"{status}: {body}"[:200])

    def refuse_bucket(self) -> str:
        """Have the user refused to see, and to write, what belongs to others."""
        bucket = self._door.forbidden_bucket
        self._refused_list("AccessDenied", bucket)
        place = {"Bucket": bucket, "Key": f"{self._scratch}intruder"}
        request = partial(self._put, place, b"intruder")
        return self._refused("AccessDenied", f"a write to {bucket}", request)

    def _versions(self, bucket: str) -> Sequence[Mapping[str, Any]]:
        found = self._s3.call("list_object_versions", Bucket=bucket, Prefix=self._scratch)
        return [*(found.get("Versions") or ()), *(found.get("DeleteMarkers") or ())]

    def _sweep(self, bucket: str) -> int:
        """Delete all versions of what was written; a retained one once its time has passed."""
        deadline = self._clock()
        if bucket in self._released:
            deadline = self._released[bucket] + self._door.login.timeout
        removed, complaint = 0, ""
        while found := self._versions(bucket):
            if complaint and self._clock() >= deadline:
                raise RefutedError(f"{len(found)} versions are left in {bucket}: {complaint}")
            if complaint:
                self._sleep(_PAUSE_SECONDS)
            complaint = "the server says that they were deleted"
            for one in found:
                try:
                    self._s3.call(
                        "delete_object", Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"]
                    )
                    removed += 1
                except PlatformError as error:
                    complaint = error.what
        return removed

    def _abort(self) -> int:
        self._s3.call("abort_multipart_upload", **self._upload)
        return 0

    def cleanup(self) -> str:
        """Remove what the proofs wrote."""
        tasks: list[Callable[[], int]] = [
            partial(self._sweep, bucket) for bucket in sorted(self._touched)
        ]
        if self._upload:
            tasks.append(self._abort)
        removed, complaints = 0, []
        for task in tasks:
            try:
                removed += task()
            except (PlatformError, RefutedError) as error:
                complaints.append(_words(error))
        if complaints:
            raise RefutedError("; ".join(complaints))
        return f"{removed} versions removed"

    def plan(self) -> Sequence[tuple[str, Callable[[], str]]]:
        """Return what will be tried, in order, each with its name."""
        ordered: list[tuple[str, Callable[[], str]]] = [
            ("TLS, server verified", self.reach),
            ("put an object, and get it back", self.write),
        ]
        if self._door.locked_bucket:
            # Early, so that little of its time is left at the end.
            ordered.append(("refused: deleting a retained version", self.retain))
        ordered += [
            ("list finds it", self.listed),
            ("the server says it is encrypted", self.encryption),
            *([("no plain text on the drives", self.sealed)] if self._door.drives else []),
            ("upload in two parts, and get it back", self.multipart),
            ("presigned URL without a login", self.presigned),
            ("refused: that URL without its signature", self.refuse_unsigned),
            ("old version of an overwritten object", self.old_version),
            ("refused: no login", self.refuse_anonymous),
            ("refused: wrong secret", self.refuse_wrong_secret),
            ("refused: unknown user", self.refuse_unknown_user),
            ("refused: no TLS", self.refuse_plain),
        ]
        if self._door.forbidden_bucket:
            ordered.append(("refused: another's bucket", self.refuse_bucket))
        return (*ordered, ("nothing left behind", self.cleanup))

    def prove(self) -> list[Proof]:
        """Try everything; where the server cannot be reached, only that."""
        first, *others = self.plan()
        errors = (PlatformError, OSError)
        (reached,) = try_all(SERVICE, [first], errors)
        if not reached.passed:
            untried = "not tried: nobody who is trusted was reached"
            return [reached, *(Proof(SERVICE, name, False, untried) for name, _try in others)]
        return [reached, *try_all(SERVICE, others, errors)]


def prove(options: Mapping[str, Any], scratch: str) -> list[Proof]:
    """Try the door that *options* describe, with objects whose keys begin with *scratch*.

    :raises PlatformError: for options that no request could be made of.
    """
    found = door(options)
    with client.led_to(found.login, found.address):
        return Prover(found, scratch).prove()
