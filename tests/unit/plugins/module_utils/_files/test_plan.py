# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.plan import as_diff
from ansible_collections.mcp.platform.plugins.module_utils._files.model import (
    Attributes,
    Desired,
    Directory,
    File,
    Found,
)
from ansible_collections.mcp.platform.plugins.module_utils._files.plan import plan

_ATTRIBUTES = st.builds(
    Attributes,
    st.sampled_from(["root", "etcd"]),
    st.sampled_from(["root", "etcd"]),
    st.sampled_from(["0600", "0644", "2750"]),
)
_ROOT = Attributes("root", "root", "0644")
_FOUND = st.one_of(st.none(), st.builds(Found, _ATTRIBUTES, st.binary(max_size=8)))


def _steps(found, desired):
    return [str(change) for change in plan(found, desired)]


def test_directories_come_first_and_removals_last():
    desired = Desired((Directory("/d", _ROOT),), (File("/d/f", _ROOT, b""),), ("/old", "/gone"))
    found = {"/old": Found(_ROOT, b"")}
    assert _steps(found, desired) == ["create /d", "create /d/f", "delete /old"]


def test_who_may_use_a_directory_is_part_of_its_state():
    desired = Desired((Directory("/d", _ROOT),))
    (change,) = plan({"/d": Found(Attributes("etcd", "root", "0700"))}, desired)
    assert (change.kind, change.before["owner"], change.after["mode"]) == ("update", "etcd", "0644")
    assert plan({"/d": Found(_ROOT)}, desired) == ()


@given(_ATTRIBUTES, st.binary(max_size=8), _FOUND, st.booleans())
def test_a_file_changes_when_and_only_when_it_differs(attributes, content, found, sensitive):
    desired = Desired(files=(File("/f", attributes, content, sensitive=sensitive),))
    before = {} if found is None else {"/f": found}
    assert bool(plan(before, desired)) == (found != Found(attributes, content))
    assert plan({"/f": Found(attributes, content)}, desired) == ()


_SECRET = st.from_regex(r"\A[a-z0-9]{6,20}\Z")


@given(_SECRET, st.one_of(st.none(), _SECRET), _ATTRIBUTES)
def test_no_diff_shows_a_secret(secret, old, attributes):
    found = {} if old is None else {"/f": Found(_ROOT, old.encode())}
    desired = Desired(files=(File("/f", attributes, secret.encode(), sensitive=True),))
    shown = str([*as_diff(plan(found, desired)), *_steps(found, desired)])
    assert secret not in shown.replace("VALUE_HIDDEN", "").replace("another", "")
    assert old is None or old not in shown.replace("another", "")


def test_a_changed_secret_can_be_told_from_a_changed_mode():
    desired = Desired(files=(File("/f", _ROOT, b"new", sensitive=True),))
    (change,) = plan({"/f": Found(_ROOT, b"old")}, desired)
    assert change.before != change.after
    (change,) = plan({"/f": Found(Attributes("root", "root", "0600"), b"new")}, desired)
    assert "another" not in change.before
    assert "0600" in change.before


def test_a_content_that_is_no_text_can_be_shown():
    desired = Desired(files=(File("/f", _ROOT, b"\xff\x00"),))
    assert as_diff(plan({}, desired))[0]["after"]
