# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: redis_proofs
short_description: Prove that a Redis Cluster does what it is for
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Goes the way of an application, which learns the cluster from one member and follows its redirections, over TLS with full verification.
    It writes a key on every primary, reads it back, and reads it on every replica.
  - What must be refused is tried too, without TLS, without a name, with a wrong password, beyond the user's rights.
    Only the right kind of refusal counts.
  - The keys are removed at the end, and expire by themselves where that was prevented.
options:
  host:
    description: Name of a member, as its certificate has it.
    type: str
    required: true
  port:
    description: Port that it listens on with TLS.
    type: int
    default: 6379
  username:
    description: ACL user to log in as. It needs to write and read keys that begin with O(key_prefix), and to ask for the slots.
    type: str
    required: true
  password:
    description: Password of O(username).
    type: str
    required: true
  ca_path:
    description: File, on the host, of the authority that signed the members' certificates.
    type: path
    required: true
  key_prefix:
    description: What the proofs' keys begin with; one that O(username) may use.
    type: str
    required: true
  replicas:
    description: How many replicas of every primary have to have a key; V(0) leaves them untried.
    type: int
    default: 1
  limited:
    description: Whether O(username) has to be refused what administrators do. V(false) for an administrator.
    type: bool
    default: true
  forbidden_key:
    description: A key that O(username) has to be refused; empty leaves that untried.
    type: str
    default: ""
  timeout:
    description: Seconds within which a replica has to have a key.
    type: int
    default: 10
  raise_on_failure:
    description: Whether the task fails when a proof does. V(false) leaves that to whoever reads RV(proofs).
    type: bool
    default: true
requirements:
  - redis on the host, 5.0 or newer (Debian package python3-redis)
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
- name: Prove the cluster as an application sees it
  mcp.platform.redis_proofs:
    host: node1.platform.internal
    username: shop
    password: "{{ shop_password }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    key_prefix: "shop:"
    forbidden_key: bank:balance

- name: Collect the proofs of a cluster without replicas, and judge them later
  mcp.platform.redis_proofs:
    host: cache1.example.com
    port: 7000
    username: platform
    password: "{{ administrator_password }}"
    ca_path: /etc/ssl/certs/site.crt
    key_prefix: "platform:"
    replicas: 0
    limited: false
    raise_on_failure: false
  register: redis
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
      sample: redis
    proof:
      description: What was to be proven.
      type: str
      sample: read on every replica
    passed:
      description: Whether it was.
      type: bool
      sample: true
    detail:
      description: What was seen.
      type: str
      sample: read on 3 replicas after 4 ms
"""

import secrets

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._proofs.model import told
from ansible_collections.mcp.platform.plugins.module_utils._redis.proofs import prove


def execute(context: Context) -> Outcome:
    options = context.params
    if context.check_mode:
        return Outcome(values={"proofs": []})
    proofs = prove(options, f"proof:{secrets.token_hex(6)}")
    return told(proofs, options, f"{options['host']}:{options['port']}")


def main() -> None:
    run(
        execute,
        argument_spec={
            "host": {"type": "str", "required": True},
            "port": {"type": "int", "default": 6379},
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "ca_path": {"type": "path", "required": True},
            "key_prefix": {"type": "str", "required": True, "no_log": False},
            "replicas": {"type": "int", "default": 1},
            "limited": {"type": "bool", "default": True},
            "forbidden_key": {"type": "str", "default": "", "no_log": False},
            "timeout": {"type": "int", "default": 10},
            "raise_on_failure": {"type": "bool", "default": True},
        },
    )


if __name__ == "__main__":
    main()
