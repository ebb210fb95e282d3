# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches a binary to the controller's cache, and brings it to the hosts that need it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.plugin_utils.catalogue import (
    Artefact,
    artefact_from,
    default_cache,
    digest,
    fetch,
)

_MODULE = "mcp.platform.catalogue_binary"


class ActionModule(ActionBase):
    """See the module's documentation for the options."""

    TRANSFERS_FILES = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            artefact = artefact_from(self._task.args)
            result.update(self._ensure(artefact, task_vars or {}))
        except PlatformError as error:
            result.update(failed=True, msg=str(error), error=error.as_dict())
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _ensure(self, artefact: Artefact, variables: dict[str, Any]) -> dict[str, Any]:
        # With whatever else was given, so that the module refuses what is no option of its own.
        arguments = {
            **self._task.args,
            "name": artefact.name,
            "version": artefact.version,
            "sha256": dict(artefact.sha256),
        }
        found = self._execute_module(_MODULE, arguments, task_vars=variables)
        if found.get("failed") or not found["needed"] or self._task.check_mode:
            return dict(found)
        cache = Path(self._task.args.get("cache_dir") or default_cache()).expanduser()
        local = fetch(artefact, found["architecture"], cache)
        remote = self._connection._shell.join_path(self._make_tmp_path(), artefact.name)
        self._transfer_file(str(local), remote)
        self._fixup_perms2((self._connection._shell.tmpdir, remote))
        arguments.update(staged=remote, member=artefact.member)
        if not artefact.sha256:
            arguments["sha256"] = {found["architecture"]: digest(local)}
        return dict(self._execute_module(_MODULE, arguments, task_vars=variables))
