# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._vault.bring_up import (
    Cluster,
    Result,
    desired_from,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    SealedError,
    UnavailableError,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.journal import JournalFiles

DEFAULTS: dict[str, Any] = {
    "address": "https://node1:8200",
    "timeout": 30,
    "platform": "lab",
    "seal": "static",
    "shares": 3,
    "threshold": 2,
    "unseal_keys": [],
    "state_digest": None,
    "acknowledge": False,
    "evidence": [],
    "wait": 10,
}


class Landscape:
    """A cluster, and its hosts' journals."""

    def __init__(self, fake: Any, directory: Path) -> None:
        self.fake = fake
        self.directory = directory

    def files(self, number: int = 1) -> JournalFiles:
        return JournalFiles(self.directory / str(number), f"https://node{number}:8200")

    def evidence(self) -> list[dict[str, str]]:
        return [self.files(number).read().as_dict() for number in (1, 2, 3)]

    def run(self, *, number: int = 1, check_mode: bool = False, **options: Any) -> Result:
        params = {
            **DEFAULTS,
            "address": f"https://node{number}:8200",
            "members": self.fake.addresses,
            "evidence": self.evidence(),
            "seal": self.fake.seal,
            **options,
        }
        return Cluster(
            desired_from(params),
            self.files(number),
            self.fake.make,
            check_mode=check_mode,
            clock=self.fake.clock,
            sleep=self.fake.sleep,
        ).ensure()

    def inits(self) -> int:
        return sum(path == "sys/init" for _unused, _unused, path in self.fake.log)


@pytest.fixture(params=["static", "shamir"])
def either_seal(request: Any, fake_cluster: Any, tmp_path: Path) -> Landscape:
    return Landscape(fake_cluster(seal=request.param), tmp_path)


@pytest.fixture
def static(fake_cluster: Any, tmp_path: Path) -> Landscape:
    return Landscape(fake_cluster(), tmp_path)


@pytest.fixture
def shamir(fake_cluster: Any, tmp_path: Path) -> Landscape:
    return Landscape(fake_cluster(seal="shamir"), tmp_path)


def _words(result: Result) -> list[str]:
    return [str(change) for change in result.changes]


def test_a_first_deploy(either_seal: Landscape) -> None:
    first = either_seal.run()
    assert first.init is not None
    assert _words(first)[0] == "initialise vault of lab"
    assert all(member.serving for member in first.members)
    known = {"state_digest": first.init.digest, "acknowledge": True}
    for number in (1, 2, 3):
        assert _words(either_seal.run(number=number, **known)) == [
            "record that the state of lab holds the keys"
        ]
    for number in (1, 2, 3):
        again = either_seal.run(number=number, **known)
        assert again.changes == ()
        assert again.init is None
    assert either_seal.inits() == 1


def test_the_keys_fit_the_seal(fake_cluster: Any, tmp_path: Path) -> None:
    static = Landscape(fake_cluster(), tmp_path / "a").run()
    shamir = Landscape(fake_cluster(seal="shamir"), tmp_path / "b").run()
    assert static.init is not None
    assert shamir.init is not None
    assert (static.init.unseal_keys, len(static.init.recovery_keys)) == ((), 3)
    assert (len(shamir.init.unseal_keys), shamir.init.recovery_keys) == (3, ())
    assert sum("unseal" in word for word in _words(shamir)) == 3


def test_the_intent_is_on_disk_before_the_vault_is_asked(static: Landscape) -> None:
    static.fake.kill_at = "sys/init"
    with pytest.raises(KeyboardInterrupt):
        static.run()
    assert static.files().read().intent == "lab"
    assert static.files().read().reply == ""


def test_killed_between_the_initialisation_and_its_reply(static: Landscape) -> None:
    static.fake.kill_at = "sys/init"
    with pytest.raises(KeyboardInterrupt):
        static.run()
    static.fake.kill_at = ""
    result = static.run()
    assert result.wipe_required
    assert static.inits() == 1
    # What the role does then:
    static.fake.initialized.clear()
    static.fake.unsealed.clear()
    assert static.run().init is not None
    assert static.inits() == 2


def test_killed_before_the_state_has_the_reply(either_seal: Landscape) -> None:
    first = either_seal.run()
    again = either_seal.run()
    assert again.init == first.init
    assert not any("initialise" in word for word in _words(again))
    assert either_seal.inits() == 1


def test_the_reply_outlives_members_that_do_not_join(static: Landscape) -> None:
    static.fake.broken = {static.fake.addresses[2]}
    with pytest.raises(PlatformError, match="node3:8200 has not joined") as caught:
        static.run()
    assert "joining" in caught.value.hint
    static.fake.broken = set()
    assert static.run().init is not None
    assert static.inits() == 1


def test_no_waiting(static: Landscape) -> None:
    static.fake.broken = {static.fake.addresses[2]}
    assert static.run(wait=0).init is not None


def test_the_server_may_still_be_starting(static: Landscape) -> None:
    static.fake.down = set(static.fake.addresses)
    original = static.fake.sleep

    def sleep(seconds: float) -> None:
        original(seconds)
        if static.fake.now > 3:
            static.fake.down = set()

    static.fake.sleep = sleep
    assert static.run().init is not None


def test_no_server(static: Landscape) -> None:
    static.fake.down = set(static.fake.addresses)
    with pytest.raises(UnavailableError, match="no vault answers"):
        static.run()
    assert static.fake.now == pytest.approx(10)


def test_a_static_seal_that_does_not_open(static: Landscape) -> None:
    first = static.run()
    assert first.init is not None
    static.fake.broken = {static.fake.addresses[1]}
    static.fake.unsealed.discard(static.fake.addresses[1])
    with pytest.raises(PlatformError, match="node2:8200 is sealed") as caught:
        static.run(state_digest=first.init.digest)
    assert "log" in caught.value.hint
    assert "seal key" in caught.value.hint


def test_shamir_needs_its_keys(shamir: Landscape) -> None:
    first = shamir.run()
    assert first.init is not None
    known = {"state_digest": first.init.digest}
    shamir.fake.unsealed.clear()
    with pytest.raises(PlatformError, match="is sealed") as caught:
        shamir.run(**known)
    assert "unseal_keys" in caught.value.hint
    with pytest.raises(PlatformError, match="not this vault's"):
        shamir.run(**known, unseal_keys=["bad1", "bad2"])
    result = shamir.run(**known, unseal_keys=list(first.init.unseal_keys))
    assert _words(result) == [f"unseal member {address}" for address in shamir.fake.addresses]
    assert shamir.run(**known, unseal_keys=list(first.init.unseal_keys)).changes == ()


def test_without_the_state_an_operator_goes_on(static: Landscape) -> None:
    first = static.run()
    assert first.init is not None
    for number in (1, 2, 3):
        static.run(number=number, state_digest=first.init.digest, acknowledge=True)
    result = static.run(role_id="role", secret_id="secret")
    assert result.changes == ()
    assert result.init is None
    assert static.run(token="root").changes == ()


def test_without_the_state_a_stranger_is_refused(static: Landscape) -> None:
    first = static.run()
    assert first.init is not None
    static.run(state_digest=first.init.digest, acknowledge=True)
    for options in ({}, {"role_id": "role", "secret_id": "wrong"}):
        with pytest.raises(PlatformError, match="unknown to the state"):
            static.run(**options)


def test_an_operator_of_a_sealed_vault_is_told_so(static: Landscape) -> None:
    first = static.run()
    assert first.init is not None
    static.run(state_digest=first.init.digest, acknowledge=True)
    static.fake.broken = set(static.fake.addresses)
    static.fake.unsealed.clear()
    with pytest.raises(SealedError):
        static.run(role_id="role", secret_id="secret")


def test_another_seal_than_the_servers(static: Landscape) -> None:
    with pytest.raises(PlatformError, match="seal is static, not shamir"):
        static.run(seal="shamir")


def test_check_mode_on_bare_hosts(static: Landscape) -> None:
    static.fake.down = set(static.fake.addresses)
    result = static.run(check_mode=True)
    assert _words(result) == ["initialise vault of lab"]
    assert not static.files().directory.exists()
    result = static.run(check_mode=True, state_digest="abc", acknowledge=True)
    assert _words(result) == ["record that the state of lab holds the keys"]


def test_check_mode_on_a_server_that_is_not_initialised(static: Landscape) -> None:
    static.fake.down = {static.fake.addresses[2]}
    result = static.run(check_mode=True)
    assert _words(result) == ["initialise vault of lab"]
    assert result.init is None
    assert static.inits() == 0


def test_check_mode_on_a_sealed_vault(shamir: Landscape) -> None:
    first = shamir.run()
    assert first.init is not None
    shamir.fake.unsealed.clear()
    options = {"state_digest": first.init.digest, "unseal_keys": list(first.init.unseal_keys)}
    result = shamir.run(check_mode=True, **options)
    assert _words(result) == [f"unseal member {address}" for address in shamir.fake.addresses]
    assert shamir.fake.unsealed == set()


def test_one_member_is_enough(fake_cluster: Any, tmp_path: Path) -> None:
    landscape = Landscape(fake_cluster(count=1), tmp_path)
    assert landscape.run(members=[]).init is not None


@pytest.mark.parametrize(("shares", "threshold"), [(1, 2), (3, 0)])
def test_impossible_thresholds(static: Landscape, shares: int, threshold: int) -> None:
    with pytest.raises(PlatformError, match="is impossible"):
        static.run(shares=shares, threshold=threshold)


def test_nothing_to_acknowledge(static: Landscape) -> None:
    with pytest.raises(PlatformError, match="nothing to acknowledge"):
        static.run(acknowledge=True)
