# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that every module which logs in to PostgreSQL as its administrator shares."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  login_hosts:
    description:
      - Names of the servers, as their certificates have them, or one directory of Unix sockets.
      - With several, the one that accepts writes is used, so the module follows the primary of a cluster.
    type: list
    elements: str
    default: [/var/run/postgresql]
  login_addresses:
    description: Addresses of O(login_hosts), in the same order. Empty resolves the names.
    type: list
    elements: str
    default: []
  login_port:
    description: Port of the servers.
    type: int
    default: 5432
  login_user:
    description: Role to log in as. Passwords can only be compared by a superuser.
    type: str
    default: postgres
  login_password:
    description: Password of O(login_user). Left out, the server has to trust the user without one (peer).
    type: str
  login_database:
    description: Database to connect to first.
    type: str
    default: postgres
  ssl_mode:
    description: How far a server reached over TCP has to prove itself. A Unix socket needs no proof.
    type: str
    choices: [disable, prefer, require, verify-ca, verify-full]
    default: verify-full
  ca_path:
    description: File, on the host, of the authorities that may have signed the servers' certificates.
    type: path
  connect_timeout:
    description: Seconds to wait for one server to answer.
    type: int
    default: 5
  wait:
    description: Seconds to keep trying while no server accepts writes, as during a failover. Not in check mode.
    type: int
    default: 30
requirements:
  - psycopg2 on the host (Debian package python3-psycopg2)
notes:
  - In check mode a server that is not there yet counts as an empty one; everything would be created.
"""
