# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: tls_certificates
short_description: Certificates signed by an authority whose key is on the controller
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Sees to it that each host has the listed certificates, valid, with the right names, from the right authority.
  - Keys are made on the host and stay there; requests are signed on the controller; the authority's key stays there.
    One round trip where nothing is to do, two where something is.
  - An action plugin does the signing; M(mcp.platform.tls_certificate_requests) does the work on the host.
options:
  certificates:
    description: The certificates that the host should have.
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
  authority:
    description:
      - The authority as PEM text, C(certificate) and C(private_key).
      - Without its key nothing can be signed. A certificate that can't be used is then an error, one that is due a warning.
    type: dict
    default: {}
    suboptions:
      certificate:
        description: Its certificate.
        type: str
      private_key:
        description: Its private key.
        type: str
  trust_anchor:
    description: What is written to O(certificates[].ca). The authority's certificate by default.
    type: str
requirements:
  - cryptography, on the controller and on the host (the package python3-cryptography)
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
- name: Certificates for the vault's listeners
  mcp.platform.tls_certificates:
    authority: "{{ platform.state.bootstrap }}"
    trust_anchor: "{{ platform.state.root.certificate }}"
    certificates:
      - certificate: /etc/openbao/pki/server.crt
        private_key: /etc/openbao/pki/server.key
        common_name: node1.platform.internal
        names: [node1.platform.internal, vault.platform.internal]
        addresses: [192.0.2.11]
        owner: openbao
        group: openbao
  no_log: true
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["issue certificate /etc/openbao/pki/server.crt"]
due:
  description: What should be signed, but can wait until the authority's key is there. A warning says so too.
  type: list
  elements: str
  returned: when the key is not there and a certificate is due
  sample: ["/etc/openbao/pki/server.crt: the certificate expires on 2026-12-24 10:00 UTC, sooner than asked for"]
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    certificate = {
        "certificate": {"type": "path", "required": True},
        "private_key": {"type": "path", "required": True, "no_log": False},
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
    authority = {"certificate": {"type": "str"}, "private_key": {"type": "str", "no_log": True}}
    module = AnsibleModule(
        argument_spec={
            "certificates": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": certificate,
            },
            "authority": {"type": "dict", "default": {}, "options": authority},
            "trust_anchor": {"type": "str"},
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="tls_certificates signs on the controller; call it from a task")


if __name__ == "__main__":
    main()
