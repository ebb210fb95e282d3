# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: JSON over HTTPS, with the errors a user can act on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import PlatformError


@dataclass(frozen=True)
class Endpoint:
    """Where a JSON service listens and how to trust it.

    :param url: base URL, ``https://host:port``.
    :param ca_path: file of the authorities that may sign the server's certificate.
    :param client_certificate: PEM file shown to the server, empty for none.
    :param client_key: its private key.
    :param username: for basic authentication, empty for none.
    :param password: likewise; never shown.
    :param timeout: seconds for one request.
    """

    url: str
    ca_path: str
    client_certificate: str = ""
    client_key: str = ""
    username: str = ""
    password: str = ""
    timeout: int = 10

    def __repr__(self) -> str:
        return f"Endpoint({self.url})"


@dataclass(frozen=True)
class Reply:
    """A reply's status and its document; text that is not JSON is kept as text."""

    status: int
    body: Any


def _open(method: str, endpoint: Endpoint, path: str, data: str | None) -> tuple[int, str]:
    from http.client import HTTPException
    from urllib.error import HTTPError

    from ansible.module_utils.urls import open_url

    try:
        response = open_url(
            endpoint.url + path,
            method=method,
            data=data,
            headers={"Content-Type": "application/json"},
            timeout=endpoint.timeout,
            ca_path=endpoint.ca_path,
            client_cert=endpoint.client_certificate or None,
            client_key=endpoint.client_key or None,
            url_username=endpoint.username or None,
            url_password=endpoint.password or None,
            force_basic_auth=bool(endpoint.username),
            use_proxy=False,
            follow_redirects="none",
        )
        return response.status, response.read().decode(errors="replace")
    except HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except HTTPException as error:
        raise ConnectionError(f"the reply is not HTTP ({type(error).__name__})") from error


def request(
    method: str,
    endpoint: Endpoint,
    path: str,
    document: Any = None,
    *,
    opener: Callable[[str, Endpoint, str, str | None], tuple[int, str]] = _open,
) -> Reply:
    """Send *document* as JSON and return the reply, whatever its status is.

    :raises PlatformError: when there is no reply: refused, timed out, or not trusted.
    """
    data = None if document is None else json.dumps(document)
    try:
        status, text = opener(method, endpoint, path, data)
    except (OSError, ValueError) as error:
        raise PlatformError(
            f"no answer to {method} {path}: {error}",
            where=endpoint.url,
            hint="check that the service runs and listens there, and that its authority is right",
        ) from error
    try:
        return Reply(status, json.loads(text))
    except ValueError:
        return Reply(status, text)
