# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vault_cluster_info
short_description: Tell how the members of a vault cluster are
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Asks every member whether it is initialised, sealed, active, and which version it runs.
    A member that does not answer is reported, it does not fail the task.
  - Reads what this host remembers about the initialisation, which M(mcp.platform.vault_cluster) needs from all hosts.
  - With a token or an AppRole it also returns raft's own list of members.
options:
  members:
    description: URLs of all members; O(address) alone when empty.
    type: list
    elements: str
    default: []
  journal_dir:
    description: Where M(mcp.platform.vault_cluster) keeps its files on this host. Readable for root only.
    type: path
    default: /var/lib/mcp-platform/vault
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_vault
  - mcp.platform.vault
  - mcp.platform.attributes.info_module
"""

EXAMPLES = r"""
- name: See how the cluster is
  mcp.platform.vault_cluster_info:
    address: https://node1.platform.internal:8200
    ca_path: /etc/mcp-platform/pki/ca.crt
    members:
      - https://node1.platform.internal:8200
      - https://node2.platform.internal:8200
      - https://node3.platform.internal:8200
  register: cluster
"""

RETURN = r"""
members:
  description: All members, as they present themselves without a login.
  type: list
  elements: dict
  returned: success
  contains:
    address:
      description: URL of its API.
      type: str
      sample: https://node1.platform.internal:8200
    reachable:
      description: Whether it answered.
      type: bool
    error:
      description: Why it did not.
      type: str
    initialized:
      description: Whether it belongs to an initialised cluster.
      type: bool
    sealed:
      description: Whether it is sealed.
      type: bool
    active:
      description: Whether it is the active one.
      type: bool
    standby:
      description: Whether it is unsealed and waits to become the active one.
      type: bool
    version:
      description: Version of the server.
      type: str
      sample: 2.7.2
    cluster_id:
      description: Identity of the cluster.
      type: str
    seal_type:
      description: V(shamir), V(static), V(transit) and so on.
      type: str
    threshold:
      description: How many unseal keys a Shamir seal needs, how many recovery keys another.
      type: int
initialized:
  description: Whether any member is initialised.
  type: bool
  returned: success
healthy:
  description: Whether all members are unsealed parts of one cluster with an active member.
  type: bool
  returned: success
problem:
  description: What is wrong otherwise.
  type: str
  returned: success
  sample: https://node2.platform.internal:8200 is sealed
active:
  description: URL of the active member, empty when there is none.
  type: str
  returned: success
journal:
  description: What this host remembers about the initialisation. One item of O(mcp.platform.vault_cluster#module:evidence).
  type: dict
  returned: success
  contains:
    host:
      description: O(address), which names the host in messages.
      type: str
    intent:
      description: The platform that began to initialise a vault from this host, empty when none did or it is done.
      type: str
    reply:
      description: Digest of the reply that lies here, empty when none does.
      type: str
    done:
      description: The platform whose state holds the reply, empty when there is none.
      type: str
peers:
  description: Raft's own list of members.
  type: list
  elements: dict
  returned: when a token or an AppRole is given and the vault is unsealed
  sample: [{node_id: node1, address: "node1.platform.internal:8201", leader: true, voter: true}]
"""

from typing import Any

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context, Outcome, run
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    CONNECTION_SPEC,
    Connection,
    HvacTransport,
    UnavailableError,
    connection_from,
    log_in,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.cluster import problem
from ansible_collections.mcp.platform.plugins.module_utils._vault.journal import (
    DEFAULT_DIRECTORY,
    JournalFiles,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.members import (
    Member,
    raft_peers,
    read_member,
)


def member(connection: Connection) -> Member:
    try:
        return read_member(connection, HvacTransport)
    except PlatformError as error:
        return Member(connection.address, error=error.what)


def peers(connection: Connection, context: Context) -> list[dict[str, Any]] | None:
    if not (connection.token or connection.role_id):
        return None
    try:
        return raft_peers(log_in(connection, HvacTransport(connection)))
    except UnavailableError:
        return None
    except PlatformError as error:
        context.warn(f"raft's members are not known: {error}")
        return None


def execute(context: Context) -> Outcome:
    own = connection_from(context.params)
    addresses = context.params["members"] or [own.address]
    members = [member(connection_from(context.params, address)) for address in addresses]
    values: dict[str, Any] = {
        "members": [item.as_dict() for item in members],
        "initialized": any(item.initialized for item in members),
        "problem": problem(members),
        "healthy": not problem(members),
        "active": next((item.address for item in members if item.active), ""),
        "journal": JournalFiles(context.params["journal_dir"], own.address).read().as_dict(),
    }
    listed = peers(own, context)
    return Outcome((), values if listed is None else {**values, "peers": listed})


def main() -> None:
    run(
        execute,
        argument_spec={
            **CONNECTION_SPEC,
            "members": {"type": "list", "elements": "str", "default": []},
            "journal_dir": {"type": "path", "default": DEFAULT_DIRECTORY},
        },
    )


if __name__ == "__main__":
    main()
