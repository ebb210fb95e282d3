# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has a MinIO store look at every object, and bring back what is missing on a drive.

    minio-heal quick LOGIN    compares what the drives say about each object
    minio-heal deep LOGIN     reads all of it, and finds what is damaged

Runs after each start of a server, and from timers. What is written while a server is away lies on
fewer drives afterwards: the others try to bring it there once, a second later, and then leave it to
a scanner that takes months. Exits with 1 where it cannot be done now; systemd tries again.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

_COMMAND = "/minio/admin/v3/heal/"
_POLL_SECONDS = 2.0
_MODES = {"quick": 1, "deep": 2}

Call = Callable[[Mapping[str, str]], "tuple[int, Any]"]


class NotNowError(Exception):
    """Why it can't be done at present."""


def caller(settings: Mapping[str, str], mode: str) -> Call:
    """Return what sends one signed request, and gives the reply's status and document."""
    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials
    import botocore.exceptions
    import botocore.httpsession

    session = botocore.httpsession.URLLib3Session(verify=settings["ca"], proxies={}, timeout=60)
    login = botocore.credentials.Credentials(settings["access_key"], settings["secret_key"])
    signer = botocore.auth.S3SigV4Auth(login, "s3", "us-east-1")

    def call(query: Mapping[str, str]) -> tuple[int, Any]:
        request = botocore.awsrequest.AWSRequest(
            method="POST",
            url=settings["endpoint"] + _COMMAND,
            params=dict(query),
            data=json.dumps({"recursive": True, "scanMode": _MODES[mode]}).encode(),
            headers={"Content-Type": "application/octet-stream"},
        )
        signer.add_auth(request)
        try:
            reply = session.send(request.prepare())
        except (
            botocore.exceptions.BotoCoreError,
            botocore.exceptions.HTTPClientError,
        ) as error:
            raise NotNowError(f"the server does not answer: {error}") from None
        try:
            return reply.status_code, json.loads(reply.content)
        except ValueError:
            raise NotNowError(f"the reply has the status {reply.status_code}") from None

    return call


def asked(call: Call, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the document of a good reply."""
    status, document = call(query)
    if status != 200 or not isinstance(document, dict):
        said = document if isinstance(document, dict) else {}
        code, message = said.get("Code", status), said.get("Message", "")
        raise NotNowError(f"the server refuses: {message} ({code})")
    return document


def was_mended(item: Mapping[str, Any]) -> bool:
    """Return whether a drive has the object now that had not, or not whole."""

    def good(when: str) -> int:
        drives = (item.get(when) or {}).get("drives") or ()
        return sum(drive.get("state") == "ok" for drive in drives)

    return good("after") > good("before")


def heal(call: Call, pause: Callable[[float], None] = time.sleep) -> tuple[int, int]:
    """Have everything looked at; return how many things that were, and how many were mended."""
    token = asked(call, {})["clientToken"]
    seen = mended = 0
    while True:
        found = asked(call, {"clientToken": token})
        items = found.get("Items") or ()
        seen += len(items)
        mended += sum(map(was_mended, items))
        if found.get("Summary") == "finished":
            return seen, mended
        if found.get("Summary") not in ("running", "not started"):
            raise NotNowError(f"it ended early: {found.get('Detail') or found.get('Summary')}")
        pause(_POLL_SECONDS)


def main(words: list[str], patience: float = 120.0) -> int:
    """Heal in the mode, and with the login of the file, that are named.

    :param patience: seconds for a server that has just been started to be there.
    """
    mode, login = words
    with open(login, encoding="utf-8") as file:
        settings = json.load(file)
    until = time.monotonic() + patience
    while True:
        try:
            seen, mended = heal(caller(settings, mode))
            break
        except NotNowError as error:
            if time.monotonic() > until:
                sys.stderr.write(f"minio-heal: {error}\n")
                return 1
            time.sleep(_POLL_SECONDS)
    sys.stdout.write(f"minio-heal: looked at {seen} objects, mended {mended}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
