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
