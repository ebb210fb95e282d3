# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mcp.platform.plugins.module_utils._patroni.model import (
    Cluster,
    Member,
    cluster_from,
)

DOCUMENT = {
    "scope": "main",
    "members": [
        {"name": "node1", "role": "leader", "state": "running", "timeline": 3, "port": 5432},
        {"name": "node2", "role": "quorum_standby", "state": "streaming", "lag": 0},
        {
            "name": "node3",
            "role": "replica",
            "state": "starting",
            "lag": "unknown",
            "pending_restart": True,
            "pending_restart_reason": {"max_connections": {"old_value": "100", "new_value": "200"}},
        },
    ],
}


def test_members_are_read():
    cluster = cluster_from(DOCUMENT)
    assert cluster.leader == "node1"
    assert [member.is_healthy for member in cluster.members] == [True, True, False]
    assert cluster.members[1].lag == 0
    assert cluster.members[2].lag is None
    shown = cluster.as_dict()
    assert shown["synchronous"] == ["node2"]
    assert shown["restart_pending"] == ["node3"]
    assert shown["members"][2]["restart_pending_for"]["max_connections"]["new_value"] == "200"
    assert not shown["healthy"]


def test_a_cluster_is_healthy_when_all_are():
    cluster = cluster_from({**DOCUMENT, "members": DOCUMENT["members"][:2], "pause": True})
    assert cluster.as_dict()["healthy"]
    assert cluster.as_dict()["paused"]
    assert cluster.unready(("node2",)) == ()


def test_reasons_are_named():
    cluster = cluster_from(DOCUMENT)
    assert cluster.unready(("node3", "node4")) == (
        "node3 (replica) is starting",
        "node4 is not a member",
    )
    assert Cluster("main", (Member("node1", "replica", ""),)).unready(("node1",)) == (
        "the cluster has no leader",
        "node1 (replica) is unknown",
    )


def test_nobody_is_not_healthy():
    assert not Cluster("").as_dict()["healthy"]
    assert Cluster("").leader == ""


def test_a_leader_that_only_starts_is_waited_for():
    cluster = Cluster("main", (Member("node1", "leader", "starting"),))
    assert cluster.unready(()) == ("node1 (leader) is starting",)
