# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads, begins and completes the platform's state; runs on the controller alone."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import (
    PlatformError,
    refusal,
)
from ansible_collections.mcp.platform.plugins.plugin_utils.state import (
    StateFile,
    check_owner,
    merged,
    new_state,
    plain,
)


class ActionModule(ActionBase):
    """See the module's documentation for the options."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset({"path", "password_file", "platform", "create", "merge"})

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(
            {
                "path": {"type": "path", "required": True},
                "password_file": {"type": "path", "required": True},
                "platform": {"type": "str", "required": True},
                "create": {"type": "bool", "default": False},
                "merge": {"type": "dict", "default": {}},
            }
        )
        try:
            # Whoever forgets no_log shows nothing either; what is registered is whole.
            result.update(self._ensure(options), _ansible_no_log=True)
        except (PlatformError, OSError) as error:
            failure = refusal(error) if isinstance(error, OSError) else error
            result.update(failed=True, msg=str(failure), error=failure.as_dict())
        return result

    def _ensure(self, options: dict[str, Any]) -> dict[str, Any]:
        file = StateFile(options["path"], options["password_file"])
        # Only a writer needs the lock, and only a writer may leave something on the disk.
        writes = not self._task.check_mode and (options["create"] or options["merge"])
        with file.locked() if writes else nullcontext():
            if file.exists() or not options["create"]:
                state = file.load()
                check_owner(state, options["platform"], file.path)
                created = False
            else:
                state = new_state(options["platform"])
                created = True
            wanted = merged(state, plain(options["merge"]))
            changed = created or wanted != state
            if changed and not self._task.check_mode:
                file.save(wanted)
        return {"changed": changed, "created": created, "state": wanted}
