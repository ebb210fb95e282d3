# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    Connection,
    Reply,
    UnavailableError,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.members import (
    Member,
    raft_peers,
    read_member,
    unseal,
)

ADDRESS = "https://node1:8200"


class Answers:
    """Answers by path."""

    def __init__(self, **replies: Reply) -> None:
        self.replies = replies

    def authenticate(self, token: str) -> None:
        """Nobody asks."""

    def __call__(self, method: str, path: str, document: Any) -> Reply:
        name = path.rsplit("/", 1)[1].replace("-", "_")
        if name not in self.replies:
            raise UnavailableError("no vault answers: refused")
        return self.replies[name]


SEAL = {
    "type": "static",
    "initialized": True,
    "sealed": False,
    "t": 3,
    "version": "2.7.2",
    "cluster_id": "c",
}


@pytest.mark.parametrize(("health", "active"), [(200, True), (429, False), (473, False)])
def test_a_member_in_service(health: int, active: bool) -> None:
    answers = Answers(seal_status=Reply(200, SEAL), health=Reply(health))
    member = read_member(Connection(ADDRESS), lambda _: answers)
    assert member == Member(ADDRESS, True, True, False, active, "2.7.2", "c", "static", 3)
    assert member.as_dict()["standby"] is not active
    assert member.described() == f"{ADDRESS} is unsealed"


def test_a_silent_member_is_reported() -> None:
    member = read_member(Connection(ADDRESS), lambda _: Answers())
    assert not member.reachable
    assert member.as_dict()["standby"] is False
    assert member.error == "no vault answers: refused"


def test_something_else_that_answers() -> None:
    answers = Answers(seal_status=Reply(404), health=Reply(404))
    member = read_member(Connection(ADDRESS), lambda _: answers)
    assert not member.reachable
    assert "status 404" in member.error


def test_rafts_members(fake_vault: Any) -> None:
    server = {"node_id": "node1", "address": "a", "leader": True, "voter": True}
    reply = Reply(200, {"data": {"config": {"servers": [{**server, "protocol_version": "3"}]}}})
    fake = fake_vault()
    vault = fake.vault
    vault._transport = Answers(configuration=reply)
    assert raft_peers(vault) == [server]
    vault._transport = Answers(configuration=Reply(404))
    assert raft_peers(vault) == []


SEALED = Member(ADDRESS, True, True, True, seal_type="shamir", threshold=2)


def test_too_few_keys() -> None:
    with pytest.raises(PlatformError, match="needs 2 unseal keys, 1 are given"):
        unseal(Answers(), SEALED, ("k", "k"))


def test_wrong_keys() -> None:
    answers = Answers(unseal=Reply(400, {"errors": ["invalid key"]}))
    with pytest.raises(PlatformError, match="not this vault's: invalid key") as caught:
        unseal(answers, SEALED, ("wrong1", "wrong2"))
    assert "wrong1" not in str(caught.value)
