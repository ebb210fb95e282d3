# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_requirements_info
short_description: Tell what a host lacks before anything is changed on it
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Compares the operating system, the architecture, the memory and the drives of a host with what is asked for,
    and the addresses it is reached from by SSH with those that its firewall will let in.
options:
  systems:
    description: Operating systems that will do, as in os-release. Empty for any.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: The C(ID).
        type: str
        required: true
      version:
        description: The C(VERSION_ID).
        type: str
        required: true
  architectures:
    description: Machine names that will do. Empty for any.
    type: list
    elements: str
    default: []
  memory_mb:
    description: Memory in MiB that it must have.
    type: int
    default: 0
  drives:
    description: Directories that must be there, not on the root file system, and on file systems of the same size.
    type: list
    elements: path
    default: []
  ssh_sources:
    description: Networks that its firewall will let in by SSH. One of the present connections must come from them. Empty for no check.
    type: list
    elements: str
    default: []
  ssh_port:
    description: Port of its SSH server.
    type: int
    default: 22
  fail_on_problems:
    description: Whether a problem fails the task.
    type: bool
    default: false
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.info_module
"""

EXAMPLES = r"""
- name: Refuse a host that is too small
  mcp.platform.host_requirements_info:
    systems:
      - {id: debian, version: "13"}
    memory_mb: 4096
    fail_on_problems: true
"""

RETURN = r"""
problems:
  description: What the host lacks, a sentence each.
  type: list
  elements: str
  returned: success
  sample: ["the host has 2048 MiB of memory, 4096 MiB are asked for"]
memory_mb:
  description: Its memory in MiB.
  type: int
  returned: success
  sample: 8192
drives:
  description: Size in MiB of the file systems of those O(drives) that are there, by path.
  type: dict
  returned: success
  sample: {/srv/drive1: 953674, /srv/drive2: 953674}
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._host import requirements


def execute(context: Context) -> Outcome:
    host = requirements.read(context.params["ssh_port"], context.params["drives"])
    found = requirements.problems(host, requirements.requirements_from(context.params))
    if found and context.params["fail_on_problems"]:
        raise PlatformError(
            "; ".join(found),
            hint="use another host, or correct the inventory, and run again",
        )
    sizes = {drive.path: drive.size_mb for drive in host.drives}
    return Outcome(values={"problems": found, "memory_mb": host.memory_mb, "drives": sizes})


def main() -> None:
    system = {
        "id": {"type": "str", "required": True},
        "version": {"type": "str", "required": True},
    }
    run(
        execute,
        argument_spec={
            "systems": {"type": "list", "elements": "dict", "default": [], "options": system},
            "architectures": {"type": "list", "elements": "str", "default": []},
            "memory_mb": {"type": "int", "default": 0},
            "drives": {"type": "list", "elements": "path", "default": []},
            "ssh_sources": {"type": "list", "elements": "str", "default": []},
            "ssh_port": {"type": "int", "default": 22},
            "fail_on_problems": {"type": "bool", "default": False},
        },
    )


if __name__ == "__main__":
    main()
