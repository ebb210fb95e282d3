# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_proofs
short_description: Prove that a PostgreSQL front door does what it is for
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Goes through the door as an ordinary user, over TLS with full verification, and tries every proof for real.
    It writes on the primary endpoint, reads that row on the replica endpoint, keeps a session, and uses the extensions.
  - What must be refused is tried too, without TLS, without a password, with a wrong one, under a wrong server name.
    Only the right kind of refusal counts.
  - Everything happens in a schema of its own name that is dropped at the end; the user needs C(CREATE) on the database.
options:
  host:
    description: Name of the door, as its certificate has it.
    type: str
    required: true
  address:
    description: Address of O(host). Empty resolves the name.
    type: str
    default: ""
  primary_port:
    description: Port that leads to the primary.
    type: int
    default: 5000
  replica_port:
    description: Port that leads to the replicas.
    type: int
    default: 5001
  session_port:
    description: Port that leads to the primary and keeps sessions.
    type: int
    default: 5002
  server_port:
    description: The servers' own port, which has to be closed to this host; V(0) leaves it untried, as on a member of the cluster.
    type: int
    default: 0
  database:
    description: Database to use.
    type: str
    required: true
  user:
    description: User to log in as.
    type: str
    required: true
  password:
    description: Password of O(user).
    type: str
    required: true
  ca_path:
    description: File, on the host, of the authority that signed the door's certificate.
    type: path
    required: true
  replica_expected:
    description: Whether the replica endpoint has to be answered by a replica. V(false) for a cluster of one.
    type: bool
    default: true
  extensions:
    description: Extensions to prove. The database must have them.
    type: list
    elements: str
    choices: [timescaledb, postgis, vector]
    default: [timescaledb, postgis, vector]
  timeout:
    description: Seconds within which a committed row has to be seen on the replica endpoint.
    type: int
    default: 30
  raise_on_failure:
    description: Whether the task fails when a proof does. V(false) leaves that to whoever reads RV(proofs).
    type: bool
    default: true
requirements:
  - psycopg2 on the host (Debian package python3-psycopg2)
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
    platforms: posix
"""

EXAMPLES = r"""
- name: Prove the door of another host
  mcp.platform.postgresql_proofs:
    host: postgresql.platform.internal
    address: 10.77.0.12
    database: app
    user: app_owner
    password: "{{ app_owner_password }}"
    ca_path: /etc/mcp-platform/pki/ca.crt

- name: Collect the proofs of a single server without extensions, and judge them later
  mcp.platform.postgresql_proofs:
    host: db.example.com
    database: app
    user: app_owner
    password: "{{ app_owner_password }}"
    ca_path: /etc/ssl/certs/site.crt
    replica_expected: false
    extensions: []
    raise_on_failure: false
  register: postgresql
"""

RETURN = r"""
proofs:
  description: What was tried, in order.
  type: list
  elements: dict
  returned: always
  contains:
    service:
      description: The service that was proven.
      type: str
      sample: postgresql
    proof:
      description: What was to be proven.
      type: str
      sample: write on the primary endpoint
    passed:
      description: Whether it was.
      type: bool
      sample: true
    detail:
      description: What was seen.
      type: str
      sample: row committed through port 5000
"""

import secrets

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._postgresql.proofs import prove
from ansible_collections.mcp.platform.plugins.module_utils._proofs.model import told


def execute(context: Context) -> Outcome:
    options = context.params
    if context.check_mode:
        return Outcome(values={"proofs": []})
    proofs = prove(options, f"platform_proof_{secrets.token_hex(6)}")
    return told(proofs, options, f"{options['host']} {options['address']}".strip())


def main() -> None:
    extensions = ["timescaledb", "postgis", "vector"]
    run(
        execute,
        argument_spec={
            "host": {"type": "str", "required": True},
            "address": {"type": "str", "default": ""},
            "primary_port": {"type": "int", "default": 5000},
            "replica_port": {"type": "int", "default": 5001},
            "session_port": {"type": "int", "default": 5002},
            "server_port": {"type": "int", "default": 0},
            "database": {"type": "str", "required": True},
            "user": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "ca_path": {"type": "path", "required": True},
            "replica_expected": {"type": "bool", "default": True},
            "extensions": {
                "type": "list",
                "elements": "str",
                "choices": extensions,
                "default": extensions,
            },
            "timeout": {"type": "int", "default": 30},
            "raise_on_failure": {"type": "bool", "default": True},
        },
    )


if __name__ == "__main__":
    main()
