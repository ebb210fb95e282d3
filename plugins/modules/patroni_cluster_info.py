# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: patroni_cluster_info
short_description: Read, or wait for, the state of a Patroni cluster
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Asks one member who leads, who follows how closely, and who waits for a restart.
  - With O(wait_for) it polls until those members do their work and the cluster has a leader.
options:
  wait_for:
    description:
      - Names of members that must be healthy, which is V(running) for a leader and V(streaming) for all others.
      - A healthy leader is waited for in any case where this is given. In check mode nothing is waited for.
    type: list
    elements: str
    default: []
  wait_timeout:
    description: Seconds to wait for that.
    type: int
    default: 120
extends_documentation_fragment:
  - mcp.platform.attributes.info_module
  - mcp.platform.attributes.actiongroup_patroni
  - mcp.platform.patroni
seealso:
  - module: mcp.platform.patroni_config
"""

EXAMPLES = r"""
- name: Wait until this member serves
  mcp.platform.patroni_cluster_info:
    url: https://node1.platform.internal:8008
    ca_path: /etc/mcp-platform/pki/ca.crt
    wait_for: [node1]
  register: cluster

- name: Name the leader
  ansible.builtin.debug:
    msg: "{{ cluster.leader }} leads; {{ cluster.synchronous | join(', ') }} can take over without loss"
"""

RETURN = r"""
version:
  description: Patroni's version on the member that was asked.
  type: str
  returned: always
  sample: 4.0.6
scope:
  description: Name of the cluster.
  type: str
  returned: always
  sample: main
leader:
  description: Name of the leader; empty where there is none.
  type: str
  returned: always
  sample: node1
paused:
  description: Whether automatic failover is switched off.
  type: bool
  returned: always
  sample: false
healthy:
  description: Whether there is a leader and every member does its work.
  type: bool
  returned: always
  sample: true
synchronous:
  description: Members that can take over without the loss of an acknowledged commit.
  type: list
  elements: str
  returned: always
  sample: [node2, node3]
restart_pending:
  description: Members that need a restart of PostgreSQL before all settings hold.
  type: list
  elements: str
  returned: always
  sample: []
members:
  description: All members, by name.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Name of the member.
      type: str
      sample: node2
    role:
      description: V(leader), V(standby_leader), V(sync_standby), V(quorum_standby) or V(replica).
      type: str
      sample: quorum_standby
    state:
      description: What PostgreSQL does there.
      type: str
      sample: streaming
    healthy:
      description: Whether that is what a member in this role should do.
      type: bool
      sample: true
    synchronous:
      description: Whether it takes part in synchronous replication.
      type: bool
      sample: true
    host:
      description: Where PostgreSQL listens.
      type: str
      sample: 10.77.0.12
    port:
      description: And at which port.
      type: int
      sample: 5432
    api_url:
      description: Address of its REST API.
      type: str
      sample: https://node2.platform.internal:8008/patroni
    timeline:
      description: Timeline of its data; 0 where it is not known.
      type: int
      sample: 1
    lag:
      description: Bytes behind the leader; none for the leader, and where it is not known.
      type: int
      sample: 0
    restart_pending:
      description: Whether it needs a restart of PostgreSQL.
      type: bool
      sample: false
    restart_pending_for:
      description: The settings that wait for it, with old and new value.
      type: dict
      sample: {}
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._patroni.client import (
    Client,
    argument_spec,
    endpoint_from,
)
from ansible_collections.mcp.platform.plugins.module_utils._patroni.model import Cluster


def execute(context: Context) -> Outcome:
    client = Client(endpoint_from(context.params))
    names = tuple(context.params["wait_for"])
    try:
        if names and not context.check_mode:
            cluster = client.wait_for(names, context.params["wait_timeout"])
        else:
            cluster = client.cluster()
        version = client.version()
    except PlatformError:
        # A cold check: the run that is only tried here would make the cluster.
        if not context.check_mode:
            raise
        cluster, version = Cluster(""), ""
    return Outcome(values={**cluster.as_dict(), "version": version})


def main() -> None:
    run(
        execute,
        argument_spec={
            **argument_spec(),
            "wait_for": {"type": "list", "elements": "str", "default": []},
            "wait_timeout": {"type": "int", "default": 120},
        },
        required_together=[("client_certificate", "client_key"), ("username", "password")],
    )


if __name__ == "__main__":
    main()
