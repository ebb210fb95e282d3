# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._vault.journal import (
    Init,
    Journal,
    JournalFiles,
    init_from,
    journal_from,
)

INIT = Init("root", ("k1", "k2"), ())


def _files(path: Path) -> JournalFiles:
    return JournalFiles(path / "deep" / "vault", "https://node1:8200")


def test_a_host_that_remembers_nothing(tmp_path: Path) -> None:
    assert _files(tmp_path).read() == Journal("https://node1:8200")
    assert not (tmp_path / "deep").exists()


def test_the_whole_way(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.write_intent("lab")
    assert files.read() == Journal(files.host, intent="lab")
    files.write_reply(INIT)
    assert files.reply() == INIT
    assert files.read() == Journal(files.host, intent="lab", reply=INIT.digest)
    files.acknowledge("lab", INIT.digest)
    assert files.read() == Journal(files.host, done="lab")
    files.acknowledge("lab", INIT.digest)


def test_only_root_can_read_it(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.write_reply(INIT)
    assert stat.S_IMODE(files.directory.stat().st_mode) == 0o700
    (reply,) = files.directory.iterdir()
    assert stat.S_IMODE(reply.stat().st_mode) == 0o600


def test_a_damaged_file_is_not_taken_for_none(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.write_reply(INIT)
    (files.directory / "reply.json").write_text('{"root_to')
    with pytest.raises(PlatformError, match="can't be read") as caught:
        files.read()
    assert "do not delete" in caught.value.hint


def test_nothing_secret_is_printed() -> None:
    assert "root" not in repr(Init("root-token"))
    assert "k1" not in repr(INIT)


@given(st.text(), st.lists(st.text()), st.lists(st.text()))
def test_a_reply_comes_back_as_it_was(token: str, keys: list[str], recovery: list[str]) -> None:
    init = Init(token, tuple(keys), tuple(recovery))
    assert init_from(init.as_dict()) == init
    assert init_from(init.as_dict()).digest == init.as_dict()["digest"]


def test_digests_tell_replies_apart() -> None:
    assert INIT.digest != Init("root", ("k1",), ("k2",)).digest
    assert INIT.digest != Init("other", ("k1", "k2")).digest


def test_a_journal_comes_back_as_it_was() -> None:
    journal = Journal("https://node1:8200", "lab", "abc", "")
    assert journal_from(journal.as_dict()) == journal
    assert journal_from({"host": "h", "done": None}) == Journal("h")
