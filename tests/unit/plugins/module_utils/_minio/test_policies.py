# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context
from ansible_collections.mcp.platform.plugins.module_utils._minio.policies import (
    allows,
    apply,
    missing,
)
from ansible_collections.mcp.platform.plugins.module_utils._s3.policy import policy_of

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"}


def _entry(name="shop", statement=None, **own):
    return {
        "name": name,
        "state": "present",
        "policy": {"Statement": statement or READ},
        "detach": False,
        **own,
    }


def _absent(name="shop", **own):
    return _entry(name, policy=None, state="absent", **own)


def run(fake, options, *policies, check_mode=False, **own):
    """Return the changes, the values and the warnings of a run."""
    warned = []
    context = Context(options(policies=list(policies), **own), check_mode, warned.append)
    outcome = apply(context, fake.connect)
    return [str(change) for change in outcome.changes], outcome.values["unlisted"], warned


def test_a_policy_is_made_once_changed_and_removed(fake, options):
    assert run(fake, options, _entry(), check_mode=True)[0] == ["create policy shop"]
    assert "shop" not in fake.policies
    assert run(fake, options, _entry())[0] == ["create policy shop"]
    assert run(fake, options, _entry())[0] == []
    assert run(fake, options, _entry(statement=[{**READ, "Sid": "x"}, READ]))[0] == []
    more = {**READ, "Action": ["s3:GetObject", "s3:PutObject"]}
    assert run(fake, options, _entry(statement=more))[0] == ["update policy shop"]
    assert run(fake, options)[1] == ["shop"]
    assert run(fake, options, _absent())[0] == ["delete policy shop"]
    assert run(fake, options, _absent())[0] == []


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (_entry(policy=None), "needs its document"),
        (_entry(policy={}), "the policy is empty"),
        (_entry("a,b"), "no name for a policy"),
        (_entry(" a"), "no name for a policy"),
        (_entry(statement={**READ, "Action": "s3:Nothing"}), "no action s3:Nothing"),
        (_absent("readonly"), "is built in"),
        (_absent("other"), "listed twice"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_asked(fake, options, entry, what):
    with pytest.raises(PlatformError, match=what):
        run(fake, options, _entry("other"), entry)
    assert fake.asked == []


def test_a_policy_in_use_is_not_silently_removed(fake, options):
    run(fake, options, _entry())
    fake.users["alice"] = {"status": "disabled"}
    fake.mapped = {("users", "alice"): {"shop"}, ("groups", "crew"): {"shop", "readonly"}}
    for mode in ({}, {"exclusive": True}):
        entries = [] if mode else [_absent()]
        with pytest.raises(PlatformError, match="in use by user alice, group crew"):
            run(fake, options, *entries, **mode)
    assert run(fake, options, _absent(detach=True))[0] == ["delete policy shop"]
    assert fake.mapped == {("users", "alice"): set(), ("groups", "crew"): {"readonly"}}
    assert fake.users["alice"] == {"status": "disabled"}


def test_exclusive_leaves_what_is_protected_and_built_in(fake, options):
    run(fake, options, _entry(), _entry("kept"), _entry("gone"))
    mode = {"exclusive": True, "protected": ["kept"]}
    assert run(fake, options, _entry(), **mode)[0] == ["delete policy gone"]
    assert run(fake, options, _entry(), **mode)[:2] == ([], [])
    assert "readonly" in fake.policies


def test_a_login_cannot_lock_itself_out(fake, options):
    run(fake, options, _entry("boss", {"Effect": "Allow", "Action": "admin:*"}))
    fake.users["platform"] = {"status": "enabled"}
    fake.mapped["users", "platform"] = {"boss", "vanished"}
    less = _entry("boss", {"Effect": "Allow", "Action": "admin:GetPolicy"})
    with pytest.raises(PlatformError, match="would lose admin:CreatePolicy"):
        run(fake, options, less, access_key="platform")
    other = _entry("boss", {"Effect": "Allow", "Action": ["admin:CreatePolicy", "admin:GetPolicy"]})
    assert run(fake, options, other, access_key="platform")[0] == ["update policy boss"]
    assert run(fake, options, less)[0] == ["update policy boss"]


def test_a_server_that_is_not_there_counts_as_new_in_check_mode(fake, options):
    fake.alive = False
    done, left, warned = run(fake, options, _entry(), check_mode=True)
    assert (done, left) == (["create policy shop"], [])
    assert "taken for a new server" in warned[0]
    with pytest.raises(PlatformError, match="no answer"):
        run(fake, options, _entry())


def test_a_deny_wins():
    allow = policy_of({"Statement": {"Effect": "Allow", "Action": "admin:*"}})
    deny = policy_of({"Statement": {"Effect": "Deny", "Action": "admin:Heal"}})
    other = policy_of({"Statement": {"Effect": "Allow", "NotAction": "admin:Heal"}})
    assert allows([allow], "admin:Heal")
    assert not allows([allow, deny], "admin:Heal")
    assert missing([deny, other], ["admin:Heal"]) == ["admin:Heal"]


_STATEMENTS = st.builds(
    lambda effect, actions, resource: {"Effect": effect, "Action": actions, "Resource": resource},
    st.sampled_from(["Allow", "Deny"]),
    st.lists(st.sampled_from(["s3:GetObject", "s3:Get*", "s3:PutObject"]), min_size=1),
    st.sampled_from(["arn:aws:s3:::a/*", "arn:aws:s3:::*"]),
)
_ENTRIES = st.lists(
    st.builds(
        lambda name, statements, state: _entry(name, statements, state=state),
        st.sampled_from(["one", "two", "three"]),
        st.lists(_STATEMENTS, min_size=1, max_size=3),
        st.sampled_from(["present", "present", "absent"]),
    ),
    unique_by=lambda entry: entry["name"],
)


@given(_ENTRIES, _ENTRIES, st.booleans())
def test_after_a_run_there_is_nothing_left_to_do(played, options, first, second, exclusive):
    fake = played()
    run(fake, options, *first)
    run(fake, options, *second, exclusive=exclusive)
    assert run(fake, options, *second, exclusive=exclusive)[0] == []
    reordered = [
        {**one, "policy": {"Statement": one["policy"]["Statement"][::-1]}} for one in second
    ]
    assert run(fake, options, *reordered, exclusive=exclusive)[0] == []
