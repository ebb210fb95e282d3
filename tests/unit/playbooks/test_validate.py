# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mcp.platform.validate on the lab's inventory with mistakes in it; there are no hosts to touch."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FLIGHT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:Fly", "Resource": "arn:aws:s3:::app/*"}],
}
ROLES = [{"name": "app_owner", "password": "one line\nand another"}]


def validate(tmp_path, **variables):
    """Return the exit status and the output, its line breaks taken out."""
    done = subprocess.run(
        [
            *("ansible-playbook", "-i", ROOT / "inventories/lab", "mcp.platform.validate"),
            *("-e", json.dumps(variables)),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "LAB_NAME": "nowhere",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        },
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, re.sub(r"\s+", " ", done.stdout + done.stderr)


@pytest.mark.parametrize(
    ("variables", "sentences"),
    [
        ({}, []),
        ({"etcd_hosts": ["node1", "node2"]}, ["2 etcd members [etcd_hosts] -- "]),
        (
            {
                "etcd_hosts": ["node1", "node2", "node3", "node4"],
                "patroni_max_conections": 5,
                "haproxy_primary_port": 8404,
                "platform_postgresql_roles": ROLES,
            },
            [
                "4 etcd members [etcd_hosts] -- ",
                "node4 is not in the inventory [etcd_hosts] -- ",
                "there is no option patroni_max_conections; patroni_max_connections looks like it",
                "port 8404 is claimed by haproxy_metrics_port and by haproxy_primary_port",
                "a password holds a line break [postgresql_roles",
            ],
        ),
        (
            {
                "redis_cluster_hosts": ["node1"],
                "redis_cluster_ports": [6379, 6379, 60000],
                "redis_cluster_settings": {"maxmemory": "1gb"},
                "platform_redis_users": [{"name": "maintenance"}],
            },
            [
                "1 replicas per primary can't be placed on 1 hosts [redis_cluster_replicas",
                "make 1 primaries; a cluster needs three [redis_cluster_ports",
                "two instances on one port [redis_cluster_ports",
                "a port above 55535, or none",
                "6379 is claimed by redis_cluster_ports[0] and by redis_cluster_ports[1]",
                "maxmemory has an option of its own or is fixed [redis_cluster_settings",
                "maintenance is an account of the platform's own [redis_cluster_users",
            ],
        ),
        (
            {
                "redis_cluster_hosts": ["node1", "node2"],
                "redis_cluster_memory_mb": 64,
                "redis_cluster_memory_percent": 90,
                "redis_cluster_min_replicas_to_write": 2,
                "redis_cluster_admin_user": "metrics",
                "redis_cluster_second_passwords": {"admin": "short"},
            },
            [
                "2 hosts with 2 instances and 1 replicas per primary make 2 primaries; a cluster",
                "90 per cent of the host's memory for data [redis_cluster_memory_percent",
                "writes would wait for 2 replicas, and there are 1",
                "the administrator has the name of another account of the role, metrics",
                "a second password is shorter than eight characters",
            ],
        ),
        (
            {"redis_cluster_memory_mb": 64},
            ["40 per cent of 64 MiB for the data of 2 instances [redis_cluster_memory_mb"],
        ),
        (
            {
                "minio_drives": ["/srv/drive1", "/srv/drive1"],
                "minio_parity": 4,
                "minio_port": 9010,
                "minio_kms_key": "too short",
                "minio_admin_password": "two words",
                "platform_minio_buckets": [{"name": "No_Bucket"}, {"name": "a.b", "quota": "x"}],
                "platform_minio_policies": [
                    {"name": "maintenance", "policy": "{"},
                    {"name": "flight", "policy": FLIGHT},
                ],
                "platform_minio_users": [{"name": "platform", "policies": ["flight"]}],
            },
            [
                "a drive is listed twice [minio_pools",
                "a parity of 4 is more than half of a set of 6 drives [minio_pools",
                "port 9010 is claimed by haproxy_s3_port and by minio_port",
                "the key is not 32 bytes in base64 [minio_kms_key",
                "holds blanks or a line break [minio_admin_password",
                "S3 forbids the name 'No_Bucket'",
                "quota: x is no size [minio_buckets",
                "the policy is not valid JSON",
                "a policy of the role's own is listed [minio_policies",
                "s3:Fly",
                "an account of the role's own is listed [minio_users",
            ],
        ),
        ({"minio_hosts": ["node1", "node2", "node9"]}, ["node9 is not in the inventory"]),
    ],
    ids=[
        *("none", "two", "many", "redis", "redis smaller", "redis without memory"),
        *("object storage", "a host of object storage"),
    ],
)
def test_mistakes_in_an_inventory_are_named_before_a_host_is_touched(
    tmp_path, variables, sentences
):
    status, output = validate(tmp_path, **variables)
    assert (status != 0) == bool(sentences), output
    for sentence in sentences:
        assert sentence in output, output
    assert "and another" not in output
