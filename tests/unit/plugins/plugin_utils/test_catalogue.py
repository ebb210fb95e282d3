# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.plugin_utils import catalogue


def own(path, content=b"binary"):
    """Return the artefact that a site brings at *path*."""
    options = {
        "name": "openbao",
        "source": "path",
        "location": str(path),
        "version": "1",
        "sha256": {"x86_64": hashlib.sha256(content).hexdigest()},
    }
    return catalogue.artefact_from(options)


def test_every_entry_names_version_licence_source_and_checksums():
    for name, entry in catalogue.entries().items():
        assert {"version", "licence", "kind", "architectures"} <= set(entry), name
        artefact = catalogue.artefact_from({"name": name, "source": "catalogue"})
        assert artefact.version == str(entry["version"])
        assert all(len(value) == 64 for value in artefact.sha256.values())
        assert bool(artefact.sha256) == (entry["kind"] == "pypi")


def test_what_is_not_in_the_catalogue_is_refused():
    with pytest.raises(PlatformError, match="no minio9 in the catalogue"):
        catalogue.artefact_from({"name": "minio9", "source": "catalogue"})


def test_a_source_of_ones_own_needs_its_checksum():
    with pytest.raises(PlatformError, match="location and sha256"):
        catalogue.artefact_from({"name": "openbao", "source": "url", "version": "1"})


def test_a_file_of_ones_own_is_found_or_refused(tmp_path):
    path = tmp_path / "bao"
    with pytest.raises(PlatformError, match="there is no openbao here"):
        catalogue.fetch(own(path), "x86_64", tmp_path / "cache")
    path.write_bytes(b"binary")
    assert catalogue.fetch(own(path), "x86_64", tmp_path / "cache") == path


def test_the_cache_follows_the_base_directory_specification(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert catalogue.default_cache() == tmp_path / "mcp-platform" / "artefacts"


def test_the_digest_of_nothing_is_empty(tmp_path):
    assert catalogue.digest(tmp_path / "missing") == ""


BUILT = {
    "version": "1.2.3",
    "kind": "go",
    "module": "example.test/server",
    "release": "v1.2.3",
    "sum": "h1:right=",
    "go": "1.24",
    "toolchain": "tools",
    "architectures": {"x86_64": {"goarch": "amd64"}},
}
TOOLS = {
    "version": "1.26",
    "kind": "pypi",
    "member": "go/bin/go",
    "architectures": {"x86_64": {"binary_sha256": "b" * 64, "archive_sha256": "a" * 64}},
}


@pytest.fixture
def built(monkeypatch):
    """Return the builds that were made, of a catalogue with something to build."""
    made = []

    def build(go, entry, architecture, folder):
        made.append((go, entry["release"], architecture))
        (folder / "server").write_bytes(b"binary")
        return folder / "server"

    monkeypatch.setattr(catalogue, "entries", lambda: {"server": BUILT, "tools": TOOLS})
    monkeypatch.setattr(catalogue.go_build, "build", build)
    monkeypatch.setattr(catalogue.go_build, "find", lambda oldest: f"/go-{oldest}")
    return made


def test_what_is_there_as_source_is_built_once(built, tmp_path):
    artefact = catalogue.artefact_from({"name": "server"})
    assert artefact.sha256 == {}
    for _time in range(2):
        path = catalogue.fetch(artefact, "x86_64", tmp_path)
        assert path.read_bytes() == b"binary"
    assert built == [("/go-1.24", "v1.2.3", "x86_64")]
    # A file without the mark that it is whole is built again.
    path.with_name(path.name + ".proven").unlink()
    catalogue.fetch(artefact, "x86_64", tmp_path)
    assert len(built) == 2


def test_a_controller_without_a_toolchain_fetches_one(built, tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue.go_build, "find", lambda _oldest: None)
    monkeypatch.setattr(
        catalogue.go_build, "unpacked", lambda archive, member: str(archive / member)
    )
    monkeypatch.setattr(catalogue.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(
        catalogue, "_download", lambda _artefact, _arch, path: path.write_bytes(b"archive")
    )
    monkeypatch.setattr(catalogue, "digest", lambda path: "a" * 64 if path.exists() else "")
    catalogue.fetch(catalogue.artefact_from({"name": "server"}), "x86_64", tmp_path)
    ((command, _release, _architecture),) = built
    assert command.startswith(f"{tmp_path}/tools-1.26-x86_64-")
    assert command.endswith("/go/bin/go")


def test_an_architecture_that_nobody_builds_for_is_refused(built, tmp_path):
    with pytest.raises(PlatformError, match="not catalogued for sparc"):
        catalogue.fetch(catalogue.artefact_from({"name": "server"}), "sparc", tmp_path)
