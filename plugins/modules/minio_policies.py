# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: minio_policies
short_description: Manage MinIO's policies for users and groups
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Creates, changes and removes policies, all in one call. They are compared by what they allow, not by how that is written.
    The order of statements and lists, a text in place of a list of one, names of statements, and what is said twice, make no difference.
  - What the server would refuse is refused before the first change, with the place in the document.
  - Whom a policy is attached to is said with M(mcp.platform.minio_users).
options:
  policies:
    description: The policies.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the policy.
        type: str
        required: true
      state:
        description: Whether the policy exists. One that is in use is not removed, unless O(policies[].detach) says so.
        type: str
        choices: [present, absent]
        default: present
      policy:
        description: The document, as a mapping or its JSON text.
        type: raw
      detach:
        description: Whether O(policies[].state=absent) takes the policy from the users and groups that have it.
        type: bool
        default: false
  exclusive:
    description: Remove every policy that is neither listed, protected nor built in. One that is in use makes the module fail.
    type: bool
    default: false
  protected:
    description: Policies that are never removed for not being listed. MinIO's own always belong to them.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_minio
  - mcp.platform.minio
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: posix
requirements:
  - argon2-cffi and cryptography where the module runs (Debian packages python3-argon2 and python3-cryptography), only to remove
    policies; who has them is told sealed
notes:
  - A change by which the user that the module logs in as could not change policies any more is refused.
seealso:
  - module: mcp.platform.minio_users
"""

EXAMPLES = r"""
- name: What an application and an auditor may do
  mcp.platform.minio_policies:
    endpoint: https://s3.platform.internal:9000
    access_key: platform
    secret_key: "{{ administrator_secret }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    policies:
      - name: shop
        policy:
          Version: "2012-10-17"
          Statement:
            - Effect: Allow
              Action: [s3:GetObject, s3:PutObject, s3:DeleteObject]
              Resource: arn:aws:s3:::shop/*
            - Effect: Allow
              Action: s3:ListBucket
              Resource: arn:aws:s3:::shop
      - name: auditor
        policy: "{{ lookup('ansible.builtin.file', 'auditor.json') }}"

- name: Take a right away
  mcp.platform.minio_policies:
    endpoint: https://s3.platform.internal:9000
    access_key: platform
    secret_key: "{{ administrator_secret }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    policies:
      - name: shop
        policy:
          Version: "2012-10-17"
          Statement: [{Effect: Allow, Action: s3:GetObject, Resource: "arn:aws:s3:::shop/*"}]

- name: Say the login once, and remove a policy from whoever has it
  module_defaults:
    group/mcp.platform.minio:
      endpoint: https://s3.platform.internal:9000
      access_key: platform
      secret_key: "{{ administrator_secret }}"
      ca_path: /etc/mcp-platform/pki/ca.crt
  block:
    - name: Remove it
      mcp.platform.minio_policies:
        policies:
          - {name: auditor, state: absent, detach: true}
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["update policy shop"]
unlisted:
  description: Policies on the server that nobody speaks for; O(exclusive=true) would remove them.
  type: list
  elements: str
  returned: always
  sample: []
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import run
from ansible_collections.mcp.platform.plugins.module_utils._minio.policies import SPEC, apply
from ansible_collections.mcp.platform.plugins.module_utils._s3.client import OPTIONS


def main() -> None:
    run(
        apply,
        argument_spec={
            **OPTIONS,
            "policies": {"type": "list", "elements": "dict", "required": True, "options": SPEC},
            "exclusive": {"type": "bool", "default": False},
            "protected": {"type": "list", "elements": "str", "default": []},
        },
    )


if __name__ == "__main__":
    main()
