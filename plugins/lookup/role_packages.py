# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: role_packages
short_description: The packages that roles of this collection will want on a host
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Returns the values of all options whose names end in C(_packages), of the named roles - the inventory's where it
    sets them, the roles' defaults otherwise - so that a playbook can install everything in one transaction.
options:
  _terms:
    description: Short names of the roles.
    required: true
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Install everything in one transaction
  ansible.builtin.apt:
    name: "{{ lookup('mcp.platform.role_packages', 'etcd', 'patroni') }}"
"""

RETURN = r"""
_list:
  description: The packages, each once, in alphabetical order.
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase

from ansible_collections.mcp.platform.plugins.plugin_utils.role_inputs import Inputs, load_role

_ROLES = Path(__file__).resolve().parents[2] / "roles"


class LookupModule(LookupBase):
    """See the documentation above."""

    def run(
        self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[list[str]]:
        self.set_options(var_options=variables, direct=kwargs)
        roles = [load_role(_ROLES / term) for term in terms]
        inputs = Inputs(self._templar, roles, variables or {})
        packages = {
            package
            for role in roles
            for option in role.defaults
            if option.endswith("_packages")
            for package in inputs.value(option)
        }
        return [sorted(packages)]
