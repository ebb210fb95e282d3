# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vault_proofs
short_description: Prove what a host can, and cannot, do with its own login to the vault
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Logs in by the AppRole whose files lie on the host, reads a secret, has a certificate issued and checks it,
    and tries what must be refused - another's secret, and a certificate for a foreign name.
options:
  role_id_file:
    description: File on the host with the role-id. Used where O(role_id) is not given.
    type: path
    default: /etc/vault-agent/role-id
  secret_id_file:
    description: File on the host with the secret-id. Used where O(secret_id) is not given.
    type: path
    default: /etc/vault-agent/secret-id
  mount:
    description: Where the key-value engine is mounted.
    type: str
    default: platform
  secret:
    description: Path of a secret that the host may read.
    type: str
    required: true
  forbidden_secret:
    description: Path of a secret that it may not read.
    type: str
    required: true
  issue:
    description: Path that issues the host's certificates.
    type: str
    required: true
  common_name:
    description: A name that it issues for.
    type: str
    required: true
  foreign_name:
    description: A name that it must refuse.
    type: str
    default: stranger.example.com
  raise_on_failure:
    description: Whether the task fails when a proof does.
    type: bool
    default: true
requirements:
  - cryptography (the package python3-cryptography)
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_vault
  - mcp.platform.vault
attributes:
  check_mode:
    support: partial
    details: Nothing is tried, and no proof is returned.
  diff_mode:
    support: N/A
    details: It leaves nothing behind but the certificate, which is valid for five minutes.
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Prove this host's login
  mcp.platform.vault_proofs:
    address: https://node1.platform.internal:8200
    ca_path: /etc/mcp-platform/pki/ca.crt
    secret: services/postgresql
    forbidden_secret: postgresql/superuser
    issue: pki/issue/node1
    common_name: node1.platform.internal
"""

RETURN = r"""
proofs:
  description: What was tried, in order.
  type: list
  elements: dict
  returned: always
  contains:
    service:
      description: Always vault.
      type: str
      sample: vault
    proof:
      description: What was to be proven.
      type: str
      sample: a certificate is issued, and leads to the root
    passed:
      description: Whether it ended as it has to.
      type: bool
      sample: true
    detail:
      description: How it ended.
      type: str
      sample: node1.platform.internal, serial 4f:1c:22:9a…
"""

from pathlib import Path

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._proofs.model import told
from ansible_collections.mcp.platform.plugins.module_utils._proofs.vault import Wanted, prove
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    CONNECTION_SPEC,
    open_vault,
)


def _login(params: dict[str, str]) -> dict[str, str]:
    return {
        option: params[option] or Path(params[f"{option}_file"]).read_text().strip()
        for option in ("role_id", "secret_id")
    }


def execute(context: Context) -> Outcome:
    if context.check_mode:
        return Outcome(values={"proofs": []})
    params = dict(context.params)
    vault = open_vault(Context({**params, **_login(params)}))
    keys = ("mount", "secret", "forbidden_secret", "issue", "common_name", "foreign_name")
    wanted = Wanted(**{key: params[key] for key in keys}, ca=Path(params["ca_path"]).read_bytes())
    return told(prove(vault, wanted), params, params["address"])


def main() -> None:
    run(
        execute,
        argument_spec={
            **CONNECTION_SPEC,
            "role_id_file": {"type": "path", "default": "/etc/vault-agent/role-id"},
            "secret_id_file": {
                "type": "path",
                "default": "/etc/vault-agent/secret-id",
                "no_log": False,
            },
            "mount": {"type": "str", "default": "platform"},
            "secret": {"type": "str", "required": True, "no_log": False},
            "forbidden_secret": {"type": "str", "required": True, "no_log": False},
            "issue": {"type": "str", "required": True},
            "common_name": {"type": "str", "required": True},
            "foreign_name": {"type": "str", "default": "stranger.example.com"},
            "raise_on_failure": {"type": "bool", "default": True},
        },
    )


if __name__ == "__main__":
    main()
