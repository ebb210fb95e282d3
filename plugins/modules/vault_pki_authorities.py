# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vault_pki_authorities
short_description: Have intermediate authorities in a vault, signed by a root outside of it
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Ensures that PKI engines have an intermediate authority that the given root signed, with enough time left.
    Where one has not, the vault makes a key, which never leaves it, the controller signs the request,
    and the vault gets the certificate.
  - The root's private key stays on the controller. An action plugin does the signing; the module on the host sees
    the root's certificate only.
  - An older authority stays in the engine beside the new one, so that what it signed stays verifiable.
options:
  authorities:
    description: The authorities.
    type: list
    elements: dict
    required: true
    suboptions:
      mount:
        description: The PKI engine, which must be mounted and whose C(max_lease_ttl) should cover the leaves' lives.
        type: str
        required: true
      common_name:
        description: Common name of the authority; another one makes a new authority.
        type: str
        required: true
      key_type:
        description: Type of a new key.
        type: str
        choices: [ec, rsa, ed25519]
        default: ec
      key_bits:
        description: Size of a new key; V(0) for ed25519.
        type: int
        default: 256
      ttl:
        description: Life of a new certificate, in whole days; never beyond the root's.
        type: str
        default: 1825d
      minimum_left:
        description: An authority with less time left than this is replaced.
        type: str
        default: 365d
      issuing_certificates:
        description: URLs at which the authority's certificate is found, written into what it signs.
        type: list
        elements: str
      crl_distribution_points:
        description: URLs of its revocation list, likewise.
        type: list
        elements: str
      ocsp_servers:
        description: URLs of its OCSP responders, likewise.
        type: list
        elements: str
  signer:
    description: The root. Stays on the controller.
    type: dict
    required: true
    suboptions:
      certificate:
        description: Its certificate in PEM format.
        type: str
        required: true
      private_key:
        description: Its private key in PEM format. Needed only where something has to be signed.
        type: str
  certificates:
    description: Signed certificates by engine. The action plugin gives them to the module; not for users.
    type: dict
    default: {}
  signable:
    description: Whether the action plugin has the root's private key. Set by it; not for users.
    type: bool
    default: true
requirements:
  - cryptography (the package python3-cryptography), on the controller and on the host
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_vault
  - mcp.platform.vault
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: Have the platform's and etcd's intermediates
  mcp.platform.vault_pki_authorities:
    address: https://node1.platform.internal:8200
    ca_path: /etc/mcp-platform/pki/ca.crt
    role_id: "{{ operator.role_id }}"
    secret_id: "{{ operator.secret_id }}"
    authorities:
      - mount: pki
        common_name: Platform intermediate
      - mount: pki-etcd
        common_name: etcd intermediate
    signer:
      certificate: "{{ state.root.certificate }}"
      private_key: "{{ state.root.private_key }}"
  no_log: true
"""

RETURN = r"""
certificates:
  description: The authorities' certificates in PEM format, by engine, as they are now. No secrets.
  type: dict
  returned: success
  sample:
    pki: "-----BEGIN CERTIFICATE-----..."
requests:
  description: Requests that wait for a signature, which the action plugin gives. Empty in its result.
  type: list
  elements: dict
  returned: success
  sample: []
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["create authority Platform intermediate in pki/"]
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context, Outcome, run
from ansible_collections.mcp.platform.plugins.module_utils._core.plan import Change
from ansible_collections.mcp.platform.plugins.module_utils._vault.authorities import (
    authorities_from,
    change_for,
    check_signable,
    install_certificate,
    plan_urls,
    read,
    reasons,
    request_certificate,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    CONNECTION_SPEC,
    open_vault,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.steps import apply


def execute(context: Context) -> Outcome:
    wanted = authorities_from(context.params)
    root = context.params["signer"]["certificate"]
    vault = open_vault(context)
    for mount, certificate in context.params["certificates"].items():
        install_certificate(vault, mount, certificate)
    current = {authority: read(vault, authority.mount) for authority in wanted}
    why = {authority: reasons(found, authority, root) for authority, found in current.items()}
    check_signable(why, signable=context.params["signable"])
    changes: list[Change] = []
    requests = []
    for authority, found in current.items():
        urls = plan_urls(found, authority)
        changes += apply(vault, urls, check_mode=context.check_mode)
        if why[authority]:
            changes.append(change_for(found, authority, why[authority]))
            if not context.check_mode:
                requests.append(request_certificate(vault, authority).as_dict())
    certificates = {authority.mount: found.certificate for authority, found in current.items()}
    return Outcome(changes, {"certificates": certificates, "requests": requests})


def main() -> None:
    urls = {"type": "list", "elements": "str"}
    authority = {
        "mount": {"type": "str", "required": True},
        "common_name": {"type": "str", "required": True},
        "key_type": {
            "type": "str",
            "choices": ["ec", "rsa", "ed25519"],
            "default": "ec",
            "no_log": False,
        },
        "key_bits": {"type": "int", "default": 256, "no_log": False},
        "ttl": {"type": "str", "default": "1825d"},
        "minimum_left": {"type": "str", "default": "365d"},
        "issuing_certificates": urls,
        "crl_distribution_points": urls,
        "ocsp_servers": urls,
    }
    signer = {
        "certificate": {"type": "str", "required": True},
        "private_key": {"type": "str", "no_log": True},
    }
    run(
        execute,
        argument_spec={
            **CONNECTION_SPEC,
            "authorities": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": authority,
            },
            "signer": {"type": "dict", "required": True, "options": signer},
            "certificates": {"type": "dict", "default": {}},
            "signable": {"type": "bool", "default": True},
        },
    )


if __name__ == "__main__":
    main()
