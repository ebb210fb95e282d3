# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: users of a Redis server, compared by what their rules mean.

Rules are read from left to right, as the server does. What they allow is worked out with the
server's own list of commands and categories, so two texts that allow the same are the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import HIDDEN, Change

_HASH = re.compile(r"^[0-9a-f]{64}$")
_PATTERN = re.compile(r"^%([RWrw]{1,2})~(.*)$")
_ALIASES = {
    "allkeys": "~*",
    "allchannels": "&*",
    "allcommands": "+@all",
    "nocommands": "-@all",
}
_ELSEWHERE = {
    "on": "enabled",
    "off": "enabled",
    "nopass": "nopass",
    "resetpass": "passwords",
    "reset": "rules",
    "clearselectors": "rules",
}
# What the module itself needs at its next run, to change users and to see that they are right.
NEEDED = frozenset({"acl|cat", "acl|list", "acl|setuser", "acl|deluser", "acl|whoami"})


@dataclass(frozen=True)
class Commands:
    """The server's commands: leaves (subcommands instead of their containers) by category."""

    categories: Mapping[str, frozenset[str]]

    @cached_property
    def all(self) -> frozenset[str]:
        """Return every command."""
        return frozenset().union(*self.categories.values())

    def leaves(self, name: str) -> frozenset[str]:
        """Return the command of that *name*, or its subcommands; empty where there is none."""
        below = frozenset(leaf for leaf in self.all if leaf.startswith(f"{name}|"))
        return below or (frozenset({name}) & self.all)


def commands_from(categories: Mapping[str, Iterable[str]]) -> Commands:
    """Return the commands of the replies to ACL CAT."""
    named = {name: {member.lower() for member in found} for name, found in categories.items()}
    everything = set().union(*named.values())
    containers = {leaf.split("|", 1)[0] for leaf in everything if "|" in leaf}
    return Commands({name: frozenset(found - containers) for name, found in named.items()})


@dataclass(frozen=True)
class Permission:
    """What one selector, or the user itself, allows.

    :param commands: leaves; a command limited to a first argument as ``select|0``.
    :param future: whether commands that a module brings later are allowed.
    :param keys: patterns with the letters R and W.
    """

    commands: frozenset[str] = frozenset()
    future: bool = False
    keys: frozenset[tuple[str, str]] = frozenset()
    channels: frozenset[str] = frozenset()


@dataclass(frozen=True)
class User:
    """A user as it is, or as it shall be.

    :param passwords: their SHA-256 in hexadecimal; None leaves alone what is there.
    :param rules: the text that the permissions were read from.
    """

    name: str
    enabled: bool = True
    nopass: bool = False
    passwords: frozenset[str] | None = field(default=frozenset(), repr=False)
    unchecked: bool = False
    permission: Permission = Permission()
    selectors: frozenset[Permission] = frozenset()
    rules: tuple[str, ...] = ()

    @property
    def meaning(self) -> tuple[Any, ...]:
        """Return what is compared, passwords left aside."""
        return (self.enabled, self.nopass, self.unchecked, self.permission, self.selectors)


def password_hash(password: str) -> str:
    """Return the form that the server stores; ``#`` and a hash are taken for what they are."""
    if password.startswith("#") and _HASH.match(password[1:].lower()):
        return password[1:].lower()
    return hashlib.sha256(password.encode()).hexdigest()


def words(text: str) -> list[str]:
    """Return the rules of *text*: words, and selectors with all that is between their brackets.

    :raises PlatformError: when a bracket is not closed.
    """
    found: list[str] = []
    depth = 0
    for word in text.split():
        if depth:
            found[-1] += f" {word}"
        else:
            found.append(word)
        # A bracket inside a key pattern is not one of ours.
        opens = word.startswith("(") and not depth
        depth += int(opens)
        depth -= int(bool(depth) and word.endswith(")"))
    if depth:
        raise PlatformError(
            f"a selector is not closed: {found[-1]}", where="rules", hint="end it with )"
        )
    return found


class _Reader:
    """Reads rules from left to right into a permission."""

    def __init__(self, commands: Commands, where: str) -> None:
        self._commands = commands
        self._where = where
        self.allowed: set[str] = set()
        self.future = False
        self.keys: dict[str, set[str]] = {}
        self.channels: set[str] = set()

    def refuse(self, rule: str, why: str, hint: str) -> PlatformError:
        return PlatformError(f"the rule {rule!r} {why}", where=self._where, hint=hint)

    def read(self, rule: str) -> None:
        """Take one rule in."""
        rule = _ALIASES.get(rule.lower(), rule)
        granted = _PATTERN.match(rule)
        if granted:
            self.keys.setdefault(granted[2], set()).update(granted[1].upper())
        elif rule.startswith("~"):
            self.keys.setdefault(rule[1:], set()).update("RW")
        elif rule.startswith("&"):
            self.channels.add(rule[1:])
        elif rule.lower() == "resetkeys":
            self.keys.clear()
        elif rule.lower() == "resetchannels":
            self.channels.clear()
        elif rule[:1] in ("+", "-") and len(rule) > 1:
            self._command(rule, rule[1:].lower(), allow=rule[0] == "+")
        else:
            raise self.refuse(rule, "is none of Redis", "see the ACL pages of Redis' manual")

    def _command(self, rule: str, name: str, *, allow: bool) -> None:
        if name == "@all":
            self.future = allow
            self.allowed = set(self._commands.all) if allow else set()
            return
        leaves = self._leaves(rule, name, allow=allow)
        if allow:
            self.allowed |= leaves
        else:
            self.allowed -= leaves
        # The command as a whole says more than one limited to a first argument.
        if "|" not in name:
            self.allowed -= {one for one in self.allowed if self._is_limited(one, leaves)}

    def _leaves(self, rule: str, name: str, *, allow: bool) -> frozenset[str]:
        if name.startswith("@"):
            if name[1:] not in self._commands.categories:
                raise self.refuse(rule, "names a category that the server does not have", "ACL CAT")
            return self._commands.categories[name[1:]]
        leaves = self._commands.leaves(name)
        container, _bar, argument = name.partition("|")
        if not leaves and argument and allow and container in self._commands.all:
            return frozenset() if container in self.allowed else frozenset({name})
        if not leaves:
            raise self.refuse(
                rule, "names a command that the server does not have", "see COMMAND LIST"
            )
        return leaves

    def _is_limited(self, allowed: str, leaves: Collection[str]) -> bool:
        return allowed not in self._commands.all and allowed.split("|", 1)[0] in leaves

    def permission(self) -> Permission:
        """Return what was read; a pattern for everything swallows the others."""
        keys = {(pattern, "".join(sorted(how))) for pattern, how in self.keys.items()}
        if ("*", "RW") in keys:
            keys = {("*", "RW")}
        channels = {"*"} if "*" in self.channels else self.channels
        return Permission(
            frozenset(self.allowed), self.future, frozenset(keys), frozenset(channels)
        )


def permission(rules: Iterable[str], commands: Commands, where: str) -> Permission:
    """Return what *rules* allow to a user that was allowed nothing.

    :raises PlatformError: for a rule that the server would refuse.
    """
    reader = _Reader(commands, where)
    for rule in rules:
        reader.read(rule)
    return reader.permission()


def _with_rules(user: User, rules: Sequence[str], commands: Commands) -> User:
    where = f"user {user.name}"
    own: list[str] = []
    selectors: list[Permission] = []
    unchecked = False
    for rule in rules:
        if rule.startswith("("):
            selectors.append(permission(rule.strip("()").split(), commands, where))
        elif rule.lower() in ("sanitize-payload", "skip-sanitize-payload"):
            unchecked = rule.lower().startswith("skip")
        else:
            own.append(rule)
    return replace(
        user,
        unchecked=unchecked,
        permission=permission(own, commands, where),
        selectors=frozenset(selectors),
        rules=tuple(rules),
    )


def user_from_line(line: str, commands: Commands) -> User:
    """Return the user of one line of the reply to ACL LIST."""
    _user, name, *rest = words(line)
    user = User(name, enabled=False)
    hashes: set[str] = set()
    rules = []
    for word in rest:
        if word in ("on", "off"):
            user = replace(user, enabled=word == "on")
        elif word == "nopass":
            user = replace(user, nopass=True)
        elif word.startswith("#"):
            hashes.add(word[1:])
        else:
            rules.append(word)
    return _with_rules(replace(user, passwords=frozenset(hashes)), rules, commands)


def desired_user(options: Mapping[str, Any], commands: Commands) -> User:
    """Return the user that one entry of the option ``users`` describes.

    :raises PlatformError: when Redis would refuse it.
    """
    name = str(options["name"])
    if not name or any(sign.isspace() or sign == "\0" for sign in name):
        raise PlatformError(f"the name {name!r} has a space in it", where="users")
    rules = [word for rule in options.get("rules") or () for word in words(rule)]
    for rule in rules:
        if rule.lower() in _ELSEWHERE or rule[:1] in (">", "<", "#", "!"):
            shown = rule[0] + "…" if rule[:1] in (">", "<", "#", "!") else rule
            raise PlatformError(
                f"the rule {shown} does not belong into the rules of {name}",
                where="rules",
                hint=f"use the option {_ELSEWHERE.get(rule.lower(), 'passwords')}; "
                "rules start from a user that may do nothing",
            )
    passwords = options.get("passwords")
    nopass = bool(options.get("nopass"))
    if passwords and nopass:
        raise PlatformError(
            f"{name} has passwords and needs none", where="nopass", hint="give one of them only"
        )
    hashes = None if passwords is None else frozenset(password_hash(word) for word in passwords)
    user = User(name, bool(options.get("enabled", True)), nopass, frozenset() if nopass else hashes)
    return _with_rules(user, rules, commands)


def target(current: User | None, desired: User) -> User:
    """Return the state that *desired* leads to: passwords that are not given stay."""
    if desired.passwords is not None:
        return desired
    return replace(desired, passwords=current.passwords if current else frozenset())


def is_reached(current: User | None, wanted: User) -> bool:
    """Return whether *current* means the same as *wanted*."""
    return (
        current is not None
        and current.meaning == wanted.meaning
        and current.passwords == wanted.passwords
    )


def setuser(user: User) -> list[str]:
    """Return the words of ACL SETUSER that make exactly this user, in one stroke."""
    # The server's reset leaves the sanitising flag and nothing else to be said.
    return [
        "reset",
        "on" if user.enabled else "off",
        *(["nopass"] if user.nopass else []),
        *(f"#{one}" for one in sorted(user.passwords or ())),
        "resetchannels",
        *user.rules,
    ]


def _shown(user: User, hide_as: str) -> dict[str, Any]:
    return {
        "enabled": user.enabled,
        "nopass": user.nopass,
        "passwords": [hide_as for _one in user.passwords or ()],
        "rules": list(user.rules),
    }


@dataclass(frozen=True)
class Step:
    """One command that changes one user; *words* hold password hashes and are not shown."""

    change: Change
    words: tuple[str, ...] = field(repr=False)


def _step(current: User | None, wanted: User) -> Step:
    known = (current.passwords if current else None) or frozenset()
    new = HIDDEN if wanted.passwords == known else f"{HIDDEN} (new)"
    change = Change(
        "update" if current else "create",
        f"user {wanted.name}",
        _shown(current, HIDDEN) if current else None,
        _shown(wanted, new),
    )
    return Step(change, ("ACL", "SETUSER", wanted.name, *setuser(wanted)))


def unlisted(
    current: Iterable[str], desired: Iterable[str], protected: Collection[str]
) -> list[str]:
    """Return the users that nobody speaks for: neither listed nor protected."""
    listed = {*desired, *protected}
    return sorted(name for name in current if name not in listed)


def plan(
    current: Mapping[str, User],
    desired: Sequence[User],
    absent: Collection[str] = (),
    *,
    exclusive: bool = False,
    protected: Collection[str] = (),
) -> tuple[Step, ...]:
    """Return the steps from the *current* users to the *desired* ones.

    :param exclusive: remove what :func:`unlisted` names.
    """
    names = [user.name for user in desired] + list(absent)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PlatformError(f"listed twice: {', '.join(twice)}", where="users")
    if "default" in absent:
        raise PlatformError(
            "the user default cannot be removed",
            where="users",
            hint="list it with enabled false and without rules",
        )
    steps = []
    for user in desired:
        found = current.get(user.name)
        wanted = target(found, user)
        if not is_reached(found, wanted):
            steps.append(_step(found, wanted))
    gone = set(absent) & set(current)
    if exclusive:
        gone |= set(unlisted(current, names, {*protected, "default"}))
    for name in sorted(gone):
        change = Change("delete", f"user {name}", _shown(current[name], HIDDEN), None)
        steps.append(Step(change, ("ACL", "DELUSER", name)))
    return tuple(steps)


def refuse_lockout(
    steps: Iterable[Step], desired: Iterable[User], own: str, password: str | None
) -> None:
    """Refuse to take from the user that is logged in what the next run needs.

    :param own: name of that user.
    :raises PlatformError: when it would be removed, disabled, or lose its password or its rights.
    """
    touched = {step.words[2] for step in steps}
    if own not in touched:
        return
    wanted = next((user for user in desired if user.name == own), None)
    if wanted is None:
        lost = "would be removed"
    elif not wanted.enabled:
        lost = "would be switched off"
    elif not wanted.nopass and not _opens(wanted, password):
        lost = "would lose the password that it is logged in with"
    elif not wanted.permission.commands >= NEEDED:
        lost = f"would lose {', '.join(sorted(NEEDED - wanted.permission.commands))}"
    else:
        return
    raise PlatformError(
        f"the user {own}, which this module is logged in as, {lost}",
        where="users",
        hint="log in as another administrator for that; for a new password list the old and the "
        "new one first, and the new one alone in a second run that logs in with it",
    )


def _opens(user: User, password: str | None) -> bool:
    if user.passwords is None or password is None:
        return True
    return password_hash(password) in user.passwords
