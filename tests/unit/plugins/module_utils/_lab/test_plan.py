# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._lab.model import (
    Found,
    FoundHost,
    Lab,
    parse_subnet,
    place,
    refuse_taken,
)
from ansible_collections.mcp.platform.plugins.module_utils._lab.plan import plan, plan_removal

SUBNET = IPv4Network("10.77.0.0/24")


def lab(hosts=("node1", "node2"), **other):
    return Lab("lab", SUBNET, place("lab", SUBNET, hosts), "image:1", "key", **other)


def built(desired):
    host = FoundHost(True, desired.image, desired.authorized_key, desired.apt_proxy, "host key")
    return Found(desired.subnet, {one.container: host for one in desired.hosts})


def test_hosts_get_containers_and_addresses_in_order():
    assert [(one.container, one.address) for one in lab().hosts] == [
        ("lab-node1", "10.77.0.11"),
        ("lab-node2", "10.77.0.12"),
    ]
    assert lab().gateway == "10.77.0.1"
    assert [one.hardware_address for one in lab().hosts] == [
        "02:4d:0a:4d:00:0b",
        "02:4d:0a:4d:00:0c",
    ]


def test_two_hosts_of_one_name_are_refused():
    with pytest.raises(PlatformError, match="same name"):
        place("lab", SUBNET, ["node1", "node1"])


@pytest.mark.parametrize("text", ["10.77.0.0/16", "8.8.8.0/24", "10.77.0.5/24", "x", "fd00::/64"])
def test_other_than_a_private_24_is_refused(text):
    with pytest.raises(PlatformError) as caught:
        parse_subnet(text)
    assert caught.value.where == "lab_subnet"


def test_a_private_24_is_taken():
    assert parse_subnet("192.168.7.0/24") == IPv4Network("192.168.7.0/24")


def test_an_overlapping_range_is_refused_and_its_owner_named():
    refuse_taken(SUBNET, [("eth0", IPv4Network("10.78.0.0/16"))])
    with pytest.raises(PlatformError, match="belongs to the interface eth1"):
        refuse_taken(SUBNET, [("the interface eth1", IPv4Network("10.0.0.0/8"))])


def test_nothing_is_found_and_everything_is_made():
    assert [str(change) for change in plan(Found(), lab())] == [
        "create network lab",
        "create host node1",
        "create host node2",
    ]


def test_a_stopped_host_is_started_and_not_looked_into():
    found = Found(SUBNET, {**built(lab()).hosts, "lab-node2": FoundHost(False)})
    assert [str(change) for change in plan(found, lab())] == ["start host node2"]


def test_another_key_or_proxy_is_handed_over():
    found = built(lab(("node1",)))
    other = Lab("lab", SUBNET, lab(("node1",)).hosts, "image:2", "other key", "http://cache")
    assert [str(change) for change in plan(found, other)] == [
        "update key of host node1",
        "update apt proxy of host node1",
    ]


def test_a_lab_elsewhere_of_the_same_name_is_refused():
    with pytest.raises(PlatformError, match=r"10\.78\.0\.0/24"):
        plan(Found(IPv4Network("10.78.0.0/24")), lab())


@given(
    st.lists(st.sampled_from(["node1", "node2", "node3", "node4"]), min_size=1, unique=True),
    st.sampled_from(["", "http://cache:3142"]),
)
def test_what_was_made_needs_nothing_more(hosts, proxy):
    desired = lab(tuple(hosts), apt_proxy=proxy)
    assert plan(built(desired), desired) == ()


def test_removal_names_all_there_is():
    assert [str(change) for change in plan_removal(built(lab()), "lab")] == [
        "delete host lab-node1",
        "delete host lab-node2",
        "delete network lab",
    ]
    assert plan_removal(Found(), "lab") == ()
