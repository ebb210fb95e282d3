# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._s3.policy import (
    NONE,
    covers,
    is_public,
    policy_of,
)
from ansible_collections.mcp.platform.plugins.module_utils._s3.policy_check import (
    ANY_BUCKET,
    IDENTITY,
    MINIO_BUCKET,
    checked,
)

READ = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::shop/*",
}


def _policy(*statements):
    return policy_of({"Version": "2012-10-17", "Statement": list(statements)})


def _bucket(statement, words=MINIO_BUCKET):
    return checked({"Statement": [statement]}, words, "bucket shop", bucket="shop")


@pytest.mark.parametrize(
    "other",
    [
        [{**READ, "Principal": {"AWS": "*"}}],
        [{**READ, "Principal": {"AWS": ["*"]}}],
        [{**READ, "Principal": ["*"]}],
        [{**READ, "Sid": "named"}],
        [{**READ, "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::shop/*"]}],
        [READ, READ],
        [READ, {**READ, "Resource": "arn:aws:s3:::shop/in/*"}],
        [READ, {**READ, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}],
        [{**READ, "Condition": {}}],
    ],
)
def test_what_means_the_same_is_the_same(other):
    assert _policy(*other) == _policy(READ)


@pytest.mark.parametrize(
    "other",
    [
        [],
        [{**READ, "Effect": "Deny"}],
        [{**READ, "Action": "s3:*"}],
        [{**READ, "Resource": "arn:aws:s3:::shop/?"}],
        [{**READ, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}],
        [{**READ, "Condition": {"Bool": {"aws:SecureTransport": True}}}],
        [{**{k: v for k, v in READ.items() if k != "Action"}, "NotAction": "s3:GetObject"}],
        [{**{k: v for k, v in READ.items() if k != "Principal"}, "NotPrincipal": "*"}],
    ],
)
def test_what_means_something_else_differs(other):
    assert _policy(*other) != _policy(READ)


def test_accounts_conditions_and_order_are_read_for_what_they_mean():
    one = {**READ, "Principal": {"AWS": "123456789012"}, "Condition": {"Null": {"s3:prefix": True}}}
    two = {
        **READ,
        "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]},
        "Condition": {"Null": {"s3:Prefix": ["true"]}},
    }
    assert _policy(one, READ) == _policy(READ, two)
    admin = {"Effect": "Allow", "Action": "admin:Heal"}
    assert _policy(admin) == _policy({**admin, "Resource": "arn:aws:s3:::*"})
    assert policy_of({"Statement": READ}) == _policy(READ)


@pytest.mark.parametrize(
    ("pattern", "other", "result"),
    [
        ("s3:*", "s3:Get*", True),
        ("s3:Get*", "s3:*", False),
        ("s3:GetObjec?", "s3:GetObject", True),
        ("s3:Get?", "s3:Get*", False),
        ("a.c", "abc", False),
    ],
)
def test_a_pattern_covers_what_it_matches(pattern, other, result):
    assert covers(pattern, other) is result


_ACTIONS = st.lists(
    st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*"]), min_size=1, max_size=4
)
_RESOURCES = st.lists(
    st.sampled_from(["arn:aws:s3:::shop/*", "arn:aws:s3:::shop/a", "arn:aws:s3:::shop/a*"]),
    min_size=1,
    max_size=3,
)
_STATEMENTS = st.builds(
    lambda effect, actions, resources: {
        "Effect": effect,
        "Principal": "*",
        "Action": actions,
        "Resource": resources,
    },
    st.sampled_from(["Allow", "Deny"]),
    _ACTIONS,
    _RESOURCES,
)


@given(st.lists(_STATEMENTS, max_size=4), st.randoms())
def test_splitting_and_mixing_a_policy_changes_nothing(statements, random):
    pieces = [
        {**one, "Action": action, "Resource": resource}
        for one in statements
        for action in one["Action"]
        for resource in one["Resource"]
    ]
    random.shuffle(pieces)
    assert _policy(*pieces) == _policy(*statements)


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({}, True),
        ({"Effect": "Deny"}, False),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:user/x"}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
        ({"Condition": {"StringEquals": {"aws:Referer": "shop"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "0.0.0.0/0"]}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "128.0.0.0/1"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "::/0"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "here"}}}, True),
        ({"Condition": {"StringEquals": {"aws:username": "shop"}}}, False),
        ({"Condition": {"ForAnyValue:StringLike": {"aws:username": "*"}}}, True),
        ({"Condition": {"ForAllValues:StringEquals": {"aws:username": "shop"}}}, True),
        ({"Condition": {"StringEqualsIfExists": {"aws:username": "shop"}}}, True),
    ],
)
def test_the_world_is_recognised(change, result):
    assert is_public(_policy({**READ, **change})) is result


def test_everybody_but_somebody_is_the_world():
    other = {key: value for key, value in READ.items() if key != "Principal"}
    assert is_public(_policy({**other, "NotPrincipal": {"AWS": "arn:aws:iam::1:root"}}))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"Effect": "allow"}, "neither Allow nor Deny"),
        ({"Actions": "s3:GetObject"}, "unknown key Actions"),
        ({"Action": "s3:Get"}, "no action s3:Get"),
        ({"Action": "s3:getobject"}, "it is s3:GetObject"),
        ({"Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::shop"}, "no action"),
        ({"Action": []}, "exactly one of Action"),
        ({"NotAction": "s3:GetObject"}, "exactly one of Action"),
        ({"Principal": ""}, "exactly one of Principal"),
        ({"Principal": "alice"}, "alice is no principal"),
        ({"Principal": {"Service": "logs"}}, "Service is no principal"),
        ({"Resource": "*"}, "is no resource"),
        ({"Resource": "arn:aws:s3:::other/*"}, "not in the bucket shop"),
        ({"Resource": "arn:aws:s3:::shop"}, "add arn:aws:s3:::shop/*"),
        ({"Action": "s3:ListBucket"}, "does not apply to any resource"),
        ({"Condition": "no"}, "Condition is no mapping"),
        ({"Condition": {"StringIs": {"s3:prefix": "a"}}}, "no condition StringIs"),
        ({"Condition": {"StringLike": "a"}}, "StringLike is no mapping"),
        ({"Condition": {"StringLike": {}}}, "StringLike is no mapping"),
        ({"Condition": {"StringLike": {"aws:sourceip": "a"}}}, "it is aws:SourceIp"),
        ({"Condition": {"StringLike": {"aws:nothing": "a"}}}, "known are"),
    ],
)
def test_what_the_server_would_refuse_is_refused_before(change, what):
    with pytest.raises(PlatformError) as error:
        _bucket({**READ, **change})
    assert what in str(error.value)
    assert error.value.where == "bucket shop, statement 1"
    assert error.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"Action": "s3:*", "Resource": ["arn:aws:s3:::shop", "arn:aws:s3:::shop/*"]},
        {"Action": "s3:List*", "Resource": "arn:aws:s3:::shop"},
        {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::sho*"},
        {"Condition": {"ForAnyValue:StringLike": {"s3:ExistingObjectTag/team": "shop"}}},
    ],
)
def test_what_the_server_takes_is_taken(change):
    assert _bucket({**READ, **change}).document["Version"] == "2012-10-17"


def test_who_is_not_meant_is_only_known_to_other_engines():
    other = {key: value for key, value in READ.items() if key != "Principal"}
    other["NotPrincipal"] = {"Service": "logs.example.test"}
    with pytest.raises(PlatformError, match="does not know NotPrincipal"):
        _bucket(other)
    assert _bucket(other, ANY_BUCKET).meaning


def test_other_engines_know_more_words():
    acl = {**READ, "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::shop"}
    condition = {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}
    assert _bucket({**acl, "Condition": condition}, ANY_BUCKET).meaning


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        ('{"Statement": [}', "not valid JSON"),
        ([], "is no document"),
        ({"Statements": []}, "unknown key Statements"),
        ({"Version": "2008-10-17", "Statement": [READ]}, "unknown version 2008-10-17"),
        ({"Statement": []}, "no statement"),
        ({"Statement": ["Allow"]}, "is no mapping"),
    ],
)
def test_a_document_that_is_none_is_refused(raw, what):
    with pytest.raises(PlatformError, match=what):
        checked(raw, MINIO_BUCKET, "policy", bucket="shop")


def test_texts_dates_and_single_statements_become_what_a_server_takes():
    found = checked({"Version": "2012-10-17", "Statement": READ}, ANY_BUCKET, "x", bucket="shop")
    assert found.document["Statement"] == [READ]
    empty = {**READ, "Condition": {}}
    assert _bucket(empty).document["Statement"] == [READ]
    assert checked("{}", ANY_BUCKET, "x", bucket="shop") == NONE


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"Principal": "*"}, "bucket's policy only"),
        ({"NotPrincipal": "*"}, "bucket's policy only"),
        ({"Action": ["s3:GetObject", "admin:Heal"]}, "more than one service"),
        ({"Action": "*"}, "more than one service"),
        ({"Resource": []}, "exactly one of Resource"),
    ],
)
def test_policies_of_users_have_rules_of_their_own(change, what):
    statement = {key: value for key, value in READ.items() if key != "Principal"}
    with pytest.raises(PlatformError, match=what):
        checked({"Statement": {**statement, **change}}, IDENTITY, "policy")


def test_the_administration_needs_no_resource():
    assert checked({"Statement": {"Effect": "Allow", "Action": "admin:*"}}, IDENTITY, "x").meaning
