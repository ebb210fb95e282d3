# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the only place that talks to a vault."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._core.errors import PlatformError
from .._core.module import Context

CONNECTION_SPEC: dict[str, dict[str, Any]] = {
    "address": {"type": "str", "required": True},
    "ca_path": {"type": "path"},
    "role_id": {"type": "str", "no_log": False},
    "secret_id": {"type": "str", "no_log": True},
    "token": {"type": "str", "no_log": True},
    "namespace": {"type": "str"},
    "timeout": {"type": "int", "default": 30},
}
# While a new active node is being elected, the others answer so (OpenBao 2.7.2, Vault 1.x);
# 412: the node has not yet seen what this client wrote before.
_ELECTING = ("active cluster node not found", "node is in standby", "in standby mode")
# OpenBao says 429 (seen on a busy 2.7.2 standby that lagged behind), HashiCorp's vault 412.
_NOT_YET_SEEN = frozenset({412, 429})
# Seconds to wait for a new active node: three times the 10 s that an election takes at worst
# with raft's default performance multiplier of 5.
_ELECTION_WAIT = 30.0
_NO_VAULT_HINT = "start the vault, or correct the option address"


class UnavailableError(PlatformError):
    """There is no vault that could be asked yet; in check mode the same run may bring it."""


class SealedError(PlatformError):
    """The vault is there but sealed."""


@dataclass(frozen=True)
class Connection:
    """Where the vault is, how it is trusted, and who asks.

    :param address: URL of the API, ``https://host:port``.
    :param ca_path: file of the authorities that may sign its certificate; empty: the system's.
    :param timeout: seconds for one request.
    """

    address: str
    ca_path: str = ""
    namespace: str = ""
    timeout: int = 30
    role_id: str = ""
    secret_id: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Reply:
    """A reply's status and its JSON document, empty where it had none."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def data(self) -> dict[str, Any]:
        """The reply's ``data``."""
        return dict(self.body.get("data") or {})

    @property
    def errors(self) -> str:
        """The vault's own words about what is wrong."""
        return "; ".join(str(error).strip() for error in self.body.get("errors") or ())


class Transport(Protocol):
    """Sends one request; raises PlatformError when there is no reply at all."""

    def __call__(self, method: str, path: str, document: Mapping[str, Any] | None) -> Reply: ...

    def authenticate(self, token: str) -> None: ...


class HvacTransport:
    """Talks through hvac, over one connection that is kept open.

    :raises UnavailableError: when the library or the authority's file is missing.
    """

    def __init__(self, connection: Connection) -> None:
        try:
            import hvac
            import requests
        except ImportError as error:
            raise UnavailableError(
                "the Python library hvac is missing",
                hint="install the package python3-hvac on the host that runs this task",
            ) from error
        self._exceptions = requests.exceptions
        self._address = connection.address
        session = requests.Session()
        # Proxies, .netrc and REQUESTS_CA_BUNDLE of the environment must not decide whom we trust.
        session.trust_env = False
        session.verify = connection.ca_path or True
        self._client = hvac.Client(
            url=connection.address,
            token=connection.token,
            timeout=connection.timeout,
            session=session,
            namespace=connection.namespace or None,
            adapter=hvac.adapters.RawAdapter,
        )
        self._index = ""

    def authenticate(self, token: str) -> None:
        """Use *token* from now on."""
        self._client.token = token

    def __call__(self, method: str, path: str, document: Mapping[str, Any] | None) -> Reply:
        # A standby may answer reads from data that is older than what this client wrote through
        # it a moment ago; the index makes it wait, or refuse, until it has caught up.
        headers = {"X-Vault-Index": self._index} if self._index else {}
        try:
            response = self._client.adapter.request(
                method, f"/v1/{path}", headers=headers, json=document, raise_exception=False
            )
        except self._exceptions.SSLError as error:
            raise PlatformError(
                f"the vault's certificate is not trusted: {_reason(error)}",
                where=self._address,
                hint="set ca_path to the authority that signed it, and use a name that it carries",
            ) from error
        except self._exceptions.Timeout as error:
            raise UnavailableError(
                f"the vault did not answer {method} {path} in time",
                where=self._address,
                hint="look at the vault's log, or raise the option timeout",
            ) from error
        except (self._exceptions.RequestException, OSError) as error:
            raise UnavailableError(
                f"no vault answers: {_reason(error)}", where=self._address, hint=_NO_VAULT_HINT
            ) from error
        self._index = response.headers.get("X-Vault-Index", self._index)
        try:
            body = response.json()
        except ValueError:
            body = {}
        return Reply(response.status_code, body if isinstance(body, dict) else {})


def _reason(error: BaseException) -> str:
    """Return the innermost cause, which is the one a user understands."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return str(error)


class NoVault:
    """Stands in, in check mode, for the vault that the same run would bring up: it is empty."""

    def __call__(self, method: str, path: str, document: Mapping[str, Any] | None) -> Reply:
        """Say that there is nothing."""
        del method, path, document
        return Reply(404)

    def authenticate(self, token: str) -> None:
        """Nobody asks who we are."""


class Vault:
    """Requests to a vault, with errors that a user can act on.

    :param address: its URL, for the errors.
    :param wait: seconds to wait for an active node.
    """

    def __init__(
        self,
        transport: Transport,
        address: str,
        *,
        wait: float = _ELECTION_WAIT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address
        self._transport = transport
        self._wait = wait
        self._clock = clock
        self._sleep = sleep

    def request(
        self,
        method: str,
        path: str,
        document: Mapping[str, Any] | None = None,
        *,
        accept: Collection[int] = (),
    ) -> Reply:
        """Send a request, again while a new active node is being elected.

        :param accept: statuses besides 2xx that the caller handles.
        :raises PlatformError: for every other status.
        """
        deadline = self._clock() + self._wait
        reply = self._transport(method, path, document)
        while _is_electing(reply) and self._clock() < deadline:
            self._sleep(0.5)
            reply = self._transport(method, path, document)
        if 200 <= reply.status < 300 or reply.status in accept:
            return reply
        raise self._error(method, path, reply)

    def read(self, path: str) -> dict[str, Any] | None:
        """Return the data at *path*, None where there is nothing."""
        reply = self.request("GET", path, accept=(404,))
        return None if reply.status == 404 else reply.data

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names below *path*."""
        return tuple(self.request("LIST", path, accept=(404,)).data.get("keys", ()))

    def write(self, path: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Write *document* and return the data of the reply."""
        return self.request("POST", path, document).data

    def log_in(self, role_id: str, secret_id: str) -> None:
        """Log in by AppRole."""
        reply = self.request(
            "POST",
            "auth/approle/login",
            {"role_id": role_id, "secret_id": secret_id},
            accept=(400, 403),
        )
        if reply.status != 200:
            raise PlatformError(
                f"the vault refused the login by AppRole: {reply.errors}",
                where=self.address,
                hint="check role_id, secret_id, and whether the role admits this host's address",
            )
        self._transport.authenticate(str(reply.body["auth"]["client_token"]))

    def is_initialized(self) -> bool:
        """Return whether the vault was initialised; needs no login."""
        reply = self._transport("GET", "sys/seal-status", None)
        return bool(reply.body.get("initialized", True))

    def _error(self, method: str, path: str, reply: Reply) -> PlatformError:
        if reply.status == 503:
            return self.sealed_error()
        said = reply.errors or f"status {reply.status}"
        if reply.status == 403:
            return PlatformError(
                f"the vault denied {method} {path}",
                where=self.address,
                hint="the token is no longer valid, or its policies lack this path",
            )
        if reply.status == 404 and "no handler for route" in said:
            return PlatformError(
                f"nothing is mounted there: {said}",
                where=self.address,
                hint="mount it first, with mcp.platform.vault_mounts",
            )
        return PlatformError(f"the vault refused {method} {path}: {said}", where=self.address)

    def sealed_error(self) -> PlatformError:
        """Return why a vault that answers can't be used: not initialised, or sealed."""
        if not self.is_initialized():
            return UnavailableError(
                "the vault is not initialised",
                where=self.address,
                hint="initialise it with mcp.platform.vault_cluster",
            )
        return SealedError(
            "the vault is sealed",
            where=self.address,
            hint="its log says why it stays so; mcp.platform.vault_cluster unseals it",
        )


def _is_electing(reply: Reply) -> bool:
    if reply.status in _NOT_YET_SEEN:
        return True
    return reply.status in {500, 503} and any(words in reply.errors for words in _ELECTING)


def connection_from(params: Mapping[str, Any], address: str = "") -> Connection:
    """Return the connection that a module's options describe.

    :param address: another member's URL, the option's when empty.
    """
    return Connection(
        address=(address or params["address"]).rstrip("/"),
        ca_path=params.get("ca_path") or "",
        namespace=params.get("namespace") or "",
        timeout=params["timeout"],
        role_id=params.get("role_id") or "",
        secret_id=params.get("secret_id") or "",
        token=params.get("token") or "",
    )


def log_in(connection: Connection, transport: Transport) -> Vault:
    """Return the vault, entered with the token or by AppRole.

    :raises PlatformError: when the login is refused or there is nothing to log in with.
    """
    vault = Vault(transport, connection.address)
    if connection.token:
        transport.authenticate(connection.token)
    elif connection.role_id and connection.secret_id:
        vault.log_in(connection.role_id, connection.secret_id)
    elif not vault.is_initialized():
        raise vault.sealed_error()
    else:
        raise PlatformError(
            "there is nothing to log in with",
            where=connection.address,
            hint="set token, or role_id and secret_id",
        )
    return vault


def open_vault(context: Context, make: Callable[[Connection], Transport] = HvacTransport) -> Vault:
    """Return the vault that the module's options lead to.

    In check mode a vault that is not there yet, or not initialised, is taken for an empty one:
    the same run would bring it up before it comes to this task.
    """
    connection = connection_from(context.params)
    try:
        vault = log_in(connection, make(connection))
        if context.check_mode and not vault.is_initialized():
            raise vault.sealed_error()
    except UnavailableError:
        if not context.check_mode:
            raise
        return Vault(NoVault(), connection.address)
    return vault
