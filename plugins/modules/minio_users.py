# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: minio_users
short_description: Manage MinIO's users, groups and access keys
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Creates, changes and removes users, groups and access keys (also called service accounts), with the policies that they have, all in one call.
    A list that is left out is left alone, and so is what an entry leaves out.
  - A server never shows a secret. So the module tries a request that is signed with the one it was given, and sets it where the server
    says that the signature is wrong. Such a try stands in the server's audit log. Without a secret given, the one in use stays.
options:
  users:
    description: The users.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the user, which is its access key.
        type: str
        required: true
      state:
        description: Whether the user exists. With it go its access keys.
        type: str
        choices: [present, absent]
        default: present
      enabled:
        description: Whether it may log in.
        type: bool
        default: true
      secret_key:
        description: Its secret, of 8 to 40 signs. A new user needs one.
        type: str
      policies:
        description: All policies that it has by itself.
        type: list
        elements: str
  groups:
    description: The groups.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the group.
        type: str
        required: true
      state:
        description: Whether the group exists.
        type: str
        choices: [present, absent]
        default: present
      enabled:
        description: Whether its policies count.
        type: bool
        default: true
      members:
        description: All users that are in it.
        type: list
        elements: str
      policies:
        description: All policies that its members have through it.
        type: list
        elements: str
  access_keys:
    description: The access keys.
    type: list
    elements: dict
    suboptions:
      name:
        description: The access key itself, of 3 to 20 signs.
        type: str
        required: true
      state:
        description: Whether it exists.
        type: str
        choices: [present, absent]
        default: present
      user:
        description: Whose it is. Needed unless it shall not exist; the server cannot change it.
        type: str
      enabled:
        description: Whether it opens anything.
        type: bool
        default: true
      secret_key:
        description: Its secret, of 8 to 40 signs. A new access key needs one.
        type: str
      policy:
        description:
          - Document, as a mapping or its JSON text, of what it may do at most. V({}) is all that its user may.
          - It cannot do more than its user in any case.
        type: raw
      label:
        description: A short name for people.
        type: str
      description:
        description: What it is for.
        type: str
      expires:
        description: When it ends by itself, as V(2027-01-31T00:00:00Z); from a quarter of an hour to 365 days ahead. Empty for never.
        type: str
  exclusive:
    description: Remove every user, group and access key that is neither listed nor protected, of those lists that are given.
    type: bool
    default: false
  protected:
    description: Names that are never removed for not being listed. Whom the module logs in as always belongs to them.
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
    details: Whether a secret is the right one is tried in check mode too. Names of policies on a server that is not there yet are not checked.
  diff_mode:
    support: full
    details: A secret is never shown, only that a new one is set.
  idempotent:
    support: full
    details: The secret of somebody who is disabled cannot be tried. It is left alone, and set together with enabling.
  platform:
    platforms: posix
requirements:
  - argon2-cffi and cryptography where the module runs (Debian packages python3-argon2 and python3-cryptography);
    names and secrets travel sealed
notes:
  - A change that would lock out the user that the module logs in as is refused.
  - The server gives policies to users that are enabled only. One that is to be disabled and gets policies is enabled for that moment.
seealso:
  - module: mcp.platform.minio_policies
"""

EXAMPLES = r"""
- name: An application with a user of its own, and people in a group
  mcp.platform.minio_users:
    endpoint: https://s3.platform.internal:9000
    access_key: platform
    secret_key: "{{ administrator_secret }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    users:
      - name: shop
        secret_key: "{{ shop_secret }}"
        policies: [shop]
      - name: alice
        secret_key: "{{ alice_secret }}"
    groups:
      - name: auditors
        members: [alice]
        policies: [auditor]
    access_keys:
      - name: shop-upload
        user: shop
        secret_key: "{{ upload_secret }}"
        policy:
          Version: "2012-10-17"
          Statement: [{Effect: Allow, Action: s3:PutObject, Resource: "arn:aws:s3:::shop/in/*"}]

- name: Lock somebody out, and leave the rest alone
  mcp.platform.minio_users:
    endpoint: https://s3.platform.internal:9000
    access_key: platform
    secret_key: "{{ administrator_secret }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    users:
      - {name: alice, enabled: false}

- name: Say the login once, and remove all groups but one
  module_defaults:
    group/mcp.platform.minio:
      endpoint: https://s3.platform.internal:9000
      access_key: platform
      secret_key: "{{ administrator_secret }}"
      ca_path: /etc/mcp-platform/pki/ca.crt
  block:
    - name: Remove them
      mcp.platform.minio_users:
        groups:
          - name: auditors
        exclusive: true
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["create user shop", "update group auditors"]
unlisted:
  description: What the server has and nobody speaks for, of the lists that are given; O(exclusive=true) would remove it.
  type: dict
  returned: always
  contains:
    users:
      description: Names of users.
      type: list
      elements: str
      sample: [intern]
    groups:
      description: Names of groups.
      type: list
      elements: str
      sample: []
    access_keys:
      description: Access keys.
      type: list
      elements: str
      sample: []
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import run
from ansible_collections.mcp.platform.plugins.module_utils._minio.accounts_apply import SPEC, apply
from ansible_collections.mcp.platform.plugins.module_utils._s3.client import OPTIONS


def main() -> None:
    run(apply, argument_spec={**OPTIONS, **SPEC})


if __name__ == "__main__":
    main()
