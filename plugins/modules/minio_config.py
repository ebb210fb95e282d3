# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: minio_config
short_description: Manage MinIO's own settings
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Sets keys of MinIO's subsystems for the whole cluster, as C(mc admin config set) does. What is left out is left alone.
  - Subsystems, keys and variables of the server's environment are checked before the first change. What a value may be is checked by the server,
    one subsystem or target after the other.
  - Some subsystems are loaded by all servers at once, the others when they start; see RV(restart_required). The server only shows what it has loaded,
    so the module looks into its history for what was set since it started.
options:
  settings:
    description:
      - Values by subsystem, or by C(subsystem:target) where a subsystem has several targets, and by key, with the names that MinIO has for them.
      - A boolean is written as V(on) or V(off). An empty text takes a value away.
      - A key that holds a secret, and a URL with a password in it, is refused here, because Ansible would log it.
    type: dict
    default: {}
  secrets:
    description:
      - Values that nobody may see, likewise; these are compared, but never shown or logged.
    type: dict
    default: {}
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_minio
  - mcp.platform.minio
attributes:
  check_mode:
    support: full
    details: A value that only the server can refuse shows in the real run. Names on a server that is not there yet are not checked.
  diff_mode:
    support: full
    details: A secret is never shown, only that there is one, and that it is a new one.
  idempotent:
    support: full
  platform:
    platforms: posix
requirements:
  - argon2-cffi and cryptography where the module runs (Debian packages python3-argon2 and python3-cryptography); settings travel sealed
notes:
  - The login needs C(admin:ConfigUpdate), and for a subsystem that is loaded at a start C(admin:ServerInfo).
  - With V(off) for C(root_access) of C(api) all servers turn root and its access keys away at once, and still do after a restart. So a login of root's may not
    say it. C(MINIO_API_ROOT_ACCESS=on) in the environment of all servers, and a restart, lets root in again.
  - A key that a variable of the server's environment sets to something else is refused, because that would never have an effect.
  - A target that does not exist yet is turned on, unless its C(enable) says otherwise; of one that exists that is left alone. A target cannot be removed,
    only turned off.
  - The server tries a target of events or logs when it is set and turned on, and refuses one that does not answer.
seealso:
  - module: mcp.platform.minio_info
  - module: mcp.platform.minio_users
"""

EXAMPLES = r"""
- name: Turn root away, go easy on the drives, and keep more parity
  mcp.platform.minio_config:
    endpoint: https://s3.platform.internal:9000
    access_key: platform
    secret_key: "{{ administrator_secret }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    settings:
      api: {root_access: false, requests_max: 1600}
      scanner: {speed: slow}
      storage_class: {standard: "EC:3"}

- name: Take a setting back
  mcp.platform.minio_config:
    endpoint: https://s3.platform.internal:9000
    access_key: platform
    secret_key: "{{ administrator_secret }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    settings:
      scanner: {speed: default}

- name: Say the login once, and tell a shop of new objects
  module_defaults:
    group/mcp.platform.minio:
      endpoint: https://s3.platform.internal:9000
      access_key: platform
      secret_key: "{{ administrator_secret }}"
      ca_path: /etc/mcp-platform/pki/ca.crt
  block:
    - name: Name the target
      mcp.platform.minio_config:
        settings:
          notify_webhook:shop: {endpoint: "https://shop.platform.internal/objects", queue_dir: /var/lib/minio/events}
        secrets:
          notify_webhook:shop: {auth_token: "Bearer {{ shop_token }}"}
      register: told

    - name: Say that it is not known yet
      ansible.builtin.debug:
        msg: Restart MinIO's servers, all of them together.
      when: told.restart_required
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["update subsystem api", "create target notify_webhook:shop"]
restart_required:
  description:
    - Whether something of the subsystems and targets that are listed is set, now or at an earlier run, and the server that was asked has not loaded it yet.
      It does when it starts.
    - In check mode, whether it would be so.
  type: bool
  returned: always
  sample: false
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import run
from ansible_collections.mcp.platform.plugins.module_utils._minio.config_apply import SPEC, apply
from ansible_collections.mcp.platform.plugins.module_utils._s3.client import OPTIONS


def main() -> None:
    run(apply, argument_spec={**OPTIONS, **SPEC})


if __name__ == "__main__":
    main()
