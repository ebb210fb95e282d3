# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the boundary between a module's work and Ansible."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .errors import PlatformError, refusal
from .plan import Change, as_diff


@dataclass(frozen=True)
class Outcome:
    """What a module did, or in check mode would do.

    :param changes: the plan; empty means that nothing had to change.
    :param values: the module's own return values.
    """

    changes: Sequence[Change] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a module's work gets from Ansible: its options, the mode, and a way to warn."""

    params: Mapping[str, Any]
    check_mode: bool = False
    warn: Callable[[str], None] = print


class _Module(Protocol):
    params: dict[str, Any]
    check_mode: bool

    def warn(self, warning: str) -> None: ...

    def exit_json(self, **kwargs: Any) -> None: ...

    def fail_json(self, msg: str, **kwargs: Any) -> None: ...


def result(outcome: Outcome) -> dict[str, Any]:
    """Return the module's result: changed, diff, the steps in words, its own values."""
    return {
        **outcome.values,
        "changed": bool(outcome.changes),
        "diff": as_diff(outcome.changes),
        "changes": [str(change) for change in outcome.changes],
    }


def _late(error: subprocess.TimeoutExpired) -> PlatformError:
    # The words after the first may hold a secret.
    command = error.cmd if isinstance(error.cmd, str) else str(error.cmd[0])
    return PlatformError(
        f"{command.split()[0]} did not end within {error.timeout:.0f} s",
        hint="look at what it waits for on the host, and run again",
    )


def serve(module: _Module, execute: Callable[[Context], Outcome]) -> None:
    """Run *execute* for a parsed *module*.

    A :class:`PlatformError`, a refusal of the operating system, and a command that does not end
    become its failure. Anything else is a fault of ours, and keeps its traceback.
    """
    try:
        outcome = execute(Context(module.params, module.check_mode, module.warn))
    except PlatformError as error:
        failure = error
    except OSError as error:
        failure = refusal(error)
    except subprocess.TimeoutExpired as error:
        failure = _late(error)
    else:
        return module.exit_json(**result(outcome))
    return module.fail_json(msg=str(failure), error=failure.as_dict())


def run(execute: Callable[[Context], Outcome], **module_arguments: Any) -> None:
    """Build the AnsibleModule from *module_arguments*, and serve *execute* with it.

    Check mode is supported unless the arguments say otherwise.
    """
    from ansible.module_utils.basic import AnsibleModule

    module_arguments.setdefault("supports_check_mode", True)
    serve(AnsibleModule(**module_arguments), execute)
