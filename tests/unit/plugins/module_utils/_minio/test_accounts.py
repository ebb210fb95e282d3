# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context
from ansible_collections.mcp.platform.plugins.module_utils._minio.accounts import (
    Accounts,
    Key,
    User,
)
from ansible_collections.mcp.platform.plugins.module_utils._minio.accounts_apply import (
    apply,
    expiry,
)
from ansible_collections.mcp.platform.plugins.module_utils._minio.accounts_plan import timestamp

UPLOAD = {
    "Statement": [
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::shop/in/*"}
    ]
}
LATER = timestamp(int(time.time()) + 30 * 24 * 3600)


def _user(name="shop", **own):
    empty = {"state": "present", "enabled": True, "secret_key": None, "policies": None}
    return {"name": name, **empty, **own}


def _group(name="crew", **own):
    empty = {"state": "present", "enabled": True, "members": None, "policies": None}
    return {"name": name, **empty, **own}


def _key(name="shop-key", user="shop", **own):
    empty = dict.fromkeys(("secret_key", "policy", "label", "description", "expires"))
    return {"name": name, "user": user, "state": "present", "enabled": True, **empty, **own}


SHOP = _user(secret_key="secret-of-shop", policies=["readonly"])


def run(fake, options, users=None, groups=None, access_keys=None, check_mode=False, **own):
    """Return the changes, the values, the warnings and the diff of a run."""
    warned = []
    given = options(users=users, groups=groups, access_keys=access_keys, **own)
    outcome = apply(Context(given, check_mode, warned.append), fake.connect, fake.connect_s3)
    done = [str(change) for change in outcome.changes]
    return done, outcome.values["unlisted"], warned, repr(outcome.changes)


ALL = {
    "users": [
        SHOP,
        _user("poor", secret_key="secret-of-poor"),
        _user("bob", secret_key="secret-of-bob", policies=["readonly"], enabled=False),
    ],
    "groups": [_group(members=["shop", "bob"], policies=["readonly"], enabled=False), _group("e")],
    "access_keys": [
        _key(secret_key="secret-of-key", policy=UPLOAD, label="till", expires=LATER),
        _key("off-key", secret_key="secret-of-off", enabled=False, description="later"),
    ],
}


def test_all_are_made_once_and_then_left_alone(fake, options):
    asked = run(fake, options, **ALL, check_mode=True)
    assert len(asked[0]) == 7
    assert fake.users == {}
    made = run(fake, options, **ALL)
    assert made == asked
    assert "secret-of" not in made[3]
    done, left, warned, _diff = run(fake, options, **ALL)
    assert done == []
    assert left == {"users": [], "groups": [], "access_keys": []}
    assert sorted(warned) == [
        "bob is disabled, so its secret cannot be tried",
        "off-key is disabled, so its secret cannot be tried",
    ]
    assert fake.users["bob"]["status"] == "disabled"
    assert fake.mapped["users", "bob"] == {"readonly"}


def test_what_an_entry_leaves_out_is_left_alone(fake, options):
    run(fake, options, **ALL)
    less = {
        "users": [_user(), _user("poor")],
        "groups": [_group(enabled=False)],
        "access_keys": [_key()],
    }
    done, left, _warned, _diff = run(fake, options, **less)
    assert done == []
    assert left == {"users": ["bob"], "groups": ["e"], "access_keys": ["off-key"]}
    assert run(fake, options)[1] == {"users": [], "groups": [], "access_keys": []}


def test_a_secret_is_set_where_the_given_one_does_not_open(fake, options):
    run(fake, options, **ALL)
    users, keys = [_user(secret_key="another-secret")], [_key(secret_key="another-secret")]
    done, _left, _warned, diff = run(fake, options, users, access_keys=keys)
    assert done == ["update user shop", "update access key shop-key"]
    assert "VALUE_HIDDEN (new)" in diff and "another" not in diff
    assert run(fake, options, users, access_keys=keys)[0] == []
    assert fake.keys["shop-key"]["policy"]["Statement"] == UPLOAD["Statement"]


def test_who_wakes_up_gets_the_secret_that_could_not_be_tried(fake, options):
    run(fake, options, **ALL)
    users, keys = [_user("bob", secret_key="new-secret")], [_key("off-key", secret_key="new-key-1")]
    assert run(fake, options, users, access_keys=keys)[0] == [
        "update user bob",
        "update access key off-key",
    ]
    assert fake.users["bob"] == {"secretKey": "new-secret", "status": "enabled"}
    assert run(fake, options, users, access_keys=keys)[0] == []


def test_policies_of_the_disabled_are_changed_in_a_moment_of_being_enabled(fake, options):
    run(fake, options, **ALL)
    asked = len(fake.asked)
    users = [_user("bob", policies=[], enabled=False)]
    assert run(fake, options, users)[0] == ["update user bob"]
    told = [command for _method, command, _query, _document in fake.asked[asked:]]
    assert told[-3:] == ["set-user-status", "set-user-or-group-policy", "set-user-status"]
    assert fake.users["bob"]["status"] == "disabled"
    assert run(fake, options, users)[0] == []


def test_what_differs_is_changed(fake, options):
    run(fake, options, **ALL)
    wanted = {
        "users": [_user(enabled=False)],
        "groups": [_group(members=["poor"], policies=[]), _group("e", members=["bob"])],
        "access_keys": [_key(label="both", description="new", policy={}, expires="")],
    }
    assert run(fake, options, **wanted)[0] == [
        "update user shop",
        "update group crew",
        "update group e",
        "update access key shop-key",
    ]
    assert run(fake, options, **wanted)[0] == []
    assert fake.groups["crew"] == {"status": "enabled", "members": ["poor"]}
    assert fake.keys["shop-key"]["expiration"] == ""


def test_what_is_listed_as_absent_goes(fake, options):
    run(fake, options, **ALL)
    wanted = {
        "users": [_user("bob", state="absent"), _user("never", state="absent")],
        "groups": [_group(state="absent")],
        "access_keys": [_key("off-key", user=None, state="absent")],
    }
    assert run(fake, options, **wanted)[0] == [
        "delete access key off-key",
        "delete group crew",
        "delete user bob",
    ]
    assert run(fake, options, **wanted)[0] == []


def test_exclusive_removes_what_nobody_speaks_for_of_the_lists_that_are_given(fake, options):
    run(fake, options, **ALL)
    fake.users["platform"] = {"secretKey": "secret-of-platform", "status": "enabled"}
    given = {"exclusive": True, "protected": ["poor"], "access_key": "platform"}
    assert run(fake, options, [_user()], **given)[0] == ["delete user bob"]
    done, left, _warned, _diff = run(fake, options, [_user()], [_group("e")], [], **given)
    assert done == ["delete access key off-key", "delete access key shop-key", "delete group crew"]
    assert left == {"users": [], "groups": [], "access_keys": []}


def test_root_may_have_access_keys(fake, options):
    keys = [_key(user="root", secret_key="secret-of-key")]
    assert run(fake, options, access_keys=keys)[0] == ["create access key shop-key"]
    assert run(fake, options, access_keys=keys, access_key="shop-key")[0] == []


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"users": [_user()]}, "is new and has no secret"),
        ({"users": [_user("ab", secret_key="x" * 9)]}, "too short"),
        ({"users": [_user("a=b", secret_key="x" * 9)]}, "no name for a user"),
        ({"users": [_user(secret_key="short")]}, "has 5 signs"),
        ({"users": [SHOP, SHOP]}, "listed twice: shop"),
        ({"users": [SHOP], "access_keys": [_key("shop", secret_key="x" * 9)]}, "listed twice"),
        ({"groups": [_group(), _group()]}, "listed twice: crew"),
        ({"groups": [_group(members=["nobody"])]}, "no user nobody"),
        ({"groups": [_group(policies=["nothing"])]}, "no policy nothing"),
        ({"access_keys": [_key("k" * 21)]}, "too long"),
        ({"access_keys": [_key(user=None)]}, "needs its user"),
        ({"access_keys": [_key(label="")]}, "cannot be emptied"),
        ({"access_keys": [_key(expires="tomorrow")]}, "no time with a zone"),
        ({"access_keys": [_key(expires="2027-01-01T00:00:00")]}, "no time with a zone"),
        ({"access_keys": [_key(secret_key="x" * 9)]}, "no user shop"),
        (
            {
                "users": [SHOP],
                "access_keys": [_key(secret_key="x" * 9, expires="2020-01-01T00:00Z")],
            },
            "cannot expire at",
        ),
        (
            {"users": [{**SHOP, "enabled": False}], "access_keys": [_key(secret_key="x" * 9)]},
            "is disabled, and gets no access keys",
        ),
    ],
)
def test_what_cannot_work_is_refused(fake, options, given, what):
    with pytest.raises(PlatformError, match=what) as error:
        run(fake, options, **given)
    assert error.value.where
    assert fake.users == fake.groups == fake.keys == {}


def test_an_access_key_keeps_its_user_and_a_time_ahead(fake, options):
    run(fake, options, **ALL)
    with pytest.raises(PlatformError, match="belongs to shop, not to poor"):
        run(fake, options, access_keys=[_key(user="poor")])
    with pytest.raises(PlatformError, match="cannot expire at"):
        run(fake, options, access_keys=[_key(expires="2099-01-01T00:00:00Z")])
    with pytest.raises(PlatformError, match="no user bob"):
        run(fake, options, [_user("bob", state="absent")], [_group(members=["bob"])])


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"users": [_user("platform", state="absent")]}, "would be removed"),
        ({"users": [_user("platform", enabled=False)]}, "would be switched off"),
        ({"users": [_user("platform", policies=["readonly"])]}, "would lose admin:Attach"),
        ({"users": [_user("platform", secret_key="another-secret")]}, "would lose the secret"),
        ({"groups": [_group("boss", members=[])], "users": []}, ""),
    ],
)
def test_a_login_cannot_lock_itself_out(fake, options, given, what):
    fake.users["platform"] = {"secretKey": "secret-of-platform", "status": "enabled"}
    fake.mapped["users", "platform"] = {"consoleAdmin"}
    fake.groups["boss"] = {"status": "enabled", "members": ["platform"]}
    if not what:
        assert run(fake, options, **given, access_key="platform")[0] == ["update group boss"]
        return
    with pytest.raises(PlatformError, match=what):
        run(fake, options, **given, access_key="platform")


@pytest.mark.parametrize(
    "given",
    [
        {"groups": [_group("boss", members=[])]},
        {"groups": [_group("boss", enabled=False)]},
        {"groups": [_group("boss", state="absent")]},
        {"groups": [], "exclusive": True},
    ],
)
def test_nor_by_the_group_that_it_lives_by(fake, options, given):
    fake.users["platform"] = {"secretKey": "secret-of-platform", "status": "enabled"}
    fake.groups["boss"] = {"status": "enabled", "members": ["platform"]}
    fake.mapped["groups", "boss"] = {"consoleAdmin"}
    with pytest.raises(PlatformError, match="would lose admin:AttachUserOrGroupPolicy"):
        run(fake, options, **given, access_key="platform")


def test_a_server_that_is_not_there_counts_as_new_in_check_mode(fake, options):
    fake.alive = False
    done, left, warned, _diff = run(fake, options, **ALL, check_mode=True)
    assert len(done) == 7
    assert left == {"users": [], "groups": [], "access_keys": []}
    assert "taken for a new server" in warned[0]


def test_times_are_read_with_their_zone():
    assert expiry("2027-01-31T01:00:00+01:00", "x") == expiry("2027-01-31T00:00:00Z", "x")
    assert timestamp(expiry("2027-01-31T00:00:00Z", "x")) == "2027-01-31T00:00:00Z"
    assert (expiry("", "x"), expiry(None, "x")) == (0, None)
    assert timestamp(0) == "1970-01-01T00:00:00Z"


_NAMES = st.sampled_from(["ann", "bob", "eve"])
_POLICIES = st.none() | st.lists(st.sampled_from(["readonly", "consoleAdmin"]), unique=True)
_USERS = st.lists(
    st.builds(
        lambda name, enabled, policies, state: _user(
            name, enabled=enabled, policies=policies, state=state, secret_key=f"secret-of-{name}"
        ),
        _NAMES,
        st.booleans(),
        _POLICIES,
        st.sampled_from(["present", "present", "absent"]),
    ),
    unique_by=lambda entry: entry["name"],
)
_GROUPS = st.lists(
    st.builds(
        lambda name, enabled, policies, state: _group(
            name, enabled=enabled, policies=policies, state=state
        ),
        st.sampled_from(["one", "two"]),
        st.booleans(),
        _POLICIES,
        st.sampled_from(["present", "absent"]),
    ),
    unique_by=lambda entry: entry["name"],
)


@given(_USERS, _GROUPS, _USERS, _GROUPS, st.booleans())
def test_after_a_run_there_is_nothing_left_to_do(
    played, options, first, groups, second, others, exclusive
):
    fake = played()
    run(fake, options, first, groups)
    run(fake, options, second, others, exclusive=exclusive)
    assert run(fake, options, second, others, exclusive=exclusive)[0] == []


def test_accounts_are_values():
    user = User("a")
    assert replace(user, enabled=True) == user
    assert Accounts({"a": user}).of("users") == {"a": user}
    assert Key("k", "a", description="d").shown() == {
        "user": "a",
        "enabled": True,
        "description": "d",
    }
