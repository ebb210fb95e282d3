# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: endpoint_proofs
short_description: Prove that endpoints refuse whom they should refuse
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Knocks at each endpoint from the host it runs on, and compares how that ends with how it has to end.
    Only the right kind of ending counts - a server that is down proves nothing about its certificates.
options:
  attempts:
    description: What to try.
    type: list
    elements: dict
    required: true
    suboptions:
      service:
        description: The service that is tried, for the report.
        type: str
        required: true
      proof:
        description: What this proves, for the report.
        type: str
        required: true
      url:
        description: C(https://host:port/path), C(http://host:port/path), or C(tcp://host:port).
        type: str
        required: true
      expect:
        description:
          - The endings that prove it.
          - V(tls), the server broke off the handshake over our certificate or its absence;
            V(network), nothing answered; V(open), a connection was made; V(status 401), the reply's status.
        type: list
        elements: str
        required: true
      ca:
        description: File of the authorities that the server's certificate must lead to.
        type: path
      client_certificate:
        description: Certificate to show.
        type: path
      client_key:
        description: Its private key.
        type: path
      foreign_certificate:
        description: Show a certificate made on the spot, which no authority of the platform has signed.
        type: bool
        default: false
      method:
        description: HTTP method.
        type: str
        default: GET
      body:
        description: Document to send.
        type: str
      timeout:
        description: Seconds to wait for an answer.
        type: int
        default: 3
  raise_on_failure:
    description: Whether the task fails when a proof does.
    type: bool
    default: true
extends_documentation_fragment:
  - mcp.platform.attributes
attributes:
  check_mode:
    support: partial
    details: Nothing is tried, and no proof is returned.
  diff_mode:
    support: N/A
    details: It leaves nothing behind.
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Prove that etcd lets in only its own authority's certificates
  mcp.platform.endpoint_proofs:
    attempts:
      - service: etcd
        proof: a client without a certificate is refused
        url: https://node2.platform.internal:2379/version
        ca: /etc/mcp-platform/pki/ca.crt
        expect: [tls]
      - service: postgresql
        proof: its own port is closed to others
        url: tcp://10.77.0.12:5432
        expect: [network]
"""

RETURN = r"""
proofs:
  description: What was tried, in order.
  type: list
  elements: dict
  returned: always
  contains:
    service:
      description: The service that was tried.
      type: str
      sample: etcd
    proof:
      description: What was to be proven.
      type: str
      sample: a client without a certificate is refused
    passed:
      description: Whether it ended as it has to.
      type: bool
      sample: true
    detail:
      description: How it ended.
      type: str
      sample: "tls: TLSV13_ALERT_CERTIFICATE_REQUIRED"
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._proofs.endpoint import (
    attempt_from,
    prove,
)
from ansible_collections.mcp.platform.plugins.module_utils._proofs.model import told


def execute(context: Context) -> Outcome:
    if context.check_mode:
        return Outcome(values={"proofs": []})
    proofs = prove([attempt_from(item) for item in context.params["attempts"]])
    return told(proofs, context.params, "")


def main() -> None:
    attempt = {
        "service": {"type": "str", "required": True},
        "proof": {"type": "str", "required": True},
        "url": {"type": "str", "required": True},
        "expect": {"type": "list", "elements": "str", "required": True},
        "ca": {"type": "path"},
        "client_certificate": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        "foreign_certificate": {"type": "bool", "default": False},
        "method": {"type": "str", "default": "GET"},
        "body": {"type": "str"},
        "timeout": {"type": "int", "default": 3},
    }
    run(
        execute,
        argument_spec={
            "attempts": {"type": "list", "elements": "dict", "required": True, "options": attempt},
            "raise_on_failure": {"type": "bool", "default": True},
        },
    )


if __name__ == "__main__":
    main()
