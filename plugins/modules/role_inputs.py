# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: role_inputs
short_description: Refuse inputs of roles that can't work, before any host is touched
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Checks the variables that the named roles of this collection would see on a host - misspelt names,
    values of the wrong type, ports that overlap, and the rules in each role's C(meta/rules.yml).
  - Runs on the controller; no connection is made. A value that only a later task provides is passed over.
  - Roles in the C(roles) of a registered variable C(mcp_platform_checked) are passed over - the playbook
    C(mcp.platform.validate) registers its result there, so that a whole deployment checks everything once.
options:
  roles:
    description: Short names of the roles.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.info_module
"""

EXAMPLES = r"""
- name: Refuse what can't work
  mcp.platform.role_inputs:
    roles: [etcd, patroni]
"""

RETURN = r"""
roles:
  description: The roles that are known to be in order, this time or from before.
  type: list
  elements: str
  returned: success
  sample: [etcd, patroni]
problems:
  description: Everything that is wrong; the task fails where there is anything.
  type: list
  elements: dict
  returned: always
  contains:
    what:
      description: What is wrong.
      type: str
    where:
      description: The option or host.
      type: str
    hint:
      description: How to mend it.
      type: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        argument_spec={"roles": {"type": "list", "elements": "str", "required": True}},
        supports_check_mode=True,
    )
    module.fail_json(msg="role_inputs runs on the controller, as an action; call it from a task")


if __name__ == "__main__":
    main()
