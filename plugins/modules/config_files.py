# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: config_files
short_description: Place all configuration files of a service at once
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Renders every file on the controller, compares all of them with the host's in one round trip,
    checks each new one with its vendor's own checker, and only then replaces the old ones, each in one step.
  - When one file can't be rendered or is refused by its checker, none is replaced.
  - An action plugin does the rendering; the module on the host gets finished content.
options:
  directories:
    description: Directories to make first, in this order; missing parents are made with mode 0755.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description: Permissions in octal digits, quoted and with a leading zero.
        type: str
        default: "0755"
  files:
    description: Files that should exist.
    type: list
    elements: dict
    default: []
    suboptions:
      dest:
        description: Absolute path on the host.
        type: path
        required: true
      template:
        description:
          - Template below the role's or playbook's C(templates/), rendered on the controller.
          - Exactly one of O(files[].template) and O(files[].content) is needed.
        type: str
      content:
        description: The whole content.
        type: str
      secret_content:
        description: What O(files[].content) becomes on its way to the host where O(files[].sensitive) is set. Not for users.
        type: str
      sensitive:
        description: Whether the content is a secret. It then stands in no diff and no log.
        type: bool
        default: false
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description: Permissions in octal digits, quoted and with a leading zero.
        type: str
        default: "0644"
      validate:
        description:
          - Command that checks the new content; C(%s) stands for the staged file, which has the same name as O(files[].dest).
          - In check mode a checker that is not installed yet is passed over.
        type: str
  absent:
    description: Files that should not exist.
    type: list
    elements: path
    default: []
extends_documentation_fragment:
  - mcp.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The content of sensitive files is never shown.
  idempotent:
    support: full
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: Place the load balancer's configuration
  mcp.platform.config_files:
    directories:
      - path: /etc/haproxy
    files:
      - dest: /etc/haproxy/haproxy.cfg
        template: etc/haproxy/haproxy.cfg.j2
        validate: haproxy -c -f %s
      - dest: /etc/haproxy/stats.password
        content: "{{ haproxy_stats_password }}"
        mode: "0600"
        sensitive: true

- name: Remove what an older version left behind
  mcp.platform.config_files:
    absent:
      - /etc/haproxy/old.cfg
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["update /etc/haproxy/haproxy.cfg"]
changed_files:
  description: Paths that were placed, corrected or removed, directories left out.
  type: list
  elements: str
  returned: always
  sample: ["/etc/haproxy/haproxy.cfg"]
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._files.apply import apply
from ansible_collections.mcp.platform.plugins.module_utils._files.model import desired_from


def execute(context: Context) -> Outcome:
    desired = desired_from(context.params)
    changes = apply(desired, check_mode=context.check_mode)
    directories = {item.path for item in desired.directories}
    changed_files = [change.what for change in changes if change.what not in directories]
    return Outcome(changes, {"changed_files": changed_files})


def main() -> None:
    attributes = {
        "owner": {"type": "str", "default": "root"},
        "group": {"type": "str", "default": "root"},
    }
    run(
        execute,
        argument_spec={
            "directories": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "path": {"type": "path", "required": True},
                    "mode": {"type": "str", "default": "0755"},
                    **attributes,
                },
            },
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "dest": {"type": "path", "required": True},
                    "template": {"type": "str"},
                    "content": {"type": "str"},
                    "secret_content": {"type": "str", "no_log": True},
                    "sensitive": {"type": "bool", "default": False},
                    "validate": {"type": "str"},
                    "mode": {"type": "str", "default": "0644"},
                    **attributes,
                },
            },
            "absent": {"type": "list", "elements": "path", "default": []},
        },
    )


if __name__ == "__main__":
    main()
