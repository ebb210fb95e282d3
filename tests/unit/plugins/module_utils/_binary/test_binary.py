# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import platform
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._binary import client
from ansible_collections.mcp.platform.plugins.module_utils._binary.apply import apply
from ansible_collections.mcp.platform.plugins.module_utils._binary.model import (
    Binary,
    Installed,
    Record,
)
from ansible_collections.mcp.platform.plugins.module_utils._binary.plan import (
    expected,
    is_trusted,
    plan,
)
from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context

CONTENT = b"#!/bin/sh\necho one\n"
SUM = hashlib.sha256(CONTENT).hexdigest()
BINARY = Binary("tool", "/usr/local/bin/tool", "1", {"x86_64": SUM})


@pytest.fixture(autouse=True)
def records(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "RECORDS", tmp_path / "records")
    return tmp_path / "records"


def arguments(tmp_path, **others):
    return {
        "name": "tool",
        "path": str(tmp_path / "bin" / "tool"),
        "version": "1",
        "sha256": {platform.machine(): SUM},
        "staged": None,
        "member": None,
        **others,
    }


def staged(tmp_path, content=CONTENT):
    path = tmp_path / "staged"
    path.write_bytes(content)
    return str(path)


def test_an_architecture_that_is_not_catalogued_is_refused():
    with pytest.raises(PlatformError, match="not catalogued for sparc"):
        expected(BINARY, "sparc")


@given(st.sampled_from(["", "another", SUM]))
def test_nothing_is_planned_once_it_is_in_place(current):
    changes = plan(BINARY, SUM, current, "")
    assert bool(changes) == (current != SUM)
    assert [change.kind for change in changes] in ([], ["install"], ["update"])


def test_only_the_very_file_that_was_proven_is_trusted():
    record = Record(SUM, "1", 10, 20)
    assert is_trusted(record, Installed(10, 20))
    assert not is_trusted(record, Installed(10, 21))
    assert not is_trusted(record, None)
    assert not is_trusted(None, Installed(10, 20))


def test_the_first_phase_asks_for_the_file_and_changes_nothing(tmp_path):
    outcome = apply(Context(arguments(tmp_path)))
    assert outcome.values["needed"]
    assert not (tmp_path / "bin").exists()


def test_it_is_installed_once(tmp_path):
    params = arguments(tmp_path, staged=staged(tmp_path))
    assert apply(Context(params)).changes
    assert (tmp_path / "bin" / "tool").stat().st_mode & 0o777 == 0o755
    again = apply(Context(arguments(tmp_path)))
    assert not again.changes
    assert not again.values["needed"]


def test_it_is_taken_out_of_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr("folder/tool", CONTENT)
    params = arguments(tmp_path, staged=str(tmp_path / "archive"), member="folder/tool")
    apply(Context(params))
    assert (tmp_path / "bin" / "tool").read_bytes() == CONTENT


def test_another_content_is_refused_and_the_old_one_stays(tmp_path):
    apply(Context(arguments(tmp_path, staged=staged(tmp_path))))
    (tmp_path / "bin" / "tool").write_bytes(b"spoilt")
    with pytest.raises(PlatformError, match="the checksum of tool 1 is"):
        apply(Context(arguments(tmp_path, staged=staged(tmp_path, b"wrong"))))
    assert (tmp_path / "bin" / "tool").read_bytes() == b"spoilt"
    assert [path.name for path in (tmp_path / "bin").iterdir()] == ["tool"]


def test_a_file_that_was_put_there_by_others_is_read_once(tmp_path, records):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tool").write_bytes(CONTENT)
    assert not apply(Context(arguments(tmp_path))).changes
    assert (records / "tool.json").is_file()


def test_check_mode_changes_nothing(tmp_path, records):
    assert apply(Context(arguments(tmp_path, staged=staged(tmp_path)), check_mode=True)).changes
    assert not (tmp_path / "bin").exists()
    assert not records.exists()


def test_a_spoilt_record_counts_as_none(tmp_path, records):
    apply(Context(arguments(tmp_path, staged=staged(tmp_path))))
    (records / "tool.json").write_text("{")
    assert not apply(Context(arguments(tmp_path))).changes


def test_a_binary_that_is_built_is_compared_by_its_version(tmp_path):
    asked = arguments(tmp_path, sha256=None)
    outcome = apply(Context(asked))
    assert outcome.values["needed"]
    assert outcome.changes[0].after["sha256"] == "told by the build"
    apply(Context(arguments(tmp_path, staged=staged(tmp_path))))
    # Another controller may build another binary of the same version; hosts keep theirs.
    again = apply(Context(asked))
    assert (again.changes, again.values["needed"]) == ((), False)
    assert apply(Context({**asked, "version": "2"})).values["needed"]
    (tmp_path / "bin" / "tool").write_bytes(b"spoilt")
    assert apply(Context(asked)).values["needed"]
