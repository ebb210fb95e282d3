# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import http.server
import importlib.util
import json
import sys
import threading
from pathlib import Path

import pytest

_FILE = Path(__file__).parents[3] / "roles/minio/files/minio_heal.py"
_SPEC = importlib.util.spec_from_file_location("minio_heal", _FILE)
minio_heal = importlib.util.module_from_spec(_SPEC)
sys.modules["minio_heal"] = minio_heal
_SPEC.loader.exec_module(minio_heal)


def item(before, after):
    return {
        when: {"drives": [{"state": state} for state in states]}
        for when, states in (("before", before), ("after", after))
    }


MENDED = item(["ok", "missing"], ["ok", "ok"])
WHOLE = item(["ok", "ok"], ["ok", "ok"])
LOST = item(["missing", "missing"], ["missing", "missing"])


class Server:
    """Answers as the server does: a token first, then what was looked at since."""

    def __init__(self, *replies):
        self.replies = [(200, {"clientToken": "1"}), *replies]
        self.asked = []

    def __call__(self, query):
        self.asked.append(dict(query))
        return self.replies.pop(0)


def heal(*replies):
    server = Server(*replies)
    pauses = []
    return minio_heal.heal(server, pauses.append), server, pauses


def test_it_asks_until_everything_was_looked_at_and_counts():
    figures, server, pauses = heal(
        (200, {"Summary": "running", "Items": None}),
        (200, {"Summary": "running", "Items": [MENDED, WHOLE]}),
        (200, {"Summary": "finished", "Items": [LOST, {}]}),
    )
    assert figures == (4, 1)
    assert server.asked == [{}, *[{"clientToken": "1"}] * 3]
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((200, {"Summary": "stopped", "Detail": "a drive is gone"}), "a drive is gone"),
        ((200, {"Summary": "stopped"}), "stopped"),
        ((403, {"Code": "AccessDenied", "Message": "no"}), r"no \(AccessDenied\)"),
        ((502, ["?"]), r"\(502\)"),
    ],
)
def test_what_ends_early_is_told(reply, words):
    with pytest.raises(minio_heal.NotNowError, match=words):
        heal(reply)


@pytest.fixture
def endpoint(monkeypatch):
    """Return a server's URL and what it is to answer."""
    answer = {"status": 200, "body": b'{"clientToken": "1", "Summary": "finished", "Items": []}'}
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            seen.append((self.path, self.headers["Authorization"], self.rfile.read(length)))
            self.send_response(answer["status"])
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *_arguments):
            """Stay silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answer, seen
    server.shutdown()
    thread.join()
    server.server_close()


def run(tmp_path, url, mode="quick"):
    login = {"endpoint": url, "ca": True, "access_key": "maintenance", "secret_key": "its secret"}
    file = tmp_path / "heal.json"
    file.write_text(json.dumps(login))
    return minio_heal.main([mode, str(file)], patience=0)


@pytest.mark.parametrize(("mode", "number"), [("quick", 1), ("deep", 2)])
def test_requests_are_signed_and_hold_no_secret(tmp_path, endpoint, capsys, mode, number):
    url, _answer, seen = endpoint
    assert run(tmp_path, url, mode) == 0
    assert "looked at 0 objects, mended 0" in capsys.readouterr().out
    for path, authorization, body in seen:
        assert path.startswith("/minio/admin/v3/heal/")
        assert "Credential=maintenance/" in authorization
        assert json.loads(body) == {"recursive": True, "scanMode": number}
        assert "its secret" not in f"{path}{authorization}{body}"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (403, b'{"Code": "InvalidAccessKeyId", "Message": "unknown"}', "InvalidAccessKeyId"),
        (503, b"<html>", "the reply has the status 503"),
    ],
)
def test_a_refusal_is_one_line_and_tried_again(tmp_path, endpoint, capsys, status, body, words):
    url, answer, _seen = endpoint
    answer.update(status=status, body=body)
    assert run(tmp_path, url) == 1
    assert words in capsys.readouterr().err


def test_a_server_that_is_just_being_started_is_waited_for(tmp_path, monkeypatch):
    answers = [minio_heal.NotNowError("not yet"), (3, 1)]

    def heal(_call):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(minio_heal, "heal", heal)
    monkeypatch.setattr(minio_heal, "_POLL_SECONDS", 0)
    file = tmp_path / "heal.json"
    file.write_text('{"ca": true, "access_key": "a", "secret_key": "b", "endpoint": "c"}')
    assert minio_heal.main(["quick", str(file)]) == 0
    assert not answers


def test_a_server_that_is_not_there_is_one_line(tmp_path, capsys):
    assert run(tmp_path, "http://127.0.0.1:9") == 1
    assert "does not answer" in capsys.readouterr().err
