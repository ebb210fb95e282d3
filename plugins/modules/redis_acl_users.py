# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: redis_acl_users
short_description: Manage all ACL users of a Redis server at once
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Reads all users and compares what they may do, not how it is written. Commands and categories are worked out with the
    server's own lists, so V(+@all) and V(allcommands) are one and the same.
  - A user that differs is replaced in one C(ACL SETUSER), so at no time does it have less or more than its old or new rights.
  - Users belong to one server. In a cluster, run this for each node.
  - Where the server has an C(aclfile), its users are saved there. Without one they are those of C(redis.conf) after a start,
    which the module warns of.
options:
  users:
    description: The users. What is left out of an entry has the default given here, unless it says that it is left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the user.
        type: str
        required: true
      state:
        description: Whether the user exists. The user V(default) can only be switched off.
        type: str
        choices: [present, absent]
        default: present
      enabled:
        description: Whether it may log in.
        type: bool
        default: true
      passwords:
        description:
          - All passwords that open it, or their SHA-256 in hexadecimal after a C(#). Others are taken away.
          - Left out, they are left alone; a new user then has none and cannot log in.
        type: list
        elements: str
      nopass:
        description: Whether any password opens it.
        type: bool
        default: false
      rules:
        description:
          - All it may do, as Redis writes it. Commands and categories (V(+get), V(-@dangerous), V(+config|get)), keys (V(~app:*), V(%R~shared:*)),
            channels (V(&news)), and selectors in brackets (V((+get ~other:*))).
          - They start from a user that may do nothing.
        type: list
        elements: str
        default: []
  exclusive:
    description: Remove every user that is neither listed nor protected.
    type: bool
    default: false
  protected:
    description: Users that are never removed for not being listed. V(default) and the one that the module logs in as always belong to them.
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
    details: The rules of users for a server that is not there yet are not checked.
  diff_mode:
    support: full
    details: A password is never shown, nor is its hash.
  idempotent:
    support: full
  platform:
    platforms: posix
notes:
  - A change that would lock out the user that the module logs in as is refused.
  - The server judges every user's rules before the first user is changed, in check mode too.
"""

EXAMPLES = r"""
- name: An application and its reader; nobody without a name
  mcp.platform.redis_acl_users:
    host: node1.platform.internal
    username: platform
    password: "{{ administrator_password }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    users:
      - name: shop
        passwords: ["{{ shop_password }}"]
        rules: ["~shop:*", "&shop:*", +@all, -@dangerous, -@admin]
      - name: shop_reader
        passwords: ["{{ shop_reader_password }}"]
        rules: ["%R~shop:*", +@read, "(~shop:visits +incr)"]
      - name: default
        enabled: false
        passwords: []

- name: Take a right away
  mcp.platform.redis_acl_users:
    host: node1.platform.internal
    username: platform
    password: "{{ administrator_password }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    users:
      - name: shop_reader
        rules: ["%R~shop:*", +@read]

- name: Say the login once, and remove a user
  module_defaults:
    group/mcp.platform.redis:
      username: platform
      password: "{{ administrator_password }}"
      ca_path: /etc/mcp-platform/pki/ca.crt
  block:
    - name: Remove it
      mcp.platform.redis_acl_users:
        host: node1.platform.internal
        users:
          - name: intern
            state: absent
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["update user shop_reader"]
unlisted:
  description: Users on the server that nobody speaks for; O(exclusive=true) would remove them.
  type: list
  elements: str
  returned: always
  sample: []
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import run
from ansible_collections.mcp.platform.plugins.module_utils._redis.client import (
    INSTANCES_OPTIONS,
    TOGETHER,
)
from ansible_collections.mcp.platform.plugins.module_utils._redis.server import apply_users


def main() -> None:
    user = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "enabled": {"type": "bool", "default": True},
        "passwords": {"type": "list", "elements": "str", "no_log": True},
        "nopass": {"type": "bool", "default": False},
        "rules": {"type": "list", "elements": "str", "default": []},
    }
    run(
        apply_users,
        argument_spec={
            **INSTANCES_OPTIONS,
            "users": {"type": "list", "elements": "dict", "required": True, "options": user},
            "exclusive": {"type": "bool", "default": False},
            "protected": {"type": "list", "elements": "str", "default": []},
        },
        required_together=TOGETHER,
    )


if __name__ == "__main__":
    main()
