# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module that talks to Redis or Valkey servers."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  host:
    description: Name of the server, as its certificate has it.
    type: str
    required: true
  address:
    description: Address to reach it at. Left out, O(host) is resolved.
    type: str
  port:
    description: Port that it listens on with TLS.
    type: int
    default: 6379
"""

    INSTANCES = r"""
options:
  further_ports:
    description: Ports of further instances on O(host), which shall be the same as the one at O(port).
    type: list
    elements: int
    default: []
"""

    LOGIN = r"""
options:
  username:
    description: ACL user to log in as.
    type: str
    default: default
  password:
    description: Password of O(username). Left out, the server has to accept the connection without one.
    type: str
  ca_path:
    description: File, where the module runs, of the authorities that may have signed the servers' certificates.
    type: path
    required: true
  client_certificate:
    description: Certificate to show to the servers, where they ask for one.
    type: path
  client_key:
    description: Private key of O(client_certificate).
    type: path
  timeout:
    description: Seconds to wait for the answer to one command.
    type: int
    default: 10
requirements:
  - redis on the host, 5.0 or newer (Debian package python3-redis)
notes:
  - In check mode a server that is not there yet counts as a new one; everything would be created.
"""
