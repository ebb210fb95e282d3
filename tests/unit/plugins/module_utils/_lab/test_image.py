# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
import urllib.error
from contextlib import nullcontext
from pathlib import Path

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._lab import image
from ansible_collections.mcp.platform.plugins.module_utils._lab.client import Podman
from ansible_collections.mcp.platform.plugins.module_utils._lab.image import (
    Mirror,
    Recipe,
    build_from_image,
    build_from_release,
    find_mirror,
    machine_mirror,
    machine_proxy,
    sources_for,
)

RECIPE = Recipe("", "trixie", ("systemd",), "true", "")
DEB822 = """\
Types: deb
# a comment
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
"""


def test_the_tag_follows_the_recipe():
    tags = {
        recipe.tagged("x")
        for recipe in (
            RECIPE,
            Recipe("base", "trixie", ("systemd",), "true", ""),
            Recipe("", "forky", ("systemd",), "true", ""),
            Recipe("", "trixie", (), "true", ""),
            Recipe("", "trixie", ("systemd",), "false", ""),
            Recipe("", "trixie", ("systemd",), "true", "http://m"),
        )
    }
    assert len(tags) == 6
    assert RECIPE.tagged("x") == Recipe("", "trixie", ("systemd",), "true", "").tagged("x")


def test_the_machines_mirror_in_both_formats():
    expected = Mirror("http://mirror.example/debian", "http://mirror.example/security")
    assert find_mirror({"debian.sources": DEB822}, "bookworm") == expected
    lines = """\
# deb http://old.example/debian bookworm main
deb [signed-by=/k arch=amd64] http://mirror.example/debian/ bookworm main
deb http://mirror.example/security bookworm-security main
"""
    assert find_mirror({"sources.list": lines}, "bookworm") == expected


def test_a_third_partys_repository_is_no_mirror():
    other = {"x.list": "deb https://packages.example/apt cloud-bookworm main"}
    assert find_mirror(other, "bookworm") == Mirror()
    lists = {"x.sources": "URIs: mirror+file:/etc/mirrors\nSuites: bookworm\n"}
    assert find_mirror(lists, "bookworm") == Mirror()


def test_only_a_debian_has_a_debian_mirror(tmp_path):
    apt = tmp_path / "etc/apt"
    (apt / "sources.list.d").mkdir(parents=True)
    (apt / "sources.list.d/debian.sources").write_text(DEB822)
    release = tmp_path / "etc/os-release"
    release.write_text('ID=ubuntu\nVERSION_CODENAME=noble\n"quoted"\n')
    assert machine_mirror(tmp_path) == Mirror()
    release.write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    assert machine_mirror(tmp_path).main == "http://mirror.example/debian"


@pytest.mark.parametrize(
    ("said", "environment", "expected"),
    [
        ("proxy='http://proxy:8080'\n", "", "http://proxy:8080"),
        ("proxy='DIRECT'\n", "http://other", ""),
        ("", "http://other", "http://other"),
        ("", "", ""),
    ],
)
def test_the_machines_proxy(monkeypatch, said, environment, expected):
    monkeypatch.setenv("http_proxy", environment)
    monkeypatch.setattr(
        image.subprocess, "run", lambda *_a, **_k: subprocess.CompletedProcess([], 0, said, "")
    )
    assert machine_proxy() == expected


def answering(monkeypatch, *offered):
    class Opener:
        def open(self, request, timeout):
            if not any(request.full_url.endswith(f"/{suite}/InRelease") for suite in offered):
                raise urllib.error.URLError("no")
            return nullcontext()

    monkeypatch.setattr(image.urllib.request, "build_opener", lambda *_handlers: Opener())


def test_sources_hold_what_the_mirror_has(monkeypatch):
    answering(monkeypatch, "trixie", "trixie-updates", "trixie-security")
    text = sources_for(RECIPE, Mirror("http://m/debian", "http://m/sec"), "http://proxy")
    assert "URIs: http://m/debian\nSuites: trixie trixie-updates\n" in text
    assert "URIs: http://m/sec\nSuites: trixie-security\n" in text
    answering(monkeypatch, "trixie")
    assert sources_for(RECIPE, Mirror("http://m/debian"), "").count("Types:") == 1


def test_a_mirror_that_does_not_answer_is_refused(monkeypatch):
    answering(monkeypatch)
    with pytest.raises(PlatformError) as caught:
        sources_for(RECIPE, Mirror("http://m/debian"), "")
    assert caught.value.where == "lab_mirror"


class Programs:
    def __init__(self, fail=""):
        self.fail, self.calls = fail, []

    def __call__(self, command, **options):
        self.calls.append((command, options))
        code = 1 if Path(command[0]).name == self.fail else 0
        return subprocess.CompletedProcess(command, code, "what it said", "")


@pytest.fixture
def programs(monkeypatch):
    found = Programs()
    monkeypatch.setattr(image.subprocess, "run", found)
    monkeypatch.setattr(image, "machine_proxy", lambda: "http://proxy")
    monkeypatch.setattr(image, "machine_mirror", lambda: Mirror("http://m/debian"))
    answering(monkeypatch, "trixie")
    return found


def test_a_release_is_installed_set_up_and_imported(programs, machine):
    build_from_release(Podman("podman", machine), RECIPE, "localhost/lab:1")
    assert [Path(command[0]).name for command, _options in programs.calls] == [
        "debootstrap",
        "chroot",
        "tar",
    ]
    debootstrap, chroot = programs.calls[:2]
    assert debootstrap[0][-1] == "http://m/debian"
    assert debootstrap[1]["env"]["http_proxy"] == "http://proxy"
    assert "Suites: trixie" in chroot[1]["env"]["LAB_SOURCES"]
    assert chroot[1]["input"] == "true"
    assert machine.images == {"localhost/lab:1"}


def test_a_program_that_fails_keeps_its_words(programs, machine):
    programs.fail = "debootstrap"
    with pytest.raises(PlatformError, match="debootstrap failed: what it said"):
        build_from_release(Podman("podman", machine), RECIPE, "localhost/lab:1")


def test_the_mirror_is_the_given_one_then_the_machines_then_debootstraps(
    programs, monkeypatch, machine, tmp_path
):
    podman = Podman("podman", machine)
    monkeypatch.setattr(image, "machine_proxy", lambda: "")
    given = Recipe("", "trixie", (), "true", "http://given/debian/")
    build_from_release(podman, given, "localhost/lab:1")
    assert programs.calls[0][0][-1] == "http://given/debian"
    programs.calls.clear()
    monkeypatch.setattr(image, "machine_mirror", Mirror)
    program = tmp_path / "debootstrap"
    program.write_text('x=1\nDEF_MIRROR="http://default/debian"\n')
    monkeypatch.setattr(image.shutil, "which", lambda _name: str(program))
    monkeypatch.setattr(image, "SCRIPTS", tmp_path)
    build_from_release(podman, RECIPE, "localhost/lab:1")
    assert programs.calls[0][0][-1] == "http://default/debian"
    (tmp_path / "trixie").write_text("default_mirror http://script/debian/\n")
    programs.calls.clear()
    build_from_release(podman, RECIPE, "localhost/lab:1")
    assert programs.calls[0][0][-1] == "http://script/debian"


def test_no_mirror_at_all_is_refused(programs, monkeypatch, machine, tmp_path):
    monkeypatch.setattr(image, "machine_mirror", Mirror)
    monkeypatch.setattr(image, "SCRIPTS", tmp_path)
    monkeypatch.setattr(image.shutil, "which", lambda _name: None)
    monkeypatch.setattr(image, "DEBOOTSTRAP", tmp_path / "none")
    with pytest.raises(PlatformError, match="mirror"):
        build_from_release(Podman("podman", machine), RECIPE, "localhost/lab:1")


def test_an_image_grows_from_another(monkeypatch, machine):
    monkeypatch.setattr(image, "machine_proxy", lambda: "")
    recipe = Recipe("localhost/lab:1", "trixie", (), "apt-get install -y x", "")
    build_from_image(Podman("podman", machine), recipe, "localhost/cache:1")
    assert machine.images == {"localhost/cache:1"}
    assert machine.containers == {}
    machine.failing["commit"] = "no space left"
    with pytest.raises(PlatformError, match="no space left"):
        build_from_image(Podman("podman", machine), recipe, "localhost/cache:2")
    assert machine.containers == {}
