# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mcp.platform.plugins.filter.minio_problems import minio_problems


def _policy(**statement):
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}
            | statement
        ],
    }


WORLD = _policy(Principal="*", Resource="arn:aws:s3:::shop/*")


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("buckets", {"name": "shop", "versioning": "enabled", "quota": "1GiB", "policy": {}}),
        ("buckets", {"name": "shop", "policy": WORLD, "allow_public": True}),
        ("policies", {"name": "shop", "policy": _policy()}),
        ("users", {"name": "shop", "secret_key": "long enough", "policies": ["shop"]}),
    ],
)
def test_what_the_server_takes_is_no_problem(kind, entry):
    assert minio_problems([entry], kind) == []


@pytest.mark.parametrize(
    ("kind", "entry", "words"),
    [
        ("buckets", {"name": "Shop"}, "S3 forbids the name"),
        ("buckets", {"name": "shop", "quota": "much"}, "much"),
        ("buckets", {"name": "shop", "policy": WORLD}, "opens the bucket to the world"),
        ("buckets", {"name": "shop", "versions": "enabled"}, "versions"),
        ("policies", {"name": "shop", "policy": "{"}, "JSON"),
        ("policies", {"name": "shop", "policy": _policy(Action="s3:Fly")}, "s3:Fly"),
        ("users", {"name": "shop", "secret_key": "short"}, "the secret has 5 signs"),
    ],
)
def test_what_it_would_refuse_is_told(kind, entry, words):
    (problem,) = minio_problems([entry], kind)
    assert words in problem


def test_one_mistake_does_not_hide_another():
    assert len(minio_problems([{"name": "A"}, {"name": "fine"}, {"name": "B"}], "buckets")) == 2


def test_another_kind_is_an_error():
    with pytest.raises(AnsibleFilterError, match="things is none of buckets"):
        minio_problems([], "things")
