# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuses inputs of roles that can't work, before any host is touched; runs on the controller alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.mcp.platform.plugins.plugin_utils import role_inputs
from ansible_collections.mcp.platform.plugins.plugin_utils.role_inputs import (
    UNKNOWN_YET,
    Inputs,
    Role,
)

_ROLES = Path(__file__).resolve().parents[2] / "roles"


def _problem(what: str, where: str, hint: str) -> dict[str, str]:
    return {"what": what, "where": where, "hint": hint}


def _sentence(problem: dict[str, str]) -> str:
    return f"{problem['what']} [{problem['where']}] -- {problem['hint']}"


class ActionModule(ActionBase):
    """See the module's documentation for the options."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset({"roles"})

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        _, options = self.validate_argument_spec(
            {"roles": {"type": "list", "elements": "str", "required": True}}
        )
        everything = [role_inputs.load_role(path) for path in sorted(_ROLES.iterdir())]
        roles = [role for role in everything if role.name in options["roles"]]
        inputs = Inputs(self._templar, roles, variables)
        problems = [
            *self._misspelt(variables, everything),
            *self._mistyped(inputs, roles),
            *self._broken_rules(inputs, roles),
            *self._overlapping(inputs, roles, str(variables.get("inventory_hostname", ""))),
        ]
        result["warnings"] = [
            f"{name} looks like an option of this collection and is none"
            for name in role_inputs.unknown(variables, roles)
            if name not in role_inputs.near_misses([name], everything)
        ]
        result["problems"] = problems
        if problems:
            result.update(failed=True, msg="\n".join(_sentence(problem) for problem in problems))
            result["error"] = problems[0]
        return result

    @staticmethod
    def _misspelt(variables: dict[str, Any], roles: list[Role]) -> list[dict[str, str]]:
        return [
            _problem(
                f"there is no option {name}; {option} looks like it",
                name,
                f"write {option}, or choose a name that is less like it",
            )
            for name, option in sorted(role_inputs.near_misses(variables, roles).items())
        ]

    @staticmethod
    def _mistyped(inputs: Inputs, roles: list[Role]) -> list[dict[str, str]]:
        options = {name: option for role in roles for name, option in role.options.items()}
        values = {name: inputs.value(name) for name in options}
        given = {name: value for name, value in values.items() if value is not UNKNOWN_YET}
        spec = {name: {**options[name], "required": False} for name in given}
        found = ArgumentSpecValidator(spec).validate(given)
        return [
            _problem(message, "the roles' inputs", "correct its value in the inventory")
            for message in found.error_messages
        ]

    @staticmethod
    def _broken_rules(inputs: Inputs, roles: list[Role]) -> list[dict[str, str]]:
        return [
            _problem(inputs.text(rule["what"]), rule["where"], inputs.text(rule["hint"]))
            for role in roles
            for rule in role.rules
            if inputs.known(list(rule.get("needs", ()))) and not inputs.holds(rule["that"])
        ]

    @staticmethod
    def _overlapping(inputs: Inputs, roles: list[Role], host: str) -> list[dict[str, str]]:
        def runs_here(role: Role) -> bool:
            hosts = inputs.value(f"{role.name}_hosts")
            return hosts is UNKNOWN_YET or host in hosts

        ports = {
            option: int(inputs.value(option))
            for role in roles
            if runs_here(role)
            for option in role.listens
            if inputs.known([option])
        }
        return [
            _problem(
                f"port {port} is claimed by {' and by '.join(options)}",
                host,
                "give each of them a port of its own",
            )
            for port, options in role_inputs.overlaps(ports)
        ]
