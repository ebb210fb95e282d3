# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a root token from recovery keys: vault-generate-root URL CA_FILE

For the break-glass runbook, while the member at URL has the endpoint open. The command line of
OpenBao 2.7 asks another endpoint, which wants a token. Keys are asked for, or read from standard
input, a line each; the token goes to standard output.
"""

from __future__ import annotations

import base64
import getpass
import json
import ssl
import sys
import urllib.error
import urllib.request
from typing import Any


class RefusedError(SystemExit):
    """Ends the program with what the vault said."""


def ask(
    url: str, method: str, context: ssl.SSLContext, document: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the reply to one request.

    :raises RefusedError: when it is not answered as it should be.
    """
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    data = json.dumps(document or {}).encode() if method == "PUT" else None
    request = urllib.request.Request(url, data=data, method=method)  # noqa: S310
    try:
        with opener.open(request, timeout=30) as reply:
            return dict(json.loads(reply.read() or b"{}"))
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace").strip()
        hint = ""
        if error.code in {403, 405}:
            hint = "\nThe endpoint is closed; see docs/runbooks/break_glass.md, step 1."
        raise RefusedError(f"the vault refused: {said}{hint}") from None
    except OSError as error:
        raise RefusedError(f"no answer from {url}: {error}") from None


def decode(encoded: str, otp: str) -> str:
    """Return the token that the vault has laid over the one-time password."""
    padded = encoded + "=" * (-len(encoded) % 4)
    pairs = zip(base64.b64decode(padded), otp.encode())
    return bytes(left ^ right for left, right in pairs).decode()


def _key(number: int, required: int) -> str:
    prompt = f"Recovery key {number} of {required}: "
    return (getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline()).strip()


def main() -> int:
    url, ca_file = sys.argv[1:3]
    context = ssl.create_default_context(cafile=ca_file)
    endpoint = f"{url.rstrip('/')}/v1/sys/generate-root"
    begun = ask(f"{endpoint}/attempt", "PUT", context)
    try:
        reply = begun
        while not reply.get("complete"):
            key = _key(reply["progress"] + 1, begun["required"])
            if not key:
                raise RefusedError("too few recovery keys")
            document = {"key": key, "nonce": begun["nonce"]}
            reply = ask(f"{endpoint}/update", "PUT", context, document)
    except BaseException:
        ask(f"{endpoint}/attempt", "DELETE", context)
        raise
    encoded = reply.get("encoded_token") or reply["encoded_root_token"]
    sys.stdout.write(decode(encoded, begun["otp"]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
