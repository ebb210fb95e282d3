# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuses inputs of roles that can't work, before any host is touched; runs on the controller alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
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


def _unknown_roles(names: list[str], roles: list[Role]) -> list[dict[str, str]]:
    known = {role.name for role in roles}
    return [
        _problem(f"this collection has no role {name}", "roles", "correct the name")
        for name in names
        if name not in known
    ]


def _misspelt(variables: dict[str, Any], roles: list[Role]) -> list[dict[str, str]]:
    return [
        _problem(
            f"there is no option {name}; {option} looks like it",
            name,
            f"write {option}, or choose a name that is less like it",
        )
        for name, option in sorted(role_inputs.near_misses(variables, roles).items())
    ]


def _mistyped(inputs: Inputs, roles: list[Role]) -> list[dict[str, str]]:
    options = {name: option for role in roles for name, option in role.options.items()}
    result = []
    for name, option in options.items():
        if inputs.is_plain_default(name):
            continue
        value = inputs.value(name)
        if value is UNKNOWN_YET:
            continue
        validator = ArgumentSpecValidator({name: {**option, "required": False}})
        messages = validator.validate({name: value}).error_messages
        if messages and role_inputs.holds_secret(option):
            # Ansible's own words may quote the value.
            messages = [f"{name} does not have the form that is asked for"]
        result += [_problem(text, name, "correct its value in the inventory") for text in messages]
    return result


def _broken_rules(inputs: Inputs, roles: list[Role], *, lenient: bool) -> list[dict[str, str]]:
    """Return the rules that are broken.

    :param lenient: whether rules that can't be evaluated are left out: a wrong type is why.
    """
    result = []
    for rule in (rule for role in roles for rule in role.rules):
        if not inputs.known(rule.get("needs", ())):
            continue
        try:
            if not inputs.holds(rule["that"]):
                what, hint = inputs.text(rule["what"]), inputs.text(rule["hint"])
                result.append(_problem(what, rule["where"], hint))
        except AnsibleError as error:
            if not lenient:
                what = f"it can't be judged whether {rule['that']}: {error}"
                result.append(_problem(what, rule["where"], rule["hint"]))
    return result


def _overlapping(inputs: Inputs, roles: list[Role], host: str) -> list[dict[str, str]]:
    def runs_here(role: Role) -> bool:
        hosts = inputs.value(f"{role.name}_hosts")
        return not isinstance(hosts, list) or host in hosts

    values = {
        option: inputs.value(option) for role in roles if runs_here(role) for option in role.listens
    }
    return [
        _problem(
            f"port {port} is claimed by {' and by '.join(options)}",
            host,
            "give each of them a port of its own",
        )
        for port, options in role_inputs.overlaps(role_inputs.ports(values))
    ]


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
        _result, options = self.validate_argument_spec(
            {"roles": {"type": "list", "elements": "str", "required": True}}
        )
        checked = (variables.get("mcp_platform_checked") or {}).get("roles") or []
        result.update(roles=options["roles"], problems=[])
        if set(options["roles"]) <= set(checked):
            return result
        everything = [role_inputs.load_role(path) for path in sorted(_ROLES.iterdir())]
        roles = [role for role in everything if role.name in options["roles"]]
        host = str(variables.get("inventory_hostname", ""))
        inputs = Inputs(self._templar, roles, variables)
        mistyped = _mistyped(inputs, roles)
        problems = [
            *_unknown_roles(options["roles"], everything),
            *_misspelt(variables, everything),
            *mistyped,
            *_broken_rules(inputs, roles, lenient=bool(mistyped)),
            *_overlapping(inputs, roles, host),
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
