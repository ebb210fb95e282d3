# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import builtins
import importlib.util
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context
from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    Connection,
    HvacTransport,
    NoVault,
    Reply,
    SealedError,
    UnavailableError,
    Vault,
    connection_from,
    log_in,
    open_vault,
)

ADDRESS = "https://node1:8200"
OPTIONS: dict[str, Any] = {"address": f"{ADDRESS}/", "timeout": 5}


class Scripted:
    """Gives the replies in their order, the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.calls: list[tuple[str, str, Any]] = []
        self.token = ""

    def authenticate(self, token: str) -> None:
        self.token = token

    def __call__(self, method: str, path: str, document: Any) -> Reply:
        self.calls.append((method, path, document))
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def _errors(status: int, *words: str) -> Reply:
    return Reply(status, {"errors": list(words)})


def _vault(*replies: Reply, wait: float = 30) -> tuple[Vault, Scripted, list[float]]:
    transport = Scripted(*replies)
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    return (
        Vault(transport, ADDRESS, wait=wait, clock=lambda: clock[0], sleep=sleep),
        transport,
        clock,
    )


def test_read_returns_data_or_none() -> None:
    vault, _unused, _unused = _vault(Reply(200, {"data": {"a": 1}}), _errors(404))
    assert vault.read("x") == {"a": 1}
    assert vault.read("x") is None


def test_names_of_an_empty_place() -> None:
    vault, _unused, _unused = _vault(Reply(200, {"data": {"keys": ["a"]}}), _errors(404))
    assert vault.names("x") == ("a",)
    assert vault.names("x") == ()


@pytest.mark.parametrize(
    "electing",
    [
        _errors(500, "local node not active but active cluster node not found"),
        _errors(503, "Vault is in standby mode"),
        Reply(412),
    ],
)
def test_waits_for_a_new_active_node(electing: Reply) -> None:
    vault, transport, clock = _vault(electing, electing, Reply(204))
    assert vault.request("PUT", "x").status == 204
    assert len(transport.calls) == 3
    assert clock[0] == pytest.approx(1.0)


def test_gives_up_waiting_for_an_active_node() -> None:
    vault, _unused, clock = _vault(_errors(500, "active cluster node not found"), wait=3)
    with pytest.raises(PlatformError, match="active cluster node not found"):
        vault.request("PUT", "x")
    assert clock[0] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("replies", "kind", "words"),
    [
        ([_errors(403, "permission denied")], PlatformError, "denied PUT x"),
        ([_errors(404, "no handler for route")], PlatformError, "nothing is mounted"),
        ([_errors(400, " bad ")], PlatformError, "refused PUT x: bad"),
        ([Reply(502)], PlatformError, "refused PUT x: status 502"),
        (
            [_errors(503, "Vault is sealed"), Reply(200, {"initialized": True})],
            SealedError,
            "is sealed",
        ),
        (
            [_errors(503, "Vault is sealed"), Reply(200, {"initialized": False})],
            UnavailableError,
            "is not initialised",
        ),
    ],
)
def test_errors_say_what_is_wrong(
    replies: list[Reply], kind: type[PlatformError], words: str
) -> None:
    vault, _unused, _unused = _vault(*replies)
    with pytest.raises(kind, match=words) as caught:
        vault.request("PUT", "x")
    assert caught.value.where == ADDRESS


def test_a_status_that_the_caller_handles() -> None:
    vault, _unused, _unused = _vault(_errors(400, "no"))
    assert vault.request("PUT", "x", accept=(400,)).errors == "no"


def test_the_token_comes_first() -> None:
    transport = Scripted(Reply(200))
    log_in(Connection(ADDRESS, role_id="r", secret_id="s", token="t"), transport)
    assert transport.token == "t"
    assert transport.calls == []


def test_login_by_approle() -> None:
    transport = Scripted(Reply(200, {"auth": {"client_token": "t"}}))
    log_in(Connection(ADDRESS, role_id="r", secret_id="s"), transport)
    assert transport.token == "t"
    assert transport.calls == [("POST", "auth/approle/login", {"role_id": "r", "secret_id": "s"})]


def test_a_refused_login_names_the_reason() -> None:
    transport = Scripted(_errors(400, "invalid role or secret ID"))
    with pytest.raises(PlatformError, match="invalid role or secret ID") as caught:
        log_in(Connection(ADDRESS, role_id="r", secret_id="wrong"), transport)
    assert "secret_id" in caught.value.hint
    assert "wrong" not in str(caught.value)


def test_nothing_to_log_in_with() -> None:
    with pytest.raises(PlatformError, match="nothing to log in with"):
        log_in(Connection(ADDRESS), Scripted(Reply(200, {"initialized": True})))
    with pytest.raises(UnavailableError, match="not initialised"):
        log_in(Connection(ADDRESS), Scripted(Reply(200, {"initialized": False})))


def _refusing(_unused: Connection) -> Any:
    raise UnavailableError("no vault answers")


def test_check_mode_takes_a_missing_vault_for_an_empty_one() -> None:
    vault = open_vault(Context(OPTIONS, check_mode=True), _refusing)
    assert vault.read("anything") is None
    assert vault.names("anything") == ()
    with pytest.raises(UnavailableError):
        open_vault(Context(OPTIONS), _refusing)


@pytest.mark.parametrize("token", ["", "root"])
def test_check_mode_takes_an_uninitialised_vault_for_an_empty_one(token: str) -> None:
    transport = Scripted(Reply(200, {"initialized": False}))
    vault = open_vault(Context({**OPTIONS, "token": token}, check_mode=True), lambda _: transport)
    assert vault.read("anything") is None


def test_check_mode_uses_the_vault_that_is_there() -> None:
    transport = Scripted(Reply(200, {"initialized": True, "data": {"a": 1}}))
    vault = open_vault(Context({**OPTIONS, "token": "t"}, check_mode=True), lambda _: transport)
    assert vault.read("x") == {"a": 1}


def test_options_become_a_connection() -> None:
    params = {**OPTIONS, "ca_path": "/ca", "role_id": None, "secret_id": "s", "namespace": "n"}
    connection = connection_from(params)
    assert connection == Connection(ADDRESS, "/ca", "n", 5, "", "s", "")
    assert connection_from(params, "https://node2:8200/").address == "https://node2:8200"
    assert "'s'" not in repr(connection)


def test_no_vault_ignores_tokens() -> None:
    NoVault().authenticate("t")


class Response:
    def __init__(self, status: int, text: str, index: str = "") -> None:
        self.status_code = status
        self.ok = status < 400
        self.text = text
        self.headers = {"X-Vault-Index": index} if index else {}

    def json(self) -> Any:
        return json.loads(self.text)


needs_hvac = pytest.mark.skipif(
    importlib.util.find_spec("hvac") is None, reason="hvac is not installed"
)


@pytest.fixture
def hvac_transport(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a maker of transports whose session plays the given replies or errors."""

    def make(*script: Any, **options: Any) -> tuple[HvacTransport, list[dict[str, Any]]]:
        import requests

        calls: list[dict[str, Any]] = []
        replies: Iterable[Any] = iter(script)

        def request(self: Any, **arguments: Any) -> Any:
            calls.append({**arguments, "trust_env": self.trust_env})
            reply = next(replies)  # type: ignore[call-overload]
            if isinstance(reply, BaseException):
                raise reply
            return reply

        monkeypatch.setattr(requests.Session, "request", request)
        return HvacTransport(Connection(ADDRESS, timeout=5, **options)), calls

    return make


@needs_hvac
def test_what_is_sent(hvac_transport: Callable[..., Any]) -> None:
    transport, calls = hvac_transport(
        Response(200, '{"data": {}}', index="one"), Response(204, ""), ca_path="/ca", namespace="n"
    )
    transport.authenticate("t")
    assert transport("LIST", "a/b", None) == Reply(200, {"data": {}})
    assert transport("POST", "a", {"x": 1}) == Reply(204, {})
    first, second = calls
    assert (first["method"], first["url"], first["verify"]) == ("LIST", f"{ADDRESS}/v1/a/b", "/ca")
    assert first["headers"]["X-Vault-Token"] == "t"
    assert first["headers"]["X-Vault-Namespace"] == "n"
    assert "X-Vault-Index" not in first["headers"]
    assert second["headers"]["X-Vault-Index"] == "one"
    assert second["json"] == {"x": 1}
    assert not second["trust_env"]


@needs_hvac
def test_a_reply_that_is_no_document(hvac_transport: Callable[..., Any]) -> None:
    transport, _unused = hvac_transport(Response(502, "<html>"), Response(200, "[1]"))
    assert transport("GET", "a", None) == Reply(502, {})
    assert transport("GET", "a", None) == Reply(200, {})


@needs_hvac
def test_no_reply(hvac_transport: Callable[..., Any]) -> None:
    from requests import exceptions

    chained = exceptions.ConnectionError("outer")
    chained.__cause__ = OSError("connection refused")
    transport, _unused = hvac_transport(
        exceptions.SSLError("unable to get local issuer"),
        exceptions.ReadTimeout("slow"),
        chained,
        OSError("no CA bundle at /ca"),
    )
    with pytest.raises(PlatformError, match="not trusted: unable to get local issuer") as caught:
        transport("GET", "a", None)
    assert not isinstance(caught.value, UnavailableError)
    with pytest.raises(UnavailableError, match="in time"):
        transport("GET", "a", None)
    with pytest.raises(UnavailableError, match="connection refused"):
        transport("GET", "a", None)
    with pytest.raises(UnavailableError, match="no CA bundle at /ca"):
        transport("GET", "a", None)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_hvac(name: str, *rest: Any, **more: Any) -> Any:
        if name == "hvac":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_hvac)
    with pytest.raises(UnavailableError, match="hvac is missing") as caught:
        HvacTransport(Connection(ADDRESS))
    assert "python3-hvac" in caught.value.hint


def test_the_path_of_a_missing_authority(tmp_path: Path) -> None:
    pytest.importorskip("hvac")
    connection = Connection("https://127.0.0.1:1", ca_path=str(tmp_path / "absent.crt"), timeout=1)
    with pytest.raises(UnavailableError, match="no vault answers"):
        HvacTransport(connection)("GET", "sys/health", None)
