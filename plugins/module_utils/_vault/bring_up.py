# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: brings a vault cluster to life, once, and keeps it unsealed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import Change
from .client import (
    Connection,
    SealedError,
    Transport,
    UnavailableError,
    Vault,
    connection_from,
    log_in,
)
from .cluster import Situation, Step, decide, problem
from .journal import Init, Journal, JournalFiles, init_from, journal_from
from .members import Member, read_member, unseal

# A member that does not even accept a connection must not hold up the others.
_PROBE_TIMEOUT = 5
_POLL = 0.5


@dataclass(frozen=True)
class Desired:
    """The cluster as it should be.

    :param connection: the API of the member on this host.
    :param addresses: URLs of all members.
    :param known: digest of the reply in the controller's state, empty when it has none.
    :param wait: seconds to wait for the members; 0: not at all.
    """

    connection: Connection
    addresses: tuple[str, ...]
    platform: str
    seal: str = "static"
    shares: int = 5
    threshold: int = 3
    unseal_keys: tuple[str, ...] = field(default=(), repr=False)
    known: str = ""
    acknowledge: bool = False
    evidence: tuple[Journal, ...] = ()
    wait: int = 60


@dataclass(frozen=True)
class Result:
    """What was done, or in check mode would be."""

    changes: tuple[Change, ...]
    members: tuple[Member, ...]
    init: Init | None = None
    wipe_required: bool = False


def desired_from(params: Mapping[str, Any]) -> Desired:
    """Return what the module's options describe.

    :raises PlatformError: when the options contradict each other.
    """
    if not 1 <= params["threshold"] <= params["shares"]:
        raise PlatformError(
            f"{params['threshold']} of {params['shares']} keys is impossible",
            where="threshold",
            hint="ask for at least one key and at most as many as there are",
        )
    if params["acknowledge"] and not params.get("state_digest"):
        raise PlatformError(
            "nothing to acknowledge: the state holds no reply",
            where="acknowledge",
            hint="set state_digest to the digest that came with the reply",
        )
    connection = connection_from(params)
    members = tuple(address.rstrip("/") for address in params["members"])
    return Desired(
        connection=connection,
        addresses=members or (connection.address,),
        platform=params["platform"],
        seal=params["seal"],
        shares=params["shares"],
        threshold=params["threshold"],
        unseal_keys=tuple(params["unseal_keys"]),
        known=params.get("state_digest") or "",
        acknowledge=params["acknowledge"],
        evidence=tuple(journal_from(item) for item in params["evidence"]),
        wait=params["wait"],
    )


class Cluster:
    """A cluster that is being brought up; the clock and the transport can be replaced in tests."""

    def __init__(
        self,
        desired: Desired,
        files: JournalFiles,
        make: Callable[[Connection], Transport],
        *,
        check_mode: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._desired = desired
        self._files = files
        self._make = make
        self._check_mode = check_mode
        self._clock = clock
        self._sleep = sleep
        self._deadline = clock() + desired.wait
        self._changes: list[Change] = []
        self._unsealed: set[str] = set()

    def ensure(self) -> Result:
        """Bring the cluster to its desired state.

        :raises PlatformError: when it can't be, or must not be.
        """
        try:
            members = self._first_look()
        except UnavailableError:
            if not self._check_mode:
                raise
            return self._cold()
        self._check_seal(members)
        members = self._unseal(members, self._desired.unseal_keys)
        step = decide(self._situation(members))
        if step is Step.WIPE:
            return Result(tuple(self._changes), members, wipe_required=True)
        if self._desired.acknowledge:
            self._acknowledge()
        init = self._reply(step)
        keys = init.unseal_keys if init else self._desired.unseal_keys
        members = self._settle(members, keys)
        return Result(tuple(self._changes), members, init)

    def _probe(self, address: str) -> Member:
        connection = self._desired.connection
        timeout = min(connection.timeout, _PROBE_TIMEOUT)
        return read_member(replace(connection, address=address, timeout=timeout), self._make)

    def _look(self) -> tuple[Member, ...]:
        return tuple(self._probe(address) for address in self._desired.addresses)

    def _waited(self) -> bool:
        """Wait a moment; return whether the time is up instead."""
        if self._clock() >= self._deadline:
            return True
        self._sleep(_POLL)
        return False

    def _first_look(self) -> tuple[Member, ...]:
        """Return all members as soon as the one on this host answers."""
        while True:
            own = self._probe(self._desired.connection.address)
            if own.reachable:
                return self._look()
            if self._check_mode or self._waited():
                raise UnavailableError(
                    f"no vault answers: {own.error}",
                    where=own.address,
                    hint="start it; its log says why it does not run",
                )

    def _check_seal(self, members: tuple[Member, ...]) -> None:
        for member in members:
            if member.seal_type and member.seal_type != self._desired.seal:
                raise PlatformError(
                    f"the server's seal is {member.seal_type}, not {self._desired.seal}",
                    where=member.address,
                    hint="make the option seal and the server's configuration agree",
                )

    def _cold(self) -> Result:
        """Return the plan for a host on which the same run would bring up the vault first."""
        journal = self._files.read()
        if not (self._desired.known or journal.done or journal.reply):
            self._changes.append(self._created())
        if self._desired.acknowledge:
            self._acknowledge()
        return Result(tuple(self._changes), ())

    def _created(self) -> Change:
        desired = self._desired
        shown = {"seal": desired.seal, "shares": desired.shares, "threshold": desired.threshold}
        return Change("initialise", f"vault of {desired.platform}", after=shown)

    def _situation(self, members: tuple[Member, ...]) -> Situation:
        if self._check_mode:
            # The same run would start the others before it comes to this task.
            members = tuple(member for member in members if member.reachable)
        situation = Situation(
            platform=self._desired.platform,
            members=members,
            own=self._files.read(),
            evidence=self._desired.evidence,
            known=self._desired.known,
        )
        if situation.initialized and not situation.known and not situation.own.reply:
            return replace(situation, credentials=self._can_enter())
        return situation

    def _can_enter(self) -> bool:
        """Return whether the operator's credentials are this vault's."""
        connection = self._desired.connection
        if not (connection.token or (connection.role_id and connection.secret_id)):
            return False
        while True:
            try:
                vault = log_in(connection, self._make(connection))
                vault.read("auth/token/lookup-self")
            except (SealedError, UnavailableError):
                if self._waited():
                    raise
            except PlatformError:
                return False
            else:
                return True

    def _reply(self, step: Step) -> Init | None:
        if step is Step.RETURN_REPLY:
            return self._files.reply()
        if step is not Step.INITIALISE:
            return None
        self._changes.append(self._created())
        return None if self._check_mode else self._initialise()

    def _initialise(self) -> Init:
        desired = self._desired
        vault = Vault(self._make(desired.connection), desired.connection.address)
        kind = "secret" if desired.seal == "shamir" else "recovery"
        self._files.write_intent(desired.platform)
        reply = vault.request(
            "PUT",
            "sys/init",
            {f"{kind}_shares": desired.shares, f"{kind}_threshold": desired.threshold},
        )
        init = init_from(
            {
                "root_token": reply.body["root_token"],
                "unseal_keys": reply.body.get("keys_base64") or (),
                "recovery_keys": reply.body.get("recovery_keys_base64") or (),
            }
        )
        self._files.write_reply(init)
        return init

    def _acknowledge(self) -> None:
        platform, known = self._desired.platform, self._desired.known
        journal = self._files.read()
        if journal.done == platform and not journal.reply and not journal.intent:
            return
        self._changes.append(Change("record", f"that the state of {platform} holds the keys"))
        if not self._check_mode:
            self._files.acknowledge(platform, known)

    def _unseal(self, members: tuple[Member, ...], keys: tuple[str, ...]) -> tuple[Member, ...]:
        """Give the keys to every member that is sealed by Shamir's scheme, once each."""
        if not keys or self._desired.seal != "shamir":
            return members
        waiting = [
            member
            for member in members
            if member.initialized and member.sealed and member.address not in self._unsealed
        ]
        for member in waiting:
            if not self._check_mode:
                connection = replace(self._desired.connection, address=member.address)
                unseal(self._make(connection), member, keys)
            self._unsealed.add(member.address)
            self._changes.append(Change("unseal", f"member {member.address}"))
        return self._look() if waiting and not self._check_mode else members

    def _settle(self, members: tuple[Member, ...], keys: tuple[str, ...]) -> tuple[Member, ...]:
        """Wait until the members are a working cluster."""
        if self._check_mode or not self._desired.wait:
            return self._unseal(members, keys)
        while True:
            members = self._unseal(members, keys)
            wrong = problem(members)
            if not wrong:
                return members
            if self._waited():
                raise self._not_settled(wrong, members)
            members = self._look()

    def _not_settled(self, wrong: str, members: tuple[Member, ...]) -> PlatformError:
        sealed = any(member.initialized and member.sealed for member in members)
        if sealed and self._desired.seal == "shamir":
            hint = "set unseal_keys to the keys of this platform's state"
        elif sealed:
            hint = (
                f"a vault with the seal {self._desired.seal} unseals itself: the log of its service"
                " on that host says what keeps it from it, most often a seal key that is missing"
                " or another one"
            )
        else:
            hint = "the log of the service on that host says what keeps it from joining"
        return PlatformError(
            f"no working cluster after {self._desired.wait} s: {wrong}",
            where=self._desired.connection.address,
            hint=hint,
        )
