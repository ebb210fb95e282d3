# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._vault.policies import (
    Desired,
    desired_from,
    normalised,
    plan,
    read,
    rendered,
)
from ansible_collections.mcp.platform.plugins.module_utils._vault.steps import apply

RULES = 'path "a" {\n  capabilities = ["read"]\n}\n'


def _desired(*items: dict[str, Any], exclusive: bool = False) -> Desired:
    full = [{"rules": None, "paths": None, "state": "present", **item} for item in items]
    return desired_from({"policies": full, "exclusive": exclusive})


def test_white_space_means_nothing_outside_of_quotes() -> None:
    assert normalised('path "a"   {\n\n\tb = 1\n}') == normalised(' path "a" {  \nb = 1 \n }\n')
    assert normalised('path "a  b" {}') != normalised('path "a b" {}')
    assert normalised("a = 1\nb = 2") != normalised("a = 1 b = 2")


@given(st.text(alphabet=' \t\n"\\ab{}', max_size=30))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


def test_paths_become_text() -> None:
    text = rendered(
        [{"path": "a/*", "capabilities": ["read", "list"]}, {"path": "b", "capabilities": ["sudo"]}]
    )
    assert text == (
        'path "a/*" {\n  capabilities = ["read", "list"]\n}\n\n'
        'path "b" {\n  capabilities = ["sudo"]\n}\n'
    )


def test_a_new_a_changed_and_an_equal_policy() -> None:
    desired = _desired(
        {"name": "New", "rules": RULES},
        {"name": "changed", "paths": [{"path": "a", "capabilities": ["read"]}]},
        {"name": "equal", "rules": RULES},
    )
    steps = plan({"changed": "old", "equal": RULES.replace("\n", "\n\n")}, desired)
    assert [str(step.change) for step in steps] == ["create policy new", "update policy changed"]
    assert steps[0].path == "sys/policies/acl/new"
    assert steps[1].change.before == "old"


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"name": "p"}, "either rules or paths"),
        ({"name": "p", "rules": "x", "paths": []}, "either rules or paths"),
        ({"name": "p", "rules": " \n"}, "can't be empty"),
        ({"name": "p", "paths": []}, "can't be empty"),
        ({"name": "Root", "rules": "x"}, "built in"),
        ({"name": "default", "state": "absent"}, "built in"),
    ],
)
def test_what_is_refused(item: dict[str, Any], words: str) -> None:
    with pytest.raises(PlatformError, match=words):
        _desired(item)


def test_only_what_matters_is_read(fake_vault: Any) -> None:
    fake = fake_vault()
    fake.policies.update(a="x", b="y")
    assert read(fake.vault, _desired({"name": "a", "rules": "x"})) == {"a": "x"}
    assert set(read(fake.vault, _desired({"name": "a", "rules": "x"}, exclusive=True))) == {
        "a",
        "b",
    }


def test_the_default_policy_can_be_changed(fake_vault: Any) -> None:
    fake = fake_vault()
    desired = _desired({"name": "default", "rules": RULES}, exclusive=True)
    apply(fake.vault, plan(read(fake.vault, desired), desired), check_mode=False)
    assert fake.policies == {"default": RULES, "root": ""}


_ITEMS = st.builds(
    lambda name, rules, absent: (
        {"name": name, "state": "absent"} if absent else {"name": name, "rules": rules}
    ),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from([RULES, "path  x {}", "path y {}"]),
    st.booleans(),
)
_LISTS = st.lists(_ITEMS, max_size=3, unique_by=lambda item: item["name"])


@given(first=_LISTS, second=_LISTS, exclusive=st.booleans())
def test_after_the_plan_nothing_is_left_to_do(
    fake_vault: Any, first: Any, second: Any, exclusive: bool
) -> None:
    fake = fake_vault()
    for desired in (_desired(*first), _desired(*second, exclusive=exclusive)):
        apply(fake.vault, plan(read(fake.vault, desired), desired), check_mode=False)
        assert plan(read(fake.vault, desired), desired) == ()
    assert {"default", "root"} <= set(fake.policies)
    if exclusive:
        wanted = {item["name"] for item in second if "rules" in item}
        assert set(fake.policies) == wanted | {"default", "root"}
