# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.web import Reply
from ansible_collections.mcp.platform.plugins.module_utils._patroni.client import (
    Client,
    argument_spec,
    endpoint_from,
)

PARAMS = {
    "url": "https://node1:8008/",
    "ca_path": "/ca.crt",
    "client_certificate": "/client.crt",
    "client_key": "/client.key",
    "username": "patroni",
    "password": "secret",
    "timeout": 2,
}
RUNS = {"scope": "main", "members": [{"name": "node1", "role": "leader", "state": "running"}]}
STARTS = {"scope": "main", "members": [{"name": "node1", "role": "replica", "state": "starting"}]}


class Script:
    """Answers requests from a list, and keeps what was asked; its clock moves when one sleeps."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked = []
        self.now = 0.0

    def request(self, method, endpoint, path, document=None):
        self.asked.append((method, path, document))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    def sleep(self, seconds):
        self.now += seconds

    def client(self):
        return Client(
            endpoint_from(PARAMS),
            request=self.request,
            clock=lambda: self.now,
            sleep=self.sleep,
        )


def test_the_shared_options_become_an_endpoint():
    endpoint = endpoint_from(PARAMS)
    assert endpoint.url == "https://node1:8008"
    assert endpoint.password == "secret"
    assert "secret" not in repr(endpoint)
    assert set(argument_spec()) == set(PARAMS)
    bare = dict.fromkeys(PARAMS, None) | {"url": "https://x", "ca_path": "/ca", "timeout": 1}
    assert endpoint_from(bare).client_certificate == ""


def test_the_cluster_is_read():
    assert Script(Reply(200, RUNS)).client().cluster().leader == "node1"


@pytest.mark.parametrize(
    ("reply", "hint"),
    [
        (Reply(401, "no auth header received"), "password"),
        (Reply(403, "client certificate required"), "certificate"),
        (Reply(503, ""), "journalctl"),
        (Reply(200, "not a document"), "journalctl"),
    ],
)
def test_a_refusal_says_what_to_do(reply, hint):
    with pytest.raises(PlatformError) as caught:
        Script(reply).client().config()
    assert hint in caught.value.hint
    assert caught.value.where == "https://node1:8008"


def test_a_change_is_patched_and_read_back():
    script = Script(
        Reply(200, {"ttl": 30}), Reply(200, {}), Reply(200, {"ttl": 30}), Reply(200, {"ttl": 20})
    )
    assert script.client().set_config({"ttl": 20}, exact=False) == {"ttl": 20}
    assert script.asked[1] == ("PATCH", "/config", {"ttl": 20})
    assert script.now > 0


def test_a_change_that_does_not_show_is_an_error():
    script = Script(Reply(200, {"ttl": 30}))
    with pytest.raises(PlatformError, match="still shows other values of \\['ttl'\\]"):
        script.client().set_config({"ttl": 20}, exact=False)
    assert script.now > PARAMS["timeout"]


def test_waiting_ends_when_the_member_serves():
    script = Script(PlatformError("no answer"), Reply(200, STARTS), Reply(200, RUNS))
    assert script.client().wait_for(("node1",), 10).leader == "node1"
    assert len(script.asked) == 3


def test_waiting_ends_in_the_end():
    script = Script(Reply(200, STARTS))
    with pytest.raises(PlatformError, match=r"not ready after 3 s: the cluster has no leader"):
        script.client().wait_for(("node1",), 3)


def test_the_version_is_patronis_own():
    about = {"state": "running", "patroni": {"version": "4.0.6", "scope": "main"}}
    assert Script(Reply(200, about)).client().version() == "4.0.6"
    assert Script(Reply(200, {"state": "starting"})).client().version() == ""
