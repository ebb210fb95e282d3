# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vault_token
short_description: Revoke a token of a vault
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Makes the given O(token) invalid, with everything that was made with it and lives no longer than it.
    Meant for the root token of an initialisation, once others can log in.
  - A token that the vault does not know is absent already.
options:
  state:
    description: Whether the token is valid. A token can't be made again, so V(absent) is the only state.
    type: str
    choices: [absent]
    required: true
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_vault
  - mcp.platform.vault
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: Revoke the root token
  mcp.platform.vault_token:
    address: https://node1.platform.internal:8200
    ca_path: /etc/mcp-platform/pki/ca.crt
    token: "{{ init.root_token }}"
    state: absent
  no_log: true
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["revoke token root"]
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context, Outcome, run
from ansible_collections.mcp.platform.plugins.module_utils._core.plan import Change
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    CONNECTION_SPEC,
    open_vault,
)


def execute(context: Context) -> Outcome:
    if not context.params["token"]:
        raise PlatformError("which token?", where="token", hint="set token to the one to revoke")
    vault = open_vault(context)
    reply = vault.request("GET", "auth/token/lookup-self", accept=(403, 404))
    if reply.status != 200:
        return Outcome()
    if not context.check_mode:
        vault.write("auth/token/revoke-self", {})
    return Outcome([Change("revoke", f"token {reply.data.get('display_name', '')}")])


def main() -> None:
    run(
        execute,
        argument_spec={
            **CONNECTION_SPEC,
            "state": {"type": "str", "choices": ["absent"], "required": True},
        },
    )


if __name__ == "__main__":
    main()
