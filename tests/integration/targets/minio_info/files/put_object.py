# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts an object of a thousand bytes."""

from __future__ import annotations

import os

import boto3


def main() -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=os.environ["S3_ENDPOINT"],
        aws_access_key_id=os.environ["S3_ACCESS_KEY"],
        aws_secret_access_key=os.environ["S3_SECRET_KEY"],
        region_name="us-east-1",
        verify=os.environ["S3_CA"],
    )
    s3.put_object(Bucket="source", Key="object", Body=b"x" * 1000)


if __name__ == "__main__":
    main()
