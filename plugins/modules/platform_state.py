# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: platform_state
short_description: The encrypted state that a platform is begun from
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - One file per platform, in the format of ansible-vault, holds what exists before any host does and what
    no host may know - the root authority, the bootstrap authority, the vault's seal key and recovery keys,
    and the operator's credentials.
  - Written in one step and on disk before the task returns, so that nothing is lost when the run is killed.
  - Runs on the controller; no connection is made.
options:
  path:
    description: The state file.
    type: path
    required: true
  password_file:
    description: File whose first line is the password. Only its owner may be able to read it.
    type: path
    required: true
  platform:
    description: Name of the platform. The state of another one is refused.
    type: str
    required: true
  create:
    description: Whether to begin a new state where there is none. Otherwise its absence is an error.
    type: bool
    default: false
  merge:
    description: What to add, mapping by mapping. A null removes a key.
    type: dict
    default: {}
extends_documentation_fragment:
  - mcp.platform.attributes
attributes:
  check_mode:
    support: full
    details: A state that would be created is returned with keys made for this run alone.
  diff_mode:
    support: none
    details: Everything in it is a secret.
  idempotent:
    support: full
  platform:
    platforms: posix
notes:
  - The result holds every secret of the platform, so it is never shown; still, set C(no_log) on the task
    where O(merge) is templated, because an error while templating it is Ansible's own.
"""

EXAMPLES = r"""
- name: Begin the platform, or read what it was begun with
  mcp.platform.platform_state:
    path: ~/.local/share/mcp-platform/production/state.yml
    password_file: ~/.config/mcp-platform/password
    platform: production
    create: true
  no_log: true
  register: platform

- name: Keep the recovery keys
  mcp.platform.platform_state:
    path: ~/.local/share/mcp-platform/production/state.yml
    password_file: ~/.config/mcp-platform/password
    platform: production
    merge:
      vault:
        recovery_keys: "{{ reply.init.recovery_keys }}"
  no_log: true
"""

RETURN = r"""
created:
  description: Whether there was no state before.
  type: bool
  returned: success
  sample: false
state:
  description: The whole state, decrypted.
  type: dict
  returned: success
  contains:
    platform:
      description: Name of the platform.
      type: str
      sample: production
    root:
      description: The root authority, C(certificate) and C(private_key) as PEM.
      type: dict
    bootstrap:
      description: The authority that signs the vault's listeners, likewise.
      type: dict
    seal:
      description: The static seal's C(key_id), and C(key), 32 bytes in base64.
      type: dict
    vault:
      description: The reply to the vault's initialisation.
      type: dict
    operator:
      description: C(role_id) and C(secret_id) of the operator's AppRole.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "password_file": {"type": "path", "required": True, "no_log": False},
            "platform": {"type": "str", "required": True},
            "create": {"type": "bool", "default": False},
            "merge": {"type": "dict", "default": {}, "no_log": True},
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="platform_state runs on the controller, as an action; call it from a task")


if __name__ == "__main__":
    main()
