# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: tls_certificates_info
short_description: Check the certificates that a service is about to use
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Reads certificates, private keys and authorities on the host and tells what is wrong with them -
    a key that belongs to another certificate, an expired certificate, a missing name,
    a chain that does not lead to the authority.
options:
  files:
    description: What belongs together.
    type: list
    elements: dict
    required: true
    suboptions:
      certificate:
        description: Certificate in PEM format, the leaf first.
        type: path
        required: true
      private_key:
        description: Its private key.
        type: path
      ca:
        description: The authorities it must lead to.
        type: path
      names:
        description: DNS names and IP addresses that it must carry.
        type: list
        elements: str
        default: []
  days_left:
    description: Days for which each must still be valid.
    type: int
    default: 0
  fail_on_problems:
    description:
      - Whether a problem fails the task.
      - In check mode neither a missing file nor the missing library is one, they may come in the same run.
    type: bool
    default: false
requirements:
  - cryptography (the package python3-cryptography)
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.info_module
"""

EXAMPLES = r"""
- name: Check etcd's certificate before it is used
  mcp.platform.tls_certificates_info:
    files:
      - certificate: /etc/etcd/pki/server.crt
        private_key: /etc/etcd/pki/server.key
        ca: /etc/etcd/pki/ca.crt
        names: [node1.platform.internal, etcd.platform.internal]
    fail_on_problems: true
"""

RETURN = r"""
certificates:
  description: What each certificate is, in the order asked for; empty mappings for missing or unreadable ones.
  type: list
  elements: dict
  returned: success
  sample:
    - serial: 1f3a
      issuer: CN=platform etcd
      subject: CN=node1.platform.internal
      names: [etcd.platform.internal, node1.platform.internal]
      not_before: "2026-11-01T00:00:00+00:00"
      not_after: "2026-12-01T00:00:00+00:00"
problems:
  description: What is wrong, each with its file.
  type: list
  elements: str
  returned: success
  sample: ["/etc/etcd/pki/server.crt: the certificate lacks the name etcd.platform.internal"]
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._pki import inspect


def _paths(item: dict[str, Any]) -> list[Path]:
    return [Path(item[key]) for key in ("certificate", "private_key", "ca") if item[key]]


def _material(item: dict[str, Any]) -> inspect.Material:
    def content(path: str | None) -> bytes:
        return Path(path).read_bytes() if path else b""

    return inspect.Material(
        content(item["certificate"]), content(item["private_key"]), content(item["ca"])
    )


def execute(context: Context) -> Outcome:
    certificates: list[dict[str, object]] = []
    problems: list[str] = []
    if context.check_mode and inspect.MISSING is not None:
        unread: list[dict[str, object]] = [{} for _item in context.params["files"]]
        return Outcome(values={"certificates": unread, "problems": []})
    for item in context.params["files"]:
        missing = [path for path in _paths(item) if not path.is_file()]
        if missing:
            certificates.append({})
            if not context.check_mode:
                problems += [f"{path}: there is no such file" for path in missing]
            continue
        problems += [
            f"{path}: the file is empty" for path in _paths(item) if not path.stat().st_size
        ]
        material = _material(item)
        left = timedelta(days=context.params["days_left"])
        found = inspect.problems(material, names=item["names"], left=left)
        problems += [f"{item['certificate']}: {problem}" for problem in found]
        certificates.append(inspect.describe(material.certificate))
    if problems and context.params["fail_on_problems"]:
        raise PlatformError(
            "; ".join(problems),
            hint="give this service a certificate that fits, and run again",
        )
    return Outcome(values={"certificates": certificates, "problems": problems})


def main() -> None:
    files = {
        "certificate": {"type": "path", "required": True},
        "private_key": {"type": "path"},
        "ca": {"type": "path"},
        "names": {"type": "list", "elements": "str", "default": []},
    }
    run(
        execute,
        argument_spec={
            "files": {"type": "list", "elements": "dict", "required": True, "options": files},
            "days_left": {"type": "int", "default": 0},
            "fail_on_problems": {"type": "bool", "default": False},
        },
    )


if __name__ == "__main__":
    main()
