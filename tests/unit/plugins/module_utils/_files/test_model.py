# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._files.model import (
    Attributes,
    Directory,
    File,
    desired_from,
    normal_mode,
    normal_path,
)


def _item(**options):
    defaults = {"owner": "root", "group": "root", "mode": "0644", "validate": None}
    return {**defaults, "content": None, "secret_content": None, **options}


def _params(**options):
    return {"directories": [], "files": [], "absent": [], **options}


def test_options_become_the_desired_state():
    desired = desired_from(
        _params(
            directories=[_item(path="/etc/x/", mode="02750")],
            files=[
                _item(dest="/etc/x/a", content="a\n", validate="check %s"),
                _item(dest="/etc/x/b", secret_content="ü", mode="0600"),
                _item(dest="/etc/x/c"),
            ],
            absent=["/etc/x//old"],
        )
    )
    root = Attributes("root", "root", "0644")
    assert desired.directories == (Directory("/etc/x", Attributes("root", "root", "2750")),)
    assert desired.files == (
        File("/etc/x/a", root, b"a\n", "check %s"),
        File("/etc/x/b", Attributes("root", "root", "0600"), "ü".encode(), "", True),
        File("/etc/x/c", root, b""),
    )
    assert desired.absent == ("/etc/x/old",)


@given(st.integers(min_value=0, max_value=0o7777))
def test_a_mode_with_its_zero_is_taken(mode):
    assert int(normal_mode(f"0{mode:03o}"), 8) == mode


# 420, 416 and 493 are what YAML makes of an unquoted 0644, 0640 and 0755.
@pytest.mark.parametrize("mode", ["420", "416", "493", "0999", "rw", "0o644", "00", "u=rw", ""])
def test_a_mode_that_may_mean_another_one_is_refused(mode):
    with pytest.raises(PlatformError, match="quotes") as caught:
        normal_mode(mode, "/etc/x")
    assert caught.value.where == "/etc/x"


@pytest.mark.parametrize(
    ("path", "normal"), [("//etc//x/", "/etc/x"), ("/a/../b", "/b"), ("/", "/"), ("/a/./b", "/a/b")]
)
def test_a_path_has_one_spelling(path, normal):
    assert normal_path(path) == normal


@pytest.mark.parametrize("path", ["etc/x", "", "./x"])
def test_a_relative_path_is_refused(path):
    with pytest.raises(PlatformError, match="not absolute"):
        desired_from(_params(files=[_item(dest=path)]))


@pytest.mark.parametrize(
    "params",
    [
        {"files": [_item(dest="/x"), _item(dest="//x")]},
        {"files": [_item(dest="/x")], "absent": ["/x"]},
        {"files": [_item(dest="/x")], "directories": [_item(path="/x/")]},
        {"directories": [_item(path="/x"), _item(path="/x")]},
    ],
)
def test_one_path_can_be_one_thing_only(params):
    with pytest.raises(PlatformError, match="more than once") as caught:
        desired_from(_params(**params))
    assert caught.value.where == "/x"


def test_a_checker_that_would_check_another_file_is_refused():
    with pytest.raises(PlatformError, match="where the new content goes"):
        desired_from(_params(files=[_item(dest="/x", validate="haproxy -c")]))
