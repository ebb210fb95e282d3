# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.web import Endpoint, Reply
from ansible_collections.mcp.platform.plugins.module_utils._etcd.client import (
    Cluster,
    apply,
    find,
    has_data,
)
from ansible_collections.mcp.platform.plugins.module_utils._etcd.model import (
    Desired,
    Found,
    Member,
    environment,
    members_from,
)
from ansible_collections.mcp.platform.plugins.module_utils._etcd.plan import Plan, changes, plan

NODE2 = Desired("node2", "https://node2:2380")
ENDPOINTS = [Endpoint("https://node1:2379", "/ca"), Endpoint("https://node3:2379", "/ca")]
LISTED = {
    "members": [
        {"ID": "11", "name": "node1", "peerURLs": ["https://node1:2380"]},
        {"ID": "22", "name": "node2", "peerURLs": ["https://node2:2380"]},
        {"ID": "33", "name": "node3", "peerURLs": ["https://node3:2380"]},
    ]
}
MEMBERS = members_from(LISTED)
NO_ANSWER = PlatformError("no answer")


class Script:
    """Answers from a list, the last answer for ever; its clock moves when one sleeps."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked = []
        self.now = 0.0

    def request(self, method, endpoint, path, document):
        self.asked.append((endpoint.url, path, document))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    def sleep(self, seconds):
        self.now += seconds

    def cluster(self, endpoints=None):
        return Cluster(endpoints or ENDPOINTS, self.request, lambda: self.now, self.sleep)


def test_a_member_with_data_needs_nothing():
    assert plan(Found(has_data=True), NODE2) == Plan()
    assert changes(Plan(), NODE2) == ()


def test_without_a_cluster_the_members_found_one():
    assert plan(Found(has_data=False), NODE2) == Plan()
    assert plan(Found(has_data=False, joins=True), NODE2) == Plan(forget=True)


def test_a_member_that_lost_its_data_is_replaced():
    steps = plan(Found(has_data=False, members=MEMBERS), NODE2)
    assert steps == Plan(remove=(MEMBERS[1],), add=True)
    assert [str(change) for change in changes(steps, NODE2)] == [
        "remove member node2, which lost its data",
        "add member node2",
    ]


def test_a_member_that_never_started_is_known_by_its_place():
    unstarted = Member("22", "", ("https://node2:2380",))
    steps = plan(Found(has_data=False, members=(unstarted,)), NODE2)
    assert steps.remove == (unstarted,)
    assert "node2" in str(changes(steps, NODE2)[0])


def test_a_new_member_is_only_added():
    new = Desired("node4", "https://node4:2380")
    assert plan(Found(has_data=False, members=MEMBERS), new) == Plan(add=True)


@given(
    st.lists(
        st.builds(
            Member,
            st.text(max_size=3),
            st.sampled_from(["node1", "node2", "node3", ""]),
            st.just(("https://node1:2380",)),
        ),
        max_size=4,
    )
)
def test_nobody_else_is_ever_removed(members):
    steps = plan(Found(has_data=False, members=tuple(members)), NODE2)
    assert all(member.name == "node2" for member in steps.remove)


def test_the_environment_names_every_member_once():
    after = (MEMBERS[0], Member("44", "", ("https://node2:2380",)), MEMBERS[2])
    assert environment(NODE2, after).splitlines() == [
        "ETCD_INITIAL_CLUSTER_STATE=existing",
        "ETCD_INITIAL_CLUSTER=node1=https://node1:2380,node2=https://node2:2380,"
        "node3=https://node3:2380",
    ]


def test_data_are_the_log(tmp_path):
    assert not has_data(tmp_path)
    (tmp_path / "member" / "wal").mkdir(parents=True)
    assert not has_data(tmp_path)
    (tmp_path / "member" / "wal" / "0.wal").touch()
    assert has_data(tmp_path)
    script = Script(NO_ANSWER)
    assert find(tmp_path, tmp_path / "join", script.cluster(), 0) == Found(has_data=True)
    assert script.asked == []


def test_any_member_may_answer(tmp_path):
    script = Script(NO_ANSWER, Reply(200, LISTED))
    found = find(tmp_path, tmp_path / "join", script.cluster(), 0)
    assert found == Found(has_data=False, members=MEMBERS)
    assert [url for url, _unused1, _unused2 in script.asked] == [
        "https://node1:2379",
        "https://node3:2379",
    ]
    assert script.asked[0][2] == {"linearizable": True}


def test_no_quorum_is_no_cluster(tmp_path):
    script = Script(Reply(503, {"error": "etcdserver: no leader"}))
    (tmp_path / "join").touch()
    found = find(tmp_path, tmp_path / "join", script.cluster(), 3)
    assert found == Found(has_data=False, joins=True)
    assert script.now == 3
    assert Script(NO_ANSWER).cluster([]).members(0) is None


def test_a_join_is_prepared(tmp_path):
    script = Script(Reply(200, LISTED), Reply(200, LISTED))
    apply(Plan((MEMBERS[1],), add=True), NODE2, script.cluster(), tmp_path / "join")
    assert [(path, document) for _unused, path, document in script.asked] == [
        ("/v3/cluster/member/remove", {"ID": "22"}),
        ("/v3/cluster/member/add", {"peerURLs": ["https://node2:2380"]}),
    ]
    assert "existing" in (tmp_path / "join").read_text()


def test_an_old_join_is_forgotten(tmp_path):
    (tmp_path / "join").touch()
    apply(Plan(forget=True), NODE2, Script(NO_ANSWER).cluster(), tmp_path / "join")
    assert not (tmp_path / "join").exists()


def test_a_refusal_is_told(tmp_path):
    script = Script(Reply(500, {"error": "etcdserver: unhealthy cluster"}))
    with pytest.raises(PlatformError, match="unhealthy cluster"):
        apply(Plan(add=True), NODE2, script.cluster(), tmp_path / "join")
    assert not (tmp_path / "join").exists()


def test_members_that_have_just_started_are_waited_for(tmp_path):
    refusal = Reply(503, {"message": "etcdserver: unhealthy cluster"})
    script = Script(refusal, refusal, refusal, Reply(200, LISTED))
    apply(Plan(add=True), NODE2, script.cluster(), tmp_path / "join")
    assert (tmp_path / "join").exists()
    assert 0 < script.now < 5
