# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ssl
import subprocess

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._redis import client
from ansible_collections.mcp.platform.plugins.module_utils._redis.client import (
    Login,
    Mover,
    RefusedError,
    ServerAbsentError,
)
from ansible_collections.mcp.platform.plugins.module_utils._redis.model import Node, Place

PLACE = Place("node1.example.test", "127.0.0.1", 1)


def _node(port, node_id):
    return Node(node_id, Place(f"node{port}", "127.0.0.1", port))


def _mover(fake, **login):
    source, target = fake.nodes[7000], fake.nodes[7001]
    source.slots = {1, 2}
    source.keys = {1: [f"k{n}" for n in range(150)]}
    return Mover(
        fake.connect(Place("node1", "127.0.0.1", 7000), None),
        fake.connect(Place("node1", "127.0.0.1", 7001), None),
        _node(7000, source.id),
        _node(7001, target.id),
        Login("/ca.crt", **login),
        [fake.connect(Place("node2", "127.0.0.1", 7002), None)],
    )


def test_slots_move_with_all_their_keys_in_batches(fake):
    assert _mover(fake).move({1, 2}) == 150
    assert fake.nodes[7001].slots == {1, 2}
    assert not fake.nodes[7001].importing
    assert not fake.nodes[7000].migrating
    migrations = [words for _port, words in fake.asked if words[0] == "MIGRATE"]
    assert len(migrations) == 2
    assert "AUTH2" not in migrations[0]


def test_the_target_opens_first_and_owns_first(fake):
    _mover(fake).move({2})
    told = [(port, words[3]) for port, words in fake.asked if words[1] == "SETSLOT"]
    assert told == [
        (7001, "IMPORTING"),
        (7000, "MIGRATING"),
        (7001, "NODE"),
        (7000, "NODE"),
        (7002, "NODE"),
    ]


def test_keys_that_take_too_long_are_tried_again_in_smaller_batches(fake):
    fake.refusals["MIGRATE"] = ["IOERR error or timeout writing to target instance"]
    assert _mover(fake).move({1}) == 150
    fake.refusals["MIGRATE"] = ["IOERR error or timeout writing to target instance"] * 9
    with pytest.raises(PlatformError, match="keys of slot 1 do not move"):
        _mover(fake).move({1})
    fake.refusals["MIGRATE"] = ["ERR no"]
    with pytest.raises(PlatformError, match="ERR no"):
        _mover(fake).move({1})


def test_a_password_is_in_no_error_and_no_representation(fake):
    fake.refusals["MIGRATE"] = ["ERR no"]
    mover = _mover(fake, password="hush", username="admin")
    with pytest.raises(PlatformError) as error:
        mover.move({1})
    assert "hush" not in str(error.value) + repr(mover)


def test_a_refusal_of_a_slot_is_raised(fake):
    fake.refusals["CLUSTER_SETSLOT"] = ["ERR I'm not the owner"]
    with pytest.raises(RefusedError, match="not the owner"):
        _mover(fake).move({1})


def test_a_server_outside_cluster_mode_is_told_apart(fake):
    server = fake.connect(Place("node1", "127.0.0.1", 7000), None)
    fake.refusals["CLUSTER_NODES"] = ["ERR This instance has cluster support disabled"]
    with pytest.raises(PlatformError, match="not run in cluster mode"):
        client.read_view(server)
    fake.refusals["CLUSTER_NODES"] = ["ERR else"]
    with pytest.raises(RefusedError, match="ERR else"):
        client.read_view(server)


def test_forgetting_a_node_twice_is_no_error(fake):
    server = fake.connect(Place("node1", "127.0.0.1", 7000), None)
    client.forget(server, "nobody")
    fake.refusals["CLUSTER_FORGET"] = ["ERR Can't forget my master!"]
    with pytest.raises(RefusedError, match="my master"):
        client.forget(server, "somebody")


def test_an_address_is_numeric():
    assert client.address_of(PLACE) == "127.0.0.1"
    with pytest.raises(PlatformError, match="cannot be found"):
        client.address_of(Place("x", "no-such-host.invalid", 1))


def test_options_become_a_login_and_a_place(options):
    login = client.login_from(options)
    assert (login.username, login.timeout) == ("default", 1)
    assert "secret" not in repr(login)
    assert client.patient(login).timeout == 120
    place = client.place_from({"host": "a", "address": None, "port": 2})
    assert place.address == "a"


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """Return a certificate that is its own authority."""
    directory = tmp_path_factory.mktemp("pki")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=x", "-keyout", "key", "-out", "crt"),
            *("-addext", "subjectAltName=DNS:node1.example.test"),
        ],
        check=True,
        capture_output=True,
        cwd=directory,
    )
    return directory


def test_nobody_listens(pem):
    login = Login(
        str(pem / "crt"), client_certificate=str(pem / "crt"), client_key=str(pem / "key")
    )
    with pytest.raises(ServerAbsentError, match="no answer"):
        client.connect(PLACE, login)


def test_certificates_that_are_not_there():
    with pytest.raises(PlatformError, match="cannot be read") as error:
        client.connect(PLACE, Login("/nonexistent/ca.crt"))
    assert error.value.where == "/nonexistent/ca.crt"


class Scripted:
    """A TLS server that answers each command with the next line."""

    def __init__(self, pem, *replies):
        import socket
        import threading

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem / "crt", pem / "key")
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]

        def serve():
            try:
                plain, _where = listener.accept()
                with context.wrap_socket(plain, server_side=True) as connection:
                    seen = b""
                    pending = list(replies)
                    while pending:
                        part = connection.recv(65536)
                        if not part:
                            return
                        seen += part
                        while b"*" in seen and pending:
                            # Each command begins with an asterisk, and none of ours has another.
                            seen = seen.partition(b"*")[2]
                            own = b"SETINFO" in seen.partition(b"*")[0]
                            connection.sendall(b"+OK\r\n" if own else pending.pop(0))
            except OSError:
                return
            finally:
                listener.close()

        self.thread = threading.Thread(target=serve, daemon=True)
        self.thread.start()


def _connect(pem, server, host="node1.example.test", **login):
    place = Place(host, "127.0.0.1", server.port)
    return client.connect(place, Login(str(pem / "crt"), timeout=5, **login))


def test_replies_come_in_their_order_and_a_refusal_is_one_of_them(pem):
    server = _connect(
        pem, Scripted(pem, b"$1\r\nx\r\n", b"-ERR no\r\n", b":3\r\n", b"-ERR other\r\n")
    )
    first, second, third = server.many([("A",), ("B",), ("C",)])
    assert (first, third) == (b"x", 3)
    assert isinstance(second, RefusedError)
    assert "no" in second.what
    with pytest.raises(RefusedError, match="other"):
        server.call("D")
    with pytest.raises(ServerAbsentError):
        server.call("E")
    server.close()


@pytest.mark.parametrize(
    "reply",
    [
        b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
        b"-NOAUTH Authentication required.\r\n",
    ],
)
def test_a_wrong_login_is_told_as_such(pem, reply):
    scripted = Scripted(pem, reply, reply)
    with pytest.raises(PlatformError, match="cannot log in as admin") as error:
        _connect(pem, scripted, username="admin", password="hush").call("PING")
    assert "hush" not in str(error.value)


def test_a_name_that_the_certificate_does_not_have_is_not_trusted(pem):
    with pytest.raises(PlatformError, match="not trusted"):
        _connect(pem, Scripted(pem), host="elsewhere.example.test")


def test_text_of_both_kinds():
    assert client.text(b"a") == client.text("a") == "a"
