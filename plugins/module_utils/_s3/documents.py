# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: a bucket's settings in the form that S3 sends and takes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .model import Copy, Encryption, Notification, Replication, Retention, Rule, Target
from .options import event_arn
from .policy import Policy, policy_of

Reply = Mapping[str, Any]
_ALGORITHMS = {"AES256": "sse-s3", "aws:kms": "sse-kms"}
_KINDS = (
    ("QueueConfigurations", "QueueArn", ":sqs:"),
    ("TopicConfigurations", "TopicArn", ":sns:"),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn", ":lambda:"),
)


def _status(on: bool) -> dict[str, str]:
    return {"Status": "Enabled" if on else "Disabled"}


def _is_on(found: Any) -> bool:
    return bool(found) and found.get("Status") == "Enabled"


# ---- object lock, encryption, tags, policy


def lock_from(reply: Reply) -> Retention:
    """Return the lock of a reply to GetObjectLockConfiguration; an empty one is none."""
    found = reply.get("ObjectLockConfiguration") or {}
    if found.get("ObjectLockEnabled") != "Enabled":
        return Retention()
    default = (found.get("Rule") or {}).get("DefaultRetention") or {}
    if not default.get("Mode"):
        return Retention(True)
    unit = "years" if default.get("Years") else "days"
    return Retention(True, default["Mode"].lower(), int(default[unit.title()]), unit)


def lock_to(lock: Retention) -> dict[str, Any]:
    """Return what PutObjectLockConfiguration takes."""
    document: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    if lock.mode != "none":
        default = {"Mode": lock.mode.upper(), lock.unit.title(): lock.period}
        document["Rule"] = {"DefaultRetention": default}
    return document


def encryption_from(reply: Reply) -> Encryption:
    """Return the encryption of a reply to GetBucketEncryption; an empty one is none."""
    rules = (reply.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or [{}]
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
    algorithm = str(default.get("SSEAlgorithm", "none"))
    return Encryption(_ALGORITHMS.get(algorithm, algorithm), default.get("KMSMasterKeyID") or "")


def encryption_to(encryption: Encryption) -> dict[str, Any]:
    """Return what PutBucketEncryption takes."""
    names = {ours: theirs for theirs, ours in _ALGORITHMS.items()}
    default = {"SSEAlgorithm": names[encryption.algorithm]}
    if encryption.key:
        default["KMSMasterKeyID"] = encryption.key
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}


def tags_from(reply: Reply) -> frozenset[tuple[str, str]]:
    """Return the tags of a reply to GetBucketTagging."""
    return frozenset((tag["Key"], tag["Value"]) for tag in reply.get("TagSet") or ())


def tags_to(tags: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return what PutBucketTagging takes."""
    return {"TagSet": [{"Key": key, "Value": value} for key, value in sorted(tags)]}


def policy_from(reply: Reply) -> Policy:
    """Return the policy of a reply to GetBucketPolicy; an empty one is none."""
    return policy_of(json.loads(reply.get("Policy") or "{}"))


def policy_to(policy: Policy) -> str:
    """Return what PutBucketPolicy takes."""
    return json.dumps(policy.document, sort_keys=True)


# ---- the life of objects


def _rule_from(found: Reply) -> Rule:
    rest = dict(found)
    filtered = dict(rest.pop("Filter", None) or {})
    prefix = rest.pop("Prefix", "") or filtered.pop("Prefix", "")
    expiration = dict(rest.pop("Expiration", None) or {})
    noncurrent = dict(rest.pop("NoncurrentVersionExpiration", None) or {})
    abort = dict(rest.pop("AbortIncompleteMultipartUpload", None) or {})
    rule = {
        "id": str(rest.pop("ID", "")),
        "enabled": rest.pop("Status", "") == "Enabled",
        "expire_days": int(expiration.pop("Days", 0)),
        "expire_delete_markers": bool(expiration.pop("ExpiredObjectDeleteMarker", False)),
        "noncurrent_days": int(noncurrent.pop("NoncurrentDays", 0)),
        "noncurrent_versions": int(noncurrent.pop("NewerNoncurrentVersions", 0)),
        "abort_incomplete_days": int(abort.pop("DaysAfterInitiation", 0)),
    }
    # A server says some things for nothing: an empty filter, an empty transition.
    left = {**filtered, **expiration, **noncurrent, **abort, **rest}
    other = {name: value for name, value in left.items() if value}
    text = json.dumps(other, sort_keys=True, default=str) if other else ""
    return Rule(prefix=prefix, other=text, **rule)


def lifecycle_from(reply: Reply) -> frozenset[Rule]:
    """Return the rules of a reply to GetBucketLifecycleConfiguration."""
    return frozenset(_rule_from(rule) for rule in reply.get("Rules") or ())


def _rule_to(rule: Rule) -> dict[str, Any]:
    document: dict[str, Any] = {"ID": rule.id, "Filter": {"Prefix": rule.prefix}}
    document.update(_status(rule.enabled))
    if rule.expire_days:
        document["Expiration"] = {"Days": rule.expire_days}
    if rule.expire_delete_markers:
        document["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    noncurrent = {
        "NoncurrentDays": rule.noncurrent_days,
        "NewerNoncurrentVersions": rule.noncurrent_versions,
    }
    said = {name: value for name, value in noncurrent.items() if value}
    if said:
        document["NoncurrentVersionExpiration"] = said
    if rule.abort_incomplete_days:
        after = {"DaysAfterInitiation": rule.abort_incomplete_days}
        document["AbortIncompleteMultipartUpload"] = after
    return document


def lifecycle_to(rules: Iterable[Rule]) -> dict[str, Any]:
    """Return what PutBucketLifecycleConfiguration takes."""
    return {"Rules": [_rule_to(rule) for rule in sorted(rules, key=lambda rule: rule.id)]}


# ---- events


def _notification_from(found: Reply, arn: str) -> Notification:
    rules = ((found.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ()
    filters = {rule["Name"].lower(): rule["Value"] for rule in rules}
    return Notification(
        event_arn(arn),
        frozenset(found.get("Events") or ()),
        filters.get("prefix", ""),
        filters.get("suffix", ""),
    )


def notifications_from(reply: Reply) -> frozenset[Notification]:
    """Return the targets of a reply to GetBucketNotificationConfiguration."""
    return frozenset(
        _notification_from(found, found[arn])
        for kind, arn, _mark in _KINDS
        for found in reply.get(kind) or ()
    )


def _notification_to(one: Notification, arn: str) -> dict[str, Any]:
    document: dict[str, Any] = {arn: one.arn, "Events": sorted(one.events)}
    filters = [
        {"Name": name, "Value": value}
        for name, value in (("prefix", one.prefix), ("suffix", one.suffix))
        if value
    ]
    if filters:
        document["Filter"] = {"Key": {"FilterRules": filters}}
    return document


def notifications_to(notifications: Iterable[Notification]) -> dict[str, Any]:
    """Return what PutBucketNotificationConfiguration takes; empty for none."""
    document: dict[str, list[Any]] = {}
    ordered = sorted(notifications, key=lambda one: (one.arn, one.prefix, one.suffix))
    for one in ordered:
        kind, arn = next(
            ((kind, arn) for kind, arn, mark in _KINDS if mark in one.arn), _KINDS[0][:2]
        )
        document.setdefault(kind, []).append(_notification_to(one, arn))
    return document


# ---- copies in other places


def target_from(found: Reply) -> Target:
    """Return the target of an entry of the admin API's list."""
    scheme = "https" if found.get("secure") else "http"
    return Target(
        f"{scheme}://{found['endpoint']}",
        str(found["targetbucket"]),
        str((found.get("credentials") or {}).get("accessKey", "")),
        bool(found.get("replicationSync")),
        int(found.get("bandwidthlimit") or 0),
    )


def target_to(target: Target, secret_key: str) -> dict[str, Any]:
    """Return what the admin API takes for a target; it holds the secret."""
    return {
        "endpoint": target.endpoint.split("://", 1)[1],
        "secure": True,
        "targetbucket": target.bucket,
        "credentials": {"accessKey": target.access_key, "secretKey": secret_key},
        "replicationSync": target.synchronous,
        "bandwidthlimit": target.bandwidth,
        "path": "auto",
        "api": "s3v4",
        "type": "replication",
        # Nanoseconds between two looks at whether it is there; the vendor's own client says this.
        "healthCheckDuration": 60_000_000_000,
    }


def _copy_from(found: Reply, places: Mapping[str, str], deletes: Mapping[str, bool]) -> Copy:
    name, arn = str(found.get("ID", "")), found["Destination"]["Bucket"]
    prefix = (found.get("Filter") or {}).get("Prefix") or found.get("Prefix") or ""
    return Copy(
        id=name,
        to=places.get(arn, arn),
        priority=int(found.get("Priority") or 0),
        prefix=prefix,
        enabled=_is_on(found),
        delete_markers=_is_on(found.get("DeleteMarkerReplication")),
        deletes=deletes.get(name, False),
        existing_objects=_is_on(found.get("ExistingObjectReplication")),
    )


def replication_from(reply: Reply, targets: Mapping[str, Target]) -> Replication:
    """Return what is copied, as a reply to GetBucketReplication says it.

    :param targets: the bucket's targets by ARN.
    """
    found = reply.get("ReplicationConfiguration") or {}
    places = {arn: target.place for arn, target in targets.items()}
    deletes = reply.get("DeleteReplication") or {}
    rules = frozenset(_copy_from(rule, places, deletes) for rule in found.get("Rules") or ())
    return Replication(rules, frozenset(targets.values()), str(found.get("Role") or ""))


def replication_to(replication: Replication, arns: Mapping[str, str]) -> dict[str, Any]:
    """Return what PutBucketReplication takes.

    :param arns: ARNs of targets by their place.
    """
    rules = []
    for rule in sorted(replication.rules, key=lambda rule: rule.priority):
        document: dict[str, Any] = {
            "ID": rule.id,
            "Priority": rule.priority,
            **_status(rule.enabled),
            "Filter": {"Prefix": rule.prefix},
            "DeleteMarkerReplication": _status(rule.delete_markers),
            "Destination": {"Bucket": arns.get(rule.to, rule.to)},
        }
        if rule.existing_objects:
            document["ExistingObjectReplication"] = _status(True)
        rules.append(document)
    return {"Role": replication.role, "Rules": rules}
