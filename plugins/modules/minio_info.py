# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: minio_info
short_description: Read the state of a MinIO cluster
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Asks one server, through the admin API, for all servers, drives and erasure sets, for the usage of buckets, and for how copying to other places goes.
extends_documentation_fragment:
  - mcp.platform.attributes.info_module
  - mcp.platform.attributes.actiongroup_minio
  - mcp.platform.minio
seealso:
  - module: mcp.platform.minio_buckets
"""

EXAMPLES = r"""
- name: Read the cluster
  mcp.platform.minio_info:
    endpoint: https://s3.platform.internal:9000
    access_key: platform
    secret_key: "{{ administrator_secret }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
  register: storage

- name: Stop where something is wrong
  ansible.builtin.assert:
    that: storage.healthy
    fail_msg: "{{ storage.problem }}"
"""

RETURN = r"""
reachable:
  description: Whether the server answered; false only in check mode, where there is none yet.
  type: bool
  returned: always
  sample: true
healthy:
  description:
    - Whether it takes writes, and all servers, drives, the key service and the targets of copies are there, and no drive is being healed.
  type: bool
  returned: always
  sample: false
problem:
  description: What is wrong otherwise, the worst first.
  type: str
  returned: always
  sample: "node3.platform.internal:9000 is offline"
writable:
  description: Whether the server's own health check says that enough drives are there to write.
  type: bool
  returned: always
  sample: true
version:
  description: Version of the servers, all of them where they differ. A build without one calls itself V(DEVELOPMENT.GOGET).
  type: str
  returned: always
  sample: "2025-09-07T16:13:09Z"
commit:
  description: Commit that they were built from, likewise.
  type: str
  returned: always
  sample: 07c3a429bfed433e49018cb0f78a52145d4bedeb
deployment_id:
  description: Identity of the cluster.
  type: str
  returned: always
  sample: 899762a6-5ef0-496b-88b2-4daf34f4b994
servers:
  description: All servers, by endpoint.
  type: list
  elements: dict
  returned: always
  contains:
    endpoint:
      description: Its address.
      type: str
      sample: node1.platform.internal:9000
    state:
      description: V(online), V(offline) or V(initializing).
      type: str
      sample: online
    version:
      description: Its version.
      type: str
      sample: "2025-09-07T16:13:09Z"
    commit:
      description: Commit that it was built from.
      type: str
      sample: 07c3a429bfed433e49018cb0f78a52145d4bedeb
    uptime:
      description: Seconds since its start.
      type: int
      sample: 86400
    pool:
      description: The pool that it belongs to; 0 for more than one.
      type: int
      sample: 1
    unreachable:
      description: Peers that it does not reach.
      type: list
      elements: str
      sample: []
drives:
  description: All drives, by server and path.
  type: list
  elements: dict
  returned: always
  contains:
    server:
      description: The server that it is in.
      type: str
      sample: node1.platform.internal:9000
    path:
      description: Where it is mounted.
      type: str
      sample: /var/lib/minio/drive1
    state:
      description: V(ok), V(offline), V(unformatted) and so on.
      type: str
      sample: ok
    healing:
      description: Whether it is being filled again.
      type: bool
      sample: false
    pool:
      description: Number of its pool, from 0; -1 while it is not known.
      type: int
      sample: 0
    set:
      description: Number of its erasure set in the pool, likewise.
      type: int
      sample: 0
    total:
      description: Its size in bytes.
      type: int
      sample: 97793294336
    used:
      description: Bytes in use.
      type: int
      sample: 22257762304
    available:
      description: Bytes that are free.
      type: int
      sample: 75535532032
    free_inodes:
      description: Files that can still be made.
      type: int
      sample: 16188362
sets:
  description: All erasure sets.
  type: list
  elements: dict
  returned: always
  contains:
    pool:
      description: Number of its pool, from 0.
      type: int
      sample: 0
    set:
      description: Its number in the pool, from 0.
      type: int
      sample: 0
    drives:
      description: How many drives it is made of.
      type: int
      sample: 6
    online:
      description: How many of them are there.
      type: int
      sample: 6
    healing:
      description: How many of them are being filled again.
      type: int
      sample: 0
    parity:
      description: How many of them may be lost for reading.
      type: int
      sample: 3
    read_quorum:
      description: How many a read needs.
      type: int
      sample: 3
    write_quorum:
      description: How many a write needs.
      type: int
      sample: 4
    spare:
      description: How many more may fail before writes fail; below 0 they do.
      type: int
      sample: 2
buckets:
  description: All buckets with their usage, as the scanner saw them last.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Its name.
      type: str
      sample: media
    size:
      description: Bytes of all versions.
      type: int
      sample: 1000
    objects:
      description: Number of objects.
      type: int
      sample: 1
    versions:
      description: Number of versions.
      type: int
      sample: 1
    delete_markers:
      description: Number of markers of deleted objects.
      type: int
      sample: 0
usage_updated:
  description: When the scanner was through last; the year 1 for never.
  type: str
  returned: always
  sample: "2026-11-25T17:55:57.545335082Z"
event_targets:
  description: All targets that buckets can tell events to. One that is offline does not count as a problem, events wait for it.
  type: list
  elements: dict
  returned: always
  contains:
    arn:
      description: Its ARN, for O(mcp.platform.minio_buckets#module:buckets[].notifications[].arn).
      type: str
      sample: "arn:minio:sqs::till:webhook"
    online:
      description: Whether it takes events.
      type: bool
      sample: true
key_service:
  description: V(online), V(offline), or empty where there is none and nothing can be encrypted.
  type: str
  returned: always
  sample: online
replication:
  description: All targets that buckets are copied to.
  type: list
  elements: dict
  returned: always
  contains:
    bucket:
      description: The bucket that is copied.
      type: str
      sample: media
    target:
      description: URL and bucket that it is copied to.
      type: str
      sample: https://s3.second.internal:9000/media
    arn:
      description: The target's ARN.
      type: str
      sample: "arn:minio:replication::5a9c03af-69c3-4bd3-baa9-6443937f3ced:media"
    online:
      description: Whether the target answers.
      type: bool
      sample: true
    last_online:
      description: When it answered last.
      type: str
      sample: "2026-11-25T17:55:56.820368012Z"
    latency_ms:
      description: Milliseconds that it takes to answer.
      type: float
      sample: 1.565
    queued:
      description: Number of copies that the bucket's queue holds now, over all servers and targets.
      type: int
      sample: 0
    queued_bytes:
      description: Their size in bytes.
      type: int
      sample: 0
    replicated:
      description: Number of copies made since the server's start.
      type: int
      sample: 1
    replicated_bytes:
      description: Their size in bytes.
      type: int
      sample: 1000
    failed_last_hour:
      description: Number of copies that failed in the last hour; they are tried again.
      type: int
      sample: 0
    failed:
      description: Number of those that failed since the server's start.
      type: int
      sample: 0
"""

from ansible_collections.mcp.platform.plugins.module_utils._core.module import run
from ansible_collections.mcp.platform.plugins.module_utils._minio.info import apply
from ansible_collections.mcp.platform.plugins.module_utils._s3.client import OPTIONS


def main() -> None:
    run(apply, argument_spec=OPTIONS)


if __name__ == "__main__":
    main()
