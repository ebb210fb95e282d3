# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import os
import threading

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.plugin_utils.state import (
    StateFile,
    check_owner,
    merged,
    new_state,
    plain,
)

_KEYS = st.sampled_from(["a", "b", "c"])
_LEAVES = st.one_of(st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2))
_STATES = st.dictionaries(
    _KEYS, st.recursive(_LEAVES, lambda below: st.dictionaries(_KEYS, below), max_leaves=6)
)
_ADDITIONS = st.dictionaries(
    _KEYS,
    st.recursive(
        st.one_of(_LEAVES, st.none()), lambda below: st.dictionaries(_KEYS, below), max_leaves=6
    ),
)


@given(_STATES, _ADDITIONS)
def test_merging_again_changes_nothing(state, addition):
    once = merged(state, addition)
    assert merged(once, addition) == once


@given(_STATES, _ADDITIONS)
def test_merging_leaves_what_it_was_given(state, addition):
    before = repr((state, addition))
    result = merged(state, addition)
    assert repr((state, addition)) == before
    assert merged(result, {}) == result
    assert {key: value for key, value in result.items() if key not in addition} == {
        key: value for key, value in state.items() if key not in addition
    }


@given(_ADDITIONS)
def test_no_nothing_is_ever_kept(addition):
    assert "None" not in repr(merged({}, addition))


@pytest.mark.parametrize(
    ("state", "addition", "result"),
    [
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
        ({"a": {"x": 1}}, {"a": {"x": None}}, {"a": {}}),
        ({"a": {"x": 1}}, {"a": None}, {}),
        ({"a": 5}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": {"x": 1}}, {"a": 5}, {"a": 5}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
    ],
)
def test_a_mapping_is_laid_over_and_all_else_replaces(state, addition, result):
    assert merged(state, addition) == result


@pytest.fixture
def password(tmp_path):
    path = tmp_path / "password"
    path.write_text("correct horse\nwhat follows is not it\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def file(tmp_path, password):
    return StateFile(tmp_path / "new" / "state.yml", password)


_STATE = {"format": 1, "platform": "demo", "seal": {"key": "hunter2"}}


def test_what_is_saved_is_loaded_and_is_no_plain_text(file):
    assert not file.exists()
    file.save(_STATE)
    assert file.exists()
    assert file.load() == _STATE
    assert file.path.read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;platform\n")
    assert "hunter2" not in file.path.read_text()
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700


def test_it_is_ansible_vaults_own_format(file, password):
    file.save(_STATE)
    vault = VaultLib([("default", VaultSecret(b"correct horse"))])
    assert yaml.safe_load(vault.decrypt(file.path.read_bytes())) == _STATE


def test_a_save_that_fails_keeps_the_old_state(file, monkeypatch):
    file.save(_STATE)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        file.save({**_STATE, "platform": "other"})
    assert file.load() == _STATE
    assert [path.name for path in file.path.parent.iterdir()] == ["state.yml"]


def test_strings_with_tags_are_kept_as_strings(file):
    class Tagged(str):
        __slots__ = ()

    file.save({**_STATE, Tagged("operator"): {"role_id": Tagged("x")}})
    assert file.load()["operator"] == {"role_id": "x"}
    assert not isinstance(plain(Tagged("x")), Tagged)


def _refused(file, words):
    with pytest.raises(PlatformError, match=words) as caught:
        file.load()
    assert "hunter2" not in str(caught.value)
    return caught.value


def test_a_wrong_password_is_told_from_a_wrong_file(file, password):
    file.save(_STATE)
    password.write_text("wrong")
    assert _refused(file, "password is another one").where == str(file.path)
    file.path.write_text("hunter2: not encrypted")
    assert "restore" in _refused(file, "not in the format of ansible-vault").hint


@pytest.mark.parametrize(
    "text", ["{", "", "[]", "hunter2", "format: 2", "platform: demo", "hunter2: [hunter2"]
)
def test_what_is_no_state_is_refused(file, text):
    file.path.parent.mkdir()
    vault = VaultLib([("platform", VaultSecret(b"correct horse"))])
    file.path.write_bytes(vault.encrypt(text.encode() or b" ", vault_id="platform"))
    _refused(file, "can't be used")


def test_no_state_is_told(file):
    assert "platform_state_dir" in _refused(file, "can't be read: No such file").hint


@pytest.mark.parametrize("text", ["", "\nsecond line"])
def test_an_empty_password_is_refused(file, password, text):
    password.write_text(text)
    _refused(file, "password is empty")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_password_that_others_can_read_is_refused(file, password, mode):
    password.chmod(mode)
    assert "chmod 600" in _refused(file, "others may read").hint


def test_a_missing_password_is_told(file, password):
    password.unlink()
    assert _refused(file, "password can't be read").where == str(password)


def test_a_password_need_not_be_text(file, password):
    password.write_bytes(b"\xff\xfe\n")
    file.save(_STATE)
    assert file.load() == _STATE


def test_two_runs_do_not_change_the_state_at_once(file):
    order = []
    inside = threading.Event()

    def second():
        other = StateFile(file.path, file.password_file)
        inside.wait(10)
        with other.locked():
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with file.locked():
        inside.set()
        thread.join(0.05)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_lock_ends_with_its_run(file):
    class Killed(BaseException):
        pass

    with pytest.raises(Killed), file.locked():
        raise Killed
    with file.locked():
        pass


def test_the_state_of_another_platform_is_refused(file):
    check_owner(_STATE, "demo", file.path)
    with pytest.raises(PlatformError, match="of the platform demo, not of shop"):
        check_owner(_STATE, "shop", file.path)


def test_a_new_state_has_what_comes_before_the_first_host():
    state = new_state("demo")
    assert state["platform"] == "demo"
    assert len(base64.b64decode(state["seal"]["key"])) == 32
    for name in ("root", "bootstrap"):
        assert "BEGIN CERTIFICATE" in state[name]["certificate"]
        assert "BEGIN PRIVATE KEY" in state[name]["private_key"]
    assert new_state("demo")["seal"] != state["seal"]
    assert plain(state) == state
