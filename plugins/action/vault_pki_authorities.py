# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs what ``vault_pki_authorities`` asks for; the root's private key stays on the controller."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.plugin_utils.authority import (
    Authority,
    sign_intermediate,
)


def signed(requests: list[dict[str, Any]], signer: dict[str, Any]) -> dict[str, str]:
    """Return the signed certificates by engine."""
    root = Authority(signer["certificate"], signer["private_key"])
    return {
        request["mount"]: sign_intermediate(root, request["csr"], days=request["days"])
        for request in requests
    }


class ActionModule(ActionBase):
    """Runs the module, signs the requests that it returns, and runs it again with the result."""

    TRANSFERS_FILES = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        signer = dict(arguments.get("signer") or {})
        arguments["signer"] = {key: signer[key] for key in ("certificate",) if key in signer}
        arguments["signable"] = bool(signer.get("private_key"))
        first = self._module(arguments, task_vars)
        result.update(first)
        if first.get("failed") or not first.get("requests"):
            return result
        try:
            certificates = signed(first["requests"], signer)
        except PlatformError as error:
            result.update(failed=True, msg=str(error), error=error.as_dict())
            return result
        second = self._module({**arguments, "certificates": certificates}, task_vars)
        # What the second run found done is what the first one planned.
        kept: dict[str, Any] = {key: first[key] for key in ("changed", "changes", "diff")}
        result.update(second if second.get("failed") else {**second, **kept})
        return result

    def _module(
        self, arguments: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        returned: dict[str, Any] = self._execute_module(
            module_name="mcp.platform.vault_pki_authorities",
            module_args=arguments,
            task_vars=task_vars or {},
        )
        return returned
