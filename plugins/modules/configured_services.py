# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: configured_services
short_description: Keep systemd units running with the present content of their files
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Each unit is enabled, runs, and has taken the present content of the files it reads.
    That is a state, not an event; it takes the place of handlers, so that a run which was killed between
    placing a file and reloading its service is finished by the next run.
  - What the running process has taken is remembered below C(/var/lib/mcp-platform/services).
    A unit that was started after its files were last changed has taken them, whoever started it.
  - systemd reads its unit files again where it says that it has to. Masked units that should be enabled or run are unmasked.
options:
  services:
    description: The units, in the order in which they are handled.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Full name of the unit, with its type.
        type: str
        required: true
      enabled:
        description: Whether it starts at boot.
        type: bool
        default: true
      state:
        description: Whether it runs.
        type: str
        choices: [started, stopped]
        default: started
      restart_files:
        description: Files that it reads at a start only, its own unit files included.
        type: list
        elements: path
        default: []
      reload_files:
        description: Files that it reads at a reload too.
        type: list
        elements: path
        default: []
      restart:
        description:
          - Whether it may be restarted here. A member of a cluster may not; its pending restart is returned instead.
        type: bool
        default: true
      restart_when:
        description:
          - Command, a list of words, that has to exit with 0 before a restart. For a member of a cluster - whether the others do without it.
            It is asked until O(services[].ready_timeout) has passed; then the task fails, and the unit still runs as it did.
        type: list
        elements: str
        default: []
      in_force:
        description:
          - Command, a list of words, that exits with 0 while what the unit did at its start still holds. For a unit without a process
            that could tell, such as one that loads a rule set. Where it fails although the unit is active, the unit is reloaded.
        type: list
        elements: str
        default: []
      ready:
        description:
          - Command, a list of words, that exits with 0 once the service does its work. Asked after a start, restart or reload,
            and where nobody has seen it agree since the unit's last start.
        type: list
        elements: str
        default: []
      ready_timeout:
        description: Seconds to wait for that.
        type: int
        default: 60
extends_documentation_fragment:
  - mcp.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: posix
    details: Needs systemd 248 or newer.
"""

EXAMPLES = r"""
- name: Keep the load balancer running with its present configuration
  mcp.platform.configured_services:
    services:
      - name: haproxy.service
        restart_files: [/etc/systemd/system/haproxy.service.d/platform.conf]
        reload_files: [/etc/haproxy/haproxy.cfg]
        ready: [curl, --fail, --silent, "http://127.0.0.1:8404/metrics"]

- name: Stop what this host no longer needs
  mcp.platform.configured_services:
    services:
      - name: pgbouncer.service
        enabled: false
        state: stopped
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["reload haproxy.service: /etc/haproxy/haproxy.cfg changed"]
restart_pending:
  description: Units that need a restart which is not allowed here.
  type: list
  elements: str
  returned: always
  sample: [minio.service]
waiting_files:
  description: Their files that would be taken by it, by unit.
  type: dict
  returned: always
  sample: {minio.service: [/etc/minio/minio.env]}
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._core.plan import Change
from ansible_collections.mcp.platform.plugins.module_utils._systemd.apply import apply
from ansible_collections.mcp.platform.plugins.module_utils._systemd.model import services_from


def execute(context: Context) -> Outcome:
    changes: list[Change] = []
    pending = {}
    for service in services_from(context.params):
        done, waiting = apply(service, check_mode=context.check_mode)
        changes += done
        if waiting:
            pending[service.name] = list(waiting)
    return Outcome(changes, {"restart_pending": list(pending), "waiting_files": pending})


def main() -> None:
    service = {
        "name": {"type": "str", "required": True},
        "enabled": {"type": "bool", "default": True},
        "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
        "restart_files": {"type": "list", "elements": "path", "default": []},
        "reload_files": {"type": "list", "elements": "path", "default": []},
        "restart": {"type": "bool", "default": True},
        "restart_when": {"type": "list", "elements": "str", "default": []},
        "in_force": {"type": "list", "elements": "str", "default": []},
        "ready": {"type": "list", "elements": "str", "default": []},
        "ready_timeout": {"type": "int", "default": 60},
    }
    run(
        execute,
        argument_spec={
            "services": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": service,
            }
        },
    )


if __name__ == "__main__":
    main()
