# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that every module about Patroni shares."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    description: Base address of a member's REST API, such as C(https://node1.platform.internal:8008).
    type: str
    required: true
  ca_path:
    description: File, on the host, of the authorities that may have signed the member's certificate.
    type: path
    required: true
  client_certificate:
    description: Certificate shown to the member; needed for writing where the member verifies clients.
    type: path
  client_key:
    description: Private key of O(client_certificate).
    type: path
  username:
    description: User of the REST API; needed for writing where the member asks for one.
    type: str
  password:
    description: Password of O(username).
    type: str
  timeout:
    description: Seconds to wait for one reply.
    type: int
    default: 10
"""
