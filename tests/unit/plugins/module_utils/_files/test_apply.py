# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._files import client
from ansible_collections.mcp.platform.plugins.module_utils._files.apply import apply
from ansible_collections.mcp.platform.plugins.module_utils._files.model import (
    Attributes,
    Desired,
    Directory,
    File,
)

_ME = pwd.getpwuid(os.getuid()).pw_name
_OURS = grp.getgrgid(os.getgid()).gr_name
_ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
# Whoever runs the tests may be somebody who can't give files to others.
_OWNERS = [(_ME, _OURS)] + ([("nobody", "nogroup")] if os.getuid() == 0 else [])


def _attributes(mode="0644"):
    return Attributes(_ME, _OURS, mode)


def _file(path, content="new\n", **options):
    mode = options.pop("mode", "0644")
    return File(str(path), _attributes(mode), content.encode(), **options)


def _apply(*files, directories=(), absent=(), check_mode=False):
    desired = Desired(
        tuple(Directory(str(path), _attributes("0755")) for path in directories),
        files,
        tuple(str(path) for path in absent),
    )
    return [str(change) for change in apply(desired, check_mode=check_mode)]


def _tree(folder):
    """Return everything below *folder*: type, mode and content by path."""
    return {
        str(path): (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


_NAMES = st.sampled_from(["a", "b", "c", "d"])
_ATTRIBUTES = st.builds(
    lambda owner, mode: Attributes(*owner, mode),
    st.sampled_from(_OWNERS),
    st.sampled_from(["0600", "0644", "0755", "2750", "4711"]),
)


@st.composite
def _worlds(draw):
    """Return what lies in a folder, and what should: each name is one thing only."""
    kinds = draw(st.dictionaries(_NAMES, st.sampled_from(["directory", "file", "absent"])))
    desired = Desired(
        tuple(Directory(n, draw(_ATTRIBUTES)) for n, kind in kinds.items() if kind == "directory"),
        tuple(
            File(n, draw(_ATTRIBUTES), draw(st.binary(max_size=20)), sensitive=draw(st.booleans()))
            for n, kind in kinds.items()
            if kind == "file"
        ),
        tuple(n for n, kind in kinds.items() if kind == "absent"),
    )
    # A directory that is in a file's way is refused, so none is.
    there = {n: draw(st.booleans()) for n in kinds}
    made = {
        n: "directory" if kind == "directory" else draw(st.sampled_from(["file", "link", "dead"]))
        for n, kind in kinds.items()
        if there[n]
    }
    return made, desired


def _make(folder, made):
    (folder / "target").write_text("target")
    for name, kind in made.items():
        path = folder / name
        if kind == "directory":
            path.mkdir()
        elif kind == "file":
            path.write_text("old")
        else:
            path.symlink_to(folder / ("target" if kind == "link" else "nowhere"))


def _below(folder, desired):
    return Desired(
        tuple(Directory(str(folder / item.path), item.attributes) for item in desired.directories),
        tuple(
            File(str(folder / item.path), item.attributes, item.content, sensitive=item.sensitive)
            for item in desired.files
        ),
        tuple(str(folder / path) for path in desired.absent),
    )


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_worlds())
def test_a_plan_after_it_was_applied_is_empty(tmp_path_factory, monkeypatch, world):
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # a hundred trees take their time
    made, desired = world
    folder = tmp_path_factory.mktemp("tree")
    try:
        _make(folder, made)
        before = _tree(folder)
        desired = _below(folder, desired)
        planned = apply(desired, check_mode=True)
        assert _tree(folder) == before
        assert apply(desired, check_mode=False) == planned
        assert apply(desired, check_mode=False) == ()
        assert (folder / "target").read_text() == "target"
        for item in desired.files:
            path = Path(item.path)
            assert path.read_bytes() == item.content
            assert f"{stat.S_IMODE(path.lstat().st_mode):04o}" == item.attributes.mode
        assert not list(folder.rglob(".config_files.*"))
    finally:
        shutil.rmtree(folder)


def test_a_refused_file_keeps_every_old_one(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("old")
    (tmp_path / "gone").touch()
    files = [_file(tmp_path / "a"), _file(tmp_path / "b", "bad\n", validate="grep -q new %s")]
    before = _tree(tmp_path)
    for check_mode in (True, False):
        with pytest.raises(PlatformError, match="grep refuses the new content") as caught:
            _apply(*files, absent=[tmp_path / "gone"], check_mode=check_mode)
        assert caught.value.where == str(tmp_path / "b")
        assert _tree(tmp_path) == before


def test_an_accepted_file_is_checked_under_its_own_name(tmp_path):
    path = tmp_path / "x.cfg"
    checks = f"test $(basename %s) = x.cfg && grep -q new %s && test %s != {path}"
    _apply(_file(path, validate=f"sh -c '{checks}'"))
    assert path.read_text() == "new\n"


def test_the_checker_speaks_of_the_file_that_the_user_knows(tmp_path):
    path = tmp_path / "x"
    with pytest.raises(PlatformError) as caught:
        _apply(_file(path, validate="sh -c 'echo %s: line 1 >&2; exit 1'"))
    assert f"{path}: line 1" in caught.value.what
    assert ".config_files." not in str(caught.value)


def test_the_checker_says_nothing_about_a_secret(tmp_path):
    file = _file(tmp_path / "x", "hunter2", validate="sh -c 'cat %s; exit 1'", sensitive=True)
    for check_mode in (True, False):
        with pytest.raises(PlatformError) as caught:
            _apply(file, check_mode=check_mode)
        assert "hunter2" not in str(caught.value.as_dict())


def test_a_checker_may_say_what_is_no_text(tmp_path):
    with pytest.raises(PlatformError, match="refuses"):
        _apply(_file(tmp_path / "x", validate=r"sh -c 'printf \"\377\"; exit 1' %s"))


def test_a_checker_gets_no_input_to_wait_for(tmp_path):
    assert _apply(_file(tmp_path / "x", validate="cat - %s"))


def test_a_missing_checker_is_passed_over_in_check_mode_only(tmp_path):
    file = _file(tmp_path / "x", validate="no-such-checker %s")
    assert _apply(file, check_mode=True) == [f"create {tmp_path / 'x'}"]
    with pytest.raises(PlatformError, match="no-such-checker is not installed"):
        _apply(file)
    assert not (tmp_path / "x").exists()


def test_a_checker_with_unbalanced_quotes_is_refused(tmp_path):
    with pytest.raises(PlatformError, match="not a command"):
        _apply(_file(tmp_path / "x", validate="sh -c '%s"))


def test_check_mode_passes_where_nothing_is_installed_yet(tmp_path):
    path = tmp_path / "none" / "deep" / "x"
    file = File(str(path), Attributes("no-such-user", "no-such-group", "0600"), b"")
    directory = Directory(str(path.parent), file.attributes)
    changes = apply(Desired((directory,), (file,)), check_mode=True)
    assert [change.kind for change in changes] == ["create", "create"]


def test_a_missing_user_is_an_error_before_anything_is_replaced(tmp_path):
    (tmp_path / "a").write_text("old")
    theirs = File(str(tmp_path / "b"), Attributes("no-such-user", _OURS, "0600"), b"")
    with pytest.raises(PlatformError, match="no user no-such-user"):
        _apply(_file(tmp_path / "a"), theirs)
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_missing_directory_is_an_error_with_the_way_out(tmp_path):
    with pytest.raises(PlatformError, match="no directory") as caught:
        _apply(_file(tmp_path / "none" / "x"))
    assert "directories" in caught.value.hint


def test_missing_parents_are_made_for_everybody_to_pass(tmp_path):
    old = os.umask(0o077)
    try:
        _apply(_file(tmp_path / "a" / "b" / "x"), directories=[tmp_path / "a" / "b"])
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755
    assert (tmp_path / "a" / "b" / "x").exists()


@pytest.mark.parametrize("desired", ["file", "absent"])
def test_a_directory_in_the_way_stays(tmp_path, desired):
    path = tmp_path / "x"
    path.mkdir()
    with pytest.raises(PlatformError, match="there is a directory already"):
        _apply(*([_file(path)] if desired == "file" else []), absent=[path] * (desired == "absent"))
    assert path.is_dir()


def test_a_file_in_a_directorys_place_stays(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(PlatformError, match="there is a file already"):
        _apply(directories=[tmp_path / "x"])


@_ROOT_ONLY
def test_roots_link_to_a_directory_is_that_directory(tmp_path):
    (tmp_path / "volume").mkdir(mode=0o700)
    (tmp_path / "data").symlink_to(tmp_path / "volume")
    assert _apply(directories=[tmp_path / "data"]) == [f"update {tmp_path / 'data'}"]
    assert stat.S_IMODE((tmp_path / "volume").stat().st_mode) == 0o755
    assert (tmp_path / "data").is_symlink()
    assert _apply(directories=[tmp_path / "data"]) == []


@_ROOT_ONLY
def test_a_link_of_somebody_else_does_not_give_a_directory_away(tmp_path):
    (tmp_path / "etc").mkdir(mode=0o700)
    link = tmp_path / "data"
    link.symlink_to(tmp_path / "etc")
    os.chown(link, pwd.getpwnam("nobody").pw_uid, -1, follow_symlinks=False)
    with pytest.raises(PlatformError, match="already"):
        _apply(directories=[link])
    with pytest.raises(OSError):
        client.make_directory(Directory(str(link), _attributes("0777")))
    assert stat.S_IMODE((tmp_path / "etc").stat().st_mode) == 0o700


def test_a_path_below_a_file_is_not_there(tmp_path):
    (tmp_path / "x").touch()
    assert client.find(str(tmp_path / "x" / "y")) is None
    assert _apply(absent=[tmp_path / "x" / "y"]) == []


def test_something_that_is_no_file_is_replaced(tmp_path):
    os.mkfifo(tmp_path / "x")
    assert _apply(_file(tmp_path / "x")) == [f"update {tmp_path / 'x'}"]
    assert (tmp_path / "x").read_text() == "new\n"


@_ROOT_ONLY
def test_an_owner_without_a_name_is_shown_by_number(tmp_path):
    (tmp_path / "x").write_text("new\n")
    os.chown(tmp_path / "x", 54321, 54322)
    found = client.find(str(tmp_path / "x"))
    assert (found.attributes.owner, found.attributes.group) == ("54321", "54322")
    assert _apply(_file(tmp_path / "x")) == [f"update {tmp_path / 'x'}"]


def test_what_was_removed_meanwhile_is_no_error(tmp_path):
    client.remove(str(tmp_path / "x"))


_CHANGING = ("open", "replace", "unlink", "mkdir", "fchmod", "fchown", "rmdir", "fsync")
_KILLED = 9


def _kill_at(monkeypatch, number):
    """End this process, as kill -9 would, at the *number*-th system call that changes something.

    Returns the list whose length is how many there were.
    """
    calls = []

    def counted(real):
        def call(*args, **kwargs):
            calls.append(real)
            if len(calls) == number:
                os._exit(_KILLED)
            return real(*args, **kwargs)

        return call

    for name in _CHANGING:
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    return calls


def _several(folder):
    files = [
        File(f"{folder}/{name}", _attributes("0640"), b"new " + name.encode(), "grep -q new %s")
        for name in ("a", "b", "sub/c")
    ]
    directory = Directory(f"{folder}/sub", _attributes("0750"))
    return Desired((directory,), tuple(files), (f"{folder}/old",))


def _in_old_state(folder):
    folder.mkdir()
    for name in ("a", "b", "old"):
        (folder / name).write_text("old")
    return folder


def _relative(folder):
    return {path.replace(str(folder), ""): found for path, found in _tree(folder).items()}


def test_a_run_that_is_killed_anywhere_is_finished_by_the_next(tmp_path, monkeypatch):
    whole = _in_old_state(tmp_path / "whole")
    with monkeypatch.context() as patched:
        calls = _kill_at(patched, 0)
        apply(_several(whole), check_mode=False)
    expected = _relative(whole)
    assert len(calls) > 20
    for number in range(1, len(calls) + 1):
        folder = _in_old_state(tmp_path / f"killed-{number}")
        child = os.fork()
        if child == 0:
            try:
                _kill_at(monkeypatch, number)
                apply(_several(folder), check_mode=False)
            finally:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == _KILLED
        for name in ("a", "b"):
            # Old or new, never half of one.
            assert (folder / name).read_text() in {"old", f"new {name}"}
        apply(_several(folder), check_mode=False)
        found = _relative(folder)
        # An empty folder may stay where all of its files had been placed already.
        assert {path: v for path, v in found.items() if ".config_files." not in path} == expected
        assert not [path for path, v in found.items() if ".config_files." in path and v[1]]
