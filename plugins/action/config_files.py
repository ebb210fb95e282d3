# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders the files of ``config_files`` on the controller and hands the contents to the module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible import template as ansible_template
from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError

# ansible-core before 2.19, which knows no trust, would turn a rendered JSON file into a dictionary;
# asking a newer one not to would only bring a warning.
_RENDERING = {} if hasattr(ansible_template, "trust_as_template") else {"convert_data": False}


class ActionModule(ActionBase):
    """Replaces each file's ``template`` by its ``content``, then runs the module on the host."""

    TRANSFERS_FILES = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = dict(self._task.args)
        try:
            arguments["files"] = [
                self._finished(item, variables) for item in arguments.get("files") or []
            ]
        except PlatformError as error:
            return {**result, "failed": True, "msg": str(error), "error": error.as_dict()}
        result.update(
            self._execute_module(
                module_name="mcp.platform.config_files",
                module_args=arguments,
                task_vars=variables,
            )
        )
        return result

    def _finished(self, item: Any, variables: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(item, Mapping):
            raise PlatformError(
                "files takes a list of mappings",
                where=str(item),
                hint="give each its dest, and a template or content",
            )
        file = dict(item)
        template = file.pop("template", None)
        if (template is None) == (file.get("content") is None):
            raise PlatformError(
                "give either template or content, not both and not neither",
                where=str(file.get("dest")),
            )
        if template is not None:
            file["content"] = self._render(template, str(file.get("dest")), variables)
        file["content"] = _text(file["content"])
        file["sensitive"] = _flag(file)
        if file["sensitive"]:
            file["secret_content"] = file.pop("content")
        return file

    def _render(self, template: str, destination: str, variables: dict[str, Any]) -> Any:
        lookup = lookup_loader.get(
            "ansible.builtin.template", loader=self._loader, templar=self._templar
        )
        try:
            return lookup.run([template], variables=_Variables(variables), **_RENDERING)[0]
        except AnsibleError as error:
            raise PlatformError(
                f"the template {template} can't be rendered: {error}",
                where=destination,
                hint="nothing was replaced; set or correct the variable that it names",
            ) from error


class _Variables(dict[str, Any]):
    """Variables that the lookup may add to.

    It makes a deep copy first, which for all variables of a landscape takes longer than the rest.
    """

    def __deepcopy__(self, memo: Any) -> dict[str, Any]:
        return dict(self)


def _text(value: Any) -> str:
    """Return *value* as a file's content; what is no text becomes JSON, never Python's notation."""
    return str(value) if isinstance(value, str) else json.dumps(value, indent=2) + "\n"


def _flag(file: Mapping[str, Any]) -> bool:
    # Before the module reads it, because here it decides what is kept from the output.
    try:
        return bool(boolean(file.get("sensitive", False)))
    except TypeError:
        raise PlatformError(
            "sensitive is neither true nor false", where=str(file.get("dest"))
        ) from None
