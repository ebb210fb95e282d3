# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._vault.approles import (
    PLACEHOLDER,
    Desired,
    complete,
    desired_from,
    issue,
    plan,
    read,
    to_issue,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.steps import apply

_DEFAULTS: dict[str, Any] = {
    "policies": [],
    "token_type": "default",
    "token_ttl": "0",
    "token_max_ttl": "0",
    "token_period": "0",
    "token_bound_cidrs": [],
    "secret_id_bound_cidrs": [],
    "secret_id_ttl": "0",
    "secret_id_num_uses": 0,
    "issue_secret_id": True,
    "known_accessor": None,
    "state": "present",
}


def _desired(*items: dict[str, Any], **more: Any) -> Desired:
    params = {
        "mount": "approle/",
        "approles": [{**_DEFAULTS, **item} for item in items],
        "revoke_others": False,
        "exclusive_prefix": None,
        **more,
    }
    return desired_from(params)


def _ensure(fake: Any, desired: Desired, *, check_mode: bool = False) -> list[str]:
    current, surplus = read(fake.vault, desired)
    changes = apply(fake.vault, plan(current, surplus, desired), check_mode=check_mode)
    return [str(change) for change in changes]


def test_a_new_role(fake_vault: Any) -> None:
    fake = fake_vault()
    desired = _desired(
        {
            "name": "Host-1",
            "policies": ["b", "a"],
            "token_ttl": "1h",
            "token_bound_cidrs": ["192.0.2.1"],
        }
    )
    assert _ensure(fake, desired) == ["create approle host-1"]
    assert fake.approles["host-1"]["token_policies"] == ["a", "b"]
    assert fake.approles["host-1"]["token_ttl"] == 3600
    assert fake.approles["host-1"]["token_bound_cidrs"] == ["192.0.2.1/32"]
    assert _ensure(fake, desired) == []


def test_only_what_differs_is_shown(fake_vault: Any) -> None:
    fake = fake_vault()
    _ensure(fake, _desired({"name": "a"}))
    desired = _desired({"name": "a", "policies": ["p"]})
    (step,) = plan(*read(fake.vault, desired), desired)
    assert step.change.before == {"token_policies": ()}
    assert step.change.after == {"token_policies": ("p",)}


def test_the_servers_form_of_an_address_is_no_difference(fake_vault: Any) -> None:
    fake = fake_vault()
    desired = _desired({"name": "a", "token_bound_cidrs": ["192.0.2.1/32"]})
    _ensure(fake, desired)
    fake.approles["a"]["token_bound_cidrs"] = ["192.0.2.1"]
    fake.approles["a"]["secret_id_bound_cidrs"] = None
    assert _ensure(fake, desired) == []


def test_what_is_no_address() -> None:
    with pytest.raises(PlatformError, match="'node1' is not an address") as caught:
        _desired({"name": "a", "token_bound_cidrs": ["node1"]})
    assert caught.value.where == "approle a: token_bound_cidrs"


def test_a_secret_id_only_where_none_is_known(fake_vault: Any) -> None:
    fake = fake_vault()
    first = _desired({"name": "a"})
    _ensure(fake, first)
    issued = issue(fake.vault, first, "a")
    assert issued.secret_id not in repr(issued)

    def needing(desired: Desired) -> tuple[str, ...]:
        return to_issue(read(fake.vault, desired)[0], desired)

    assert needing(_desired({"name": "a", "known_accessor": issued.accessor})) == ()
    assert needing(_desired({"name": "a", "known_accessor": "another"})) == ("a",)
    assert needing(first) == ("a",)
    assert needing(_desired({"name": "a", "issue_secret_id": False})) == ()
    assert needing(_desired({"name": "new"})) == ("new",)


def test_the_others_can_be_revoked(fake_vault: Any) -> None:
    fake = fake_vault()
    keeping, revoking = _desired({"name": "a"}), _desired({"name": "a"}, revoke_others=True)
    _ensure(fake, keeping)
    issue(fake.vault, keeping, "a")
    issue(fake.vault, keeping, "a")
    assert len(fake.secret_ids["a"]) == 2
    last = issue(fake.vault, revoking, "a")
    assert list(fake.secret_ids["a"]) == [last.accessor]


def test_role_ids(fake_vault: Any) -> None:
    fake = fake_vault()
    desired = _desired({"name": "a"})
    current, _unused = read(fake.vault, desired)
    assert current == {}
    _ensure(fake, desired)
    assert complete(fake.vault, desired, current)["a"].role_id == "id-of-a"
    current, _unused = read(fake.vault, desired)
    assert complete(fake.vault, desired, current)["a"].role_id == "id-of-a"


def test_check_mode_has_a_placeholder(fake_vault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_vault()
    monkeypatch.setattr(fake.vault.__class__, "read", lambda *_: None)
    desired = _desired({"name": "a"})
    assert complete(fake.vault, desired, {})["a"].role_id == PLACEHOLDER


def test_roles_that_should_go(fake_vault: Any) -> None:
    fake = fake_vault()
    _ensure(fake, _desired(*({"name": name} for name in ("host-1", "host-2", "other", "old"))))
    desired = _desired(
        {"name": "host-1"}, {"name": "old", "state": "absent"}, exclusive_prefix="host-"
    )
    assert _ensure(fake, desired) == ["delete approle host-2", "delete approle old"]
    assert sorted(fake.approles) == ["host-1", "other"]
    assert _ensure(fake, desired) == []


_ITEMS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b", "c"]), "state": st.sampled_from(["present", "absent"])},
    optional={
        "policies": st.lists(st.sampled_from(["p", "q"]), max_size=3),
        "token_ttl": st.sampled_from(["0", "60", "1m", "1h"]),
        "token_bound_cidrs": st.lists(st.sampled_from(["192.0.2.1", "192.0.2.0/24", "::1"])),
        "token_type": st.sampled_from(["default", "batch"]),
    },
)
_LISTS = st.lists(_ITEMS, max_size=3, unique_by=lambda item: item["name"])


@given(first=_LISTS, second=_LISTS, prefix=st.sampled_from(["", "a"]))
def test_after_the_plan_nothing_is_left_to_do(
    fake_vault: Any, first: Any, second: Any, prefix: str
) -> None:
    fake = fake_vault()
    for desired in (_desired(*first), _desired(*second, exclusive_prefix=prefix)):
        _ensure(fake, desired)
        assert _ensure(fake, desired) == []


def test_the_login_in_use_is_known_by_its_accessor_as_long_as_it_is_whole(tmp_path):
    item = {"name": "a", "login_directory": str(tmp_path)}
    (tmp_path / "role-id").write_text("role\n")
    assert _desired(item).present[0].accessor == ""
    (tmp_path / "accessor").write_text("1234-5678\n")
    assert _desired(item).present[0].accessor == ""
    (tmp_path / "secret-id").write_text("")
    assert _desired(item).present[0].accessor == ""
    (tmp_path / "secret-id").write_text("secret\n")
    assert _desired(item).present[0].accessor == "1234-5678"
    assert _desired({**item, "known_accessor": "given"}).present[0].accessor == "given"
