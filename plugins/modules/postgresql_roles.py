# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_roles
short_description: Manage all roles of a PostgreSQL server at once
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Reads all roles in one query, compares, and changes what differs in one transaction.
    When nothing differs no statement is sent.
  - A password is compared with the stored SCRAM-SHA-256 verifier, so the same password changes nothing.
    A new one is turned into a verifier on the host; the password itself never reaches the server.
options:
  roles:
    description: The roles. What is left out of an entry has the default given here, unless it says that it is left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the role.
        type: str
        required: true
      state:
        description: Whether the role exists. A role that owns something or was granted something can't be dropped.
        type: str
        choices: [present, absent]
        default: present
      password:
        description:
          - Password, or a verifier that starts with C(SCRAM-SHA-256$).
          - Left out, the password is left alone; a new role then has none.
        type: str
      login:
        description: Whether it may log in.
        type: bool
        default: true
      superuser:
        description: Whether nothing is refused to it.
        type: bool
        default: false
      createdb:
        description: Whether it may create databases.
        type: bool
        default: false
      createrole:
        description: Whether it may create roles.
        type: bool
        default: false
      replication:
        description: Whether it may stream the server's changes.
        type: bool
        default: false
      bypassrls:
        description: Whether row security does not hold for it.
        type: bool
        default: false
      inherit:
        description: Whether it has the privileges of the roles it is a member of without asking for them.
        type: bool
        default: true
      connection_limit:
        description: Number of connections at a time; V(-1) for no limit.
        type: int
        default: -1
      memberships:
        description: All roles that it is a direct member of; others are taken away. Left out, they are left alone.
        type: list
        elements: str
      settings:
        description:
          - All parameters that its sessions start with (C(ALTER ROLE … SET)); others are reset. Left out, they are left alone.
          - Write a value as the server should store it, such as V(30s).
        type: dict
  exclusive:
    description: Drop every role that is neither listed, nor protected, nor one of PostgreSQL's own.
    type: bool
    default: false
  protected:
    description: Roles that are never dropped for not being listed, and never told as unlisted.
    type: list
    elements: str
    default: [postgres]
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_postgresql
  - mcp.platform.postgresql
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: A password is never shown, nor is its verifier.
  idempotent:
    support: full
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: The owner and the reader of an application
  mcp.platform.postgresql_roles:
    login_hosts: [node1.platform.internal, node2.platform.internal, node3.platform.internal]
    login_password: "{{ administrator_password }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    roles:
      - name: shop_owner
        password: "{{ shop_owner_password }}"
      - name: shop_reader
        password: "{{ shop_reader_password }}"
        connection_limit: 20
        settings:
          statement_timeout: 30s

- name: Give a role no more time for its statements, and nothing else
  mcp.platform.postgresql_roles:
    roles:
      - name: shop_reader
        connection_limit: 20
        settings:
          statement_timeout: 10s

- name: Drop a role
  mcp.platform.postgresql_roles:
    roles:
      - name: intern
        state: absent

- name: Say once where the servers are
  module_defaults:
    group/mcp.platform.postgresql:
      login_hosts: [node1.platform.internal, node2.platform.internal]
      login_password: "{{ administrator_password }}"
      ca_path: /etc/mcp-platform/pki/ca.crt
  block:
    - name: The one role of a small site
      mcp.platform.postgresql_roles:
        exclusive: true
        protected: [postgres, replicator, rewind]
        roles:
          - name: shop_owner
            password: "{{ shop_owner_password }}"
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["update role shop_reader"]
unlisted:
  description: Roles on the server that nobody speaks for; O(exclusive=true) would drop them.
  type: list
  elements: str
  returned: always
  sample: []
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.apply import apply_roles
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.client import OPTIONS


def execute(context: Context) -> Outcome:
    return apply_roles(context.params, check_mode=context.check_mode, warn=context.warn)


def main() -> None:
    role = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "password": {"type": "str", "no_log": True},
        "login": {"type": "bool", "default": True},
        "superuser": {"type": "bool", "default": False},
        "createdb": {"type": "bool", "default": False},
        "createrole": {"type": "bool", "default": False},
        "replication": {"type": "bool", "default": False},
        "bypassrls": {"type": "bool", "default": False},
        "inherit": {"type": "bool", "default": True},
        "connection_limit": {"type": "int", "default": -1},
        "memberships": {"type": "list", "elements": "str"},
        "settings": {"type": "dict"},
    }
    run(
        execute,
        argument_spec={
            **OPTIONS,
            "roles": {"type": "list", "elements": "dict", "required": True, "options": role},
            "exclusive": {"type": "bool", "default": False},
            "protected": {"type": "list", "elements": "str", "default": ["postgres"]},
        },
    )


if __name__ == "__main__":
    main()
