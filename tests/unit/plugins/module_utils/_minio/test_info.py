# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context
from ansible_collections.mcp.platform.plugins.module_utils._minio import info
from ansible_collections.mcp.platform.plugins.module_utils._s3.client import (
    RefusedError,
    ServerAbsentError,
)


def _drive(nth, **own):
    place = {"path": f"/drive{nth}", "pool_index": 0, "set_index": 0, "disk_index": nth}
    return {**place, "state": "ok", "totalspace": 10, "usedspace": 4, "availspace": 6, **own}


def _info(drives, **own):
    servers = [
        {
            "endpoint": "node1:9000",
            "state": "online",
            "version": "1",
            "commitID": "c",
            "uptime": 5,
            "poolNumber": 1,
            "network": {"node1:9000": "online"},
            "drives": drives,
        }
    ]
    return {
        "deploymentID": "id",
        "sqsARN": ["arn:minio:sqs::A:webhook", "arn:minio:sqs::B:kafka"],
        "services": {
            "kmsStatus": [{"status": "online"}],
            "notifications": [{"webhook": [{"A": {"status": "online"}}]}],
        },
        "backend": {"standardSCParity": 2, "totalSets": [1], "totalDrivesPerSet": [4]},
        "servers": servers,
        **own,
    }


FOUR = [_drive(nth) for nth in range(4)]
TARGET = {
    "sourcebucket": "shop",
    "endpoint": "other:9000",
    "targetbucket": "copies",
    "secure": True,
    "arn": "arn",
    "isOnline": True,
    "lastOnline": "today",
    "latency": {"avg": 2_500_000},
}
METRICS = {
    "shop": {
        "currStats": {
            "Stats": {
                "arn": {
                    "replicationCount": 3,
                    "completedReplicationSize": 30,
                    "failed": {"lastHour": {"count": 1}, "totals": {"count": 2}},
                }
            }
        },
        "queueStats": {
            "nodes": [
                {"queueStats": {"curr": {"count": 2, "bytes": 20}}},
                {"queueStats": {"curr": {"count": 1, "bytes": 10}}},
            ]
        },
    }
}


def _summary(found, targets=(), metrics=None, usage=None, writable=True):
    return info.summary(found, usage or {}, targets, metrics or {}, writable=writable)


def test_a_whole_cluster_is_healthy():
    usage = {
        "lastUpdate": "now",
        "bucketsUsageInfo": {"shop": {"size": 7, "objectsCount": 1, "versionsCount": 2}},
    }
    found = _summary(_info(FOUR), [TARGET], METRICS, usage)
    assert (found["healthy"], found["problem"]) == (True, "")
    assert (found["version"], found["commit"], found["deployment_id"]) == ("1", "c", "id")
    assert found["sets"][0]["write_quorum"] == 3
    assert found["sets"][0]["spare"] == 1
    assert [one["online"] for one in found["event_targets"]] == [True, False]
    assert found["buckets"] == [
        {"name": "shop", "size": 7, "objects": 1, "versions": 2, "delete_markers": 0}
    ]
    (copied,) = found["replication"]
    assert copied["target"] == "https://other:9000/copies"
    assert (copied["queued"], copied["queued_bytes"]) == (3, 30)
    assert (copied["replicated"], copied["failed_last_hour"], copied["failed"]) == (3, 1, 2)
    assert copied["latency_ms"] == 2.5


@pytest.mark.parametrize(
    ("drives", "parity", "quorum"), [(4, 2, 3), (6, 3, 4), (6, 2, 4), (1, 0, 1)]
)
def test_a_write_needs_more_than_half(drives, parity, quorum):
    assert info.write_quorum(drives, parity) == quorum


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (_info([*FOUR[:3], _drive(3, state="offline")]), "drive /drive3 of node1:9000 is offline"),
        (
            _info([*FOUR[:3], _drive(3, healing=True)]),
            "drive /drive3 of node1:9000 is being healed",
        ),
        (
            _info([*FOUR[:2], _drive(2, state="faulty"), _drive(3, state="faulty")]),
            "set 0 of pool 0 has 2 of 4 drives, a write needs 3; drive /drive2 of node1:9000 is "
            "faulty; drive /drive3 of node1:9000 is faulty",
        ),
        (
            _info(FOUR, services={"kmsStatus": [{"status": "online"}, {}]}),
            "the key service is offline",
        ),
    ],
)
def test_what_is_wrong_is_told(found, problem):
    values = _summary(found)
    assert (values["healthy"], values["problem"]) == (False, problem)


def test_servers_peers_targets_and_writes_count():
    found = _info(FOUR)
    found["servers"][0]["network"]["node2:9000"] = "offline"
    found["servers"].append({"endpoint": "node2:9000", "state": "offline"})
    http = {**TARGET, "secure": False, "isOnline": False, "sourcebucket": "other"}
    problem = _summary(found, [http], writable=False)["problem"]
    assert problem.split("; ") == [
        "the cluster takes no writes",
        "node2:9000 is offline",
        "node1:9000 does not reach node2:9000",
        "http://other:9000/copies, which other is copied to, is offline",
    ]


def test_without_a_key_service_nothing_is_said_of_it():
    assert _summary(_info(FOUR, services=None))["key_service"] == ""


class FakeAdmin:
    def __init__(self, **replies):
        self.replies = replies

    def connect(self, _login):
        return self

    def call(self, _method, command, _query=None):
        reply = self.replies.get(command)
        if isinstance(reply, Exception):
            raise reply
        return reply


def run(admin, options, **mode):
    warned = []
    context = Context(options(), warn=warned.append, **mode)
    return info.apply(context, admin.connect).values, warned


def test_the_server_is_asked(options):
    replies = {"info": _info(FOUR), "list-remote-targets": [TARGET], "/shop": METRICS["shop"]}
    values, _warned = run(FakeAdmin(**replies), options)
    assert values["healthy"]
    assert values["replication"][0]["queued"] == 3
    replies["/minio/health/cluster"] = RefusedError("no", code="503")
    assert not run(FakeAdmin(**replies), options)[0]["writable"]
    assert run(FakeAdmin(), options)[0]["drives"] == []


def test_a_server_that_is_not_there_is_told_in_check_mode(options):
    admin = FakeAdmin(accountinfo=ServerAbsentError("no answer: nobody"))
    values, warned = run(admin, options, check_mode=True)
    assert values == info.ABSENT
    assert "taken for a new server" in warned[0]
    with pytest.raises(PlatformError, match="no answer"):
        run(admin, options)


def test_every_value_is_there_for_an_absent_server_too():
    assert set(info.ABSENT) == set(_summary(_info(FOUR)))
