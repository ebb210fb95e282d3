# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints a table at the end of a playbook; runs on the controller alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mcp.platform.plugins.filter.table import table

_display = Display()


class ActionModule(ActionBase):
    """See the module's documentation for the options."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset({"title", "rows", "columns", "width", "dest"})

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(
            {
                "title": {"type": "str", "required": True},
                "rows": {"type": "list", "elements": "dict", "required": True},
                "columns": {"type": "list", "elements": "str", "required": True},
                "width": {"type": "int", "default": 100},
                "dest": {"type": "path"},
            }
        )
        lines = table(options["rows"], options["columns"], options["width"])
        _display.display("\n".join(["", options["title"], *lines, ""]))
        if options["dest"]:
            path = Path(options["dest"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n")
        result.update(changed=False, lines=lines)
        return result
