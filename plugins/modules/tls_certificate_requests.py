# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: tls_certificate_requests
short_description: The host's part of M(mcp.platform.tls_certificates)
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Judges the certificates on a host, makes keys and requests for those that are missing, due or wrong, and
    installs what the authority signed. Private keys never leave the host.
  - M(mcp.platform.tls_certificates) calls it; use that one in a playbook.
options:
  certificates:
    description: See M(mcp.platform.tls_certificates).
    type: list
    elements: dict
    required: true
    suboptions:
      certificate:
        description: Path of the certificate, followed by its chain.
        type: path
        required: true
      private_key:
        description: Path of its key.
        type: path
        required: true
      ca:
        description: Path of the trust anchor.
        type: path
      common_name:
        description: Common name of its subject.
        type: str
        required: true
      names:
        description: DNS names that it carries.
        type: list
        elements: str
        default: []
      addresses:
        description: IP addresses that it carries.
        type: list
        elements: str
        default: []
      owner:
        description: Owner of the files.
        type: str
        default: root
      group:
        description: Group of the files.
        type: str
        default: root
      mode:
        description: Permissions of the key.
        type: str
        default: "0600"
      usages:
        description: What it may be used for.
        type: list
        elements: str
        choices: [server, client]
        default: [server, client]
      days:
        description: How long it is valid.
        type: int
        default: 365
      renew_below_days:
        description: It is issued again when it is valid for less than that.
        type: int
        default: 90
  authority_certificate:
    description: Certificate of the authority that they must come from. Empty when it is not known.
    type: str
    default: ""
  trust_anchor:
    description: What is written to O(certificates[].ca).
    type: str
    default: ""
  can_sign:
    description: Whether keys and requests are to be made.
    type: bool
    default: true
  signed:
    description: The signed certificates with their chains, by the path that they belong to.
    type: dict
    default: {}
requirements:
  - cryptography (the package python3-cryptography)
extends_documentation_fragment:
  - mcp.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows why a certificate is issued, never a key.
  idempotent:
    support: full
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: See which certificates this host would ask for
  mcp.platform.tls_certificate_requests:
    certificates:
      - certificate: /etc/openbao/pki/server.crt
        private_key: /etc/openbao/pki/server.key
        common_name: node1.platform.internal
        names: [node1.platform.internal]
    can_sign: false
  check_mode: true
"""

RETURN = r"""
requests:
  description: The certificates that have to be signed.
  type: list
  elements: dict
  returned: success
  contains:
    certificate:
      description: Path that it belongs to.
      type: str
      sample: /etc/openbao/pki/server.crt
    csr:
      description: The request in PEM format; empty where none was made.
      type: str
    reasons:
      description: Why it is needed.
      type: list
      elements: str
      sample: ["there is no /etc/openbao/pki/server.crt"]
    broken:
      description: Whether the one in place can't be used at all.
      type: bool
      sample: true
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["issue certificate /etc/openbao/pki/server.crt"]
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import run
from ansible_collections.mcp.platform.plugins.module_utils._pki.requests_apply import apply


def main() -> None:
    certificates = {
        "certificate": {"type": "path", "required": True},
        "private_key": {"type": "path", "required": True},
        "ca": {"type": "path"},
        "common_name": {"type": "str", "required": True},
        "names": {"type": "list", "elements": "str", "default": []},
        "addresses": {"type": "list", "elements": "str", "default": []},
        "owner": {"type": "str", "default": "root"},
        "group": {"type": "str", "default": "root"},
        "mode": {"type": "str", "default": "0600"},
        "usages": {
            "type": "list",
            "elements": "str",
            "choices": ["server", "client"],
            "default": ["server", "client"],
        },
        "days": {"type": "int", "default": 365},
        "renew_below_days": {"type": "int", "default": 90},
    }
    run(
        apply,
        argument_spec={
            "certificates": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": certificates,
            },
            "authority_certificate": {"type": "str", "default": ""},
            "trust_anchor": {"type": "str", "default": ""},
            "can_sign": {"type": "bool", "default": True},
            "signed": {"type": "dict", "default": {}},
        },
    )


if __name__ == "__main__":
    main()
