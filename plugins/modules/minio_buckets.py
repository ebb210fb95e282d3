# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: minio_buckets
short_description: Manage buckets of MinIO, or of another S3 service, with all their settings
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Creates, changes and deletes buckets, all in one call. What an entry leaves out is left alone; an empty list or mapping
    takes away what is there.
  - Everything is read, compared and checked before the first change. Policies are compared by what they allow.
  - It speaks S3, so it fits other S3 services too. Only O(buckets[].quota) and O(buckets[].replication[].target) are
    MinIO's own and go through its admin API.
options:
  buckets:
    description: The buckets.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name, by the rules of S3.
        type: str
        required: true
      state:
        description: Whether the bucket exists. One that holds objects is only deleted with O(buckets[].force_delete).
        type: str
        choices: [present, absent]
        default: present
      versioning:
        description: Whether overwritten and deleted objects are kept as old versions.
        type: str
        choices: [enabled, suspended]
      object_lock:
        description:
          - Versions that nobody can delete for a time. A bucket can only get it at its creation, and it brings versioning.
        type: dict
        suboptions:
          mode:
            description:
              - What a new version gets by itself. V(governance) may be lifted by those who are allowed to, V(compliance) by nobody,
                V(none) locks only what a client locks.
            type: str
            choices: [none, governance, compliance]
            required: true
          days:
            description: For how many days.
            type: int
          years:
            description: For how many years, instead of O(buckets[].object_lock.days).
            type: int
      encryption:
        description: How new objects are encrypted by the server when the client does not say.
        type: dict
        suboptions:
          algorithm:
            description: V(sse-s3) with the service's own key, V(sse-kms) with O(buckets[].encryption.key).
            type: str
            choices: [none, sse-s3, sse-kms]
            required: true
          key:
            description: Name of the key in the key service.
            type: str
      quota:
        description: Most that the bucket may hold, such as V(10GiB) or V(500MB). V(0) is no limit.
        type: str
      tags:
        description: All tags of the bucket.
        type: dict
      policy:
        description:
          - The bucket's policy, as a mapping or its JSON text. V({}) is none.
          - What the server would refuse is refused before any change, such as unknown actions, keys, conditions, or the resource of another bucket.
            Names of statements have no meaning.
        type: raw
      lifecycle:
        description: All rules for the life of objects.
        type: list
        elements: dict
        suboptions:
          id:
            description: Name of the rule.
            type: str
            required: true
          enabled:
            description: Whether it is followed.
            type: bool
            default: true
          prefix:
            description: Beginning of the names of the objects that it is for; all when left out.
            type: str
          expire_days:
            description: Days after which an object is deleted, or where there are versions becomes an old one.
            type: int
          expire_delete_markers:
            description: Whether the marker of a deleted object goes with its last version.
            type: bool
            default: false
          noncurrent_days:
            description: Days after which an old version is deleted.
            type: int
          noncurrent_versions:
            description: How many old versions are kept in any case.
            type: int
          abort_incomplete_days:
            description:
              - Days after which an upload in parts that was never finished is removed.
              - MinIO has no such rule and does it after 24 hours by itself; there the option is refused.
            type: int
      notifications:
        description: All targets that are told of events.
        type: list
        elements: dict
        suboptions:
          arn:
            description: ARN of the target. MinIO's are those of M(mcp.platform.minio_info).
            type: str
            required: true
          events:
            description: Names of the events, such as V(s3:ObjectCreated:*).
            type: list
            elements: str
            required: true
          prefix:
            description: Beginning of the names of the objects that count.
            type: str
          suffix:
            description: End of the names of the objects that count.
            type: str
      replication:
        description: All rules that copy objects to other buckets. Both sides need versioning.
        type: list
        elements: dict
        suboptions:
          id:
            description: Name of the rule.
            type: str
            required: true
          priority:
            description: Which rule wins where two fit, the higher one. The position in the list when left out.
            type: int
          enabled:
            description: Whether it is followed.
            type: bool
            default: true
          prefix:
            description: Beginning of the names of the objects that it is for; all when left out.
            type: str
          delete_markers:
            description: Whether deletions are copied.
            type: bool
            default: false
          deletes:
            description: Whether the deletion of single versions is copied. Only MinIO does that.
            type: bool
            default: false
          existing_objects:
            description: Whether objects from before the rule are copied.
            type: bool
            default: false
          arn:
            description: ARN of the destination, where it exists already.
            type: str
          target:
            description:
              - A bucket of another MinIO, which is made known to this one. Targets that no rule names any more are forgotten.
              - The server tries the login when it is made known.
            type: dict
            suboptions:
              endpoint:
                description: URL of the other MinIO, as this one reaches it.
                type: str
                required: true
              bucket:
                description: Name of the bucket there.
                type: str
                required: true
              access_key:
                description: Whom to log in as there.
                type: str
                required: true
              secret_key:
                description: Secret of it. It cannot be read back, so a new one alone changes nothing; see O(buckets[].replication[].target.refresh).
                type: str
                required: true
              refresh:
                description: Whether the login is sent again although it looks the same. That is a change at every run.
                type: bool
                default: false
              synchronous:
                description: Whether a writer waits until the copy is there.
                type: bool
                default: false
              bandwidth:
                description: Most bytes a second, such as V(200MB); at least V(100MB). V(0) is no limit.
                type: str
                default: "0"
      replication_role:
        description: ARN of the role that copies, on services that want one.
        type: str
      force_delete:
        description: Whether O(buckets[].state=absent) deletes the objects too, with all their versions.
        type: bool
        default: false
      allow_public:
        description: Whether O(buckets[].policy) may allow something to everybody.
        type: bool
        default: false
      allow_weaker_retention:
        description: Whether O(buckets[].object_lock) may shorten or lift a compliance retention. Versions that are there keep theirs.
        type: bool
        default: false
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_minio
  - mcp.platform.minio
attributes:
  check_mode:
    support: full
    details: What only the server can refuse, such as a key that its key service does not have, shows in the real run.
  diff_mode:
    support: full
    details: A secret is never shown.
  idempotent:
    support: partial
    details: With O(buckets[].replication[].target.refresh) every run sends the login again.
  platform:
    platforms: posix
requirements:
  - argon2-cffi and cryptography where the module runs (Debian packages python3-argon2 and python3-cryptography), only for
    O(buckets[].replication[].target), whose secret travels sealed
seealso:
  - module: mcp.platform.minio_info
  - module: mcp.platform.minio_policies
"""

EXAMPLES = r"""
- name: A bucket with versions, a limit and a rule, and an archive that nobody can shorten
  mcp.platform.minio_buckets:
    endpoint: https://s3.platform.internal:9000
    access_key: platform
    secret_key: "{{ administrator_secret }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    buckets:
      - name: media
        versioning: enabled
        quota: 100GiB
        encryption: {algorithm: sse-s3}
        tags: {team: shop}
        lifecycle:
          - {id: drafts, prefix: drafts/, expire_days: 30}
          - {id: versions, noncurrent_days: 90, noncurrent_versions: 3}
      - name: archive
        object_lock: {mode: compliance, years: 10}

- name: Let one network read, and take the tags away
  mcp.platform.minio_buckets:
    endpoint: https://s3.platform.internal:9000
    access_key: platform
    secret_key: "{{ administrator_secret }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    buckets:
      - name: media
        tags: {}
        policy:
          Version: "2012-10-17"
          Statement:
            - Effect: Allow
              Principal: "*"
              Action: s3:GetObject
              Resource: arn:aws:s3:::media/*
              Condition: {IpAddress: {"aws:SourceIp": 192.0.2.0/24}}

- name: Say the login once, copy a bucket to another site, and delete one
  module_defaults:
    group/mcp.platform.minio:
      endpoint: https://s3.platform.internal:9000
      access_key: platform
      secret_key: "{{ administrator_secret }}"
      ca_path: /etc/mcp-platform/pki/ca.crt
  block:
    - name: Do it
      mcp.platform.minio_buckets:
        buckets:
          - name: media
            replication:
              - id: second-site
                delete_markers: true
                existing_objects: true
                target:
                  endpoint: https://s3.second.internal:9000
                  bucket: media
                  access_key: replicator
                  secret_key: "{{ replicator_secret }}"
          - name: scratch
            state: absent
            force_delete: true
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, a line each.
  type: list
  elements: str
  returned: always
  sample: ["create bucket archive", "update bucket media"]
unlisted:
  description: Buckets that the login may see and that nobody speaks for. They are left alone.
  type: list
  elements: str
  returned: always
  sample: []
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import run
from ansible_collections.mcp.platform.plugins.module_utils._s3.apply import apply
from ansible_collections.mcp.platform.plugins.module_utils._s3.client import OPTIONS
from ansible_collections.mcp.platform.plugins.module_utils._s3.options import BUCKET_SPEC


def main() -> None:
    run(
        apply,
        argument_spec={
            **OPTIONS,
            "buckets": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": BUCKET_SPEC,
            },
        },
    )


if __name__ == "__main__":
    main()
