# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the only place that talks to Redis or Valkey servers."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol

from .._core.errors import PlatformError
from .acl import Commands, User, commands_from, user_from_line
from .model import Node, Place, View, parse_info, parse_nodes

LOGIN_OPTIONS: dict[str, dict[str, Any]] = {
    "username": {"type": "str", "default": "default"},
    "password": {"type": "str", "no_log": True},
    "ca_path": {"type": "path", "required": True},
    "client_certificate": {"type": "path"},
    "client_key": {"type": "path"},
    "timeout": {"type": "int", "default": 10},
}
"""The argument spec of the doc fragment mcp.platform.redis.login."""

OPTIONS: dict[str, dict[str, Any]] = {
    "host": {"type": "str", "required": True},
    "address": {"type": "str"},
    "port": {"type": "int", "default": 6379},
    **LOGIN_OPTIONS,
}
"""The argument spec of the doc fragment mcp.platform.redis."""

INSTANCES_OPTIONS: dict[str, dict[str, Any]] = {
    **OPTIONS,
    "further_ports": {"type": "list", "elements": "int", "default": []},
}
"""The argument spec of the doc fragment mcp.platform.redis.instances."""

TOGETHER = [("client_certificate", "client_key")]

# Slots that are open at a time while they move: what an interruption leaves to be finished.
_SLOT_BATCH = 64
_KEY_BATCH = 100
# A MIGRATE of large keys blocks its connection for as long as they travel.
_PATIENCE = 120
_MIGRATE_SECONDS = 60
_MIGRATE_TRIES = 5
_NO_MODIFIER = "judge-only"


class NotYetError(PlatformError):
    """Something to talk to, or to talk with, is missing; check mode takes it for still to come."""


class ServerAbsentError(NotYetError):
    """Nobody answers there."""


class LibraryAbsentError(NotYetError):
    """The host has no redis-py."""


class CertificatesAbsentError(NotYetError):
    """What is needed for TLS can't be read."""


class RefusedError(PlatformError):
    """The server answered with an error."""


@dataclass(frozen=True)
class Login:
    """How to log in, and whom to trust.

    :param timeout: seconds for one command.
    """

    ca_path: str
    username: str = "default"
    password: str | None = field(default=None, repr=False)
    client_certificate: str | None = None
    client_key: str | None = None
    timeout: int = 10


def login_from(options: Mapping[str, Any]) -> Login:
    """Return the login that a module's options describe."""
    return Login(**{name: options[name] for name in LOGIN_OPTIONS})


def place_from(options: Mapping[str, Any]) -> Place:
    """Return the server that a module's options describe."""
    return Place(options["host"], options["address"] or options["host"], options["port"])


def places_from(options: Mapping[str, Any]) -> list[Place]:
    """Return all instances of the host that a module's options describe."""
    first = place_from(options)
    further = [port for port in options["further_ports"] if port != first.port]
    return [first, *(replace(first, port=port) for port in further)]


class Server(Protocol):
    """One connection to one server."""

    place: Place

    def many(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """Send *commands* at once; return their replies, a :class:`RefusedError` among them."""

    def call(self, *words: Any) -> Any:
        """Send one command, and return its reply; raise what it was refused with."""

    def close(self) -> None:
        """End the connection."""


Connect = Callable[..., Server]


def library() -> Any:
    """Return redis-py.

    :raises LibraryAbsentError: when the host has none.
    """
    try:
        import redis.connection
    except ImportError:
        raise LibraryAbsentError(
            "the Python library redis is not on the host",
            hint="install python3-redis there, 5.0 or newer",
        ) from None
    return redis


def _trust(login: Login) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=login.ca_path)
        if login.client_certificate:
            context.load_cert_chain(login.client_certificate, login.client_key)
    except (OSError, ValueError) as error:
        raise CertificatesAbsentError(
            f"the certificates to talk to Redis with cannot be read: {error}",
            where=login.ca_path,
            hint="check ca_path, client_certificate and client_key",
        ) from None
    return context


def _distrust(place: Place, error: ssl.SSLCertVerificationError) -> PlatformError:
    return PlatformError(
        f"the server's certificate is not trusted: {error.verify_message}",
        where=place.name,
        hint="check ca_path, and that the certificate has this name",
    )


def text(reply: Any) -> str:
    """Return a reply as text; verbatim replies and bulk strings come as bytes."""
    return reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)


class _Connection:
    """A :class:`Server` over redis-py's connection."""

    def __init__(self, place: Place, login: Login) -> None:
        redis, context = library(), _trust(login)

        class Verified(redis.connection.Connection):  # type: ignore[name-defined]
            """Goes to the address, and verifies the name: redis-py knows one host for both."""

            def _connect(self) -> ssl.SSLSocket:
                there = (place.address, place.port)
                plain = socket.create_connection(there, timeout=login.timeout)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    return context.wrap_socket(plain, server_hostname=place.host)
                except ssl.SSLCertVerificationError as error:
                    plain.close()
                    raise _distrust(place, error) from None
                except BaseException:
                    plain.close()
                    raise

        self.place = place
        self._redis = redis
        self._login = login
        self._connection = Verified(
            host=place.host,
            port=place.port,
            username=login.username if login.password else None,
            password=login.password,
            socket_timeout=login.timeout,
            # The same replies from every version of the library and the server.
            protocol=2,
        )
        self._guarded(self._connection.connect)

    def _guarded(self, work: Callable[[], Any]) -> Any:
        errors = self._redis.exceptions
        try:
            return work()
        except (errors.AuthenticationError, errors.AuthorizationError) as error:
            raise self._turned_away(error) from None
        except errors.ResponseError as error:
            if str(error).startswith(("WRONGPASS", "NOAUTH")):
                raise self._turned_away(error) from None
            raise RefusedError(
                f"Redis refused: {error}", where=self.place.name, hint="mend that, and run again"
            ) from None
        except (errors.RedisError, OSError) as error:
            self._connection.disconnect()
            raise ServerAbsentError(
                f"no answer: {error}",
                where=self.place.name,
                hint="check that the server runs and listens there with TLS",
            ) from None

    def _turned_away(self, error: Exception) -> PlatformError:
        return PlatformError(
            f"cannot log in as {self._login.username}: {error}",
            where=self.place.name,
            hint="check username and password",
        )

    def many(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        connection = self._connection
        self._guarded(
            lambda: connection.send_packed_command(
                connection.pack_commands(commands), check_health=False
            )
        )
        replies = []
        for _command in commands:
            try:
                replies.append(self._guarded(connection.read_response))
            except RefusedError as error:
                replies.append(error)
        return replies

    def call(self, *words: Any) -> Any:
        (reply,) = self.many([words])
        if isinstance(reply, RefusedError):
            raise reply
        return reply

    def close(self) -> None:
        self._connection.disconnect()


def connect(place: Place, login: Login) -> Server:
    """Return a connection to the server at *place*.

    :raises ServerAbsentError: when nobody answers there.
    :raises PlatformError: when it is not trusted, or turns the login away.
    """
    return _Connection(place, login)


def _checked(replies: Iterable[Any]) -> list[Any]:
    found = list(replies)
    for reply in found:
        if isinstance(reply, RefusedError):
            raise reply
    return found


def read_view(server: Server, places: Iterable[Place] = ()) -> View:
    """Return what the server says about the cluster it is in.

    :raises PlatformError: when it is not a part of one.
    """
    try:
        nodes, keys, *infos = _checked(
            server.many(
                [
                    ("CLUSTER", "NODES"),
                    ("DBSIZE",),
                    ("CLUSTER", "INFO"),
                    ("INFO", "replication"),
                    ("INFO", "memory"),
                ]
            )
        )
    except RefusedError as error:
        if "cluster support disabled" in error.what:
            raise PlatformError(
                "the server does not run in cluster mode",
                where=server.place.name,
                hint="set cluster-enabled yes in its configuration, and restart it",
            ) from None
        raise
    fields = {name: value for info in infos for name, value in parse_info(text(info)).items()}
    found = parse_nodes(text(nodes), places)
    # A node that was never met does not know its own address.
    mine = (replace(node, place=server.place) if "myself" in node.flags else node for node in found)
    return View(server.place, tuple(mine), int(keys), fields)


def read_info(server: Server) -> dict[str, str]:
    """Return the fields of INFO."""
    return parse_info(text(server.call("INFO", "everything")))


def address_of(place: Place) -> str:
    """Return the place's numeric address; MEET and MIGRATE take no name."""
    try:
        found = socket.getaddrinfo(place.address, place.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise PlatformError(
            f"the address of {place.name} cannot be found: {error}",
            where="nodes",
            hint="give the node an address",
        ) from None
    return str(found[0][4][0])


# One look-up serves the thousands of MIGRATEs that follow each other.
_numeric = lru_cache(maxsize=64)(address_of)


def meet(server: Server, place: Place) -> None:
    """Have the server shake hands with the node at *place*."""
    server.call("CLUSTER", "MEET", address_of(place), place.port)


def announce(server: Server, host: str) -> None:
    """Have the server tell its clients its host's name; its configuration file says the same."""
    server.call(
        *("CONFIG", "SET", "cluster-announce-hostname", host),
        *("cluster-preferred-endpoint-type", "hostname"),
    )


def add_slots(server: Server, slot_ranges: Iterable[tuple[int, int]]) -> None:
    """Have the server serve slots that nobody serves."""
    words = [number for first, last in slot_ranges for number in (first, last)]
    server.call("CLUSTER", "ADDSLOTSRANGE", *words)


def close_slots(server: Server, slots: Iterable[int]) -> None:
    """Have the server take back that slots are on their way."""
    _checked(server.many([("CLUSTER", "SETSLOT", slot, "STABLE") for slot in slots]))


def replicate(server: Server, primary: str) -> None:
    """Have the server replicate the node with the id *primary*."""
    server.call("CLUSTER", "REPLICATE", primary)


def failover(server: Server) -> None:
    """Have the server take over from its primary, which waits until it has all data."""
    server.call("CLUSTER", "FAILOVER")


def reset(server: Server) -> None:
    """Make the server a new, empty node; it refuses as a primary that holds keys."""
    server.call("CLUSTER", "RESET", "HARD")


def forget(server: Server, node_id: str) -> None:
    """Have the server forget a node; one that it does not know is forgotten already."""
    try:
        server.call("CLUSTER", "FORGET", node_id)
    except RefusedError as error:
        if "Unknown node" not in error.what:
            raise


@dataclass(frozen=True)
class Mover:
    """Moves slots with their keys while clients read and write them.

    :param source: the primary that serves them, over a connection with patience.
    :param others: further primaries; told at once, so that their clients are sent the right way.
    """

    source: Server
    target: Server
    source_node: Node
    target_node: Node
    login: Login
    others: Sequence[Server] = ()

    def move(self, slots: Iterable[int]) -> int:
        """Move *slots*; return the number of keys that went along."""
        pending = sorted(slots)
        keys = 0
        for first in range(0, len(pending), _SLOT_BATCH):
            keys += self._move_batch(pending[first : first + _SLOT_BATCH])
        return keys

    def _move_batch(self, slots: Sequence[int]) -> int:
        source, target = self.source_node.id, self.target_node.id
        # The target first: a client that is sent on must find the door open.
        _checked(self.target.many([("CLUSTER", "SETSLOT", s, "IMPORTING", source) for s in slots]))
        _checked(self.source.many([("CLUSTER", "SETSLOT", s, "MIGRATING", target) for s in slots]))
        counts = _checked(self.source.many([("CLUSTER", "COUNTKEYSINSLOT", s) for s in slots]))
        keys = sum(self._move_keys(slot) for slot, count in zip(slots, counts) if count)
        # The target first again: if the source dropped a slot before, nobody would serve it.
        owner = [("CLUSTER", "SETSLOT", slot, "NODE", target) for slot in slots]
        _checked(self.target.many(owner))
        _checked(self.source.many(owner))
        for other in self.others:
            other.many(owner)
        return keys

    def _move_keys(self, slot: int) -> int:
        moved, batch, tries = 0, _KEY_BATCH, 0
        while True:
            keys = self.source.call("CLUSTER", "GETKEYSINSLOT", slot, batch)
            if not keys:
                return moved
            try:
                self.source.call(*self._migrate(keys))
            except RefusedError as error:
                tries += 1
                if "IOERR" not in error.what or tries >= _MIGRATE_TRIES:
                    raise self._stuck(slot, error) from None
                # Too much at once for the time; what arrived is replaced by the next try.
                batch = max(1, batch // 4)
                continue
            moved += len(keys)

    def _migrate(self, keys: Sequence[Any]) -> list[Any]:
        place = self.target_node.place
        words: list[Any] = ["MIGRATE", _numeric(place), place.port, "", 0]
        # A key of which an interrupted MIGRATE has left a copy there is the source's until it is
        # deleted here, so the copy gives way.
        words += [_MIGRATE_SECONDS * 1000, "REPLACE"]
        if self.login.password:
            words += ["AUTH2", self.login.username, self.login.password]
        return [*words, "KEYS", *keys]

    def _stuck(self, slot: int, error: RefusedError) -> PlatformError:
        return PlatformError(
            f"keys of slot {slot} do not move to {self.target_node.name}: {error.what}",
            where=self.source_node.name,
            hint="mend that, and run again; the slot is served in the meantime and finished then",
        )


def patient(login: Login) -> Login:
    """Return the login with the time that moving keys may take."""
    return replace(login, timeout=max(login.timeout, _PATIENCE))


def read_commands(server: Server) -> Commands:
    """Return the server's commands by category."""
    names = [text(name) for name in server.call("ACL", "CAT")]
    found = _checked(server.many([("ACL", "CAT", name) for name in names]))
    return commands_from(
        {name: [text(one) for one in members] for name, members in zip(names, found)}
    )


def read_users(server: Server, commands: Commands) -> tuple[dict[str, User], str]:
    """Return the server's users by name, and the name of the one that is logged in."""
    lines, own = _checked(server.many([("ACL", "LIST"), ("ACL", "WHOAMI")]))
    users = [user_from_line(text(line), commands) for line in lines]
    return {user.name: user for user in users}, text(own)


def refuse_users(server: Server, commands: Iterable[Sequence[str]]) -> None:
    """Have the server judge the *commands* that change users, and change nothing.

    ACL SETUSER reads its modifiers from left to right, and takes all of them back when one is
    wrong. Behind one that no server knows, the others are judged and none is kept.

    :raises PlatformError: with what the server says against one of them.
    """
    tried = [[*words, _NO_MODIFIER] for words in commands if words[1] == "SETUSER"]
    for words, reply in zip(tried, server.many(tried)):
        if isinstance(reply, RefusedError) and f"'{_NO_MODIFIER}'" not in reply.what:
            raise PlatformError(
                reply.what, where=f"user {words[2]}", hint="correct its rules; nothing was changed"
            )


def change_users(server: Server, commands: Iterable[Sequence[str]]) -> None:
    """Send the *commands* that change users."""
    for words in commands:
        server.call(*words)


def save_users(server: Server) -> bool:
    """Have the server write its users to its file; return whether it has one."""
    file = server.call("CONFIG", "GET", "aclfile")
    if not (file and len(file) > 1 and file[1]):
        return False
    server.call("ACL", "SAVE")
    return True


def read_settings(server: Server) -> dict[str, str]:
    """Return all settings of the running server."""
    pairs = [text(word) for word in server.call("CONFIG", "GET", "*")]
    return dict(zip(pairs[::2], pairs[1::2]))


def set_settings(server: Server, settings: Mapping[str, str]) -> None:
    """Set *settings*, all or none of them."""
    server.call("CONFIG", "SET", *(word for pair in settings.items() for word in pair))
