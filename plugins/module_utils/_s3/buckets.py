# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: reads and writes the settings of buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._core.errors import PlatformError
from .._minio.client import Admin
from . import documents
from .client import S3, RefusedError
from .model import Bucket, Replication, Target
from .plan import Step, Wish

# How S3 says that a setting was never made.
_UNSET = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchLifecycleConfiguration",
        "NoSuchTagSet",
        "ObjectLockConfigurationNotFoundError",
        "ReplicationConfigurationNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
_GONE = frozenset({"404", "NoSuchBucket", "NotFound"})
_NO_TARGET = "XMinioAdminRemoteTargetNotFoundError"
# DeleteObjects takes no more at once.
_BATCH = 1000
# What a change of an aspect is checked against, beside the aspect itself.
_NEEDED = {
    "lock": ("versioning",),
    "versioning": ("lock", "replication"),
    "replication": ("versioning",),
}


@dataclass(frozen=True)
class Service:
    """An S3 service with what belongs to it.

    :param admin: opens MinIO's admin API; only called for what needs it.
    """

    s3: S3
    admin: Callable[[], Admin]

    @property
    def is_minio(self) -> bool:
        """Return whether it is a MinIO; known after a first reply."""
        return self.s3.engine == "MinIO"


def names(service: Service) -> set[str] | None:
    """Return the names of the buckets, None where the login may not list them."""
    try:
        found = service.s3.call("list_buckets")
    except RefusedError as error:
        if error.code == "AccessDenied":
            return None
        raise
    return {bucket["Name"] for bucket in found.get("Buckets") or ()}


def exists(service: Service, name: str) -> bool:
    """Return whether there is a bucket of that name.

    :raises PlatformError: when it belongs to somebody else.
    """
    try:
        service.s3.call("head_bucket", Bucket=name)
    except RefusedError as error:
        if error.code in _GONE:
            return False
        if error.code in ("403", "AccessDenied"):
            raise PlatformError(
                "the bucket exists and this login may not see it",
                where=f"bucket {name}",
                hint="choose another name, or log in as its owner",
            ) from None
        raise
    return True


def _get(service: Service, operation: str, name: str) -> Mapping[str, Any]:
    try:
        return service.s3.call(operation, Bucket=name)
    except RefusedError as error:
        if error.code in _UNSET:
            return {}
        raise


def targets(service: Service, name: str) -> dict[str, Target]:
    """Return the bucket's targets for replication by ARN; only a MinIO has such."""
    if not service.is_minio:
        return {}
    query = {"bucket": name, "type": "replication"}
    try:
        found = service.admin().call("GET", "list-remote-targets", query)
    except RefusedError as error:
        if error.code == _NO_TARGET:
            return {}
        raise
    return {str(one["arn"]): documents.target_from(one) for one in found or ()}


def _read_replication(service: Service, name: str) -> Replication:
    reply = _get(service, "get_bucket_replication", name)
    return documents.replication_from(reply, targets(service, name))


def _read_quota(service: Service, name: str) -> int:
    found = service.admin().call("GET", "get-bucket-quota", {"bucket": name}) or {}
    return int(found.get("size") or found.get("quota") or 0)


_READERS: Mapping[str, Callable[[Service, str], Any]] = {
    "lock": lambda service, name: documents.lock_from(
        _get(service, "get_object_lock_configuration", name)
    ),
    "versioning": lambda service, name: (
        _get(service, "get_bucket_versioning", name).get("Status") == "Enabled"
    ),
    "encryption": lambda service, name: documents.encryption_from(
        _get(service, "get_bucket_encryption", name)
    ),
    "quota": _read_quota,
    "tags": lambda service, name: documents.tags_from(_get(service, "get_bucket_tagging", name)),
    "policy": lambda service, name: documents.policy_from(_get(service, "get_bucket_policy", name)),
    "lifecycle": lambda service, name: documents.lifecycle_from(
        _get(service, "get_bucket_lifecycle_configuration", name)
    ),
    "notifications": lambda service, name: documents.notifications_from(
        _get(service, "get_bucket_notification_configuration", name)
    ),
    "replication": _read_replication,
}


def read(service: Service, desired: Bucket) -> Bucket:
    """Return the bucket as it is, in what *desired* speaks of and what that depends on."""
    spoken = {name for name in _READERS if getattr(desired, name) is not None}
    needed = spoken.union(*(_NEEDED.get(name, ()) for name in spoken))
    found = {name: _READERS[name](service, desired.name) for name in _READERS if name in needed}
    return Bucket(desired.name, **found)


def resolved(service: Service, wish: Wish, current: Bucket | None) -> Wish:
    """Return the wish with ARNs of targets that exist replaced by the targets themselves.

    So a rule may name a target that somebody else has made, and both forms mean the same.
    """
    wanted = wish.bucket.replication
    if not wanted or current is None:
        return wish
    known = targets(service, wish.name)
    rules = frozenset(
        replace(rule, to=known[rule.to].place) if rule.to in known else rule
        for rule in wanted.rules
    )
    named = {known[rule.to] for rule in wanted.rules if rule.to in known}
    replication = replace(wanted, rules=rules, targets=wanted.targets | named)
    return replace(wish, bucket=replace(wish.bucket, replication=replication))


def holds_objects(service: Service, name: str) -> bool:
    """Return whether the bucket holds objects, or versions or markers of deleted ones."""
    found = service.s3.call("list_object_versions", Bucket=name, MaxKeys=1)
    return bool(found.get("Versions") or found.get("DeleteMarkers"))


# ---- writing


def _empty(service: Service, name: str) -> None:
    """Delete all versions of all objects, and what was never finished."""
    while True:
        found = service.s3.call("list_object_versions", Bucket=name, MaxKeys=_BATCH)
        versions = [*(found.get("Versions") or ()), *(found.get("DeleteMarkers") or ())]
        if not versions:
            break
        chosen = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
        reply = service.s3.call(
            "delete_objects", Bucket=name, Delete={"Objects": chosen[:_BATCH], "Quiet": True}
        )
        if reply.get("Errors"):
            error = reply["Errors"][0]
            raise PlatformError(
                f"{error.get('Key')} could not be deleted: {error.get('Message')}",
                where=f"bucket {name}",
                hint="a locked version stays until its retention has ended; "
                "those that were not locked are gone",
            )
    uploads = service.s3.call("list_multipart_uploads", Bucket=name).get("Uploads") or ()
    for upload in uploads:
        service.s3.call(
            "abort_multipart_upload", Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"]
        )


def delete(service: Service, wish: Wish) -> None:
    """Delete the bucket, and what it holds where that was said."""
    if wish.force_delete:
        _empty(service, wish.name)
    service.s3.call("delete_bucket", Bucket=wish.name)


def create(service: Service, bucket: Bucket) -> None:
    """Create the bucket, with object lock where it is wanted."""
    parameters: dict[str, Any] = {"Bucket": bucket.name}
    if bucket.lock and bucket.lock.locked:
        parameters["ObjectLockEnabledForBucket"] = True
    region = service.s3.login.region
    # Only this one region must not be named.
    if region != "us-east-1" and not service.is_minio:
        parameters["CreateBucketConfiguration"] = {"LocationConstraint": region}
    service.s3.call("create_bucket", **parameters)


def _set_lock(service: Service, step: Step) -> None:
    lock = step.wish.bucket.lock
    if lock:
        service.s3.call(
            "put_object_lock_configuration",
            Bucket=step.wish.name,
            ObjectLockConfiguration=documents.lock_to(lock),
        )


def _set_versioning(service: Service, step: Step) -> None:
    status = "Enabled" if step.wish.bucket.versioning else "Suspended"
    service.s3.call(
        "put_bucket_versioning",
        Bucket=step.wish.name,
        VersioningConfiguration={"Status": status},
    )


def _set_encryption(service: Service, step: Step) -> None:
    encryption = step.wish.bucket.encryption
    if not encryption or encryption.algorithm == "none":
        service.s3.call("delete_bucket_encryption", Bucket=step.wish.name)
        return
    service.s3.call(
        "put_bucket_encryption",
        Bucket=step.wish.name,
        ServerSideEncryptionConfiguration=documents.encryption_to(encryption),
    )


def _set_quota(service: Service, step: Step) -> None:
    quota = step.wish.bucket.quota or 0
    document = {"quota": quota, "size": quota, "quotatype": "hard" if quota else ""}
    service.admin().call("PUT", "set-bucket-quota", {"bucket": step.wish.name}, document)


def _set_tags(service: Service, step: Step) -> None:
    if not step.wish.bucket.tags:
        service.s3.call("delete_bucket_tagging", Bucket=step.wish.name)
        return
    tagging = documents.tags_to(step.wish.bucket.tags)
    service.s3.call("put_bucket_tagging", Bucket=step.wish.name, Tagging=tagging)


def _set_policy(service: Service, step: Step) -> None:
    policy = step.wish.bucket.policy
    if not policy or not policy.document:
        service.s3.call("delete_bucket_policy", Bucket=step.wish.name)
        return
    text = documents.policy_to(policy)
    service.s3.call("put_bucket_policy", Bucket=step.wish.name, Policy=text)


def _set_lifecycle(service: Service, step: Step) -> None:
    if not step.wish.bucket.lifecycle:
        service.s3.call("delete_bucket_lifecycle", Bucket=step.wish.name)
        return
    service.s3.call(
        "put_bucket_lifecycle_configuration",
        Bucket=step.wish.name,
        LifecycleConfiguration=documents.lifecycle_to(step.wish.bucket.lifecycle),
    )


def _set_notifications(service: Service, step: Step) -> None:
    service.s3.call(
        "put_bucket_notification_configuration",
        Bucket=step.wish.name,
        NotificationConfiguration=documents.notifications_to(step.wish.bucket.notifications or ()),
    )


def _put_rules(service: Service, name: str, wanted: Replication, known: Iterable[Any]) -> None:
    if not wanted.rules:
        service.s3.call("delete_bucket_replication", Bucket=name)
        return
    service.s3.call(
        "put_bucket_replication",
        Bucket=name,
        ReplicationConfiguration=documents.replication_to(wanted, dict(known)),
        DeleteReplication={rule.id: rule.deletes for rule in wanted.rules},
    )


def _set_target(service: Service, step: Step, target: Target, arn: str | None) -> None:
    secret = step.wish.secrets.get(target.place)
    if secret is None:
        # Named by its ARN: it was made elsewhere, and is as it is.
        return
    query, document = {"bucket": step.wish.name}, documents.target_to(target, secret)
    if arn:
        query.update(update="true", creds="true", sync="true", bandwidth="true")
        document["arn"] = arn
    service.admin().call("PUT", "set-remote-target", query, document, sealed=True)


def _remove_targets(service: Service, name: str, arns: Iterable[str]) -> None:
    for arn in arns:
        try:
            service.admin().call("DELETE", "remove-remote-target", {"bucket": name, "arn": arn})
        except RefusedError as error:
            # The server forgets them all by itself where the last rule goes.
            if error.code != _NO_TARGET:
                raise


def _set_replication(service: Service, step: Step) -> None:
    name, wanted = step.wish.name, step.wish.bucket.replication or Replication()
    found = targets(service, name)
    arns = {target.place: arn for arn, target in found.items()}
    places = {target.place for target in wanted.targets}
    stale = [arn for arn, target in found.items() if target.place not in places]
    taken = {found[arn].endpoint for arn in stale}
    if any(one.endpoint in taken and one.place not in arns for one in wanted.targets):
        # A server takes one target for each endpoint, so the old one has to go first.
        kept = frozenset(rule for rule in wanted.rules if rule.to in arns)
        _put_rules(service, name, replace(wanted, rules=kept), arns.items())
        _remove_targets(service, name, stale)
        stale = []
    known = set(found.values())
    for target in sorted(wanted.targets, key=lambda target: target.place):
        if target not in known or target.place in step.wish.refresh:
            _set_target(service, step, target, arns.get(target.place))
    arns = {target.place: arn for arn, target in targets(service, name).items()}
    _put_rules(service, name, wanted, arns.items())
    _remove_targets(service, name, stale)


_WRITERS: Mapping[str, Callable[[Service, Step], None]] = {
    "lock": _set_lock,
    "versioning": _set_versioning,
    "encryption": _set_encryption,
    "quota": _set_quota,
    "tags": _set_tags,
    "policy": _set_policy,
    "lifecycle": _set_lifecycle,
    "notifications": _set_notifications,
    "replication": _set_replication,
}


def carry_out(service: Service, step: Step) -> None:
    """Do what the step says; done again after an interruption, it ends in the same state."""
    if step.delete:
        delete(service, step.wish)
        return
    if step.current is None:
        create(service, step.wish.bucket)
    for aspect in step.aspects:
        _WRITERS[aspect](service, step)
