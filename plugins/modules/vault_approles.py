# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vault_approles
short_description: Manage AppRoles of a vault and hand out their secret-ids
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Creates, changes and removes AppRoles, all in one step.
  - Issues a secret-id only for a role whose known one is missing or unknown to the vault.
  - The return value holds secrets. Use C(no_log) with every task that may issue a secret-id.
options:
  mount:
    description: Where the auth method is mounted.
    type: str
    default: approle
  approles:
    description: The roles.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name; the vault keeps it in lower case.
        type: str
        required: true
      policies:
        description: Policies of the tokens that it gets.
        type: list
        elements: str
        default: []
      token_type:
        description:
          - Type of the tokens. V(batch) ones are not stored, so a login costs no write; they can't be renewed.
        type: str
        choices: [default, service, batch]
        default: default
      token_ttl:
        description: Life of a token, such as V(20m). V(0) is the system's default.
        type: str
        default: "0"
      token_max_ttl:
        description: Age beyond which a token can't be renewed.
        type: str
        default: "0"
      token_period:
        description: When not V(0), tokens can be renewed for ever, by so much each time.
        type: str
        default: "0"
      token_bound_cidrs:
        description: Addresses and networks from which a token may be used; any when empty.
        type: list
        elements: str
        default: []
      secret_id_bound_cidrs:
        description: Addresses and networks from which its secret-ids may log in; any when empty.
        type: list
        elements: str
        default: []
      secret_id_ttl:
        description: Life of a secret-id. V(0) is for ever.
        type: str
        default: "0"
      secret_id_num_uses:
        description: How often a secret-id may log in. V(0) is any number.
        type: int
        default: 0
      issue_secret_id:
        description: Whether a secret-id is issued when O(approles[].known_accessor) does not name a valid one.
        type: bool
        default: true
      known_accessor:
        description:
          - Accessor of the secret-id that is in use. Without it, and without O(approles[].login_directory),
            a new one is issued at every run.
        type: str
      login_directory:
        description:
          - Directory on this host where the login in use lies, in the files C(role-id), C(secret-id) and C(accessor).
          - Where one is missing or empty, a new one is issued.
        type: path
      state:
        description: Whether the role exists.
        type: str
        choices: [present, absent]
        default: present
  revoke_others:
    description: Whether the other secret-ids of a role become invalid when a new one is issued for it.
    type: bool
    default: false
  exclusive_prefix:
    description: Roles whose names begin with it and that are not listed are removed. No role is when it is empty.
    type: str
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_vault
  - mcp.platform.vault
attributes:
  check_mode:
    support: full
    details: Nothing is issued; RV(approles) then holds a placeholder for a role-id that is not there yet.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: Where O(approles[].known_accessor) is not given, every run issues a new secret-id.
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: Make a role for this host, with a secret-id when the host has none
  mcp.platform.vault_approles:
    approles:
      - name: host-node1
        policies: [host-node1]
        token_ttl: 1h
        secret_id_bound_cidrs: [192.0.2.11/32]
        known_accessor: "{{ accessor_on_the_host }}"
    revoke_others: true
  register: roles
  no_log: true

- name: Remove the roles of hosts that are gone
  mcp.platform.vault_approles:
    approles: "{{ roles_of_all_hosts }}"
    exclusive_prefix: host-
  no_log: true
"""

RETURN = r"""
approles:
  description: The listed roles, by their names. Holds secrets.
  type: dict
  returned: success
  sample:
    host-node1:
      role_id: 221ac0a0-9d4a-b9bb-a979-ee151ecb878d
      accessor: deaa0d9c-7652-08ad-09b3-922a6abcb8bb
      secret_id: 19dcc594-9c86-9ac3-8237-0a52446ec2f8
  contains:
    name:
      description: One entry for each role, under its own name.
      type: dict
      contains:
        role_id:
          description: The role-id.
          type: str
        accessor:
          description: Accessor of the known or the new secret-id, empty where there is none.
          type: str
        secret_id:
          description: A new secret-id; only where one was issued just now.
          type: str
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["create approle host-node1", "issue secret-id of approle host-node1"]
"""

from typing import Any

from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context, Outcome, run
from ansible_collections.mcp.platform.plugins.module_utils._core.plan import Change
from ansible_collections.mcp.platform.plugins.module_utils._vault.approles import (
    complete,
    desired_from,
    issue,
    plan,
    read,
    to_issue,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    CONNECTION_SPEC,
    open_vault,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.steps import apply


def execute(context: Context) -> Outcome:
    desired = desired_from(context.params)
    vault = open_vault(context)
    current, surplus = read(vault, desired)
    changes = list(apply(vault, plan(current, surplus, desired), check_mode=context.check_mode))
    roles: dict[str, dict[str, Any]] = {
        name: {"role_id": role.role_id, "accessor": role.accessor}
        for name, role in complete(vault, desired, current).items()
    }
    for name in to_issue(current, desired):
        changes.append(Change("issue", f"secret-id of approle {name}"))
        if not context.check_mode:
            issued = issue(vault, desired, name)
            roles[name].update(accessor=issued.accessor, secret_id=issued.secret_id)
    return Outcome(changes, {"approles": roles})


def main() -> None:
    cidrs = {"type": "list", "elements": "str", "default": []}
    approle = {
        "name": {"type": "str", "required": True},
        "policies": {"type": "list", "elements": "str", "default": []},
        "token_type": {
            "type": "str",
            "choices": ["default", "service", "batch"],
            "default": "default",
            "no_log": False,
        },
        "token_ttl": {"type": "str", "default": "0", "no_log": False},
        "token_max_ttl": {"type": "str", "default": "0", "no_log": False},
        "token_period": {"type": "str", "default": "0", "no_log": False},
        "token_bound_cidrs": {**cidrs, "no_log": False},
        "secret_id_bound_cidrs": {**cidrs, "no_log": False},
        "secret_id_ttl": {"type": "str", "default": "0", "no_log": False},
        "secret_id_num_uses": {"type": "int", "default": 0, "no_log": False},
        "issue_secret_id": {"type": "bool", "default": True, "no_log": False},
        "known_accessor": {"type": "str"},
        "login_directory": {"type": "path"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    run(
        execute,
        argument_spec={
            **CONNECTION_SPEC,
            "mount": {"type": "str", "default": "approle"},
            "approles": {"type": "list", "elements": "dict", "default": [], "options": approle},
            "revoke_others": {"type": "bool", "default": False},
            "exclusive_prefix": {"type": "str"},
        },
    )


if __name__ == "__main__":
    main()
