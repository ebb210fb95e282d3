# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: redis_config
short_description: Change settings of a running Redis server
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Compares settings with those of the running server by what they mean, V(1gb) with V(1073741824) for example,
    and sets those that differ in one C(CONFIG SET), all or none.
  - The server's configuration file is never rewritten; it belongs to whoever deploys it.
options:
  settings:
    description:
      - Names and values. A list becomes words with spaces between them.
      - Of C(client-output-buffer-limit) only the classes that are named count.
    type: dict
    default: {}
  secret_settings:
    description: Likewise for settings whose values are secrets, such as C(masterauth).
    type: dict
    default: {}
  reapply:
    description:
      - Settings to set again even where they are the same, because the server reads the files that they name only then.
        Certificates are the example.
      - Each of them is told as a change.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_redis
  - mcp.platform.redis
  - mcp.platform.redis.instances
  - mcp.platform.redis.login
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Passwords are never shown.
  idempotent:
    support: partial
    details: What O(reapply) names is set by every run.
  platform:
    platforms: posix
"""

EXAMPLES = r"""
- name: A memory limit, and which keys give way
  mcp.platform.redis_config:
    host: node1.platform.internal
    username: platform
    password: "{{ administrator_password }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    settings:
      maxmemory: 512mb
      maxmemory-policy: allkeys-lfu

- name: Serve a renewed certificate
  mcp.platform.redis_config:
    host: node1.platform.internal
    username: platform
    password: "{{ administrator_password }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    reapply: [tls-cert-file, tls-key-file]

- name: Say the login once, and give up a limit
  module_defaults:
    group/mcp.platform.redis:
      username: platform
      password: "{{ administrator_password }}"
      ca_path: /etc/mcp-platform/pki/ca.crt
  block:
    - name: Remove the limit
      mcp.platform.redis_config:
        host: node1.platform.internal
        settings:
          maxmemory: 0
"""

RETURN = r"""
changes:
  description: What was set, or in check mode would be set, a line for each setting.
  type: list
  elements: str
  returned: always
  sample: ["update setting maxmemory"]
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import run
from ansible_collections.mcp.platform.plugins.module_utils._redis.client import (
    INSTANCES_OPTIONS,
    TOGETHER,
)
from ansible_collections.mcp.platform.plugins.module_utils._redis.server import apply_config


def main() -> None:
    run(
        apply_config,
        argument_spec={
            **INSTANCES_OPTIONS,
            "settings": {"type": "dict", "default": {}},
            "secret_settings": {"type": "dict", "default": {}, "no_log": True},
            "reapply": {"type": "list", "elements": "str", "default": []},
        },
        required_together=TOGETHER,
    )


if __name__ == "__main__":
    main()
