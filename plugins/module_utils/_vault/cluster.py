# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: whether a vault cluster is initialised, goes on, or is begun again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from .._core.errors import PlatformError
from .journal import Journal
from .members import Member

_BREAK_GLASS = "see docs/runbooks/break_glass.md"


class Step(Enum):
    """What comes next."""

    INITIALISE = "initialise"
    RETURN_REPLY = "return the reply that lies here"
    CONTINUE = "continue"
    WIPE = "wipe"


@dataclass(frozen=True)
class Situation:
    """Everything that the decision depends on.

    :param platform: whose cluster it should be.
    :param members: all of them, as they present themselves.
    :param own: the journal of the host that runs this.
    :param evidence: the journals of all members' hosts, as far as they could be read.
    :param known: digest of the reply that the controller's state holds; empty: it holds none.
    :param credentials: whether an operator's login works.
    """

    platform: str
    members: tuple[Member, ...]
    own: Journal
    evidence: tuple[Journal, ...] = ()
    known: str = ""
    credentials: bool = False

    @property
    def journals(self) -> tuple[Journal, ...]:
        """All journals; the own one, read just now, takes the place of its older copy."""
        return (self.own, *(item for item in self.evidence if item.host != self.own.host))

    @property
    def initialized(self) -> bool:
        """Whether any member is."""
        return any(member.initialized for member in self.members)

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The members that do not answer."""
        return tuple(member.address for member in self.members if not member.reachable)

    @property
    def complete(self) -> bool:
        """Whether every member answers and every member's journal was read."""
        hosts = {journal.host for journal in self.evidence}
        return not self.unreachable and len(hosts) >= len(self.members)


def _hosts(journals: Iterable[Journal]) -> str:
    return ", ".join(journal.host for journal in journals)


def _check_owner(situation: Situation) -> None:
    for journal in situation.journals:
        for owner in (journal.intent, journal.done):
            if owner and owner != situation.platform:
                raise PlatformError(
                    f"the vault here belongs to the platform {owner}, not to {situation.platform}",
                    where=journal.host,
                    hint="correct the platform's name, or the list of hosts",
                )


def _on_reply(situation: Situation) -> Step | None:
    """Return the step where a reply lies somewhere, None where none does."""
    holders = [journal for journal in situation.journals if journal.reply]
    if not holders:
        return None
    replies = {journal.reply for journal in holders}
    if situation.known:
        if replies != {situation.known}:
            raise PlatformError(
                "the reply to an initialisation lies there that is not the one in the state",
                where=_hosts(holders),
                hint=f"keep both, and find out whose it is; {_BREAK_GLASS}",
            )
        return Step.CONTINUE
    if situation.own.reply:
        return Step.RETURN_REPLY
    raise PlatformError(
        "the reply to the vault's initialisation lies on another host",
        where=_hosts(holders),
        hint="run this task on that host: the state must get the reply first",
    )


def _on_empty(situation: Situation) -> Step:
    done = [journal for journal in situation.journals if journal.done]
    if situation.known or done:
        raise PlatformError(
            "no member is initialised, but this platform had a vault: its data is gone",
            where=_hosts(done) or "the controller's state",
            hint=f"restore a snapshot; {_BREAK_GLASS}",
        )
    if situation.unreachable:
        raise PlatformError(
            "not every member answers; one that does not may hold an initialised vault",
            where=", ".join(situation.unreachable),
            hint="start the vault on every host, or correct the list of members",
        )
    return Step.INITIALISE


def _on_unknown(situation: Situation) -> Step:
    """Return the step for an initialised vault that nobody can enter."""
    done = [journal for journal in situation.journals if journal.done]
    begun = [journal for journal in situation.journals if journal.intent]
    if begun and not done and situation.complete:
        # Killed between sys/init and the file that would hold its reply: nobody has ever had
        # the keys, so nothing can have been stored.
        return Step.WIPE
    if begun and not done:
        hint = "its initialisation was interrupted; run again when every member answers"
    else:
        hint = f"bring the platform's state, or set role_id and secret_id; {_BREAK_GLASS}"
    raise PlatformError(
        "the vault is initialised but unknown to the state",
        where=", ".join(m.address for m in situation.members if m.initialized),
        hint=hint,
    )


def decide(situation: Situation) -> Step:
    """Return what comes next.

    A vault is wiped only when all members answer, all their hosts' journals were read, the intent
    of this platform is there, and neither a reply nor a done file is on any host.

    :raises PlatformError: when going on could lose or take over somebody's vault.
    """
    _check_owner(situation)
    step = _on_reply(situation)
    if step is not None:
        return step
    if not situation.initialized:
        return _on_empty(situation)
    if situation.known or situation.credentials:
        return Step.CONTINUE
    return _on_unknown(situation)


def problem(members: Iterable[Member]) -> str:
    """Return why the members are no working cluster yet, empty when they are one."""
    members = tuple(members)
    waiting = [member.described() for member in members if not member.serving]
    if waiting:
        return "; ".join(waiting)
    clusters = sorted({member.cluster_id for member in members})
    if len(clusters) > 1:
        return f"the members belong to different clusters: {', '.join(clusters)}"
    if not any(member.active for member in members):
        return "no member is active"
    return ""
