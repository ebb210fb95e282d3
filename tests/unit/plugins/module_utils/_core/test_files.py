# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import grp
import hashlib
import os
import pwd
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core import files
from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError


def test_users_and_groups_are_found_by_name():
    assert files.user_id(pwd.getpwuid(0).pw_name) == 0
    assert files.group_id(grp.getgrgid(0).gr_name) == 0


@pytest.mark.parametrize("look_up", [files.user_id, files.group_id])
def test_a_missing_name_says_where_it_would_come_from(look_up):
    with pytest.raises(PlatformError, match="no-such-name") as caught:
        look_up("no-such-name")
    assert "package" in caught.value.hint


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from([0o600, 0o640, 0o4755]))
def test_a_file_is_replaced_whole(tmp_path, old, new, mode):
    path = tmp_path / "file"
    path.write_bytes(old)
    files.write_atomically(path, new, mode=mode)
    assert path.read_bytes() == new
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert list(tmp_path.iterdir()) == [path]
    assert files.digest(path) == hashlib.sha256(new).hexdigest()


def test_a_link_is_replaced_and_not_followed(tmp_path):
    target = tmp_path / "target"
    target.write_text("untouched")
    link = tmp_path / "link"
    link.symlink_to(target)
    files.write_atomically(link, b"new")
    assert target.read_text() == "untouched"
    assert not link.is_symlink()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_atomically(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_on_disk_before_the_name_is(tmp_path, monkeypatch):
    seen = []
    real = {name: getattr(os, name) for name in ("fsync", "replace")}
    for name, call in real.items():
        monkeypatch.setattr(
            os, name, lambda *args, name=name, call=call: (seen.append(name), call(*args))[1]
        )
    files.write_atomically(tmp_path / "file", b"new")
    assert seen == ["fsync", "replace", "fsync"]


def test_what_is_not_there_has_no_digest(tmp_path):
    (tmp_path / "file").touch()
    assert files.digest(tmp_path / "none") == ""
    assert files.digest(tmp_path / "file" / "below") == ""
