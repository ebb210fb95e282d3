# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vault_mounts
short_description: Mount secrets engines and auth methods of a vault
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Mounts secrets engines and auth methods, and keeps their descriptions, lease times and versions, in one step.
  - A mount is never replaced by one of another type; that would delete what it holds, so it is refused.
options:
  mounts:
    description: Secrets engines.
    type: list
    elements: dict
    default: []
    suboptions: &mount
      path:
        description: Where it is mounted.
        type: str
        required: true
      type:
        description: Its type, such as V(kv), V(pki) or V(approle). Needed unless it should be absent.
        type: str
      description:
        description: A description for people.
        type: str
      version:
        description: Version of the engine V(kv). A new one gets V(2) when none is given. It can only rise.
        type: int
      config:
        description: Lease times. What is not given stays as it is.
        type: dict
        suboptions:
          default_lease_ttl:
            description: Life of a lease that does not ask for another, such as V(720h). V(0) is the system's default.
            type: str
          max_lease_ttl:
            description: Longest life of a lease.
            type: str
      state:
        description: Whether it exists. V(absent) deletes everything that it holds.
        type: str
        choices: [present, absent]
        default: present
  auth_methods:
    description: Auth methods.
    type: list
    elements: dict
    default: []
    suboptions: *mount
  exclusive:
    description: Whether every mount that is not listed is removed with all it holds, the built-in ones excepted.
    type: bool
    default: false
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
- name: Mount what a platform needs
  mcp.platform.vault_mounts:
    mounts:
      - path: platform
        type: kv
        description: Passwords and service records
      - path: pki
        type: pki
        config:
          max_lease_ttl: 43800h
    auth_methods:
      - path: approle
        type: approle

- name: Remove an engine and all it holds
  mcp.platform.vault_mounts:
    mounts:
      - path: old
        state: absent

- name: Say once how the vault is reached
  module_defaults:
    group/mcp.platform.vault:
      address: https://node1.platform.internal:8200
      ca_path: /etc/mcp-platform/pki/ca.crt
      role_id: "{{ operator.role_id }}"
      secret_id: "{{ operator.secret_id }}"
  block:
    - name: Mount an engine
      mcp.platform.vault_mounts:
        mounts:
          - path: platform
            type: kv
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["mount secrets engine platform/"]
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context, Outcome, run
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    CONNECTION_SPEC,
    open_vault,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.mounts import (
    desired_from,
    plan,
    read,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.steps import apply


def execute(context: Context) -> Outcome:
    desired = desired_from(context.params)
    vault = open_vault(context)
    steps = plan(read(vault), desired)
    return Outcome(apply(vault, steps, check_mode=context.check_mode))


def main() -> None:
    mount = {
        "path": {"type": "str", "required": True},
        "type": {"type": "str"},
        "description": {"type": "str"},
        "version": {"type": "int"},
        "config": {
            "type": "dict",
            "options": {
                "default_lease_ttl": {"type": "str"},
                "max_lease_ttl": {"type": "str"},
            },
        },
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    mounts = {"type": "list", "elements": "dict", "default": [], "options": mount}
    run(
        execute,
        argument_spec={
            **CONNECTION_SPEC,
            "mounts": mounts,
            "auth_methods": mounts,
            "exclusive": {"type": "bool", "default": False},
        },
    )


if __name__ == "__main__":
    main()
