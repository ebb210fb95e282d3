# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._vault.cluster import (
    Situation,
    Step,
    decide,
    problem,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.journal import Journal
from ansible_collections.mcp.platform.plugins.module_utils._vault.members import Member

HOSTS = ["https://node1", "https://node2", "https://node3"]
EMPTY = tuple(Member(host, reachable=True) for host in HOSTS)
ALIVE = tuple(
    Member(
        host,
        reachable=True,
        initialized=True,
        sealed=False,
        active=host == HOSTS[0],
        cluster_id="c",
    )
    for host in HOSTS
)
CLEAN = tuple(Journal(host) for host in HOSTS)


def _situation(members: tuple[Member, ...], *journals: Journal, **more: object) -> Situation:
    """Return a situation in which all journals were read; those not given are empty."""
    given_hosts = {journal.host: journal for journal in journals}
    evidence = tuple(given_hosts.get(host, Journal(host)) for host in HOSTS)
    return replace(
        Situation("lab", members, evidence[0], evidence),
        **more,  # type: ignore[arg-type]
    )


def _refused(situation: Situation, words: str) -> PlatformError:
    with pytest.raises(PlatformError, match=words) as caught:
        decide(situation)
    return caught.value


def test_bare_hosts_are_initialised() -> None:
    assert decide(_situation(EMPTY)) is Step.INITIALISE


def test_an_intent_without_a_vault_is_initialised_again() -> None:
    assert decide(_situation(EMPTY, Journal(HOSTS[0], intent="lab"))) is Step.INITIALISE


def test_evidence_is_not_needed_to_initialise() -> None:
    assert decide(Situation("lab", EMPTY, CLEAN[0])) is Step.INITIALISE


def test_nothing_is_initialised_while_a_member_is_silent() -> None:
    members = (*EMPTY[:2], Member(HOSTS[2], error="refused"))
    assert _refused(_situation(members), "not every member answers").where == HOSTS[2]


def test_a_vault_that_was_lost_is_not_replaced() -> None:
    _refused(_situation(EMPTY, known="abc"), "its data is gone")
    error = _refused(_situation(EMPTY, Journal(HOSTS[1], done="lab")), "its data is gone")
    assert error.where == HOSTS[1]
    assert "break_glass" in error.hint


def test_a_lying_reply_is_returned_again() -> None:
    reply = Journal(HOSTS[0], intent="lab", reply="abc")
    assert decide(_situation(ALIVE, reply)) is Step.RETURN_REPLY
    assert decide(_situation(EMPTY, reply)) is Step.RETURN_REPLY


def test_a_reply_on_another_host_is_named() -> None:
    assert (
        _refused(_situation(ALIVE, Journal(HOSTS[2], reply="abc")), "another host").where
        == HOSTS[2]
    )


def test_a_reply_that_the_state_holds() -> None:
    for host in (HOSTS[0], HOSTS[2]):
        assert decide(_situation(ALIVE, Journal(host, reply="abc"), known="abc")) is Step.CONTINUE


def test_a_reply_that_is_not_the_states() -> None:
    _refused(
        _situation(ALIVE, Journal(HOSTS[1], reply="xyz"), known="abc"), "not the one in the state"
    )


def test_a_known_vault_goes_on() -> None:
    assert decide(_situation(ALIVE, known="abc")) is Step.CONTINUE
    assert decide(_situation(ALIVE, credentials=True)) is Step.CONTINUE


def test_an_unknown_vault_is_refused() -> None:
    error = _refused(_situation(ALIVE), "initialised but unknown to the state")
    assert "break_glass" in error.hint
    assert HOSTS[0] in error.where


def test_a_host_of_another_platform_is_refused() -> None:
    _refused(_situation(EMPTY, Journal(HOSTS[1], intent="other")), "belongs to the platform other")
    _refused(_situation(ALIVE, Journal(HOSTS[2], done="other"), known="abc"), "belongs to")


def test_an_interrupted_initialisation_is_wiped() -> None:
    assert decide(_situation(ALIVE, Journal(HOSTS[0], intent="lab"))) is Step.WIPE
    half = (replace(ALIVE[0], sealed=True), *EMPTY[1:])
    assert decide(_situation(half, Journal(HOSTS[1], intent="lab"))) is Step.WIPE


@pytest.mark.parametrize(
    "change",
    [
        {"members": (*ALIVE[:2], Member(HOSTS[2], error="refused"))},
        {"evidence": CLEAN[:2]},
        {"evidence": ()},
        {"evidence": (*CLEAN[:2], Journal(HOSTS[2], done="lab"))},
        {"own": Journal(HOSTS[0]), "evidence": CLEAN},
    ],
)
def test_every_missing_condition_keeps_the_data(change: dict[str, object]) -> None:
    situation = _situation(ALIVE, Journal(HOSTS[0], intent="lab"))
    assert decide(situation) is Step.WIPE
    _refused(replace(situation, **change), "unknown to the state")  # type: ignore[arg-type]


def test_the_hint_of_an_interrupted_initialisation() -> None:
    situation = replace(_situation(ALIVE, Journal(HOSTS[0], intent="lab")), evidence=())
    assert "interrupted" in _refused(situation, "unknown").hint


def test_the_own_journal_is_newer_than_its_copy() -> None:
    situation = replace(_situation(ALIVE), own=Journal(HOSTS[0], reply="abc"))
    assert decide(situation) is Step.RETURN_REPLY


_NAMES = st.sampled_from(["", "", "lab", "other"])
_JOURNALS = st.tuples(
    *(
        st.builds(Journal, st.just(host), _NAMES, st.sampled_from(["", "", "abc"]), _NAMES)
        for host in HOSTS
    )
)
_MEMBERS = st.tuples(
    *(
        st.builds(Member, st.just(host), reachable=st.booleans(), initialized=st.booleans())
        for host in HOSTS
    )
)


@given(
    members=_MEMBERS,
    journals=_JOURNALS,
    read=st.integers(0, 3),
    known=st.sampled_from(["", "", "abc", "xyz"]),
    credentials=st.booleans(),
)
def test_nothing_is_lost_whatever_the_situation(
    members: tuple[Member, ...],
    journals: tuple[Journal, ...],
    read: int,
    known: str,
    credentials: bool,
) -> None:
    """A wipe or an initialisation happens only under the rule's conditions, all of them."""
    situation = Situation("lab", members, journals[0], journals[:read], known, credentials)
    try:
        step = decide(situation)
    except PlatformError:
        return
    seen = situation.journals
    assert all(owner in {"", "lab"} for item in seen for owner in (item.intent, item.done))
    if step in {Step.WIPE, Step.INITIALISE}:
        assert all(member.reachable for member in members)
        assert not any(item.reply or item.done for item in seen)
        assert not known
    if step is Step.WIPE:
        assert len(situation.evidence) == len(members)
        assert any(item.intent == "lab" for item in seen)
        assert not credentials
    if step is Step.INITIALISE:
        assert not any(member.initialized for member in members)
    if step is Step.CONTINUE:
        assert known or credentials


def test_a_working_cluster() -> None:
    assert problem(ALIVE) == ""


def test_what_keeps_a_cluster_from_working() -> None:
    silent = Member(HOSTS[2], error="refused")
    assert "does not answer (refused)" in problem((*ALIVE[:2], silent))
    assert "has not joined" in problem((*ALIVE[:2], EMPTY[2]))
    assert "is sealed" in problem((*ALIVE[:2], replace(ALIVE[2], sealed=True)))
    assert "different clusters: c, d" in problem((*ALIVE[:2], replace(ALIVE[2], cluster_id="d")))
    assert (
        problem(tuple(replace(member, active=False) for member in ALIVE)) == "no member is active"
    )
