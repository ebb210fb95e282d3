# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._redis import acl

COMMANDS = acl.commands_from(
    {
        "read": ["get", "strlen", "select"],
        "write": ["set", "incr"],
        "admin": [
            *("config", "config|get", "config|set"),
            *("acl", "acl|cat", "acl|list", "acl|setuser", "acl|deluser", "acl|whoami"),
        ],
        "dangerous": ["config|set", "flushall"],
    }
)


def _user(*rules, **options):
    return acl.desired_user({"name": "app", "rules": list(rules), **options}, COMMANDS)


def _meaning(*rules):
    return _user(*rules).meaning


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["+@all", "~*", "&*"], ["allcommands", "allkeys", "allchannels"]),
        (["+get", "+strlen", "+select"], ["+@read"]),
        (["+config"], ["+config|get", "+config|set"]),
        (["+@all", "-@all", "+get"], ["nocommands", "+GET"]),
        (["+@admin", "-config|set"], ["+@admin", "-@dangerous"]),
        (["%R~a", "%W~a"], ["~a"]),
        (["~a", "~b"], ["%RW~b", "%WR~a"]),
        (["~*", "~a"], ["~*"]),
        (["&*", "&a"], ["&*"]),
        (["~a", "resetkeys", "~b", "&x", "resetchannels"], ["~b"]),
        (["(+get ~a)"], ["( ~a +get )"]),
        (["(+get ~a)", "(+set ~b)"], ["(+set ~b)", "(+get ~a)"]),
        (["sanitize-payload"], []),
        (["+select|0", "+select"], ["+select"]),
        (["+select", "+select|0"], ["+select"]),
        (["+select|0", "-select"], []),
    ],
)
def test_two_texts_that_mean_the_same(one, other):
    assert _meaning(*one) == _meaning(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["+@all", "-get"], ["-get", "+@all"]),
        (["+get", "+set", "+incr", "+strlen", "+select"], ["+@all"]),
        (["%R~a"], ["~a"]),
        (["~a"], ["&a"]),
        (["+get ~a"], ["(+get ~a)"]),
        (["+select|0"], ["+select|1"]),
        (["+@read", "-@all"], ["+@read"]),
        (["skip-sanitize-payload"], []),
    ],
)
def test_two_texts_that_do_not(one, other):
    assert _meaning(*one) != _meaning(*other)


_RULES = st.lists(
    st.sampled_from(
        (
            *("+@all", "-@all", "+@read", "-@write", "+get", "-get", "+config|get", "-config"),
            *("~a", "%R~b", "%W~b", "&c", "resetkeys", "resetchannels", "+select|1"),
            *("(+get ~x)", "~*"),
        )
    )
)


@given(_RULES, st.booleans(), st.sets(st.text("abc", min_size=1, max_size=3), max_size=2))
def test_what_was_set_is_found_reached(rules, enabled, passwords):
    wanted = _user(*rules, enabled=enabled, passwords=sorted(passwords))
    (step,) = acl.plan({}, [wanted])
    words = [word for word in step.words[3:] if word not in ("reset", "resetchannels")]
    line = " ".join(["user", "app", *words])
    # The line keeps no resetchannels, so where the rules have one it is read in its place.
    if "resetchannels" in rules:
        line = " ".join(["user", "app", *step.words[4:]])
    found = acl.user_from_line(line, COMMANDS)
    assert acl.plan({"app": found}, [wanted]) == ()


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("+nothing", "command that the server does not have"),
        ("+get2|0", "command that the server does not have"),
        ("-select|0", "command that the server does not have"),
        ("+@nothing", "category that the server does not have"),
        ("(+get", "is not closed"),
        ("get", "is none of Redis"),
        ("+", "is none of Redis"),
        (">password", "does not belong"),
        ("#password", "does not belong"),
        ("on", "use the option enabled"),
        ("reset", "use the option rules"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(rule, what):
    with pytest.raises(PlatformError) as error:
        _user(rule)
    assert what in str(error.value)
    assert "password" not in error.value.what


def test_a_user_that_cannot_be_is_refused():
    with pytest.raises(PlatformError, match="space"):
        acl.desired_user({"name": "a b"}, COMMANDS)
    with pytest.raises(PlatformError, match="needs none"):
        _user(passwords=["a"], nopass=True)
    with pytest.raises(PlatformError, match="twice"):
        acl.plan({}, [_user()], ["app"])
    with pytest.raises(PlatformError, match="cannot be removed"):
        acl.plan({}, [], ["default"])


def test_passwords_are_hashes_and_stay_where_they_are_not_given():
    digest = acl.password_hash("secret")
    assert acl.password_hash(f"#{digest.upper()}") == digest
    assert acl.password_hash("#short") != "short"
    found = acl.user_from_line(f"user app on sanitize-payload #{digest} ~a +get", COMMANDS)
    assert acl.plan({"app": found}, [_user("~a", "+get")]) == ()
    assert acl.plan({"app": found}, [_user("~a", "+get", passwords=["secret"])]) == ()
    (step,) = acl.plan({"app": found}, [_user("~a")])
    assert f"#{digest}" in step.words
    assert digest not in str(step.change) + repr(step)
    assert step.change.after["passwords"] == ["VALUE_HIDDEN"]
    (step,) = acl.plan({"app": found}, [_user("~a", "+get", passwords=["other"])])
    assert step.change.after["passwords"] == ["VALUE_HIDDEN (new)"]
    (step,) = acl.plan({"app": found}, [_user("~a", "+get", passwords=[])])
    assert step.change.after["passwords"] == []
    (step,) = acl.plan({"app": found}, [_user("~a", "+get", nopass=True)])
    assert "nopass" in step.words


def test_a_new_user_without_a_password_has_none():
    (step,) = acl.plan({}, [_user("~a", enabled=False)])
    assert step.words == ("ACL", "SETUSER", "app", "reset", "off", "resetchannels", "~a")
    assert step.change.kind == "create"


def test_who_is_not_listed_goes_only_where_that_is_said():
    current = {
        name: acl.user_from_line(f"user {name} on nopass -@all", COMMANDS)
        for name in ("default", "app", "old", "kept")
    }
    desired = [_user(nopass=True)]
    assert acl.unlisted(current, ["app"], ["default"]) == ["kept", "old"]
    assert acl.plan(current, desired) == ()
    (step,) = acl.plan(current, desired, exclusive=True, protected=["kept"])
    assert step.words == ("ACL", "DELUSER", "old")
    (step,) = acl.plan(current, [], ["app", "never"])
    assert step.words[2] == "app"


@pytest.mark.parametrize(
    ("options", "lost"),
    [
        ({"rules": ["+@all"], "passwords": ["secret"]}, ""),
        ({"rules": ["+@all"]}, ""),
        ({"rules": ["+@all"], "nopass": True}, ""),
        ({"rules": ["+@all"], "passwords": ["other"]}, "lose the password"),
        ({"rules": ["+@all"], "enabled": False}, "switched off"),
        ({"rules": ["+@read"]}, "would lose acl|cat"),
    ],
)
def test_the_module_does_not_lock_itself_out(options, lost):
    current = {"app": acl.user_from_line("user app on -@all", COMMANDS)}
    desired = [_user(**{"rules": [], **options})] if "rules" not in options else None
    desired = desired or [acl.desired_user({"name": "app", **options}, COMMANDS)]
    steps = acl.plan(current, desired)
    acl.refuse_lockout(steps, desired, "somebody", "secret")
    if not lost:
        acl.refuse_lockout(steps, desired, "app", "secret")
        return
    with pytest.raises(PlatformError) as error:
        acl.refuse_lockout(steps, desired, "app", "secret")
    assert lost in error.value.what


def test_nor_does_it_remove_itself():
    current = {"app": acl.user_from_line("user app on -@all", COMMANDS)}
    with pytest.raises(PlatformError, match="would be removed"):
        acl.refuse_lockout(acl.plan(current, [], ["app"]), [], "app", None)
