# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook says while it runs, and why it failed, read from ansible-playbook's text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

_HEADING = re.compile(r"^(PLAY|TASK|RUNNING HANDLER) \[(.*)\] \**$")
_FAILURE = re.compile(
    r"^(?:fatal|failed): \[(?P<host>[^\]]+)\](?:: (?:FAILED|UNREACHABLE)!|: [A-Z]+!)?"
    r"(?: \(item=.*?\))? => ?(?P<inline>.*)$"
)
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)")


@dataclass(frozen=True)
class Failure:
    """Why one host failed.

    :param what: what is wrong.
    :param where: the option, file or endpoint, empty where the task does not say.
    :param hint: the next step, likewise.
    """

    host: str
    task: str
    what: str
    where: str = ""
    hint: str = ""


@dataclass
class Progress:
    """What has been read so far of one run.

    :param play: the current play's name.
    :param task: the current task's name.
    :param tasks: number of tasks begun.
    :param changed: changes in the recap, over all hosts.
    :param failures: what failed and was not rescued; read once the output ends.
    """

    play: str = ""
    task: str = ""
    tasks: int = 0
    changed: int = 0
    failures: list[Failure] = field(default_factory=list)
    _block: list[str] = field(default_factory=list)
    _host: str = ""

    def feed(self, line: str) -> None:
        """Take in one line of output, without its line end."""
        if self._host:
            if line.startswith(" "):
                self._block.append(line)
                return
            self._close_block()
        heading = _HEADING.match(line)
        if heading:
            self._begin(heading.group(1), heading.group(2))
            return
        failure = _FAILURE.match(line)
        if failure:
            self._host, self._block = failure.group("host"), [failure.group("inline")]
            return
        if line.startswith("...ignoring") and self.failures:
            self.failures.pop()
        recap = _RECAP.match(line)
        if recap:
            self.changed += int(recap.group(3))

    def finish(self) -> None:
        """Take note that the output has ended."""
        if self._host:
            self._close_block()

    def _begin(self, kind: str, name: str) -> None:
        if kind == "PLAY":
            self.play, self.task = name, ""
        else:
            self.task = name
            self.tasks += 1

    def _close_block(self) -> None:
        text = "\n".join(self._block)
        self.failures.append(explain(self._host, self.task, text))
        self._host, self._block = "", []


def _parsed(text: str) -> dict[str, Any]:
    try:
        result = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return result if isinstance(result, dict) else {}


def explain(host: str, task: str, text: str) -> Failure:
    """Return the failure that a task's result *text*, in YAML or JSON, tells of."""
    result = _parsed(text)
    error = result.get("error")
    if isinstance(error, dict) and error.get("what"):
        what, where, hint = (str(error.get(key) or "") for key in ("what", "where", "hint"))
        return Failure(host, task, what, where, hint)
    parts = [str(result[key]).strip() for key in ("msg", "stderr") if result.get(key)]
    return Failure(host, task, "\n".join(parts) or text.strip() or "it did not say why")


def merged(failures: Iterable[Failure]) -> Iterator[tuple[Failure, list[str]]]:
    """Yield each different failure once, with the hosts that it was found on."""
    hosts: dict[Failure, list[str]] = {}
    for failure in failures:
        same = Failure("", failure.task, failure.what, failure.where, failure.hint)
        hosts.setdefault(same, []).append(failure.host)
    yield from hosts.items()


def elapsed(seconds: float) -> str:
    """Return a duration as people say it: ``0:07`` or ``12:34`` (minutes and seconds)."""
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def shortened(text: str, width: int) -> str:
    """Return *text* in at most *width* columns."""
    return text if len(text) <= width else text[: max(width - 3, 0)] + "..."
