# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._vault.pki_roles import (
    Role,
    plan,
    read,
    roles_from,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.steps import apply


def _roles(*items: dict[str, Any]) -> tuple[Role, ...]:
    full = [{"mount": "pki/", "state": "present", "key_type": None, **item} for item in items]
    return roles_from({"roles": full})


def test_a_new_role() -> None:
    (step,) = plan({}, _roles({"name": "server", "ttl": "30d", "allowed_domains": ["b", "a"]}))
    assert (step.method, step.path) == ("POST", "pki/roles/server")
    assert step.document == {"ttl": 2592000, "allowed_domains": ["a", "b"]}
    assert str(step.change) == "create PKI role pki/server"


def test_what_is_not_said_is_sent_as_it_is() -> None:
    found = {"pki/roles/server": {"ttl": 60, "max_ttl": 120, "allowed_domains": ["b", "a"]}}
    roles = _roles({"name": "server", "ttl": "1h", "allowed_domains": ["a", "b"]})
    (step,) = plan(found, roles)
    assert step.document == {"ttl": 3600, "max_ttl": 120, "allowed_domains": ["a", "b"]}
    assert step.change.before == {"ttl": 60}
    assert step.change.after == {"ttl": 3600}


def test_equal_in_another_form() -> None:
    found = {"pki/roles/server": {"ttl": 3600, "allowed_domains": ["b", "a"]}}
    assert (
        plan(found, _roles({"name": "server", "ttl": "60m", "allowed_domains": ["a", "b"]})) == ()
    )


def test_removal() -> None:
    gone = _roles({"name": "server", "state": "absent"})
    assert plan({}, gone) == ()
    assert plan({"pki/roles/server": {}}, gone)[0].method == "DELETE"


_ITEMS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b"]), "state": st.sampled_from(["present", "absent"])},
    optional={
        "ttl": st.sampled_from(["0", "60", "1m", "30d"]),
        "require_cn": st.booleans(),
        "allowed_domains": st.lists(st.sampled_from(["x", "y"]), max_size=2),
    },
)
_LISTS = st.lists(_ITEMS, max_size=2, unique_by=lambda item: item["name"])


@given(_LISTS, _LISTS)
def test_after_the_plan_nothing_is_left_to_do(fake_vault: Any, first: Any, second: Any) -> None:
    fake = fake_vault()
    for roles in (_roles(*first), _roles(*second)):
        apply(fake.vault, plan(read(fake.vault, roles), roles), check_mode=False)
        assert plan(read(fake.vault, roles), roles) == ()
