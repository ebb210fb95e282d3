# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vault_cluster
short_description: Have an initialised, unsealed vault cluster
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Initialises a vault cluster once, unseals its members where the seal is Shamir's, and waits until all of them
    have joined and one is active.
  - An initialisation that is killed at any point is neither lost nor done twice. An intent is on disk
    before the vault is asked; its reply is on disk, readable for root only, before this module returns, and is
    returned again by every run until the controller's state holds it, which is said with O(acknowledge).
  - A vault that is initialised but unknown to the state is never taken over and never wiped, with one exception.
    When all members answer, all their hosts' journals are in O(evidence), the intent of this platform is there,
    and neither a reply nor a record of an acknowledged one is on any host, nobody can ever have had its keys.
    Then RV(wipe_required) is returned, and the caller stops the servers, empties their data directories,
    starts them, and runs this module again.
  - The return value may hold the vault's keys. Use C(no_log) with every such task.
options:
  members:
    description: URLs of all members; O(address), the one on this host, alone when empty.
    type: list
    elements: str
    default: []
  platform:
    description: Name of the platform whose vault it is.
    type: str
    required: true
  seal:
    description: The seal in the servers' configuration. All but V(shamir) unseal themselves.
    type: str
    choices: [static, transit, shamir]
    default: static
  shares:
    description: How many unseal keys (V(shamir)) or recovery keys (the others) are made.
    type: int
    default: 5
  threshold:
    description: How many of them are needed.
    type: int
    default: 3
  unseal_keys:
    description: The keys, where the seal is V(shamir) and the vault was initialised before.
    type: list
    elements: str
    default: []
  state_digest:
    description:
      - C(digest) of RV(init), as the controller's state holds it; empty or not given when it holds none.
      - With it the vault is known. It is compared with a reply that still lies on the host.
    type: str
  acknowledge:
    description:
      - Whether to record on this host that the state holds the reply, and to remove the reply and the intent.
      - To be run on every member's host, with O(state_digest).
    type: bool
    default: false
  evidence:
    description: RV(mcp.platform.vault_cluster_info#module:journal) of every member's host, read just before.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: URL of the member.
        type: str
        required: true
      intent:
        description: The platform that began.
        type: str
        default: ""
      reply:
        description: Digest of the reply that lies there.
        type: str
        default: ""
      done:
        description: The platform that is done.
        type: str
        default: ""
  journal_dir:
    description: Where the intent, the reply and the record are kept on this host.
    type: path
    default: /var/lib/mcp-platform/vault
  wait:
    description: Seconds to wait for the members. V(0) does not wait for them.
    type: int
    default: 60
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_vault
  - mcp.platform.vault
attributes:
  check_mode:
    support: full
    details: RV(init) is not returned in check mode, unless it lies on the host.
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: Read what every host remembers
  mcp.platform.vault_cluster_info:
    address: "{{ address_here }}"
    members: "{{ addresses }}"
  register: seen

- name: Initialise the cluster, on one host, unless it is
  mcp.platform.vault_cluster:
    address: "{{ address_here }}"
    members: "{{ addresses }}"
    platform: production
    state_digest: "{{ state.vault.digest | default('') }}"
    evidence: "{{ vault_hosts | map('extract', hostvars, ['seen', 'journal']) | list }}"
  register: cluster
  no_log: true

- name: Record on every host that the controller's state holds the keys
  mcp.platform.vault_cluster:
    address: "{{ address_here }}"
    members: "{{ addresses }}"
    platform: production
    state_digest: "{{ state.vault.digest }}"
    acknowledge: true
  no_log: true

- name: Unseal a cluster with keys that people keep
  mcp.platform.vault_cluster:
    address: "{{ address_here }}"
    members: "{{ addresses }}"
    platform: production
    seal: shamir
    unseal_keys: "{{ state.vault.unseal_keys }}"
    state_digest: "{{ state.vault.digest }}"
  no_log: true
"""

RETURN = r"""
init:
  description: What the vault told at its initialisation. Holds its keys.
  type: dict
  returned: when it was initialised just now, or its reply still lies on this host and O(state_digest) is not given
  contains:
    root_token:
      description: The root token.
      type: str
    unseal_keys:
      description: The unseal keys in base64, empty when the seal is not V(shamir).
      type: list
      elements: str
    recovery_keys:
      description: The recovery keys in base64, empty when the seal is V(shamir).
      type: list
      elements: str
    digest:
      description: A digest of all this, no secret itself, to be given back in O(state_digest).
      type: str
wipe_required:
  description: Whether the data of all members must be wiped before this module can go on. See the description.
  type: bool
  returned: success
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
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["initialise vault of production"]
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context, Outcome, run
from ansible_collections.mcp.platform.plugins.module_utils._vault.bring_up import (
    Cluster,
    desired_from,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    CONNECTION_SPEC,
    HvacTransport,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.journal import (
    DEFAULT_DIRECTORY,
    JournalFiles,
)


def execute(context: Context) -> Outcome:
    desired = desired_from(context.params)
    files = JournalFiles(context.params["journal_dir"], desired.connection.address)
    result = Cluster(desired, files, HvacTransport, check_mode=context.check_mode).ensure()
    values = {
        "wipe_required": result.wipe_required,
        "members": [member.as_dict() for member in result.members],
    }
    if result.init is not None:
        values["init"] = result.init.as_dict()
    return Outcome(result.changes, values)


def main() -> None:
    evidence = {
        "host": {"type": "str", "required": True},
        "intent": {"type": "str", "default": ""},
        "reply": {"type": "str", "default": ""},
        "done": {"type": "str", "default": ""},
    }
    run(
        execute,
        argument_spec={
            **CONNECTION_SPEC,
            "members": {"type": "list", "elements": "str", "default": []},
            "platform": {"type": "str", "required": True},
            "seal": {
                "type": "str",
                "choices": ["static", "transit", "shamir"],
                "default": "static",
            },
            "shares": {"type": "int", "default": 5},
            "threshold": {"type": "int", "default": 3},
            "unseal_keys": {"type": "list", "elements": "str", "default": [], "no_log": True},
            "state_digest": {"type": "str"},
            "acknowledge": {"type": "bool", "default": False},
            "evidence": {"type": "list", "elements": "dict", "default": [], "options": evidence},
            "journal_dir": {"type": "path", "default": DEFAULT_DIRECTORY},
            "wait": {"type": "int", "default": 60},
        },
    )


if __name__ == "__main__":
    main()
