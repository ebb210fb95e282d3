# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vault_pki_roles
short_description: Manage the roles of a vault's PKI engines
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Creates, changes and removes the roles that say which certificates a PKI engine issues, all in one step.
  - Every setting that is given is compared by itself, times whatever their unit and lists whatever their order.
    A setting that is not given stays as it is; a new role gets the server's default for it.
options:
  roles:
    description: The roles.
    type: list
    elements: dict
    required: true
    suboptions:
      mount:
        description: The PKI engine.
        type: str
        required: true
      name:
        description: Name of the role.
        type: str
        required: true
      issuer_ref:
        description: The issuer that signs, by name or id.
        type: str
      allowed_domains:
        description: Domains that names may be in.
        type: list
        elements: str
      allow_bare_domains:
        description: Whether the allowed domains themselves may be names.
        type: bool
      allow_subdomains:
        description: Whether names below the allowed domains may be used.
        type: bool
      allow_glob_domains:
        description: Whether the allowed domains may hold C(*).
        type: bool
      allow_wildcard_certificates:
        description: Whether certificates for C(*) may be issued.
        type: bool
      allow_any_name:
        description: Whether any name may be used.
        type: bool
      allow_localhost:
        description: Whether V(localhost) may be a name.
        type: bool
      allow_ip_sans:
        description: Whether addresses may be names.
        type: bool
      allowed_uri_sans:
        description: URIs that may be names.
        type: list
        elements: str
      enforce_hostnames:
        description: Whether names must be valid host names.
        type: bool
      require_cn:
        description: Whether a common name is needed.
        type: bool
      cn_validations:
        description: How the common name is checked.
        type: list
        elements: str
      server_flag:
        description: Whether it serves for TLS servers.
        type: bool
      client_flag:
        description: Whether it serves for TLS clients.
        type: bool
      key_type:
        description: Type of the keys, V(ec), V(rsa), V(ed25519) or V(any).
        type: str
      key_bits:
        description: Size of the keys; V(0) is the type's default.
        type: int
      key_usage:
        description: Key usages.
        type: list
        elements: str
      ext_key_usage:
        description: Extended key usages besides those of the flags.
        type: list
        elements: str
      organization:
        description: Organisation in the subject.
        type: list
        elements: str
      ou:
        description: Organisational unit in the subject.
        type: list
        elements: str
      ttl:
        description: Life of a certificate that does not ask for another, such as V(720h).
        type: str
      max_ttl:
        description: Longest life of a certificate.
        type: str
      not_before_duration:
        description: By how much certificates are dated back.
        type: str
      no_store:
        description: Whether certificates are forgotten once issued; they can't be revoked then.
        type: bool
      generate_lease:
        description: Whether each certificate gets a lease.
        type: bool
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
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
- name: Let the platform's services have certificates of 30 days
  mcp.platform.vault_pki_roles:
    roles:
      - mount: pki
        name: server
        allowed_domains: [platform.internal]
        allow_subdomains: true
        key_type: ec
        key_bits: 256
        max_ttl: 720h

- name: Remove a role
  mcp.platform.vault_pki_roles:
    roles:
      - mount: pki
        name: old
        state: absent
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["update PKI role pki/server"]
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context, Outcome, run
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    CONNECTION_SPEC,
    open_vault,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.pki_roles import (
    plan,
    read,
    roles_from,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.steps import apply


def execute(context: Context) -> Outcome:
    roles = roles_from(context.params)
    vault = open_vault(context)
    steps = plan(read(vault, roles), roles)
    return Outcome(apply(vault, steps, check_mode=context.check_mode))


def main() -> None:
    role = {
        "mount": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "issuer_ref": {"type": "str"},
        "allowed_domains": {"type": "list", "elements": "str"},
        "allow_bare_domains": {"type": "bool"},
        "allow_subdomains": {"type": "bool"},
        "allow_glob_domains": {"type": "bool"},
        "allow_wildcard_certificates": {"type": "bool"},
        "allow_any_name": {"type": "bool"},
        "allow_localhost": {"type": "bool"},
        "allow_ip_sans": {"type": "bool"},
        "allowed_uri_sans": {"type": "list", "elements": "str"},
        "enforce_hostnames": {"type": "bool"},
        "require_cn": {"type": "bool"},
        "cn_validations": {"type": "list", "elements": "str"},
        "server_flag": {"type": "bool"},
        "client_flag": {"type": "bool"},
        "key_type": {"type": "str", "no_log": False},
        "key_bits": {"type": "int", "no_log": False},
        "key_usage": {"type": "list", "elements": "str", "no_log": False},
        "ext_key_usage": {"type": "list", "elements": "str"},
        "organization": {"type": "list", "elements": "str"},
        "ou": {"type": "list", "elements": "str"},
        "ttl": {"type": "str"},
        "max_ttl": {"type": "str"},
        "not_before_duration": {"type": "str"},
        "no_store": {"type": "bool"},
        "generate_lease": {"type": "bool"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    run(
        execute,
        argument_spec={
            **CONNECTION_SPEC,
            "roles": {"type": "list", "elements": "dict", "required": True, "options": role},
        },
    )


if __name__ == "__main__":
    main()
