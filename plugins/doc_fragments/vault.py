# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How every module about the vault reaches it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  address:
    description: URL of the vault's API, such as V(https://node1.platform.internal:8200).
    type: str
    required: true
  ca_path:
    description:
      - File of the authorities that may have signed the vault's certificate. The system's when it is not given.
      - The certificate is always verified; the environment of the host has no say in it.
    type: path
  role_id:
    description: Role-id of the AppRole to log in with.
    type: str
  secret_id:
    description: Secret-id of the AppRole.
    type: str
  token:
    description: A token, used instead of O(role_id) and O(secret_id) when it is given and not empty.
    type: str
  namespace:
    description: Namespace to work in.
    type: str
  timeout:
    description: Seconds to wait for the reply to one request.
    type: int
    default: 30
requirements:
  - hvac (the package python3-hvac)
notes:
  - An OpenBao 2.7 standby answers reads from its own, possibly older, data unless the server is configured
    with C(disable_standby_reads = true). Within one task the modules see what they wrote in any case.
  - In check mode a vault that does not answer or is not initialised yet is taken for an empty one,
    because the same run would bring it up first.
"""
