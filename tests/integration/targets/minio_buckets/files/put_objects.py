# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts an object twice, deletes another one, and begins an upload that is never finished."""

from __future__ import annotations

import os

import boto3

BUCKET = os.environ["S3_BUCKET"]


def client():
    """Return a client for the service that the environment names."""
    return boto3.client(
        "s3",
        endpoint_url=os.environ["S3_ENDPOINT"],
        aws_access_key_id=os.environ["S3_ACCESS_KEY"],
        aws_secret_access_key=os.environ["S3_SECRET_KEY"],
        region_name="us-east-1",
        verify=os.environ["S3_CA"],
    )


def main() -> None:
    s3 = client()
    for content in (b"one", b"two"):
        s3.put_object(Bucket=BUCKET, Key="kept", Body=content)
    s3.put_object(Bucket=BUCKET, Key="gone", Body=b"three")
    s3.delete_object(Bucket=BUCKET, Key="gone")
    s3.create_multipart_upload(Bucket=BUCKET, Key="begun")


if __name__ == "__main__":
    main()
