# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: s3_proofs
short_description: Prove that an S3 service does what it is for
version_added: 0.1.0
author: Contributors to the mcp.platform project (@mcp-platform)
description:
  - Goes the way of an application, through the door that applications use, over TLS with full verification.
    It puts objects at once and in parts, reads them back, lists them, hands one out by a presigned URL, and reads an old version.
  - What must be refused is tried too, without TLS, without a login, with a wrong secret, as somebody unknown.
    Only the right kind of refusal counts.
  - What cannot be tried has failed, and says why.
    Where nobody can be reached at O(endpoint), or nobody who is trusted, nothing else is tried.
  - All versions of what was written are deleted at the end, also when a proof failed.
options:
  bucket:
    description:
      - Name of a bucket with versioning, in which new objects are encrypted, without a retention by default.
      - The user needs to list it and its versions, to put, get and delete objects and their versions, and to abort uploads in parts.
    type: str
    required: true
  locked_bucket:
    description:
      - Name of a bucket with object lock. An object is put there that is retained for ten seconds, in governance mode;
        it has to be refused to delete it, and it is deleted when that time has passed, for which the task waits.
        So no permission to bypass governance is needed.
      - The user needs to list it and its versions, to put and delete objects and their versions, and to put their retention.
      - Empty leaves that untried.
    type: str
    default: ""
  forbidden_bucket:
    description: Name of a bucket that exists, and that the user has to be refused to list and to write. Empty leaves that untried.
    type: str
    default: ""
  address:
    description: IP address to connect to. Empty for what the name in O(endpoint) resolves to; that name is verified in any case.
    type: str
    default: ""
  drives:
    description:
      - Directories on this host where the service keeps objects, each in a directory of its own as MinIO does.
        What is put must not be readable in them. Empty leaves that untried.
    type: list
    elements: path
    default: []
  raise_on_failure:
    description: Whether the task fails when a proof does. V(false) leaves that to whoever reads RV(proofs).
    type: bool
    default: true
extends_documentation_fragment:
  - mcp.platform.attributes
  - mcp.platform.attributes.actiongroup_minio
  - mcp.platform.minio
attributes:
  check_mode:
    support: partial
    details: Nothing is tried, and no proof is returned.
  diff_mode:
    support: N/A
    details: It leaves nothing behind.
  idempotent:
    support: full
  platform:
    platforms: posix
notes:
  - The names of all objects begin with C(platform-proof/) and an id of their own, so that several hosts can prove one service at once.
    A task that is killed leaves them behind; a rule of the bucket's O(mcp.platform.minio_buckets#module:buckets[].lifecycle) for that prefix removes them.
seealso:
  - module: mcp.platform.minio_buckets
"""

EXAMPLES = r"""
- name: Prove the service as an application sees it
  mcp.platform.s3_proofs:
    endpoint: https://s3.platform.internal
    access_key: shop
    secret_key: "{{ shop_secret }}"
    ca_path: /etc/mcp-platform/pki/ca.crt
    bucket: media
    locked_bucket: archive
    forbidden_bucket: bank

- name: Collect the proofs of a service elsewhere, and judge them later
  mcp.platform.s3_proofs:
    endpoint: https://s3.example.com:9000
    access_key: prover
    secret_key: "{{ prover_secret }}"
    region: eu-central-1
    bucket: proofs
    raise_on_failure: false
  register: storage
"""

RETURN = r"""
proofs:
  description: What was tried, in order.
  type: list
  elements: dict
  returned: always
  contains:
    service:
      description: The service that was proven.
      type: str
      sample: s3
    proof:
      description: What was to be proven.
      type: str
      sample: upload in two parts, and get it back
    passed:
      description: Whether it was.
      type: bool
      sample: true
    detail:
      description: What was seen.
      type: str
      sample: 5242880 + 1000 bytes, SHA-256 9d1c6f0b2a774e05…
"""

import uuid

from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Context,
    Outcome,
    run,
)
from ansible_collections.mcp.platform.plugins.module_utils._proofs.model import told
from ansible_collections.mcp.platform.plugins.module_utils._s3.client import OPTIONS
from ansible_collections.mcp.platform.plugins.module_utils._s3.proofs import prove


def execute(context: Context) -> Outcome:
    options = context.params
    if context.check_mode:
        return Outcome(values={"proofs": []})
    proofs = prove(options, f"platform-proof/{uuid.uuid4()}/")
    return told(proofs, options, options["endpoint"])


def main() -> None:
    run(
        execute,
        argument_spec={
            **OPTIONS,
            "bucket": {"type": "str", "required": True},
            "locked_bucket": {"type": "str", "default": ""},
            "forbidden_bucket": {"type": "str", "default": ""},
            "address": {"type": "str", "default": ""},
            "drives": {"type": "list", "elements": "path", "default": []},
            "raise_on_failure": {"type": "bool", "default": True},
        },
    )


if __name__ == "__main__":
    main()
