# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes that every module of this collection states."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and tell what would change, without changing it.
  diff_mode:
    description: Returns what changes (or would change) in diff mode.
  idempotent:
    description: When run twice in a row, the second run reports no change.
  platform:
    description: Target systems that the module works on.
    support: full
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode; it only reads.
    support: full
  diff_mode:
    description: Returns what changes (or would change) in diff mode.
    support: N/A
    details: It changes nothing.
  idempotent:
    description: When run twice in a row, the second run reports no change.
    support: full
  platform:
    description: Target systems that the module works on.
    support: full
    platforms: posix
"""

    ACTIONGROUP_VAULT = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/mcp.platform.vault) in C(module_defaults) to set the connection's options once.
    support: full
    membership:
      - mcp.platform.vault
"""

    ACTIONGROUP_PATRONI = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/mcp.platform.patroni) in C(module_defaults) to set the connection's options once.
    support: full
    membership:
      - mcp.platform.patroni
"""

    ACTIONGROUP_POSTGRESQL = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/mcp.platform.postgresql) in C(module_defaults) to set the connection's options once.
    support: full
    membership:
      - mcp.platform.postgresql
"""

    ACTIONGROUP_REDIS = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/mcp.platform.redis) in C(module_defaults) to set the login's options once.
    support: full
    membership:
      - mcp.platform.redis
"""

    ACTIONGROUP_MINIO = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/mcp.platform.minio) in C(module_defaults) to set the login's options once.
    support: full
    membership:
      - mcp.platform.minio
"""
