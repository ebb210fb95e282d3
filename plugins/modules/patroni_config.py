# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: patroni_config
short_description: Keep the dynamic configuration of a Patroni cluster
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Compares the configuration that the cluster's members share with the wanted one, and patches only the difference.
  - Values that Patroni would store but silently replace by others (a C(ttl) of 10, V(max_connections=10)) are refused before
    any change.
  - Afterwards the configuration is read back until the member shows it.
  - Nothing is restarted. M(mcp.platform.patroni_cluster_info) tells which members wait for a restart, and why.
options:
  settings:
    description:
      - The settings, nested as in Patroni's documentation of the dynamic configuration. A value of null removes the setting.
      - Values are compared by their text, as Patroni does.
    type: dict
    required: true
  exact:
    description:
      - Whether settings that O(settings) does not name are removed.
      - C(pause) and C(standby_cluster) always stay unless O(settings) names them; operators set them for a while.
    type: bool
    default: false
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_patroni
  - mcp.platform.patroni
attributes:
  check_mode:
    support: full
    details: Where no member answers yet, the whole configuration is reported as to be created.
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: posix
seealso:
  - module: mcp.platform.patroni_cluster_info
"""

EXAMPLES = r"""
- name: Keep a lease of 20 seconds and more connections
  mcp.platform.patroni_config:
    url: https://node1.platform.internal:8008
    ca_path: /etc/mcp-platform/pki/ca.crt
    client_certificate: /etc/patroni/pki/client.crt
    client_key: /etc/patroni/pki/client.key
    username: patroni
    password: "{{ patroni_restapi_password }}"
    settings:
      ttl: 20
      loop_wait: 5
      retry_timeout: 5
      postgresql:
        parameters:
          max_connections: 300

- name: Remove one setting
  mcp.platform.patroni_config:
    settings:
      postgresql:
        parameters:
          log_min_duration_statement: null
  module_defaults:
    group/mcp.platform.patroni: "{{ connection_to_patroni }}"

- name: Keep exactly these settings
  mcp.platform.patroni_config:
    settings: "{{ wanted_settings }}"
    exact: true
  module_defaults:
    group/mcp.platform.patroni: "{{ connection_to_patroni }}"
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be changed, one line per setting.
  type: list
  elements: str
  returned: always
  sample: ["update ttl", "create postgresql.parameters.max_connections"]
settings:
  description: The whole dynamic configuration afterwards; in check mode, as it would be.
  type: dict
  returned: always
  sample: {"ttl": 20, "loop_wait": 5}
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._patroni.client import (
    Client,
    argument_spec,
    endpoint_from,
)
from ansible_collections.mcp.platform.plugins.module_utils._patroni.plan import (
    apply_patch,
    check_effective,
    patch,
    plan,
)


def execute(context: Context) -> Outcome:
    desired, exact = context.params["settings"], context.params["exact"]
    client = Client(endpoint_from(context.params))
    try:
        current = client.config()
    except PlatformError:
        if not context.check_mode:
            raise
        current = {}
    changes = plan(current, desired, exact=exact)
    wanted = apply_patch(current, patch(current, desired, exact=exact))
    check_effective(wanted)
    if changes and not context.check_mode:
        wanted = client.set_config(desired, exact=exact)
    return Outcome(changes, {"settings": wanted})


def main() -> None:
    run(
        execute,
        argument_spec={
            **argument_spec(),
            "settings": {"type": "dict", "required": True},
            "exact": {"type": "bool", "default": False},
        },
        required_together=[("client_certificate", "client_key"), ("username", "password")],
    )


if __name__ == "__main__":
    main()
