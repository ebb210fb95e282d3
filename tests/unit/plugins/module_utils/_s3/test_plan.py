# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._s3.model import (
    Bucket,
    Copy,
    Encryption,
    Notification,
    Replication,
    Retention,
    Rule,
    Target,
    check_name,
    shown,
    size,
)
from ansible_collections.mcp.platform.plugins.module_utils._s3.options import wish_from
from ansible_collections.mcp.platform.plugins.module_utils._s3.plan import (
    Wish,
    applied,
    check_list,
    plan,
    plan_one,
    unlisted,
)
from ansible_collections.mcp.platform.plugins.module_utils._s3.policy import NONE, policy_of
from ansible_collections.mcp.platform.plugins.module_utils._s3.policy_check import MINIO_BUCKET

COMPLIANCE = Retention(True, "compliance", 30)
TARGET = Target("https://other.example.test", "copies", "replicator")


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("ab", "3 to 63"),
        ("a" * 64, "3 to 63"),
        ("Shop", "small letters"),
        ("a_b", "small letters"),
        ("-shop", "begins and ends"),
        ("shop.", "begins and ends"),
        ("a..b", "two dots"),
        ("192.168.5.4", "IP address"),
        ("xn--shop", "does not begin with"),
        ("shop--x-s3", "does not end with"),
        ("minio", "keeps for itself"),
    ],
)
def test_a_name_that_s3_forbids_is_refused_with_the_rule(name, rule):
    with pytest.raises(PlatformError, match=rule):
        check_name(name)


@pytest.mark.parametrize("name", ["abc", "shop.example.test", "1-2", "a" * 63])
def test_a_good_name_is_taken(name):
    check_name(name)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("10GiB", 10 * 2**30),
        ("500 MB", 500_000_000),
        ("1.5k", 1500),
        ("7", 7),
        ("2TiB", 2**41),
    ],
)
def test_sizes_are_read(text, number):
    assert size(text, "quota") == number


def test_what_is_no_size_is_refused():
    with pytest.raises(PlatformError, match="much is no size"):
        size("much", "quota")


def _wish(**entry):
    return wish_from({"name": "shop", "state": "present", **entry}, MINIO_BUCKET)


def test_what_an_entry_leaves_out_is_left_alone():
    assert _wish().bucket == Bucket("shop")
    emptied = _wish(tags={}, policy={}, lifecycle=[], notifications=[], replication=[], quota="0")
    assert emptied.bucket == Bucket(
        "shop",
        tags=frozenset(),
        policy=NONE,
        lifecycle=frozenset(),
        notifications=frozenset(),
        replication=Replication(),
        quota=0,
    )


RULE = {"id": "one", "expire_days": 1}
EVENT = {"arn": "arn:minio:sqs::HOOK:webhook", "events": ["s3:ObjectCreated:*"]}
COPY = {"id": "all", "arn": "arn:aws:s3:::other"}
OTHER = {
    "endpoint": "https://other.example.test/",
    "bucket": "copies",
    "access_key": "replicator",
    "secret_key": "the-secret",
}
PUBLIC = {
    "Statement": {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shop/*",
    }
}


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ({"object_lock": {"mode": "none", "days": 1}}, "needs a mode"),
        ({"object_lock": {"mode": "governance"}}, "exactly one of days and years"),
        ({"object_lock": {"mode": "governance", "days": 1, "years": 1}}, "exactly one"),
        ({"object_lock": {"mode": "governance", "days": -1}}, "exactly one"),
        ({"object_lock": {"mode": "governance", "years": 101}}, "too long"),
        ({"tags": {"": "a"}}, "too long, or has no name"),
        ({"tags": {"a": "b" * 257}}, "too long"),
        ({"encryption": {"algorithm": "sse-kms"}}, "sse-kms needs one"),
        ({"encryption": {"algorithm": "sse-s3", "key": "k"}}, "sse-kms needs one"),
        ({"tags": {str(n): n for n in range(51)}}, "S3 allows 50"),
        ({"policy": PUBLIC}, "opens the bucket to the world"),
        ({"lifecycle": [{"id": "one"}]}, "does nothing"),
        ({"lifecycle": [{"id": "one", "expire_days": -1}]}, "below 0"),
        ({"lifecycle": [RULE, RULE]}, "there twice"),
        ({"lifecycle": [{**RULE, "expire_delete_markers": True}]}, "either expire_days"),
        ({"notifications": [{**EVENT, "arn": "hook"}]}, "is no ARN"),
        ({"notifications": [{**EVENT, "events": []}]}, "no event is named"),
        ({"notifications": [{**EVENT, "events": ["created"]}]}, "created is no event"),
        ({"replication": [{"id": "one"}]}, "either arn or target"),
        ({"replication": [{**COPY, "target": OTHER}]}, "either arn or target"),
        ({"replication": [COPY, COPY]}, "there twice"),
        (
            {"replication": [{**COPY, "priority": 2}, {**COPY, "id": "b", "priority": 2}]},
            "one priority",
        ),
        (
            {"replication": [{"id": "a", "target": {**OTHER, "endpoint": "http://x"}}]},
            "server with TLS",
        ),
        ({"replication": [{"id": "a", "target": {**OTHER, "bandwidth": "1MB"}}]}, "below 100 MB"),
        (
            {
                "replication": [
                    {"id": "a", "target": OTHER},
                    {"id": "b", "target": {**OTHER, "access_key": "b"}},
                ]
            },
            "described in two ways",
        ),
        ({"quota": "much"}, "is no size"),
    ],
)
def test_what_cannot_work_is_refused(entry, what):
    with pytest.raises(PlatformError, match=what):
        _wish(**entry)


def test_the_world_is_let_in_when_it_is_said_twice():
    assert _wish(policy=PUBLIC, allow_public=True).bucket.policy == policy_of(PUBLIC)


def test_a_wish_shows_no_secret():
    wish = _wish(replication=[{"id": "all", "target": {**OTHER, "refresh": True}}])
    assert wish.bucket.replication == Replication(
        frozenset({Copy("all", "https://other.example.test/copies")}),
        frozenset({TARGET}),
    )
    assert wish.secrets == {TARGET.place: "the-secret"}
    assert wish.refresh == {TARGET.place}
    assert "the-secret" not in repr(wish)


def test_a_region_in_the_arn_of_an_event_target_means_nothing():
    told = _wish(notifications=[{**EVENT, "arn": "arn:minio:sqs:eu:HOOK:webhook"}])
    assert told.bucket == _wish(notifications=[EVENT]).bucket


def _plan_one(current, **desired):
    allow = desired.pop("allow", False)
    return plan_one(current, Wish(Bucket("shop", **desired), allow_weaker_retention=allow))


def test_a_new_bucket_is_created_with_what_it_does_not_have_by_itself():
    step = _plan_one(None, lock=COMPLIANCE, versioning=True, quota=0, tags=frozenset({("a", "b")}))
    assert str(step.change) == "create bucket shop"
    assert step.aspects == ("lock", "tags")
    assert step.change.after["object_lock"] == {"mode": "compliance", "days": 30}
    assert step.change.after["versioning"] == "enabled"


def test_only_what_differs_is_changed_and_shown():
    found = Bucket("shop", versioning=True, tags=frozenset({("a", "b")}))
    assert _plan_one(found, versioning=True) is None
    step = _plan_one(found, versioning=False, tags=frozenset({("a", "b")}))
    assert step.aspects == ("versioning",)
    assert step.change.before == {"versioning": "enabled"}
    assert step.change.after == {"versioning": "suspended"}


@pytest.mark.parametrize(
    ("lock", "allowed"),
    [
        (COMPLIANCE, True),
        (Retention(True, "compliance", 1, "years"), True),
        (Retention(True, "compliance", 29), False),
        (Retention(True, "governance", 1, "years"), False),
        (Retention(True), False),
    ],
)
def test_a_compliance_retention_is_only_weakened_when_said_twice(lock, allowed):
    found = Bucket("shop", lock=COMPLIANCE, versioning=True)
    if not allowed:
        with pytest.raises(PlatformError, match="weaken a compliance retention"):
            _plan_one(found, lock=lock)
    step = _plan_one(found, lock=lock, allow=True)
    assert (step is None) == (lock == COMPLIANCE)


def test_governance_may_be_weakened():
    found = Bucket("shop", lock=Retention(True, "governance", 9), versioning=True)
    assert _plan_one(found, lock=Retention(True)).aspects == ("lock",)


@pytest.mark.parametrize(
    ("current", "desired", "what"),
    [
        ({"lock": Retention(), "versioning": False}, {"lock": COMPLIANCE}, "when a bucket is"),
        ({"lock": COMPLIANCE, "versioning": True}, {"versioning": False}, "cannot be suspended"),
        (
            {"versioning": False, "replication": Replication()},
            {"replication": Replication(frozenset({Copy("a", "arn")}))},
            "needs versioning",
        ),
    ],
)
def test_what_no_server_allows_is_refused(current, desired, what):
    with pytest.raises(PlatformError, match=what):
        _plan_one(Bucket("shop", **current), **desired)


def test_login_of_a_target_is_sent_again_when_asked_for():
    copied = Replication(frozenset({Copy("a", TARGET.place)}), frozenset({TARGET}))
    found = Bucket("shop", versioning=True, replication=copied)
    wish = Wish(Bucket("shop", replication=copied), refresh=frozenset({TARGET.place}))
    step = plan_one(found, wish)
    assert step.aspects == ("replication",)
    assert "sent again" in step.change.after["credentials"]


def test_deletion_is_planned_for_what_exists():
    wish = Wish(Bucket("shop"), present=False)
    assert plan({}, [wish]) == ()
    (step,) = plan({"shop": Bucket("shop")}, [wish])
    assert step.delete
    assert str(step.change) == "delete bucket shop"


def test_lists_are_checked():
    wish = Wish(Bucket("shop"))
    with pytest.raises(PlatformError, match="listed twice: shop"):
        check_list([wish, wish])
    assert unlisted({"a", "shop"}, [wish]) == ["a"]


def test_everything_can_be_shown():
    bucket = Bucket(
        "shop",
        lock=Retention(),
        encryption=Encryption("sse-kms", "key"),
        lifecycle=frozenset({Rule("a", expire_days=1)}),
        notifications=frozenset({Notification("arn", frozenset({"b", "a"}))}),
        replication=Replication(frozenset({Copy("a", "arn")}), frozenset({TARGET}), "role"),
    )
    text = shown(bucket, ("lock", "encryption", "lifecycle", "notifications", "replication"))
    assert text["object_lock"] == "off"
    assert text["encryption"] == "sse-kms key"
    assert text["lifecycle"] == [{"id": "a", "enabled": True, "expire_days": 1}]
    assert text["notifications"][0]["events"] == ["a", "b"]
    assert text["replication"]["role"] == "role"


_RETENTIONS = st.builds(
    Retention,
    st.just(True),
    st.sampled_from(["governance", "compliance"]),
    st.integers(1, 3),
    st.sampled_from(["days", "years"]),
)
_NAMES = st.sampled_from(["a", "b", "c"])
_BUCKETS = st.builds(
    Bucket,
    st.just("shop"),
    lock=st.none() | _RETENTIONS,
    versioning=st.sampled_from([None, True]),
    encryption=st.none() | st.builds(Encryption, st.sampled_from(["none", "sse-s3"])),
    quota=st.none() | st.integers(0, 2),
    tags=st.none() | st.frozensets(st.tuples(_NAMES, _NAMES), max_size=2),
    policy=st.sampled_from([None, NONE, policy_of(PUBLIC)]),
    lifecycle=st.none() | st.frozensets(st.builds(Rule, _NAMES, expire_days=st.just(1))),
    notifications=st.none() | st.frozensets(st.builds(Notification, _NAMES, st.just(frozenset()))),
)


@given(_BUCKETS, _BUCKETS)
def test_after_the_plan_there_is_nothing_left_to_do(first, second):
    wish = Wish(first, allow_weaker_retention=True)
    found = applied(None, first)
    assert plan_one(found, wish) is None
    if second.lock and not first.lock:
        return
    wish = Wish(second, allow_weaker_retention=True)
    step = plan_one(found, wish)
    after = applied(found, second)
    assert plan_one(after, wish) is None
    assert (step is None) == (after == found)
