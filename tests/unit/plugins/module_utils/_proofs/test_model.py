# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._proofs.model import (
    Proof,
    RefutedError,
    told,
    try_all,
)


def _fails(error):
    def attempt():
        raise error

    return attempt


def test_a_proof_that_fails_does_not_keep_the_others_from_being_tried():
    plan = [
        ("first", _fails(RefutedError("seen\nsomething else"))),
        ("second", _fails(KeyError("gone"))),
        ("third", lambda: "seen"),
    ]
    proofs = try_all("redis", plan, (KeyError,))
    assert [proof.passed for proof in proofs] == [False, False, True]
    assert proofs[0].detail == "seen something else"
    with pytest.raises(ZeroDivisionError):
        try_all("redis", [("a fault of ours", _fails(ZeroDivisionError()))], (KeyError,))


def test_proofs_are_told_or_fail_the_task():
    good, bad = Proof("redis", "a", True, "x"), Proof("redis", "b", False, "y")
    document = {"service": "redis", "proof": "a", "passed": True, "detail": "x"}
    assert told([good], {"raise_on_failure": True}, "").values == {"proofs": [document]}
    assert len(told([good, bad], {"raise_on_failure": False}, "").values["proofs"]) == 2
    with pytest.raises(PlatformError, match="1 of 2 proofs failed; b: y"):
        told([good, bad], {"raise_on_failure": True}, "node1")
