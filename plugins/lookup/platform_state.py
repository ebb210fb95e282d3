# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: platform_state
short_description: Read a part of the platform's state
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Reads parts of the file that M(mcp.platform.platform_state) keeps.
  - The part C(operator) is taken from the environment where E(VAULT_ROLE_ID) and E(VAULT_SECRET_ID) are set,
    so that a steady run needs no state.
options:
  _terms:
    description: Names of the parts, C(operator), C(seal) and so on.
    required: true
    type: list
    elements: str
  path:
    description: The state file.
    type: path
    required: true
  password_file:
    description: File whose first line is the password.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: List the policies as the operator
  mcp.platform.vault_policies:
    role_id: "{{ operator.role_id }}"
    secret_id: "{{ operator.secret_id }}"
    policies: []
  vars:
    operator: "{{ lookup('mcp.platform.platform_state', 'operator', path=state, password_file=password_file) }}"
"""

RETURN = r"""
_raw:
  description: The parts in the order in which they were asked for.
  type: list
  elements: dict
"""

import os
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.plugin_utils.state import StateFile


def _operator_from_environment() -> dict[str, str]:
    role_id, secret_id = os.environ.get("VAULT_ROLE_ID"), os.environ.get("VAULT_SECRET_ID")
    if role_id and secret_id:
        return {"role_id": role_id, "secret_id": secret_id}
    return {}


class LookupModule(LookupBase):
    """See the documentation above."""

    def run(
        self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Any]:
        self.set_options(var_options=variables, direct=kwargs)
        file = StateFile(self.get_option("path"), self.get_option("password_file"))
        try:
            return [self._part(term, file) for term in terms]
        except PlatformError as error:
            raise AnsibleLookupError(str(error)) from error

    @staticmethod
    def _part(name: str, file: StateFile) -> Any:
        environment = _operator_from_environment() if name == "operator" else {}
        if environment:
            return environment
        state = file.load()
        if not state.get(name):
            raise PlatformError(
                f"the platform's state has no {name} yet",
                where=str(file.path),
                hint="run mcp.platform.deploy_trust first",
            )
        return state[name]
