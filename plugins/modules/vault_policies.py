# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vault_policies
short_description: Manage the policies of a vault
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Creates, changes and removes policies, all in one step.
  - Texts that differ in white space alone are the same. The difference is shown as text.
options:
  policies:
    description: The policies.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name; the vault keeps it in lower case.
        type: str
        required: true
      rules:
        description: The policy's text. Exactly one of O(policies[].rules) and O(policies[].paths) is needed.
        type: str
      paths:
        description: What is allowed where, for policies that need no more than that.
        type: list
        elements: dict
        suboptions:
          path:
            description: A path, with C(*) and C(+) as the vault understands them.
            type: str
            required: true
          capabilities:
            description: What is allowed there.
            type: list
            elements: str
            required: true
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
  exclusive:
    description: Whether every policy that is not listed is removed. The built-in V(default) and V(root) stay.
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
- name: Let a host read its passwords and get certificates
  mcp.platform.vault_policies:
    policies:
      - name: host-node1
        paths:
          - path: platform/data/postgresql/*
            capabilities: [read]
          - path: pki/issue/server
            capabilities: [create, update]

- name: Take the text of a policy from a file
  mcp.platform.vault_policies:
    policies:
      - name: operator
        rules: "{{ lookup('ansible.builtin.file', 'operator.hcl') }}"

- name: Remove a policy
  mcp.platform.vault_policies:
    policies:
      - name: old
        state: absent
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["update policy operator"]
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context, Outcome, run
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    CONNECTION_SPEC,
    open_vault,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.policies import (
    desired_from,
    plan,
    read,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.steps import apply


def execute(context: Context) -> Outcome:
    desired = desired_from(context.params)
    vault = open_vault(context)
    steps = plan(read(vault, desired), desired)
    return Outcome(apply(vault, steps, check_mode=context.check_mode))


def main() -> None:
    path = {
        "path": {"type": "str", "required": True},
        "capabilities": {"type": "list", "elements": "str", "required": True},
    }
    policy = {
        "name": {"type": "str", "required": True},
        "rules": {"type": "str"},
        "paths": {"type": "list", "elements": "dict", "options": path},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    run(
        execute,
        argument_spec={
            **CONNECTION_SPEC,
            "policies": {"type": "list", "elements": "dict", "default": [], "options": policy},
            "exclusive": {"type": "bool", "default": False},
        },
    )


if __name__ == "__main__":
    main()
