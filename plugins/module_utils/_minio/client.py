# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the only place that talks to MinIO's admin API.

Requests are signed by botocore, which every module has anyway. What holds secrets is sealed with a
key made of the caller's own secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._core.errors import PlatformError
from .._s3.client import Login, absence, library, refusal, trusted
from .sealing import libraries, seal, unseal

_PREFIX = "/minio/admin/v3/"


@dataclass(frozen=True)
class Reply:
    """What came back to a sealed text.

    :param applied: whether the servers already work with the settings that they were sent.
    """

    text: str = field(default="", repr=False)
    applied: bool = False


class Admin(Protocol):
    """A login to the admin API of one MinIO."""

    login: Login

    def call(
        self,
        method: str,
        command: str,
        query: Mapping[str, str] | None = None,
        document: Any = None,
        *,
        sealed: bool = False,
    ) -> Any:
        """Send *document*, and return the reply; both as JSON has them.

        :param command: of the admin API, or with a slash at its beginning a path of the server.
        :param sealed: whether the document is sealed, and nothing returned; without one, whether
            the reply is.
        """

    def sealed_text(self, method: str, command: str, text: str | None = None) -> Reply:
        """Send *text* sealed, and return its reply; without one, the sealed text of the reply."""


Connect = Callable[[Login], Admin]


class _Client:
    """An :class:`Admin` over botocore."""

    def __init__(self, login: Login) -> None:
        _boto3, botocore = library()
        self.login = login
        self._botocore = botocore
        self._session = botocore.httpsession.URLLib3Session(
            verify=trusted(login), proxies={}, timeout=(login.timeout, login.timeout)
        )
        self._signer = botocore.auth.S3SigV4Auth(
            botocore.credentials.Credentials(login.access_key, login.secret_key),
            "s3",
            login.region,
        )

    def call(
        self,
        method: str,
        command: str,
        query: Mapping[str, str] | None = None,
        document: Any = None,
        *,
        sealed: bool = False,
    ) -> Any:
        body = None if document is None else json.dumps(document).encode()
        if sealed and body is not None:
            # A reply to a secret may hold it.
            self._send(method, command, query or {}, seal(body, self.login.secret_key))
            return None
        if sealed:
            # A library that is missing is told before anything is asked.
            libraries()
        content = bytes(self._send(method, command, query or {}, body).content)
        if sealed and content:
            content = unseal(content, self.login.secret_key)
        try:
            return json.loads(content) if content else None
        except ValueError:
            raise PlatformError(
                f"the reply to {command} is not JSON",
                where=self.login.endpoint,
                hint="check that the endpoint is a MinIO server",
            ) from None

    def sealed_text(self, method: str, command: str, text: str | None = None) -> Reply:
        libraries()
        secret = self.login.secret_key
        if text is None:
            reply = self._send(method, command, {}, None)
            return Reply(unseal(bytes(reply.content), secret).decode(errors="replace"))
        reply = self._send(method, command, {}, seal(text.encode(), secret))
        return Reply(applied=reply.headers.get("x-minio-config-applied") == "true")

    def _send(self, method: str, command: str, query: Mapping[str, str], body: bytes | None) -> Any:
        request = self._botocore.awsrequest.AWSRequest(
            method=method,
            url=self.login.endpoint + (command if command[0] == "/" else _PREFIX + command),
            params=dict(query),
            data=body,
            # Some commands refuse anything else.
            headers={"Content-Type": "application/octet-stream"},
        )
        self._signer.add_auth(request)
        try:
            reply = self._session.send(request.prepare())
        except (
            self._botocore.exceptions.BotoCoreError,
            self._botocore.exceptions.HTTPClientError,
        ) as error:
            raise absence(self.login, error) from None
        if reply.status_code // 100 != 2:
            raise self._refusal(command, reply.status_code, bytes(reply.content))
        return reply

    def _refusal(self, command: str, status: int, content: bytes) -> PlatformError:
        try:
            told = json.loads(content)
        except ValueError:
            told = {}
        if not isinstance(told, dict) or "Code" not in told:
            return refusal(
                self.login, str(status), "this is no reply of MinIO's admin API", command
            )
        return refusal(self.login, str(told["Code"]), str(told.get("Message", "")), command)


def connect(login: Login) -> Admin:
    """Return a login to the admin API; nothing is sent yet.

    :raises NotYetError: when the authorities to trust are not there.
    """
    return _Client(login)
