# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: etcd_member
short_description: Let a member of etcd start that has no data
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - A member with data needs nothing, and nobody is asked.
  - Where a member has none and a quorum of the others answers, it lost its data or is new. What the cluster still lists in its place
    is removed, the member is added, and O(join_file) tells its next start to join the existing cluster.
  - Where no quorum answers, the members found the cluster together, and nothing is done.
  - The member's own service has to be stopped meanwhile.
options:
  name:
    description: Name of the member.
    type: str
    required: true
  peer_url:
    description: Address at which the other members reach it.
    type: str
    required: true
  data_dir:
    description: Its data directory.
    type: path
    required: true
  join_file:
    description: Environment file to write; the service reads it after its other ones. A place that does not survive a reboot fits.
    type: path
    required: true
  endpoints:
    description: Client addresses of the other members.
    type: list
    elements: str
    required: true
  ca_path:
    description: File, on the host, of the authority that has signed the members' certificates.
    type: path
    required: true
  client_certificate:
    description: Certificate shown to them.
    type: path
    required: true
  client_key:
    description: Private key of O(client_certificate).
    type: path
    required: true
  wait:
    description: Seconds to wait for a quorum of the others to answer. For hosts of which the caller knows that they hold a cluster.
    type: int
    default: 0
  timeout:
    description: Seconds to wait for one reply.
    type: int
    default: 10
extends_documentation_fragment:
  - mcp.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: Until the member has started and holds data, each call prepares its join anew.
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: Let a member start that lost its disk
  mcp.platform.etcd_member:
    name: node2
    peer_url: https://node2.platform.internal:2380
    data_dir: /var/lib/etcd/default
    join_file: /run/etcd-join.env
    endpoints: [https://node1.platform.internal:2379, https://node3.platform.internal:2379]
    ca_path: /etc/etcd/pki/ca.crt
    client_certificate: /etc/etcd/pki/server.crt
    client_key: /etc/etcd/pki/server.key
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["remove member node2, which lost its data", "add member node2"]
has_data:
  description: Whether the member has data to start from.
  type: bool
  returned: always
  sample: false
cluster_answers:
  description: Whether a quorum of the others answered; always false where O(data_dir) has data, since nobody is asked then.
  type: bool
  returned: always
  sample: true
"""

from pathlib import Path

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._core.web import Endpoint
from ansible_collections.mcp.platform.plugins.module_utils._etcd.client import Cluster, apply, find
from ansible_collections.mcp.platform.plugins.module_utils._etcd.model import Desired
from ansible_collections.mcp.platform.plugins.module_utils._etcd.plan import changes, plan


def execute(context: Context) -> Outcome:
    params = context.params
    keys = ("ca_path", "client_certificate", "client_key", "timeout")
    connection = {key: params[key] for key in keys}
    cluster = Cluster([Endpoint(url.rstrip("/"), **connection) for url in params["endpoints"]])
    desired = Desired(params["name"], params["peer_url"])
    join_file = Path(params["join_file"])
    found = find(Path(params["data_dir"]), join_file, cluster, params["wait"])
    steps = plan(found, desired)
    if not context.check_mode:
        apply(steps, desired, cluster, join_file)
    return Outcome(
        changes(steps, desired),
        {"has_data": found.has_data, "cluster_answers": found.members is not None},
    )


def main() -> None:
    run(
        execute,
        argument_spec={
            "name": {"type": "str", "required": True},
            "peer_url": {"type": "str", "required": True},
            "data_dir": {"type": "path", "required": True},
            "join_file": {"type": "path", "required": True},
            "endpoints": {"type": "list", "elements": "str", "required": True},
            "ca_path": {"type": "path", "required": True},
            "client_certificate": {"type": "path", "required": True},
            "client_key": {"type": "path", "required": True},
            "wait": {"type": "int", "default": 0},
            "timeout": {"type": "int", "default": 10},
        },
    )


if __name__ == "__main__":
    main()
