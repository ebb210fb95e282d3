# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._host import requirements
from ansible_collections.mcp.platform.plugins.module_utils._host.requirements import (
    Drive,
    Host,
    Requirements,
    problems,
)

GOOD = Host(("debian", "13"), "x86_64", 8000, "systemd", ("192.0.2.1",))


def test_a_host_that_has_everything_has_no_problems():
    wanted = Requirements((("debian", "13"),), ("x86_64",), 8000, ("192.0.2.0/24",))
    assert problems(GOOD, wanted) == []


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Requirements(systems=(("debian", "12"),)), "runs debian 13, not debian 12"),
        (Requirements(architectures=("aarch64",)), "architecture is x86_64, not aarch64"),
        (Requirements(memory_mb=8001), "has 8000 MiB of memory, 8001 MiB are asked for"),
        (Requirements(ssh_sources=("198.51.100.0/24",)), "would cut this very connection"),
    ],
)
def test_each_lack_is_named(wanted, words):
    (problem,) = problems(GOOD, wanted)
    assert words in problem


def test_a_host_without_systemd_is_refused():
    host = Host(("debian", "13"), "x86_64", 1, "bash")
    assert problems(host, Requirements()) == ["the host was started by bash, not by systemd"]


def test_one_admitted_connection_among_several_is_enough():
    host = Host(("debian", "13"), "x86_64", 1, "systemd", ("192.0.2.1", "2001:db8::1"))
    assert problems(host, Requirements(ssh_sources=("2001:db8::/32",))) == []


def test_without_a_connection_nothing_can_be_cut():
    host = Host(("debian", "13"), "x86_64", 1, "systemd")
    assert problems(host, Requirements(ssh_sources=("192.0.2.0/24",))) == []


def test_os_release_is_read_with_and_without_quotes():
    assert requirements.os_release('ID=debian\nVERSION_ID="13"\n# x\n') == ("debian", "13")
    assert requirements.os_release("NAME=x\n") == ("unknown", "unknown")


def test_peers_of_ssh_are_found_in_every_notation():
    text = (
        "0 0 192.0.2.11:22 192.0.2.1:41414\n"
        "0 0 [::ffff:192.0.2.11]:22 [::ffff:192.0.2.2]:41414\n"
        "0 0 [fe80::2%eth0]:22 [fe80::1%eth0]:41414\n"
    )
    assert requirements.ssh_clients(text) == ("192.0.2.1", "192.0.2.2", "fe80::1")


def test_the_host_is_read_from_its_files(tmp_path, monkeypatch):
    (tmp_path / "etc").mkdir()
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "etc/os-release").write_text("ID=debian\nVERSION_ID=13\n")
    (tmp_path / "proc/meminfo").write_text("MemTotal:  2097152 kB\nMemFree: 1 kB\n")
    (tmp_path / "proc/1/comm").write_text("systemd\n")
    binary = tmp_path / "ss"
    binary.write_text("#!/bin/sh\necho '0 0 192.0.2.11:22 192.0.2.1:41414'\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    host = requirements.read(22, [], tmp_path)
    assert (host.system, host.memory_mb, host.init) == (("debian", "13"), 2048, "systemd")
    assert host.ssh_clients == ("192.0.2.1",)


def test_options_become_requirements():
    params = {
        "systems": [{"id": "debian", "version": "13"}],
        "architectures": ["x86_64"],
        "memory_mb": 1,
        "ssh_sources": [],
        "drives": ["/srv/a"],
    }
    wanted = requirements.requirements_from(params)
    assert wanted == Requirements((("debian", "13"),), ("x86_64",), 1, (), ("/srv/a",))


@pytest.mark.parametrize(
    ("drives", "words"),
    [
        ([Drive("/a", 1000, False)], "no directory /b"),
        ([Drive("/a", 1000, True), Drive("/b", 1000, False)], "/a is on the root file system"),
        ([Drive("/a", 1000, False), Drive("/b", 900, False)], "/a 1000 MiB, /b 900 MiB"),
    ],
)
def test_a_drive_that_will_not_do_is_named(drives, words):
    host = Host(("debian", "13"), "x86_64", 1, "systemd", drives=tuple(drives))
    (problem,) = problems(host, Requirements(drives=("/a", "/b")))
    assert words in problem


def test_drives_that_differ_a_little_will_do():
    host = Host(
        ("debian", "13"),
        "x86_64",
        1,
        "systemd",
        drives=(Drive("/a", 1000, False), Drive("/b", 990, False)),
    )
    assert problems(host, Requirements(drives=("/a", "/b"))) == []


def test_a_directory_is_told_with_the_size_of_its_file_system(tmp_path):
    (tmp_path / "srv").mkdir()
    (found,) = requirements.drives_at(["/srv", "/nowhere"], tmp_path)
    assert (found.path, found.on_root) == ("/srv", True) and found.size_mb > 0
