# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the only place that talks S3, and how to log in to a server."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from .._core.errors import PlatformError

OPTIONS: dict[str, dict[str, Any]] = {
    "endpoint": {"type": "str", "required": True},
    "access_key": {"type": "str", "required": True, "no_log": False},
    "secret_key": {"type": "str", "required": True, "no_log": True},
    "ca_path": {"type": "path"},
    "region": {"type": "str", "default": "us-east-1"},
    "timeout": {"type": "int", "default": 30},
}
"""The argument spec of the doc fragment mcp.platform.minio."""

_URL = re.compile(r"^https://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?/?$")
_REGION = re.compile(r"^[A-Za-z0-9-]+$")
_KEY_CODES = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "XMinioAdminAccountDisabled")
# MinIO's extension, without which it refuses a rule, and which botocore does not know.
_DELETES = "DeleteReplication"
_AFTER_MARKERS = re.compile(rb"</DeleteMarkerReplication>")
_RULE = re.compile(rb"<Rule>.*?</Rule>", re.DOTALL)
_RULE_ID = re.compile(rb"<ID>(.*?)</ID>", re.DOTALL)
_RULE_DELETES = re.compile(rb"<DeleteReplication>\s*<Status>Enabled</Status>", re.DOTALL)


class NotYetError(PlatformError):
    """Something to talk to, or to talk with, is missing; check mode takes it for still to come."""


class ServerAbsentError(NotYetError):
    """Nobody answers there."""


class LibraryAbsentError(NotYetError):
    """What would talk to the server is not installed."""


class CertificatesAbsentError(NotYetError):
    """The authorities to trust can't be read."""


class RefusedError(PlatformError):
    """The server answered with an error.

    :param code: the error's name, as S3 has it.
    """

    def __init__(self, what: str, *, code: str, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.code = code


class LoginError(RefusedError):
    """The server turns the login away."""


@dataclass(frozen=True)
class Login:
    """Where to log in, as whom, and whom to trust.

    :param endpoint: URL without a path.
    :param ca_path: file of the authorities; None for those of the host's Python.
    :param timeout: seconds for one request.
    :param anonymous: whether nothing is signed, so that nobody is logged in.
    """

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    ca_path: str | None = None
    region: str = "us-east-1"
    timeout: int = 30
    anonymous: bool = False


def server_url(text: str, where: str) -> str:
    """Return the URL of a server with TLS, without a path.

    :raises PlatformError: when *text* is none.
    """
    if not _URL.match(text):
        raise PlatformError(
            f"{text} is not the URL of a server with TLS",
            where=where,
            hint="write https://name or https://name:port",
        )
    return text.rstrip("/")


def login_from(options: Mapping[str, Any]) -> Login:
    """Return the login that a module's options describe.

    :raises PlatformError: for what no request could be made of.
    """
    if not _REGION.match(options["region"]):
        raise PlatformError(
            f"{options['region']!r} is no region", where="region", hint="for example eu-central-1"
        )
    if options["timeout"] < 1:
        raise PlatformError(
            "the time to wait is not above 0", where="timeout", hint="give it in seconds"
        )
    given = {name: options[name] for name in OPTIONS}
    return Login(**{**given, "endpoint": server_url(options["endpoint"], "endpoint")})


class S3(Protocol):
    """A login to one S3 service."""

    login: Login

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Return the reply to an operation of boto3's client; raise what it was refused with."""

    def content(self, **parameters: Any) -> bytes:
        """Return the whole content of an object, by the parameters of ``get_object``."""

    def presigned(self, seconds: int, **parameters: Any) -> str:
        """Return a URL that gets an object without a login, for some seconds."""

    @property
    def engine(self) -> str:
        """Return what the service calls itself, ``MinIO`` for example; empty before a reply."""


Connect = Callable[[Login], S3]


def trusted(login: Login) -> str | bool:
    """Return what botocore verifies the server's certificate with."""
    if not login.ca_path:
        return True
    try:
        ssl.create_default_context(cafile=login.ca_path)
    except (OSError, ValueError) as error:
        raise CertificatesAbsentError(
            f"the authorities to trust cannot be read: {error}",
            where=login.ca_path,
            hint="check ca_path",
        ) from None
    return login.ca_path


def _context(login: Login) -> ssl.SSLContext:
    """Return what Python itself verifies the server's certificate with, as botocore would."""
    found = trusted(login)
    if found is True:
        _boto3, botocore = library()
        found = botocore.httpsession.get_cert_path(True)
    return ssl.create_default_context(cafile=str(found))


def address(login: Login) -> tuple[str, int]:
    """Return the host and the port of the endpoint.

    :raises PlatformError: when there is no such port.
    """
    found = urlsplit(login.endpoint)
    try:
        return str(found.hostname), found.port or http.client.HTTPS_PORT
    except ValueError as error:
        raise PlatformError(
            f"the endpoint's port is none: {error}", where=login.endpoint, hint="check endpoint"
        ) from None


@contextlib.contextmanager
def led_to(login: Login, ip: str) -> Iterator[None]:
    """Have the endpoint's name lead to *ip* for whatever connects meanwhile; empty for no change.

    Neither botocore nor Python's HTTP client can be told an address beside the name to verify.
    """
    name, resolve = address(login)[0], socket.getaddrinfo

    def resolved(host: Any, *arguments: Any, **options: Any) -> Any:
        return resolve(ip if host == name else host, *arguments, **options)

    if ip:
        socket.getaddrinfo = resolved
    try:
        yield
    finally:
        socket.getaddrinfo = resolve


def greet(login: Login) -> str:
    """Return the protocol and the cipher that the server agrees to, its certificate verified.

    :raises PlatformError: when nobody answers there, or nobody who is trusted.
    """
    host, port = address(login)
    context = _context(login)
    try:
        plain = socket.create_connection((host, port), login.timeout)
        with plain, context.wrap_socket(plain, server_hostname=host) as secure:
            return f"{secure.version()}, {(secure.cipher() or ['no cipher'])[0]}"
    except OSError as error:
        raise absence(login, error) from None


def fetch(login: Login, url: str) -> tuple[int, bytes]:
    """Return the status and the content of a URL of the server's, asked for without a login.

    That is done by Python alone, as somebody would who was given nothing but the URL.

    :raises PlatformError: when nobody answers there, or nobody who is trusted.
    """
    host, port = address(login)
    target = urlsplit(url)
    connection = http.client.HTTPSConnection(
        host, port, timeout=login.timeout, context=_context(login)
    )
    try:
        with contextlib.closing(connection):
            connection.request("GET", f"{target.path}?{target.query}".rstrip("?"))
            reply = connection.getresponse()
            return reply.status, reply.read()
    except (OSError, http.client.HTTPException) as error:
        raise absence(login, error) from None


def library() -> Any:
    """Return botocore with what is used of it."""
    try:
        import boto3
        import botocore.auth
        import botocore.awsrequest
        import botocore.config
        import botocore.credentials
        import botocore.exceptions
        import botocore.httpsession
    except ImportError:
        raise LibraryAbsentError(
            "the Python library boto3 is not on the host",
            hint="install python3-boto3 there, 1.36 or newer",
        ) from None
    return boto3, botocore


def refusal(login: Login, code: str, message: str, doing: str) -> PlatformError:
    """Return a server's error in our own form."""
    if code in _KEY_CODES:
        return LoginError(
            f"cannot log in as {login.access_key}: {message} ({code})",
            code=code,
            where=login.endpoint,
            hint="check access_key and secret_key, and that the user is enabled",
        )
    hint = "mend that, and run again; what was done before stays done"
    if code == "AccessDenied":
        hint = f"{login.access_key} needs a policy that allows it"
    return RefusedError(
        f"{doing} was refused: {message or 'no reason given'} ({code})",
        code=code,
        where=login.endpoint,
        hint=hint,
    )


def absence(login: Login, error: Exception) -> PlatformError:
    """Return why there was no reply, in our own form."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return PlatformError(
            f"the server's certificate is not trusted: {error}",
            where=login.endpoint,
            hint="check ca_path, and that the certificate has the endpoint's name",
        )
    return ServerAbsentError(
        f"no answer: {error}",
        where=login.endpoint,
        hint="check that the server runs and listens there with TLS",
    )


class _Client:
    """An :class:`S3` over boto3."""

    def __init__(self, login: Login) -> None:
        boto3, botocore = library()
        self.login = login
        self.engine = ""
        self._errors = botocore.exceptions
        self._deletes: Mapping[str, bool] = {}
        # A session of its own: no profile or variable of the host's user has a say.
        session = boto3.session.Session(
            aws_access_key_id=login.access_key,
            aws_secret_access_key=login.secret_key,
            region_name=login.region,
        )
        self._client = session.client(
            "s3",
            endpoint_url=login.endpoint,
            verify=trusted(login),
            config=botocore.config.Config(
                signature_version=botocore.UNSIGNED if login.anonymous else "s3v4",
                connect_timeout=login.timeout,
                read_timeout=login.timeout,
                retries={"mode": "standard", "total_max_attempts": 3},
                proxies={},
                # Other engines than Amazon's do not all know the newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path"},
            ),
        )
        events = self._client.meta.events
        events.register("before-call.s3.PutBucketReplication", self._say_deletes)
        events.register("before-parse.s3.GetBucketReplication", self._hear_deletes)

    def _say_deletes(self, params: dict[str, Any], **_unused: Any) -> None:
        if self.engine != "MinIO":
            return
        rules = _RULE.split(params["body"])
        for nth, rule in enumerate(_RULE.findall(params["body"])):
            found = _RULE_ID.search(rule)
            status = b"Enabled" if found and self._deletes.get(found[1].decode()) else b"Disabled"
            said = b"</DeleteMarkerReplication><%b><Status>%b</Status></%b>"
            name = _DELETES.encode()
            rules[nth] += _AFTER_MARKERS.sub(said % (name, status, name), rule)
        params["body"] = b"".join(rules)

    def _hear_deletes(self, response_dict: Mapping[str, Any], **_unused: Any) -> None:
        self._deletes = {
            found[1].decode(): bool(_RULE_DELETES.search(rule))
            for rule in _RULE.findall(response_dict["body"])
            for found in [_RULE_ID.search(rule)]
            if found
        }

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        if operation == "put_bucket_replication":
            self._deletes = parameters.pop(_DELETES)
        try:
            reply: dict[str, Any] = getattr(self._client, operation)(**parameters)
        except self._errors.ClientError as error:
            self._remember(error.response)
            told = error.response["Error"]
            raise refusal(
                self.login, str(told.get("Code", "")), str(told.get("Message", "")), operation
            ) from None
        except self._errors.ParamValidationError as error:
            raise PlatformError(f"{operation} cannot be asked for: {error}") from None
        except (self._errors.BotoCoreError, self._errors.HTTPClientError) as error:
            raise absence(self.login, error) from None
        self._remember(reply)
        if operation == "get_bucket_replication":
            reply[_DELETES] = dict(self._deletes)
        return reply

    def content(self, **parameters: Any) -> bytes:
        body = self.call("get_object", **parameters)["Body"]
        try:
            with contextlib.closing(body):
                return bytes(body.read())
        except (self._errors.BotoCoreError, self._errors.HTTPClientError) as error:
            raise absence(self.login, error) from None

    def presigned(self, seconds: int, **parameters: Any) -> str:
        try:
            url = self._client.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=seconds
            )
        except self._errors.BotoCoreError as error:
            raise PlatformError(f"get_object cannot be asked for: {error}") from None
        return str(url)

    def _remember(self, reply: Mapping[str, Any]) -> None:
        headers = reply.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        self.engine = str(headers.get("server", self.engine))


def connect(login: Login) -> S3:
    """Return a login to the service; nothing is sent yet.

    :raises NotYetError: when the authorities to trust are not there.
    """
    return _Client(login)
