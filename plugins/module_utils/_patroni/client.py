# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: talks to the REST API of one Patroni member."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from .._core import web
from .._core.errors import PlatformError
from .._core.web import Endpoint, Reply
from .model import Cluster, cluster_from
from .plan import patch

_POLL_SECONDS = 0.5
_REFUSALS = {
    401: "check username and password against restapi.authentication of the member",
    403: "write from a member's or an allowed address, with a certificate of the authority"
    " in restapi.cafile of the member",
}

Request = Callable[..., Reply]


def argument_spec() -> dict[str, dict[str, Any]]:
    """Return the options that every module about Patroni shares."""
    return {
        "url": {"type": "str", "required": True},
        "ca_path": {"type": "path", "required": True},
        "client_certificate": {"type": "path"},
        "client_key": {"type": "path"},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "timeout": {"type": "int", "default": 10},
    }


def endpoint_from(params: Mapping[str, Any]) -> Endpoint:
    """Return the shared options as an endpoint."""
    return Endpoint(
        url=params["url"].rstrip("/"),
        ca_path=params["ca_path"],
        client_certificate=params["client_certificate"] or "",
        client_key=params["client_key"] or "",
        username=params["username"] or "",
        password=params["password"] or "",
        timeout=params["timeout"],
    )


class Client:
    """The calls that the modules need.

    :param request: sends one request; tests give a scripted one.
    :param clock: monotonic seconds.
    :param sleep: waits for so many seconds.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        request: Request = web.request,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._endpoint = endpoint
        self._request = request
        self._clock = clock
        self._sleep = sleep

    def _document(self, method: str, path: str, document: Any = None) -> dict[str, Any]:
        reply = self._request(method, self._endpoint, path, document)
        if reply.status != 200 or not isinstance(reply.body, dict):
            raise PlatformError(
                f"{method} {path} was answered with {reply.status}: {str(reply.body)[:300]}",
                where=self._endpoint.url,
                hint=_REFUSALS.get(reply.status, "read `journalctl -u patroni` on the host"),
            )
        return reply.body

    def cluster(self) -> Cluster:
        """Return the cluster's members."""
        return cluster_from(self._document("GET", "/cluster"))

    def version(self) -> str:
        """Return Patroni's own version."""
        about = self._document("GET", "/patroni").get("patroni")
        return str(about.get("version", "")) if isinstance(about, dict) else ""

    def config(self) -> dict[str, Any]:
        """Return the dynamic configuration."""
        return self._document("GET", "/config")

    def set_config(self, desired: Mapping[str, Any], *, exact: bool) -> dict[str, Any]:
        """Change the dynamic configuration to *desired*, and return it as the member then sees it.

        :raises PlatformError: when the member refuses, or does not show the change in time.
        """
        self._document("PATCH", "/config", patch(self.config(), desired, exact=exact))
        deadline = self._clock() + self._endpoint.timeout
        while True:
            found = self.config()
            missing = patch(found, desired, exact=exact)
            if not missing:
                return found
            if self._clock() > deadline:
                raise PlatformError(
                    f"Patroni took the change, but still shows other values of {sorted(missing)}",
                    where=self._endpoint.url,
                    hint="somebody else may be changing them; read `journalctl -u patroni`",
                )
            self._sleep(_POLL_SECONDS)

    def wait_for(self, names: tuple[str, ...], seconds: int) -> Cluster:
        """Poll until there is a healthy leader and all *names* are healthy members.

        :raises PlatformError: when that takes more than *seconds*, with what was missing last.
        """
        deadline = self._clock() + seconds
        while True:
            try:
                cluster = self.cluster()
                reasons = "; ".join(cluster.unready(names))
                if not reasons:
                    return cluster
            except PlatformError as error:
                reasons = error.what
            if self._clock() > deadline:
                raise PlatformError(
                    f"the cluster is not ready after {seconds} s: {reasons}",
                    where=self._endpoint.url,
                    hint="read `journalctl -u patroni` on the members named here",
                )
            self._sleep(_POLL_SECONDS)
