# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Print a table at the end of a playbook
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Prints rows as a table that fits a terminal, and writes it to a file where asked to.
  - Runs on the controller; no connection is made.
options:
  title:
    description: Line above the table.
    type: str
    required: true
  rows:
    description: A mapping for each row.
    type: list
    elements: dict
    required: true
  columns:
    description: The keys to show, which are the heads too.
    type: list
    elements: str
    required: true
  width:
    description: The most characters that a line may have.
    type: int
    default: 100
  dest:
    description: File on the controller that gets the table without its title.
    type: path
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.info_module
"""

EXAMPLES = r"""
- name: Show what was proven
  mcp.platform.report:
    title: What was proven
    rows: "{{ proofs }}"
    columns: [service, proof, result]
  run_once: true
"""

RETURN = r"""
lines:
  description: The table's lines.
  type: list
  elements: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "title": {"type": "str", "required": True},
            "rows": {"type": "list", "elements": "dict", "required": True},
            "columns": {"type": "list", "elements": "str", "required": True},
            "width": {"type": "int", "default": 100},
            "dest": {"type": "path"},
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="report runs on the controller, as an action; call it from a task")


if __name__ == "__main__":
    main()
