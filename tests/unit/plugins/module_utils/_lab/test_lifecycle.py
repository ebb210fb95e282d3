# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
from contextlib import nullcontext

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._lab import cache, client, lifecycle
from ansible_collections.mcp.platform.plugins.module_utils._lab.client import Podman
from ansible_collections.mcp.platform.plugins.module_utils._lab.lifecycle import (
    Request,
    available_memory,
    check_name,
    make,
    remove,
)

KEY = "ssh-ed25519 AAAA lab"
REQUEST = Request("lab", "10.77.0.0/24", ("node1", "node2"), "localhost/lab:1", KEY + "\n")
CACHED = Request(**{**vars(REQUEST), "apt_cache_image": "localhost/cache:1"})


@pytest.fixture(autouse=True)
def small_world(monkeypatch, tmp_path, machine):
    monkeypatch.setattr(cache, "LOCK", tmp_path / "run/lock")
    monkeypatch.setattr(lifecycle, "machine_proxy", lambda: "")
    monkeypatch.setattr(lifecycle, "routes", lambda: client.routes(machine))
    monkeypatch.setattr(lifecycle.shutil, "which", lambda _name: "/usr/bin/podman")
    monkeypatch.setattr(cache.socket, "create_connection", lambda *_a, **_k: nullcontext())
    monkeypatch.setattr(client.time, "sleep", lambda _seconds: None)


@pytest.fixture
def podman(machine):
    return Podman("podman", machine)


def test_a_lab_is_made_and_then_stands(podman, machine):
    outcome = make(podman, REQUEST, check_mode=False)
    assert [str(change) for change in outcome.changes] == [
        "create network lab",
        "create host node1",
        "create host node2",
    ]
    assert outcome.values["hosts"][1] == {
        "name": "node2",
        "container": "lab-node2",
        "address": "10.77.0.12",
        "image": "localhost/lab:1",
        "host_key": "ssh-ed25519 BBBB",
    }
    assert machine.inside["lab-node1"] == [KEY, ""]
    again = make(podman, REQUEST, check_mode=False)
    assert not again.changes
    assert again.values == outcome.values


def test_check_mode_tells_and_makes_nothing(podman, machine):
    outcome = make(podman, CACHED, check_mode=True)
    assert len(outcome.changes) == 4
    assert outcome.values == {"hosts": []}
    assert machine.containers == {}


def test_the_cache_is_shared_and_its_address_handed_to_the_hosts(podman, machine):
    outcome = make(podman, CACHED, check_mode=False)
    assert str(outcome.changes[0]) == "start package cache"
    assert machine.inside["lab-node1"] == [KEY, "http://10.89.0.2:3142"]
    assert not make(podman, CACHED, check_mode=False).changes


def test_the_cache_goes_through_the_machines_own_proxy(podman, machine, monkeypatch):
    make(podman, CACHED, check_mode=False)
    monkeypatch.setattr(lifecycle, "machine_proxy", lambda: "http://proxy:8080")
    outcome = make(podman, CACHED, check_mode=False)
    assert [str(change) for change in outcome.changes] == ["start package cache"]
    assert machine.called("run", "--detach", "--name", "mcp-platform-apt-cache")[-1][-1] == (
        "Proxy=http://proxy:8080"
    )


def test_another_lab_may_have_made_the_cache_meanwhile(podman, machine, monkeypatch):
    make(podman, CACHED, check_mode=False)
    looks = iter([cache.FoundCache()])
    real = cache.read_cache
    monkeypatch.setattr(lifecycle, "read_cache", lambda one: next(looks, None) or real(one))
    before = len(machine.called("run"))
    make(podman, CACHED, check_mode=False)
    assert len(machine.called("run")) == before


def test_a_cache_that_only_podman_takes_for_running_is_made_anew(podman, machine, monkeypatch):
    make(podman, CACHED, check_mode=False)
    removal = ("rm", "--force", "--time", "2")
    monkeypatch.setattr(
        cache, "_silence", lambda _address: "" if machine.called(*removal) else "refused"
    )
    outcome = make(podman, CACHED, check_mode=False)
    assert [str(change) for change in outcome.changes] == ["start package cache"]
    assert machine.called(*removal)


def test_a_cache_that_does_not_answer_is_reported(podman, monkeypatch):
    def refuse(*_a, **_k):
        raise ConnectionRefusedError("refused")

    clock = iter(range(0, 1000, 15))
    monkeypatch.setattr(cache.socket, "create_connection", refuse)
    monkeypatch.setattr(cache.time, "monotonic", lambda: next(clock))
    with pytest.raises(PlatformError, match="does not answer"):
        make(podman, CACHED, check_mode=False)


def test_a_killed_host_is_started_again(podman, machine):
    make(podman, REQUEST, check_mode=False)
    machine.containers["lab-node2"]["status"] = "exited"
    outcome = make(podman, REQUEST, check_mode=False)
    assert [str(change) for change in outcome.changes] == ["start host node2"]
    assert machine.called("start") == [["start", "lab-node2"]]


def test_a_host_that_does_not_boot_is_reported(podman, machine, monkeypatch):
    clock = iter(range(0, 1000, 25))
    monkeypatch.setattr(client.time, "monotonic", lambda: next(clock))
    machine.boots = False
    with pytest.raises(PlatformError, match="did not start its SSH server") as caught:
        make(podman, REQUEST, check_mode=False)
    assert "podman logs" in caught.value.hint


def test_a_taken_range_is_refused_before_anything_is_made(podman, machine):
    machine.routes.append({"dst": "10.0.0.0/8", "dev": "tun0"})
    with pytest.raises(PlatformError, match="tun0"):
        make(podman, REQUEST, check_mode=False)
    machine.networks["other"] = ["10.77.0.0/16"]
    with pytest.raises(PlatformError, match="podman's network other"):
        make(podman, REQUEST, check_mode=False)
    assert machine.containers == {}


def test_a_strangers_container_of_the_same_name_is_refused(podman, machine):
    machine.containers["lab-node1"] = {"status": "running", "image": "", "labels": []}
    with pytest.raises(PlatformError, match="not part of the lab"):
        make(podman, REQUEST, check_mode=False)


def test_too_little_memory_is_refused(podman):
    greedy = Request(**{**vars(REQUEST), "memory_required": 10**9})
    with pytest.raises(PlatformError, match="MiB"):
        make(podman, greedy, check_mode=False)


def test_available_memory_is_read_from_the_kernels_words():
    assert available_memory("MemTotal: 9 kB\nMemAvailable:    4194304 kB\n") == 4096
    assert available_memory("") == 0


@pytest.mark.parametrize("name", ["", "Lab", "1lab", "a b", "podman", "x" * 22, "lab;rm"])
def test_names_that_can_be_no_lab(name):
    with pytest.raises(PlatformError):
        check_name(name)


def test_removal_takes_the_lab_and_nothing_else(podman, machine, monkeypatch):
    make(podman, CACHED, check_mode=False)
    make(
        podman,
        Request(**{**vars(REQUEST), "name": "lab2", "subnet": "10.78.0.0/24"}),
        check_mode=False,
    )
    assert len(remove(podman, "lab", check_mode=True).changes) == 3
    assert len(remove(podman, "lab", check_mode=False).changes) == 3
    assert sorted(machine.containers) == ["lab2-node1", "lab2-node2", "mcp-platform-apt-cache"]
    assert sorted(machine.networks) == ["lab2", "mcp-platform-apt-cache", "podman"]
    assert not remove(podman, "lab", check_mode=False).changes
    monkeypatch.setattr(lifecycle.shutil, "which", lambda _name: None)
    assert not remove(podman, "lab2", check_mode=False).changes


def test_podmans_failure_keeps_its_words(podman, machine):
    machine.failing["network"] = "Error: no space left"
    with pytest.raises(PlatformError, match="no space left"):
        make(podman, REQUEST, check_mode=False)


def test_no_podman_and_a_hanging_podman_are_reported():
    def missing(*_a, **_k):
        raise FileNotFoundError

    def hanging(*_a, **_k):
        raise subprocess.TimeoutExpired("podman", 900)

    with pytest.raises(PlatformError, match="no podman"):
        Podman("podman", missing).run("ps")
    with pytest.raises(PlatformError, match="did not end"):
        Podman("podman", hanging).run("ps")


def test_a_machine_without_networks(machine):
    machine.networks = {}
    assert client.networks(Podman("podman", machine)) == {}
