# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._vault.mounts import (
    Desired,
    Mount,
    desired_from,
    plan,
    read,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.steps import apply


def _item(path: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "type": None, "state": "present", **more}


def _desired(
    mounts: list[dict[str, Any]], auth: list[dict[str, Any]] | None = None, **more: Any
) -> Desired:
    return desired_from({"mounts": mounts, "auth_methods": auth or [], "exclusive": False, **more})


KV = Mount("kv", "kv", version="2", description="", default_lease_ttl=0, max_lease_ttl=0)


def test_a_new_engine() -> None:
    desired = _desired([_item("/platform/", type="kv", config={"max_lease_ttl": "24h"})])
    (step,) = plan((), desired)
    assert (step.method, step.path) == ("POST", "sys/mounts/platform")
    assert step.document == {
        "type": "kv",
        "description": "",
        "config": {"max_lease_ttl": 86400},
        "options": {"version": "2"},
    }
    assert str(step.change) == "mount secrets engine platform/"


def test_a_new_auth_method() -> None:
    (step,) = plan((), _desired([], [_item("approle", type="approle")]))
    assert step.path == "sys/auth/approle"
    assert step.document == {"type": "approle", "description": ""}


def test_only_what_is_said_is_compared() -> None:
    found = Mount("kv", "kv", version="2", description="theirs", max_lease_ttl=5)
    assert plan((found,), _desired([_item("kv", type="kv")])) == ()


def test_a_changed_setting() -> None:
    desired = _desired(
        [_item("kv", type="kv", description="ours", config={"default_lease_ttl": "1h"})]
    )
    (step,) = plan((KV,), desired)
    assert step.path == "sys/mounts/kv/tune"
    assert step.document == {"description": "ours", "default_lease_ttl": 3600}
    assert step.change.before == {"description": "", "default_lease_ttl": 0}


def test_a_raised_version() -> None:
    found = Mount("kv", "kv", version="1")
    (step,) = plan((found,), _desired([_item("kv", type="kv")]))
    assert step.document == {"options": {"version": "2"}}


def test_another_type_is_refused() -> None:
    with pytest.raises(PlatformError, match="mounted with type kv, not pki"):
        plan((KV,), _desired([_item("kv", type="pki")]))


def test_an_older_version_is_refused() -> None:
    with pytest.raises(PlatformError, match="can't go back to 1"):
        plan((KV,), _desired([_item("kv", type="kv", version=1)]))


def test_a_type_is_needed() -> None:
    with pytest.raises(PlatformError, match="no type"):
        _desired([_item("kv")])


def test_absent_and_exclusive() -> None:
    system = Mount("sys", "system")
    other = Mount("other", "kv")
    assert plan((KV, system), _desired([_item("kv", state="absent")]))[0].method == "DELETE"
    assert plan((system,), _desired([_item("kv", state="absent")])) == ()
    steps = plan((KV, system, other), _desired([_item("kv", type="kv")], exclusive=True))
    assert [(step.method, step.path) for step in steps] == [("DELETE", "sys/mounts/other")]


_PATHS = st.sampled_from(["a", "b", "c"])
_TTL = st.none() | st.sampled_from(["0", "1h", "30d"])
_ITEMS = st.builds(
    lambda path, kind, state, description, ttl: _item(
        path, type=kind, state=state, description=description, config={"max_lease_ttl": ttl}
    ),
    _PATHS,
    st.just("kv"),
    st.sampled_from(["present", "absent"]),
    st.none() | st.sampled_from(["", "d"]),
    _TTL,
)
_LISTS = st.lists(_ITEMS, max_size=3, unique_by=lambda item: item["path"])


@given(first=_LISTS, second=_LISTS, auth=_LISTS, exclusive=st.booleans())
def test_after_the_plan_nothing_is_left_to_do(
    fake_vault: Any, first: Any, second: Any, auth: Any, exclusive: bool
) -> None:
    vault = fake_vault().vault
    for desired in (
        _desired(first, auth),
        _desired(second, auth, exclusive=exclusive),
    ):
        apply(vault, plan(read(vault), desired), check_mode=False)
        assert plan(read(vault), desired) == ()


def test_check_mode_sends_nothing(fake_vault: Any) -> None:
    fake = fake_vault()
    changes = apply(
        fake.vault, plan(read(fake.vault), _desired([_item("kv", type="kv")])), check_mode=True
    )
    assert [str(change) for change in changes] == ["mount secrets engine kv/"]
    assert fake.writes == []
