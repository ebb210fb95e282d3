# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module that talks to MinIO, or to another S3 service."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  endpoint:
    description: URL of the server, C(https://name:port), with the name that its certificate has.
    type: str
    required: true
  access_key:
    description: Name of the user, or of the access key, to log in with.
    type: str
    required: true
  secret_key:
    description: Secret of O(access_key).
    type: str
    required: true
  ca_path:
    description: File, where the module runs, of the authorities that may have signed the server's certificate.
      Left out, those that botocore comes with.
    type: path
  region:
    description: Region of the service, which every request is signed with.
    type: str
    default: us-east-1
  timeout:
    description: Seconds to wait for a connection, and for the answer to one request.
    type: int
    default: 30
requirements:
  - boto3 where the module runs, 1.36 or newer (Debian package python3-boto3)
notes:
  - Where something is to be created, a server that is not there yet counts as a new one in check mode.
"""
