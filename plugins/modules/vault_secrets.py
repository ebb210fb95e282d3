# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vault_secrets
short_description: Keep secrets in a vault, and draw those that are missing
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Writes given values to a key-value engine of version 2 and draws random values where none is stored yet,
    all in one step. A drawn value is never drawn again unless that is asked for.
  - Fields that are not named stay as they are. Two writers at the same time do not overwrite each other.
  - The return value holds the secrets. Use C(no_log) with every such task.
options:
  mount:
    description: Where the engine is mounted.
    type: str
    default: platform
  secrets:
    description: The secrets.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Path below the engine.
        type: str
        required: true
      fields:
        description: The fields that it should have. Exactly one of value and generate is needed for each.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Name of the field.
            type: str
            required: true
          value:
            description: A text, number, list or mapping, stored as it is.
            type: raw
          generate:
            description: How to draw the value when there is none.
            type: dict
            suboptions:
              length:
                description: How many characters.
                type: int
                default: 32
              alphabet:
                description: The characters to draw from.
                type: str
                default: abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789
          sensitive:
            description: Whether a diff hides the value.
            type: bool
            default: true
      rotate:
        description: Whether drawn values are drawn again. Not for a run that is repeated.
        type: bool
        default: false
      state:
        description: Whether it exists. V(absent) deletes all its versions.
        type: str
        choices: [present, absent]
        default: present
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_vault
  - mcp.platform.vault
attributes:
  check_mode:
    support: full
    details: In place of a value that would be drawn stands one of the same length that is no secret.
  diff_mode:
    support: full
    details: Names the fields; shows values only where the field is not sensitive.
  idempotent:
    support: partial
    details: Not with O(secrets[].rotate).
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: Have a password for the superuser
  mcp.platform.vault_secrets:
    secrets:
      - path: postgresql/superuser
        fields:
          - name: username
            value: postgres
            sensitive: false
          - name: password
            generate:
              length: 40
  register: stored
  no_log: true

- name: Publish where the service is found
  mcp.platform.vault_secrets:
    secrets:
      - path: services/postgresql
        fields:
          - name: endpoints
            value: [{role: primary, host: postgresql.platform.internal, port: 5000}]
            sensitive: false

- name: Remove a secret with all its versions
  mcp.platform.vault_secrets:
    secrets:
      - path: postgresql/roles/old
        state: absent
"""

RETURN = r"""
secrets:
  description: Every field of the listed secrets, by path and name, those that are not named above included. Holds secrets.
  type: dict
  returned: success
  sample:
    postgresql/superuser:
      username: postgres
      password: kept out of this page
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["create secret postgresql/superuser"]
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context, Outcome, run
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    CONNECTION_SPEC,
    open_vault,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.secrets import (
    ALPHABET,
    ensure,
    secrets_from,
)


def execute(context: Context) -> Outcome:
    wanted = secrets_from(context.params)
    vault = open_vault(context)
    mount = context.params["mount"].strip("/")
    changes = []
    values = {}
    for secret in wanted:
        planned = ensure(vault, mount, secret, check_mode=context.check_mode)
        if planned.change is not None:
            changes.append(planned.change)
        if secret.present:
            values[secret.path] = dict(planned.data)
    return Outcome(changes, {"secrets": values})


def main() -> None:
    generate = {
        "length": {"type": "int", "default": 32},
        "alphabet": {"type": "str", "default": ALPHABET},
    }
    field = {
        "name": {"type": "str", "required": True},
        # Marked no_log, it would be cut out of the return value, which is this module's purpose.
        "value": {"type": "raw", "no_log": False},
        "generate": {"type": "dict", "options": generate},
        "sensitive": {"type": "bool", "default": True},
    }
    secret = {
        "path": {"type": "str", "required": True},
        "fields": {"type": "list", "elements": "dict", "default": [], "options": field},
        "rotate": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    run(
        execute,
        argument_spec={
            **CONNECTION_SPEC,
            "mount": {"type": "str", "default": "platform"},
            "secrets": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "no_log": False,
                "options": secret,
            },
        },
    )


if __name__ == "__main__":
    main()
