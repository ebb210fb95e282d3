# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays three members of a cluster and of a vault on loopback addresses; each can be made to lie.

What they are stands in files below /run/members: primary and active hold a member's name, down,
misnamed and strange any number of them. A misnamed member shows the certificate of another one, a
strange one that of another authority. A pool greets with its member's name, and then sends back
what it is sent.
"""

from __future__ import annotations

import http.server
import socketserver
import ssl
import threading
from pathlib import Path
from typing import Any

STATE = Path("/run/members")
CERTIFICATES = Path("/etc/ssl/own")
MEMBERS = {f"db{number}": f"127.0.0.1{number}" for number in (1, 2, 3)}


def is_in(name: str, file: str) -> bool:
    """Tell whether *name* stands in the state's *file*."""
    path = STATE / file
    return path.exists() and name in path.read_text().split()


def context(certificate: str) -> ssl.SSLContext:
    """Return what serves TLS with a certificate of the site."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(CERTIFICATES / f"{certificate}.crt", CERTIFICATES / f"{certificate}.key")
    return made


class Api(http.server.ThreadingHTTPServer):
    """A member's REST API or its vault."""

    def __init__(self, address: tuple[str, int], member: str) -> None:
        self.member = member
        super().__init__(address, Answer)

    def finish_request(self, request: Any, client_address: Any) -> None:
        shown = "strange" if is_in(self.member, "strange") else self.member
        shown = "misnamed" if is_in(self.member, "misnamed") else shown
        try:
            with context(shown).wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)
        except OSError:
            return


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers as Patroni and as a vault do."""

    def _status(self, member: str) -> int:
        if is_in(member, "down"):
            return 503
        if self.path == "/v1/sys/health":
            return 200 if is_in(member, "active") else 429
        return 200 if is_in(member, "primary") is (self.path == "/primary") else 503

    def _answer(self) -> None:
        self.send_response(self._status(self.server.member))  # type: ignore[attr-defined]
        self.end_headers()

    do_GET = do_OPTIONS = _answer  # noqa: N815 - the names that the base class looks for

    def log_message(self, *_: Any) -> None:
        """Say nothing: checks come several times a second."""


class Pool(socketserver.ThreadingTCPServer):
    """A member's pool."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, address: tuple[str, int], member: str) -> None:
        self.member = member
        super().__init__(address, Greeting)


class Greeting(socketserver.BaseRequestHandler):
    """Greets, and sends back."""

    def handle(self) -> None:
        server: Any = self.server
        try:
            self.request.sendall(f"{server.member} {server.server_address[1]}\n".encode())
            while data := self.request.recv(1024):
                self.request.sendall(data)
        except OSError:
            return


def main() -> None:
    """Serve until the unit is stopped."""
    servers: list[socketserver.BaseServer] = []
    for member, address in MEMBERS.items():
        servers += [Api((address, port), member) for port in (8008, 8200)]
        servers += [Pool((address, port), member) for port in (6432, 6433)]
    for server in servers:
        threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main()
