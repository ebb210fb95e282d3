# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: role_option
short_description: The value that an option of a role of this collection will have
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Returns the inventory's value where it sets the option, and the role's default otherwise, so that a playbook can
    wire roles together without a second copy of their defaults.
options:
  _terms:
    description: Names of options.
    required: true
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Install what two roles will want in one transaction
  ansible.builtin.apt:
    name: "{{ query('mcp.platform.role_option', 'etcd_packages', 'haproxy_packages') | flatten }}"
"""

RETURN = r"""
_list:
  description: The values, in the order in which they were asked for.
  type: list
  elements: raw
"""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.mcp.platform.plugins.plugin_utils.role_inputs import (
    UNKNOWN_YET,
    Inputs,
    Role,
    load_defaults,
)

_ROLES = Path(__file__).resolve().parents[2] / "roles"


def _role_of(option: str) -> Role:
    """Return the role that *option* belongs to, with its defaults alone."""
    owners = [path for path in _ROLES.iterdir() if option.startswith(f"{path.name}_")]
    if not owners:
        raise AnsibleLookupError(f"no role of this collection has an option {option}")
    path = max(owners, key=lambda owner: len(owner.name))
    return Role(path.name, defaults=load_defaults(path))


class LookupModule(LookupBase):
    """See the documentation above."""

    def run(
        self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Any]:
        self.set_options(var_options=variables, direct=kwargs)
        roles = {role.name: role for role in map(_role_of, terms)}
        inputs = Inputs(self._templar, list(roles.values()), variables or {})
        values = [inputs.value(option) for option in terms]
        for option, value in zip(terms, values):
            if value is UNKNOWN_YET:
                raise AnsibleLookupError(f"the option {option} has neither a value nor a default")
        return values
