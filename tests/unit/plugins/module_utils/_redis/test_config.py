# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._redis import config


@pytest.mark.parametrize(
    ("name", "found", "wanted", "same"),
    [
        ("maxmemory", "1073741824", "1gb", True),
        ("maxmemory", "1000000000", "1G", True),
        ("maxmemory", "1000", "1kb", False),
        ("appendonly", "yes", True, True),
        ("appendonly", "yes", "YES", True),
        ("appendonly", "no", True, False),
        ("save", "3600 1 300 100", [3600, 1, 300, 100], True),
        ("save", "", None, True),
        ("notify-keyspace-events", "KEA", "g$lshzxetdEK", True),
        ("notify-keyspace-events", "KEA", "K", False),
        (
            "client-output-buffer-limit",
            "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
            "replica 256mb 64mb 60",
            True,
        ),
        ("client-output-buffer-limit", "normal 0 0 0", "normal 1 0 0", False),
        ("requirepass", "1000", "1k", False),
        ("maxmemory-clients", "5%", "5%", True),
        ("dir", "/a", "/b", False),
    ],
)
def test_values_are_compared_by_meaning(name, found, wanted, same):
    assert config.same(name, found, config.value_text(wanted)) is same
    differing = config.differing({name: found}, {name.upper(): wanted})
    assert bool(differing) is not same


def test_a_name_that_the_server_does_not_have_is_refused():
    with pytest.raises(PlatformError, match="no setting b, c"):
        config.differing({"a": ""}, {"b": 1}, ["c"])


def test_what_is_set_again_is_told_and_passwords_are_not():
    found = {"tls-cert-file": "/a", "masterauth": "old", "requirepass": "", "maxmemory": "0"}
    wanted = {"masterauth": "new", "requirepass": "first", "maxmemory": "1mb"}
    setting = config.differing(found, wanted, ["TLS-cert-file"])
    assert setting == {**wanted, "tls-cert-file": "/a"}
    changes = config.plan(found, setting)
    assert [str(change) for change in changes] == [
        "update setting masterauth",
        "update setting maxmemory",
        "update setting requirepass",
        "reload setting tls-cert-file",
    ]
    told = repr(changes)
    assert "'new'" not in told
    assert "'old'" not in told
    assert "first" not in told
    assert (changes[1].before, changes[1].after) == ("0", "1mb")
