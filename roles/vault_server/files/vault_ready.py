# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells whether members of the vault do their work: vault-ready CA_FILE [--sealed-is-fine] URL...

A member that was never initialised does: there is nothing more that it could do. One that is in
service is unsealed and knows the active node, so that the next member may be restarted.
"""

from __future__ import annotations

import json
import ssl
import sys
import urllib.error
import urllib.request
from typing import Any


def ask(url: str, context: ssl.SSLContext) -> dict[str, Any]:
    """Return the reply to a request that needs no login, whatever its status."""
    # No proxy of the environment may stand between a host and its own service.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(url, timeout=5) as reply:
            return dict(json.load(reply))
    except urllib.error.HTTPError as error:
        return dict(json.load(error))


def problem(status: dict[str, Any], leader: dict[str, Any], sealed_is_fine: bool) -> str:
    """Return why the member does not do its work, empty when it does."""
    if not status.get("initialized", True):
        return ""
    if status.get("sealed", True):
        return "" if sealed_is_fine else "it is sealed"
    if not leader.get("leader_address"):
        return "it knows no active node"
    return ""


def look(url: str, context: ssl.SSLContext, sealed_is_fine: bool) -> str:
    """Return why the member at *url* does not do its work, empty when it does."""
    try:
        status = ask(f"{url}/v1/sys/seal-status", context)
        leader = {} if status.get("sealed", True) else ask(f"{url}/v1/sys/leader", context)
    except (OSError, ValueError) as error:
        return f"no answer: {error}"
    return problem(status, leader, sealed_is_fine)


def main() -> int:
    sealed_is_fine = "--sealed-is-fine" in sys.argv
    ca_file, *urls = (word for word in sys.argv[1:] if word != "--sealed-is-fine")
    context = ssl.create_default_context(cafile=ca_file)
    found = {url: look(url, context, sealed_is_fine) for url in urls}
    wrong = [f"{url}: {why}" for url, why in found.items() if why]
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
