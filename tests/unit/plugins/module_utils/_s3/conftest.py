# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A MinIO that is only played: it keeps what boto3 and the admin API would be told."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._s3.client import (
    Login,
    RefusedError,
    ServerAbsentError,
)

UNSET = {
    "encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "tagging": "NoSuchTagSet",
    "policy": "NoSuchBucketPolicy",
    "lifecycle": "NoSuchLifecycleConfiguration",
    "replication": "ReplicationConfigurationNotFoundError",
    "lock": "ObjectLockConfigurationNotFoundError",
}


def refused(code, what="no"):
    return RefusedError(what, code=code, where="https://s3.example.test")


class FakeMinio:
    """Buckets with their settings, as S3 writes them."""

    def __init__(self):
        self.engine = ""
        self.real_engine = "MinIO"
        self.login = Login("https://s3.example.test", "admin", "secret")
        self.buckets = {}
        self.foreign = set()
        self.quotas = {}
        self.targets = {}
        self.asked = []
        self.alive = True
        self.may_list = True
        self.unlocked = True
        self.keeps_targets = True
        self.about = {
            "sqsARN": [
                "arn:minio:sqs:eu:A:webhook",
                "arn:aws:sns:eu-1:1:topic",
                "arn:aws:lambda:eu-1:1:function:f",
            ],
            "services": {"kmsStatus": [{"status": "online"}]},
        }

    # ---- S3

    def connect(self, login):
        self.login = login
        return self

    def call(self, operation, *rest, **parameters):
        if rest:
            return self._admin(operation, *rest, **parameters)
        if not self.alive:
            raise ServerAbsentError("no answer: nobody", where=self.login.endpoint)
        self.engine = self.real_engine
        self.asked.append((operation, copy.deepcopy(parameters)))
        return getattr(self, operation)(**parameters)

    def list_buckets(self):
        if not self.may_list:
            raise refused("AccessDenied")
        return {"Buckets": [{"Name": name} for name in self.buckets]}

    def head_bucket(self, Bucket):  # noqa: N803
        if Bucket in self.foreign:
            raise refused("403")
        if Bucket not in self.buckets:
            raise refused("404")
        return {}

    def create_bucket(self, Bucket, ObjectLockEnabledForBucket=False, **_rest):  # noqa: N803
        self.buckets[Bucket] = {"objects": [], "uploads": []}
        if ObjectLockEnabledForBucket:
            self.buckets[Bucket]["lock"] = {"ObjectLockEnabled": "Enabled"}
            self.buckets[Bucket]["versioning"] = {"Status": "Enabled"}
        return {}

    def delete_bucket(self, Bucket):  # noqa: N803
        if self.buckets[Bucket]["objects"]:
            raise refused("BucketNotEmpty")
        del self.buckets[Bucket]
        return {}

    def _get(self, name, part, wrapped=None):
        found = self.buckets[name].get(part)
        if found is None and part in UNSET:
            raise refused(UNSET[part])
        found = copy.deepcopy(found or {})
        return {wrapped: found} if wrapped else found

    def _put(self, name, part, value):
        self.buckets[name][part] = copy.deepcopy(value)
        return {}

    def get_object_lock_configuration(self, Bucket):  # noqa: N803
        return self._get(Bucket, "lock", "ObjectLockConfiguration")

    def put_object_lock_configuration(self, Bucket, ObjectLockConfiguration):  # noqa: N803
        assert "lock" in self.buckets[Bucket]
        return self._put(Bucket, "lock", ObjectLockConfiguration)

    def get_bucket_versioning(self, Bucket):  # noqa: N803
        return self._get(Bucket, "versioning")

    def put_bucket_versioning(self, Bucket, VersioningConfiguration):  # noqa: N803
        return self._put(Bucket, "versioning", VersioningConfiguration)

    def get_bucket_encryption(self, Bucket):  # noqa: N803
        return self._get(Bucket, "encryption", "ServerSideEncryptionConfiguration")

    def put_bucket_encryption(self, Bucket, ServerSideEncryptionConfiguration):  # noqa: N803
        return self._put(Bucket, "encryption", ServerSideEncryptionConfiguration)

    def delete_bucket_encryption(self, Bucket):  # noqa: N803
        return self._put(Bucket, "encryption", None)

    def get_bucket_tagging(self, Bucket):  # noqa: N803
        return self._get(Bucket, "tagging")

    def put_bucket_tagging(self, Bucket, Tagging):  # noqa: N803
        return self._put(Bucket, "tagging", Tagging)

    def delete_bucket_tagging(self, Bucket):  # noqa: N803
        return self._put(Bucket, "tagging", None)

    def get_bucket_policy(self, Bucket):  # noqa: N803
        return self._get(Bucket, "policy", "Policy")

    def put_bucket_policy(self, Bucket, Policy):  # noqa: N803
        return self._put(Bucket, "policy", Policy)

    def delete_bucket_policy(self, Bucket):  # noqa: N803
        return self._put(Bucket, "policy", None)

    def get_bucket_lifecycle_configuration(self, Bucket):  # noqa: N803
        return self._get(Bucket, "lifecycle")

    def put_bucket_lifecycle_configuration(self, Bucket, LifecycleConfiguration):  # noqa: N803
        return self._put(Bucket, "lifecycle", LifecycleConfiguration)

    def delete_bucket_lifecycle(self, Bucket):  # noqa: N803
        return self._put(Bucket, "lifecycle", None)

    def get_bucket_notification_configuration(self, Bucket):  # noqa: N803
        return self._get(Bucket, "notification")

    def put_bucket_notification_configuration(self, Bucket, NotificationConfiguration):  # noqa: N803
        return self._put(Bucket, "notification", NotificationConfiguration)

    def get_bucket_replication(self, Bucket):  # noqa: N803
        reply = self._get(Bucket, "replication", "ReplicationConfiguration")
        return {**reply, "DeleteReplication": self.buckets[Bucket]["deletes"]}

    def put_bucket_replication(self, Bucket, ReplicationConfiguration, DeleteReplication):  # noqa: N803
        self.buckets[Bucket]["deletes"] = DeleteReplication
        arns = set(self.targets.get(Bucket, ()))
        for rule in ReplicationConfiguration["Rules"]:
            arn = rule["Destination"]["Bucket"]
            assert arn in arns or not arn.startswith("arn:minio:"), arn
        return self._put(Bucket, "replication", ReplicationConfiguration)

    def delete_bucket_replication(self, Bucket):  # noqa: N803
        if not self.keeps_targets:
            self.targets.pop(Bucket, None)
        return self._put(Bucket, "replication", None)

    def list_object_versions(self, Bucket, MaxKeys):  # noqa: N803
        found = self.buckets[Bucket]["objects"][:MaxKeys]
        return {
            "Versions": [{"Key": key, "VersionId": v} for key, v, marker in found if not marker],
            "DeleteMarkers": [{"Key": key, "VersionId": v} for key, v, marker in found if marker],
        }

    def delete_objects(self, Bucket, Delete):  # noqa: N803
        if not self.unlocked:
            return {"Errors": [{"Key": "kept", "Message": "Object is WORM protected"}]}
        gone = {(one["Key"], one["VersionId"]) for one in Delete["Objects"]}
        left = [one for one in self.buckets[Bucket]["objects"] if one[:2] not in gone]
        self.buckets[Bucket]["objects"] = left
        return {}

    def list_multipart_uploads(self, Bucket):  # noqa: N803
        return {"Uploads": self.buckets[Bucket]["uploads"]}

    def abort_multipart_upload(self, Bucket, Key, UploadId):  # noqa: N803
        uploads = self.buckets[Bucket]["uploads"]
        self.buckets[Bucket]["uploads"] = [one for one in uploads if one["UploadId"] != UploadId]
        return {}

    # ---- the admin API

    def _admin(self, method, command, query=None, document=None, *, sealed=False):
        self.asked.append((command, query))
        work = getattr(self, command.replace("-", "_"))
        return work(query, document) if method == "PUT" else work(query)

    def info(self, _query):
        if self.about is None:
            raise refused("AccessDenied")
        return self.about

    def get_bucket_quota(self, query):
        size = self.quotas.get(query["bucket"], 0)
        return {"quota": size, "size": size}

    def set_bucket_quota(self, query, document):
        self.quotas[query["bucket"]] = document["quota"]

    def list_remote_targets(self, query):
        if query["bucket"] not in self.targets:
            raise refused("XMinioAdminRemoteTargetNotFoundError")
        return [{**one, "arn": arn} for arn, one in self.targets[query["bucket"]].items()]

    def set_remote_target(self, query, document):
        found = self.targets.setdefault(query["bucket"], {})
        arn = document.pop("arn", None)
        assert (arn is not None) == ("update" in query)
        others = [one for name, one in found.items() if name != arn]
        assert all(one["endpoint"] != document["endpoint"] for one in others)
        document["credentials"].pop("secretKey")
        found[arn or f"arn:minio:replication::{len(self.asked)}:{document['targetbucket']}"] = (
            document
        )

    def remove_remote_target(self, query):
        found = self.targets.get(query["bucket"], {})
        if query["arn"] not in found:
            raise refused("XMinioAdminRemoteTargetNotFoundError")
        del found[query["arn"]]


class Options(dict):
    """Options of the module, with the defaults that Ansible would fill in."""

    def __init__(self, *buckets, **own):
        login = {
            "endpoint": "https://s3.example.test:9000",
            "access_key": "admin",
            "secret_key": "secret-of-admin",
            "ca_path": None,
            "region": "us-east-1",
            "timeout": 5,
        }
        super().__init__({**login, "buckets": [{"state": "present", **one} for one in buckets]})
        self.update(own)


@pytest.fixture(scope="session")
def played():
    """Return what makes a new service, for tests that need many of them."""
    return FakeMinio


@pytest.fixture
def fake(played):
    return played()


@pytest.fixture(scope="session")
def options():
    return Options
