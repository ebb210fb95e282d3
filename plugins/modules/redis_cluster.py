# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: redis_cluster
short_description: Bring a whole Redis Cluster to its desired state
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Creates a cluster of Redis or Valkey servers, lets nodes join and leave, moves slots while clients work,
    attaches replicas, and hands primaries over. The list is the whole cluster. What is not in it leaves, after its slots have moved.
  - A primary and its replicas never share a host, primaries are spread evenly over the hosts, and every primary serves
    an equal number of slots. What fulfils that already is left as it is, and as few slots as possible move.
  - A run that was interrupted at any moment is finished by the next one, half-moved slots first.
  - A change that would lose data is refused before the first step. Slots of a node that does not answer and keys
    on a node that shall join are examples. So is one that leaves fewer primaries than have the memory for all data (V(noeviction)).
  - Run it once for the cluster, not once per host.
options:
  nodes:
    description: All nodes. Their number divided by one more than O(replicas) is the number of primaries; nodes left over become further replicas.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Name of the host, as the node's certificate has it. Nodes of one host share it; placement counts by it.
        type: str
        required: true
      address:
        description: Address at which the other nodes reach it. Left out, O(nodes[].host) is resolved.
        type: str
      port:
        description: Port that the node listens on with TLS.
        type: int
        default: 6379
  replicas:
    description: How many replicas every primary has at least.
    type: int
    default: 1
  announce:
    description:
      - Whether each node tells its clients the name of its host instead of an address, so that they can verify its certificate.
      - It is set in the running server. Put C(cluster-announce-hostname) into its configuration file as well.
    type: bool
    default: true
  settle_timeout:
    description: Seconds that the nodes may take to agree after a step, and a replica to copy its primary's data.
    type: int
    default: 120
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_redis
  - mcp.platform.redis.login
attributes:
  check_mode:
    support: full
    details: The steps are those of the real run, unless the cluster changes in between.
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: posix
notes:
  - The action group shares the login only. O(nodes) takes the place of the other modules' C(host), so don't set C(host) for the group.
seealso:
  - module: mcp.platform.redis_cluster_info
"""

EXAMPLES = r"""
- name: Three primaries and three replicas on three hosts
  mcp.platform.redis_cluster:
    username: platform
    password: "{{ administrator_password }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    nodes:
      - {host: node1.platform.internal, address: 10.77.0.11, port: 6379}
      - {host: node1.platform.internal, address: 10.77.0.11, port: 6380}
      - {host: node2.platform.internal, address: 10.77.0.12, port: 6379}
      - {host: node2.platform.internal, address: 10.77.0.12, port: 6380}
      - {host: node3.platform.internal, address: 10.77.0.13, port: 6379}
      - {host: node3.platform.internal, address: 10.77.0.13, port: 6380}
  run_once: true

- name: Show what a fourth host would change, then take the host out again by listing the first three
  mcp.platform.redis_cluster:
    username: platform
    password: "{{ administrator_password }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    nodes: "{{ redis_nodes + redis_nodes_of_node4 }}"
  check_mode: true
  run_once: true

- name: Say the login once
  module_defaults:
    group/mcp.platform.redis:
      username: platform
      password: "{{ administrator_password }}"
      ca_path: /etc/mcp-platform/pki/ca.crt
  block:
    - name: Put primaries back to where they belong after a failover
      mcp.platform.redis_cluster:
        nodes: "{{ redis_nodes }}"
      run_once: true
"""

RETURN = r"""
changes:
  description: The steps that were taken, or in check mode would be taken, in their order.
  type: list
  elements: str
  returned: always
  sample:
    - join node node4.platform.internal:6379
    - move 1365 slots from node1.platform.internal:6379 to node4.platform.internal:6379
moved_keys:
  description: How many keys moved from one primary to another.
  type: int
  returned: always
  sample: 6851
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import run
from ansible_collections.mcp.platform.plugins.module_utils._redis.apply import apply_cluster
from ansible_collections.mcp.platform.plugins.module_utils._redis.client import (
    LOGIN_OPTIONS,
    TOGETHER,
)


def main() -> None:
    node = {
        "host": {"type": "str", "required": True},
        "address": {"type": "str"},
        "port": {"type": "int", "default": 6379},
    }
    run(
        apply_cluster,
        argument_spec={
            **LOGIN_OPTIONS,
            "nodes": {"type": "list", "elements": "dict", "required": True, "options": node},
            "replicas": {"type": "int", "default": 1},
            "announce": {"type": "bool", "default": True},
            "settle_timeout": {"type": "int", "default": 120},
        },
        required_together=TOGETHER,
    )


if __name__ == "__main__":
    main()
