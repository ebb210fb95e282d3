# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.plan import as_diff
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import Reply, Vault
from ansible_collections.mcp.platform.plugins.module_utils._vault.secrets import (
    ALPHABET,
    Field,
    Generate,
    Secret,
    Stored,
    draw,
    ensure,
    placeholder,
    plan,
    read,
    secrets_from,
)

USER = Field("username", "postgres", sensitive=False)
PASSWORD = Field("password", generate=Generate(12))
SECRET = Secret("db/admin", (USER, PASSWORD))


def _params(fields: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    full = [{"value": None, "generate": None, "sensitive": True, **item} for item in fields]
    return {
        "secrets": [{"path": "/a/", "fields": full, "rotate": False, "state": "present", **more}]
    }


def test_options() -> None:
    generate = {"length": 3, "alphabet": "x"}
    (secret,) = secrets_from(
        _params(
            [{"name": "u", "value": ["v"], "sensitive": False}, {"name": "p", "generate": generate}]
        )
    )
    assert secret == Secret(
        "a", (Field("u", ["v"], None, False), Field("p", None, Generate(3, "x")))
    )


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"name": "f"}, "either value or generate"),
        ({"name": "f", "value": 1, "generate": {}}, "either value or generate"),
        ({"name": "f", "generate": {"length": 0, "alphabet": "x"}}, "can't be drawn"),
        ({"name": "f", "generate": {"length": 1, "alphabet": ""}}, "can't be drawn"),
    ],
)
def test_what_is_refused(field: dict[str, Any], words: str) -> None:
    with pytest.raises(PlatformError, match=words) as caught:
        secrets_from(_params([field]))
    assert caught.value.where == "/a/: f"


def test_what_is_missing_is_drawn_once(fake_vault: Any) -> None:
    fake = fake_vault()
    first = ensure(fake.vault, "platform", SECRET, check_mode=False)
    assert str(first.change) == "create secret db/admin"
    assert first.data["username"] == "postgres"
    assert len(first.data["password"]) == 12
    second = ensure(fake.vault, "platform", SECRET, check_mode=False)
    assert second.change is None
    assert second.data == first.data


def test_other_fields_stay(fake_vault: Any) -> None:
    fake = fake_vault()
    fake.kv["db/admin"] = ({"note": "theirs", "username": "old", "password": "kept"}, 4)
    done = ensure(fake.vault, "platform", SECRET, check_mode=False)
    assert done.data == {"note": "theirs", "username": "postgres", "password": "kept"}
    assert fake.kv["db/admin"] == (done.data, 5)
    assert done.change is not None
    assert done.change.before == {"username": "old"}


def test_a_deleted_version_is_written_over(fake_vault: Any) -> None:
    fake = fake_vault()
    fake.kv["db/admin"] = (None, 3)
    assert read(fake.vault, "platform", "db/admin") == Stored({}, 3)
    ensure(fake.vault, "platform", SECRET, check_mode=False)
    assert fake.kv["db/admin"][1] == 4


def test_check_mode_draws_nothing(fake_vault: Any) -> None:
    fake = fake_vault()
    done = ensure(fake.vault, "platform", SECRET, check_mode=True)
    assert done.data == {"username": "postgres", "password": "aaaaaaaaaaaa"}
    assert done.change is not None
    assert fake.writes == []


def test_no_secret_in_a_diff() -> None:
    stored = Stored({"username": "old", "password": "hush1"}, 1)
    planned = plan(stored, Secret("p", (USER, Field("password", "hush2"))), draw)
    assert planned.change is not None
    text = json.dumps(as_diff([planned.change]))
    assert "hush" not in text
    assert '\\"password\\": \\"VALUE_HIDDEN (new)\\"' in text
    assert "postgres" in text


def test_rotation_draws_again() -> None:
    stored = Stored({"username": "postgres", "password": "a" * 12}, 1)
    planned = plan(stored, Secret("p", (USER, PASSWORD), rotate=True), lambda _: "new")
    assert planned.data["password"] == "new"
    assert planned.data["username"] == "postgres"


def test_nothing_is_made_of_no_fields(fake_vault: Any) -> None:
    fake = fake_vault()
    assert ensure(fake.vault, "platform", Secret("x"), check_mode=False).change is None
    fake.kv["x"] = ({"a": 1}, 1)
    assert ensure(fake.vault, "platform", Secret("x"), check_mode=False).data == {"a": 1}


def test_removal(fake_vault: Any) -> None:
    fake = fake_vault()
    gone = Secret("x", present=False)
    assert ensure(fake.vault, "platform", gone, check_mode=False).change is None
    fake.kv["x"] = ({"a": 1}, 2)
    assert str(ensure(fake.vault, "platform", gone, check_mode=False).change) == "delete secret x"
    assert fake.kv == {}


class Racing:
    """Lets another writer come in between *times* times."""

    def __init__(self, fake: Any, times: int) -> None:
        self.fake = fake
        self.times = times

    def authenticate(self, token: str) -> None:
        """Nobody asks."""

    def __call__(self, method: str, path: str, document: Any) -> Reply:
        if method == "POST" and self.times:
            self.times -= 1
            _data, version = self.fake.kv.get("db/admin", ({}, 0))
            self.fake.kv["db/admin"] = ({"password": f"theirs{self.times}"}, version + 1)
        reply: Reply = self.fake(method, path, document)
        return reply


def test_another_writers_value_is_kept(fake_vault: Any) -> None:
    fake = fake_vault()
    done = ensure(Vault(Racing(fake, 1), ""), "platform", SECRET, check_mode=False)
    assert done.data["password"] == "theirs0"
    assert fake.kv["db/admin"][0] == done.data


def test_a_writer_that_never_stops_is_reported(fake_vault: Any) -> None:
    with pytest.raises(PlatformError, match="3 times"):
        ensure(Vault(Racing(fake_vault(), 9), ""), "platform", SECRET, check_mode=False)


def test_refused_data(fake_vault: Any) -> None:
    fake = fake_vault()

    class Refusing(Racing):
        def __call__(self, method: str, path: str, document: Any) -> Reply:
            if method == "POST":
                return Reply(400, {"errors": ["too large"]})
            return super().__call__(method, path, document)

    with pytest.raises(PlatformError, match="too large"):
        ensure(Vault(Refusing(fake, 0), ""), "platform", SECRET, check_mode=False)


def test_an_engine_that_is_not_mounted(fake_vault: Any) -> None:
    fake = fake_vault()
    assert ensure(fake.vault, "other", SECRET, check_mode=True).change is not None
    with pytest.raises(PlatformError, match="nothing is mounted"):
        ensure(fake.vault, "other", SECRET, check_mode=False)


@given(st.integers(1, 64), st.text(min_size=1, max_size=10))
def test_drawn_values(length: int, alphabet: str) -> None:
    generate = Generate(length, alphabet)
    for value in (draw(generate), placeholder(generate)):
        assert len(value) == length
        assert set(value) <= set(alphabet)


def test_two_drawn_values_differ() -> None:
    assert draw(Generate()) != draw(Generate())
    assert len(set(ALPHABET)) == 62


_FIELDS = st.lists(
    st.one_of(
        st.builds(Field, st.sampled_from("abc"), st.integers() | st.lists(st.text(max_size=3))),
        st.builds(Field, st.sampled_from("abc"), generate=st.builds(Generate, st.integers(1, 9))),
    ),
    max_size=3,
    unique_by=lambda field: field.name,
).map(tuple)


@given(_FIELDS, _FIELDS)
def test_after_the_plan_nothing_is_left_to_do(fake_vault: Any, first: Any, second: Any) -> None:
    fake = fake_vault()
    for fields in (first, second):
        secret = Secret("x", fields)
        done = ensure(fake.vault, "platform", secret, check_mode=False)
        assert plan(read(fake.vault, "platform", "x"), secret, draw).change is None
        assert {field.name for field in fields} <= set(done.data)
