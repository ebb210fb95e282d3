# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what can be told about roles' inputs before a host is touched."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19 has no trust to ask for

    def trust_as_template(value: str) -> str:
        return value


# Similar enough to be a slip of the keyboard, different enough from a name of one's own.
_SIMILARITY = 0.86
# Stands for a value that a later task will provide.
UNKNOWN_YET = object()


@dataclass(frozen=True)
class Role:
    """What a role says about its inputs.

    :param options: its options by name, as in its argument specification.
    :param defaults: its default values, untemplated.
    :param internals: its own variables, untemplated; nobody may set them.
    :param listens: options that hold a TCP port it listens on.
    :param rules: its rules, as in ``meta/rules.yml``.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    internals: Mapping[str, Any] = field(default_factory=dict)
    listens: Sequence[str] = ()
    rules: Sequence[Mapping[str, Any]] = ()


# The C loader is ten times faster; which one there is depends on how PyYAML was built.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@functools.cache
def _yaml(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    return yaml.load(path.read_text(), Loader=_Loader) or {}  # noqa: S506 - a safe loader


def load_defaults(path: Path) -> dict[str, Any]:
    """Return the default values of the role at *path*, untemplated."""
    return _yaml(path / "defaults" / "main.yml")


def load_role(path: Path) -> Role:
    """Read the role at *path*."""
    specs = _yaml(path / "meta" / "argument_specs.yml").get("argument_specs", {})
    options: dict[str, Any] = {}
    for entry_point in specs.values():
        for name, option in (entry_point.get("options") or {}).items():
            options.setdefault(name, option)
    rules = _yaml(path / "meta" / "rules.yml")
    return Role(
        path.name,
        options,
        load_defaults(path),
        _yaml(path / "vars" / "main.yml"),
        rules.get("listens", ()),
        rules.get("rules", ()),
    )


def near_misses(names: Iterable[str], roles: Sequence[Role]) -> dict[str, str]:
    """Return those of *names* that look like a misspelt option, each with that option.

    :param names: the variables that a user has set.
    :param roles: all roles of the collection, so that no role's option passes for a slip.
    """
    known = {option for role in roles for option in role.options}
    prefixes = tuple(f"{role.name}_" for role in roles)
    result = {}
    for name in names:
        if name in known or name.startswith(("_", "ansible_")):
            continue
        found = difflib.get_close_matches(name, known, n=1, cutoff=_SIMILARITY)
        if found and (name.startswith(prefixes) or found[0].startswith(prefixes)):
            result[name] = found[0]
    return result


def unknown(names: Iterable[str], roles: Sequence[Role]) -> list[str]:
    """Return those of *names* that begin like an option of *roles*, and are none and no output."""
    known = {option for role in roles for option in role.options}
    prefixes = tuple(f"{role.name}_" for role in roles)
    return sorted(
        name
        for name in names
        if name not in known and name.startswith(prefixes) and not name.endswith("_service_record")
    )


def holds_secret(option: Mapping[str, Any]) -> bool:
    """Return whether *option* of an argument specification, or one below it, is a secret."""
    below = (option.get("options") or {}).values()
    return bool(option.get("no_log")) or any(holds_secret(item) for item in below)


def ports(values: Mapping[str, Any]) -> dict[str, int]:
    """Return the TCP ports of *values* by their options; 0 is a port of nobody's.

    An option that holds several ports has each of them under its name and place: ``x_ports[1]``.
    """
    single = {}
    for option, value in values.items():
        if isinstance(value, (list, tuple)):
            single.update({f"{option}[{place}]": port for place, port in enumerate(value)})
        else:
            single[option] = value
    numbers = {option: str(value) for option, value in single.items()}
    return {option: int(text) for option, text in numbers.items() if text.isdecimal() and int(text)}


def overlaps(ports: Mapping[str, int]) -> list[tuple[int, list[str]]]:
    """Return each port that more than one option claims, with those options.

    :param ports: TCP port by the option that holds it.
    """
    claims: dict[int, list[str]] = {}
    for option, port in sorted(ports.items()):
        claims.setdefault(port, []).append(option)
    return [(port, options) for port, options in sorted(claims.items()) if len(options) > 1]


class Inputs:
    """The values that the roles would see on one host."""

    def __init__(self, templar: Any, roles: Sequence[Role], variables: Mapping[str, Any]) -> None:
        self._given = variables
        self._variables: dict[str, Any] = {}
        for values in (
            *(_trusted(role.defaults) for role in roles),
            variables,
            *(_trusted(role.internals) for role in roles),
        ):
            self._variables.update(values)
        self._templar = templar.copy_with_new_env(available_variables=self._variables)

    def is_plain_default(self, name: str) -> bool:
        """Tell whether nobody has set the option, and its default needs no evaluation."""
        return name not in self._given and "{{" not in str(self._variables.get(name, "{{"))

    def value(self, name: str) -> Any:
        """Return the option's value, or UNKNOWN_YET where it comes from a later task."""
        if name not in self._variables:
            return UNKNOWN_YET
        try:
            return self._templar.template(self._variables[name])
        except AnsibleError:
            # Undefined, or a lookup that can't answer before the deployment has begun; its role
            # asks it again.
            return UNKNOWN_YET

    def known(self, names: Sequence[str]) -> bool:
        """Return whether each of the options has its value already."""
        return all(self.value(name) is not UNKNOWN_YET for name in names)

    def text(self, template: str) -> str:
        """Return the template's text."""
        return str(self._templar.template(trust_as_template(template)))

    def holds(self, expression: str) -> bool:
        """Return whether the Jinja expression is true."""
        template = trust_as_template("{{ true if (" + expression + ") else false }}")
        return bool(self._templar.template(template))


def _trusted(value: Any) -> Any:
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, list):
        return [_trusted(item) for item in value]
    if isinstance(value, dict):
        return {key: _trusted(item) for key, item in value.items()}
    return value
