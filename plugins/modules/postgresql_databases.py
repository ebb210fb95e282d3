# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_databases
short_description: Manage databases, their extensions, schemas and privileges at once
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Reads the databases in one query and each database's content over one connection, compares, and changes what differs,
    in one transaction per database where PostgreSQL allows it. When nothing differs no statement is sent.
  - Privileges come in four steps. The I(owner) creates; I(writers) change rows; I(readers) read them; I(visitors) connect.
    What the owners of the database and of its listed schemas create later is covered by default privileges.
  - C(PUBLIC) loses C(CONNECT) and C(TEMPORARY) on the database, and C(CREATE) on the schemas.
options:
  databases:
    description: The databases. What is left out of an entry is left alone, unless a default is given here.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the database.
        type: str
        required: true
      state:
        description: Whether the database exists. V(absent) drops it with all its content; it fails while somebody is connected.
        type: str
        choices: [present, absent]
        default: present
      owner:
        description: Role that owns it. A new database without one belongs to O(login_user).
        type: str
      encoding:
        description: Encoding, such as V(UTF8). Decided when the database is made; another one afterwards is an error.
        type: str
      locale_provider:
        description: Who sorts and folds text. Decided when the database is made, together with O(databases[].locale).
        type: str
        choices: [builtin, icu, libc]
      locale:
        description: The provider's locale, such as V(C.UTF-8).
        type: str
      connection_limit:
        description: Number of connections at a time; V(-1) for no limit.
        type: int
      settings:
        description: All parameters that its sessions start with (C(ALTER DATABASE … SET)); others are reset.
        type: dict
      extensions:
        description:
          - Extensions to create; an older version is updated to the one that the server's files offer.
          - Others are told as drift and stay.
        type: list
        elements: str
        default: []
      schemas:
        description: Schemas to create.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Name of the schema.
            type: str
            required: true
          owner:
            description: Role that owns it; left out, the owner of the database.
            type: str
      writers:
        description: Roles that may read and change rows in every table of the owners, now and later.
        type: list
        elements: str
        default: []
      readers:
        description: Roles that may read every table of the owners, now and later.
        type: list
        elements: str
        default: []
      visitors:
        description: Roles that may connect, and no more.
        type: list
        elements: str
        default: []
      public_connect:
        description: Whether every role may connect.
        type: bool
        default: false
      lookup_role:
        description:
          - Role of a connection pool. It may connect and call the function C(auth_lookup.verifier(text)), and nobody else may;
            the function returns name and verifier of a role that may log in and is neither superuser nor replicates.
        type: str
      exclusive:
        description: Also revoke what nobody asked for, from other roles too. V(false) tells it as drift.
        type: bool
        default: false
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_postgresql
  - mcp.platform.postgresql
attributes:
  check_mode:
    support: full
    details: The tables of a database that does not exist yet are unknown, so privileges on them are not told.
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: A shop's database, with an owner, a role that writes and one that reads
  mcp.platform.postgresql_databases:
    login_hosts: [node1.platform.internal, node2.platform.internal, node3.platform.internal]
    login_password: "{{ administrator_password }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    databases:
      - name: shop
        owner: shop_owner
        writers: [shop_service]
        readers: [shop_reader]
        extensions: [timescaledb, postgis, vector]
        connection_limit: 100

- name: Take away what nobody asked for
  mcp.platform.postgresql_databases:
    databases:
      - name: shop
        owner: shop_owner
        readers: [shop_reader]
        exclusive: true

- name: Drop a database
  mcp.platform.postgresql_databases:
    databases:
      - name: rehearsal
        state: absent

- name: Say once where the servers are
  module_defaults:
    group/mcp.platform.postgresql:
      login_hosts: [node1.platform.internal, node2.platform.internal]
      login_password: "{{ administrator_password }}"
      ca_path: /etc/mcp-platform/pki/ca.crt
  block:
    - name: Let the connection pool look up verifiers
      mcp.platform.postgresql_databases:
        databases:
          - name: postgres
            public_connect: true
            lookup_role: pgbouncer
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["create database shop", "create extension postgis in database shop"]
drift:
  description: What is there although nobody asked for it, and stays. Extensions always do, privileges without O(databases[].exclusive).
  type: list
  elements: str
  returned: always
  sample: ["CONNECT on database shop for intern"]
server_version:
  description: Version of the server; empty in check mode where there is none yet.
  type: str
  returned: always
  sample: "17.6"
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.apply import apply_databases
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.client import OPTIONS


def execute(context: Context) -> Outcome:
    return apply_databases(context.params, check_mode=context.check_mode, warn=context.warn)


def main() -> None:
    names = {"type": "list", "elements": "str", "default": []}
    schema = {"name": {"type": "str", "required": True}, "owner": {"type": "str"}}
    database = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "owner": {"type": "str"},
        "encoding": {"type": "str"},
        "locale_provider": {"type": "str", "choices": ["builtin", "icu", "libc"]},
        "locale": {"type": "str"},
        "connection_limit": {"type": "int"},
        "settings": {"type": "dict"},
        "extensions": names,
        "schemas": {"type": "list", "elements": "dict", "default": [], "options": schema},
        "writers": names,
        "readers": names,
        "visitors": names,
        "public_connect": {"type": "bool", "default": False},
        "lookup_role": {"type": "str"},
        "exclusive": {"type": "bool", "default": False},
    }
    run(
        execute,
        argument_spec={
            **OPTIONS,
            "databases": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": database,
            },
        },
    )


if __name__ == "__main__":
    main()
