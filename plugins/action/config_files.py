# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders the files of ``config_files`` on the controller and hands the contents to the module."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader


class ActionModule(ActionBase):
    """Replaces each file's ``template`` by its ``content``, then runs the module on the host."""

    TRANSFERS_FILES = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = dict(self._task.args)
        arguments["files"] = [
            self._finished(item, variables) for item in arguments.get("files") or []
        ]
        result.update(
            self._execute_module(
                module_name="mcp.platform.config_files",
                module_args=arguments,
                task_vars=variables,
            )
        )
        return result

    def _finished(self, item: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        file = dict(item)
        template = file.pop("template", None)
        if (template is None) == (file.get("content") is None):
            raise AnsibleActionFail(
                f"{file.get('dest')}: give either template or content, not both and not neither"
            )
        if template is not None:
            file["content"] = self._render(template, variables)
        if file.get("sensitive"):
            file["secret_content"] = file.pop("content")
        return file

    def _render(self, template: str, variables: dict[str, Any]) -> str:
        lookup = lookup_loader.get(
            "ansible.builtin.template", loader=self._loader, templar=self._templar
        )
        return str(lookup.run([template], variables=variables)[0])
