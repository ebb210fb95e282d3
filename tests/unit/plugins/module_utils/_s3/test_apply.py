# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context
from ansible_collections.mcp.platform.plugins.module_utils._s3 import buckets, documents
from ansible_collections.mcp.platform.plugins.module_utils._s3.apply import apply

POLICY = {
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:user/reader"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shop/*",
    }
}
TARGET = {
    "endpoint": "https://other.example.test:9000",
    "bucket": "copies",
    "access_key": "replicator",
    "secret_key": "secret-of-replicator",
}
SHOP = {
    "name": "shop",
    "object_lock": {"mode": "governance", "years": 1},
    "encryption": {"algorithm": "sse-kms", "key": "test"},
    "quota": "1GiB",
    "tags": {"a": 1},
    "policy": POLICY,
    "lifecycle": [
        {"id": "all", "expire_days": 3, "noncurrent_days": 2, "noncurrent_versions": 1},
        {"id": "markers", "expire_delete_markers": True, "enabled": False},
    ],
    "notifications": [
        {"arn": "arn:minio:sqs::A:webhook", "events": ["s3:ObjectCreated:*"], "prefix": "in/"},
        {"arn": "arn:aws:sns:eu-1:1:topic", "events": ["s3:ObjectRemoved:*"], "suffix": ".x"},
        {"arn": "arn:aws:lambda:eu-1:1:function:f", "events": ["s3:ObjectRemoved:*"]},
    ],
    "replication": [
        {"id": "there", "delete_markers": True, "existing_objects": True, "target": TARGET},
    ],
}


def run(fake, options, **mode):
    """Return the changes, the values and the warnings of a run."""
    warned = []
    outcome = apply(Context(options, warn=warned.append, **mode), fake.connect, fake.connect)
    return [str(change) for change in outcome.changes], outcome.values, warned


def test_a_bucket_is_made_once_and_then_left_alone(fake, options):
    assert run(fake, options(SHOP), check_mode=True)[0] == ["create bucket shop"]
    assert fake.buckets == {}
    assert run(fake, options(SHOP))[0] == ["create bucket shop"]
    assert run(fake, options(SHOP)) == ([], {"unlisted": []}, [])
    assert fake.quotas == {"shop": 2**30}
    assert "secret-of-replicator" not in str(fake.targets)
    assert run(fake, options())[1] == {"unlisted": ["shop"]}


def test_an_interrupted_run_is_finished_by_the_next(fake, options):
    real = fake.put_bucket_policy

    def broken(**_parameters):
        raise PlatformError("the line is cut")

    fake.put_bucket_policy = broken
    with pytest.raises(PlatformError, match="cut"):
        run(fake, options(SHOP))
    fake.put_bucket_policy = real
    assert run(fake, options(SHOP))[0] == ["update bucket shop"]
    assert run(fake, options(SHOP))[0] == []


def test_everything_can_be_taken_away_again(fake, options):
    run(fake, options(SHOP))
    emptied = {
        "name": "shop",
        "encryption": {"algorithm": "none"},
        "object_lock": {"mode": "none"},
        "quota": "0",
        "tags": {},
        "policy": {},
        "lifecycle": [],
        "notifications": [],
        "replication": [],
    }
    assert run(fake, options(emptied))[0] == ["update bucket shop"]
    assert run(fake, options(emptied))[0] == []
    assert fake.targets == {"shop": {}}
    assert fake.buckets["shop"]["notification"] == {}


def test_versions_come_and_go(fake, options):
    for word in ("enabled", "suspended"):
        entry = {"name": "plain", "versioning": word}
        assert len(run(fake, options(entry))[0]) == 1
        assert run(fake, options(entry))[0] == []
    assert fake.buckets["plain"]["versioning"] == {"Status": "Suspended"}


def _copying(*rules):
    return {"name": "shop", "versioning": "enabled", "replication": list(rules)}


@pytest.mark.parametrize("keeps", [True, False])
def test_a_target_on_the_same_server_takes_the_place_of_the_old_one(fake, options, keeps):
    fake.keeps_targets = keeps
    run(fake, options(_copying({"id": "a", "target": TARGET})))
    other = _copying({"id": "a", "deletes": True, "target": {**TARGET, "bucket": "others"}})
    assert run(fake, options(other))[0] == ["update bucket shop"]
    assert run(fake, options(other))[0] == []
    assert [one["targetbucket"] for one in fake.targets["shop"].values()] == ["others"]


def test_a_target_is_changed_in_place(fake, options):
    run(fake, options(_copying({"id": "a", "target": TARGET})))
    other = _copying({"id": "a", "target": {**TARGET, "synchronous": True, "bandwidth": "1GB"}})
    assert run(fake, options(other))[0] == ["update bucket shop"]
    assert run(fake, options(other))[0] == []
    (target,) = fake.targets["shop"].values()
    assert (target["replicationSync"], target["bandwidthlimit"]) == (True, 10**9)
    again = _copying({"id": "a", "target": {**other["replication"][0]["target"], "refresh": True}})
    assert run(fake, options(again))[0] == ["update bucket shop"]


def test_a_target_may_be_named_by_its_arn(fake, options):
    run(fake, options(_copying({"id": "a", "target": TARGET})))
    (arn,) = fake.targets["shop"]
    assert run(fake, options(_copying({"id": "a", "arn": arn})))[0] == []
    changed = _copying({"id": "a", "arn": arn, "prefix": "in/"})
    assert run(fake, options(changed))[0] == ["update bucket shop"]
    assert list(fake.targets["shop"]) == [arn]


def test_a_refusal_of_another_kind_is_not_swallowed(fake, options, monkeypatch):
    run(fake, options(SHOP))
    for name in ("list_remote_targets", "list_buckets", "get_bucket_tagging", "head_bucket"):

        def denied(*_rest, **_parameters):
            raise buckets.RefusedError("no", code="InternalError")

        entry = SHOP if name != "head_bucket" else {"name": "other"}
        monkeypatch.setattr(fake, name, denied)
        with pytest.raises(PlatformError):
            run(fake, options(entry))
        monkeypatch.undo()


def test_a_target_that_cannot_be_removed_is_told(fake, options, monkeypatch):
    run(fake, options(_copying({"id": "a", "target": TARGET})))

    def denied(*_rest, **_parameters):
        raise buckets.RefusedError("no", code="AccessDenied")

    monkeypatch.setattr(fake, "remove_remote_target", denied)
    with pytest.raises(PlatformError, match="no"):
        run(fake, options(_copying()))


def test_a_full_bucket_is_only_deleted_when_said_twice(fake, options):
    run(fake, options({"name": "shop"}))
    fake.buckets["shop"]["objects"] = [("a", "1", False), ("a", "2", False), ("b", "3", True)]
    fake.buckets["shop"]["uploads"] = [{"Key": "c", "UploadId": "4"}]
    gone = {"name": "shop", "state": "absent"}
    for mode in ({"check_mode": True}, {}):
        with pytest.raises(PlatformError, match="still holds objects"):
            run(fake, options(gone), **mode)
    fake.unlocked = False
    with pytest.raises(PlatformError, match="WORM"):
        run(fake, options({**gone, "force_delete": True}))
    fake.unlocked = True
    assert run(fake, options({**gone, "force_delete": True}))[0] == ["delete bucket shop"]
    assert run(fake, options(gone))[0] == []


def test_an_empty_bucket_is_deleted(fake, options):
    run(fake, options({"name": "shop"}))
    assert run(fake, options({"name": "shop", "state": "absent"}))[0] == ["delete bucket shop"]


def test_a_login_that_may_not_list_looks_at_each_bucket(fake, options):
    run(fake, options({"name": "shop"}))
    fake.may_list = False
    assert run(fake, options({"name": "shop"}, {"name": "other"}))[0] == ["create bucket other"]
    fake.foreign = {"theirs"}
    with pytest.raises(PlatformError, match="may not see it"):
        run(fake, options({"name": "theirs"}))


def test_a_server_that_is_not_there_counts_as_new_in_check_mode(fake, options):
    fake.alive = False
    done, values, warned = run(fake, options(SHOP), check_mode=True)
    assert (done, values) == (["create bucket shop"], {"unlisted": []})
    assert "taken for a new server" in warned[0]
    with pytest.raises(PlatformError, match="no answer"):
        run(fake, options(SHOP))


def test_minio_refuses_a_rule_that_it_would_drop(fake, options):
    rules = [{"id": "a", "abort_incomplete_days": 1, "expire_days": 2}]
    with pytest.raises(PlatformError, match="no rule for unfinished uploads"):
        run(fake, options({"name": "shop", "lifecycle": rules}))


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ({"quota": "1GiB"}, "MinIO's own"),
        (_copying({"id": "a", "target": TARGET}), "MinIO's own"),
        (_copying({"id": "a", "arn": "arn:aws:s3:::b", "deletes": True}), "deletion of versions"),
    ],
)
def test_other_engines_are_not_asked_for_what_only_minio_has(fake, options, entry, what):
    fake.real_engine = "Other"
    with pytest.raises(PlatformError, match=what):
        run(fake, options({"name": "shop", **entry}))


def test_other_engines_take_the_rest(fake, options):
    fake.real_engine = "Other"
    entry = {
        **_copying({"id": "a", "arn": "arn:aws:s3:::b"}),
        "lifecycle": [{"id": "a", "abort_incomplete_days": 1}],
        "replication_role": "arn:aws:iam::1:role/r",
    }
    assert run(fake, options(entry, region="eu-1"))[0] == ["create bucket shop"]
    assert run(fake, options(entry, region="eu-1"))[0] == []
    created = next(given for name, given in fake.asked if name == "create_bucket")
    assert created["CreateBucketConfiguration"] == {"LocationConstraint": "eu-1"}
    assert "list-remote-targets" not in [name for name, _given in fake.asked]


def test_a_bucket_listed_twice_is_refused(fake, options):
    with pytest.raises(PlatformError, match="listed twice"):
        run(fake, options({"name": "shop"}, {"name": "shop"}))


def test_rules_of_others_are_seen_for_what_they_are():
    (rule,) = documents.lifecycle_from(
        {
            "Rules": [
                {
                    "ID": "a",
                    "Status": "Enabled",
                    "Prefix": "old/",
                    "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}],
                    "NoncurrentVersionTransition": {},
                }
            ]
        }
    )
    assert rule.prefix == "old/"
    assert "GLACIER" in rule.other
    assert "Noncurrent" not in rule.other
    assert "GLACIER" in str(rule.shown())


def test_an_event_target_of_an_unknown_kind_is_a_queue():
    told = documents.Notification("arn:other:x::a:b", frozenset({"s3:ObjectCreated:*"}))
    assert list(documents.notifications_to([told])) == ["QueueConfigurations"]


@pytest.mark.parametrize(
    ("about", "what"),
    [
        ({"services": {"kmsStatus": [{}]}}, "no target arn:aws:lambda:eu-1:1:function:f"),
        ({"sqsARN": [one["arn"] for one in SHOP["notifications"]]}, "no key service"),
    ],
)
def test_what_this_minio_does_not_have_is_refused_before(fake, options, about, what):
    fake.about = about
    for mode in ({"check_mode": True}, {}):
        with pytest.raises(PlatformError, match=what):
            run(fake, options(SHOP), **mode)
    assert fake.buckets == {}


def test_a_login_that_may_not_ask_leaves_it_to_the_server(fake, options):
    fake.about = None
    assert run(fake, options(SHOP))[0] == ["create bucket shop"]


def test_what_is_not_encrypted_needs_no_key_service(fake, options):
    entry = {"name": "plain", "encryption": {"algorithm": "sse-s3"}}
    run(fake, options(entry))
    fake.about = {}
    assert run(fake, options({**entry, "encryption": {"algorithm": "none"}}))[0]


_WORDS = st.sampled_from(["a", "b", "c"])
_RULES = st.lists(
    st.fixed_dictionaries(
        {"id": _WORDS, "expire_days": st.integers(1, 3)},
        optional={"prefix": _WORDS, "noncurrent_versions": st.integers(1, 3)},
    ),
    unique_by=lambda rule: rule["id"],
)
_TARGETS = st.builds(
    lambda host, bucket, more: {**TARGET, "endpoint": f"https://{host}", "bucket": bucket, **more},
    st.sampled_from(["one", "two"]),
    st.just("copies"),
    st.fixed_dictionaries({}, optional={"synchronous": st.booleans()}),
)
_ENTRIES = st.fixed_dictionaries(
    {"name": st.just("shop"), "versioning": st.just("enabled")},
    optional={
        "encryption": st.sampled_from([{"algorithm": "none"}, {"algorithm": "sse-s3"}]),
        "quota": st.sampled_from(["0", "1GiB", "2GB"]),
        "tags": st.dictionaries(_WORDS, st.integers(0, 2)),
        "policy": st.sampled_from([{}, POLICY]),
        "lifecycle": _RULES,
        "notifications": st.sampled_from([[], SHOP["notifications"], SHOP["notifications"][:1]]),
        "replication": st.lists(
            st.builds(lambda name, target: {"id": name, "target": target}, _WORDS, _TARGETS),
            unique_by=(lambda rule: rule["id"], lambda rule: rule["target"]["endpoint"]),
        ),
    },
)


@given(_ENTRIES, _ENTRIES)
def test_whatever_is_wanted_is_reached_in_one_run(played, options, first, second):
    fake = played()
    run(fake, options(first))
    run(fake, options(second))
    assert run(fake, options(second))[0] == []
    kept = {**first, **second}
    assert run(fake, options(kept))[0] == []
