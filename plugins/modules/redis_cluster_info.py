# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: redis_cluster_info
short_description: Read the state of a Redis Cluster
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Asks one node for the cluster that it sees, and every node of that for its role, slots, memory, keys, hits and evictions.
extends_documentation_fragment:
  - mcp.platform.attributes.info_module
  - mcp.platform.attributes.actiongroup_redis
  - mcp.platform.redis
  - mcp.platform.redis.login
seealso:
  - module: mcp.platform.redis_cluster
"""

EXAMPLES = r"""
- name: Read the cluster
  mcp.platform.redis_cluster_info:
    host: node1.platform.internal
    username: platform
    password: "{{ administrator_password }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
  register: cluster

- name: Name the primaries of each host
  ansible.builtin.debug:
    msg: "{{ cluster.nodes | selectattr('role', 'equalto', 'primary') | groupby('host') }}"
"""

RETURN = r"""
state:
  description: V(ok) or V(fail), as the node that was asked sees it; V(absent) in check mode where there is none yet.
  type: str
  returned: always
  sample: ok
healthy:
  description: Whether that is V(ok), all nodes answer, no slot is on its way, and every replica follows.
  type: bool
  returned: always
  sample: true
size:
  description: Number of primaries that serve slots.
  type: int
  returned: always
  sample: 3
nodes:
  description: All nodes, by host and port.
  type: list
  elements: dict
  returned: always
  contains:
    id:
      description: The node's id.
      type: str
      sample: 07c37dfeb235213a872192d90877d0cd55635b91
    host:
      description: The host name that it announces; its address where it announces none.
      type: str
      sample: node1.platform.internal
    address:
      description: Its address.
      type: str
      sample: 10.77.0.11
    port:
      description: Its port.
      type: int
      sample: 6379
    role:
      description: V(primary) or V(replica).
      type: str
      sample: replica
    primary:
      description: Host and port of its primary; empty for a primary.
      type: str
      sample: node2.platform.internal:6379
    slots:
      description: The slots that it serves.
      type: str
      sample: 0-5460
    slot_count:
      description: How many these are.
      type: int
      sample: 5461
    open_slots:
      description: Slots that are on their way to or from it.
      type: int
      sample: 0
    failed:
      description: Whether the node that was asked takes it for dead.
      type: bool
      sample: false
    reachable:
      description: Whether it answered. What follows is only there if it did.
      type: bool
      sample: true
    engine:
      description: V(redis) or V(valkey).
      type: str
      sample: redis
    version:
      description: The server's version.
      type: str
      sample: 8.0.2
    key_count:
      description: Number of its keys.
      type: int
      sample: 1200
    expires:
      description: Number of those that expire.
      type: int
      sample: 12
    used_memory:
      description: Bytes that it uses.
      type: int
      sample: 1900000
    maxmemory:
      description: Bytes that it may use; 0 for no limit.
      type: int
      sample: 536870912
    evicted_keys:
      description: Keys that gave way to others since its start.
      type: int
      sample: 0
    hits:
      description: Look-ups that found a key since its start.
      type: int
      sample: 970
    misses:
      description: Look-ups that found none.
      type: int
      sample: 30
    hit_ratio:
      description: RV(nodes[].hits) by all look-ups; none where there were no look-ups.
      type: float
      sample: 0.97
    replication_offset:
      description: How far the stream of changes has come there.
      type: int
      sample: 14060
    link_up:
      description: Whether it follows its primary; true for a primary.
      type: bool
      sample: true
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import run
from ansible_collections.mcp.platform.plugins.module_utils._redis.client import OPTIONS, TOGETHER
from ansible_collections.mcp.platform.plugins.module_utils._redis.server import read_cluster


def main() -> None:
    run(read_cluster, argument_spec=OPTIONS, required_together=TOGETHER)


if __name__ == "__main__":
    main()
