# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vault that behaves, in what the modules ask of it, as OpenBao 2.7.2 was seen to."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._vault.client import (
    Connection,
    Reply,
    UnavailableError,
    Vault,
)


def _error(status: int, *words: str) -> Reply:
    return Reply(status, {"errors": list(words)})


class FakeVault:
    """The content of a vault, and a transport to it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.tokens: list[str] = []
        self.counter = itertools.count(1)
        self.mounts: dict[str, dict[str, dict[str, Any]]] = {
            "sys/mounts": {name: self.mounted(name) for name in ("sys", "identity", "cubbyhole")},
            "sys/auth": {"token": self.mounted("token")},
        }
        self.policies = {"default": 'path "a" {}', "root": ""}
        self.approles: dict[str, dict[str, Any]] = {}
        self.secret_ids: dict[str, dict[str, str]] = {}
        self.kv: dict[str, tuple[dict[str, Any] | None, int]] = {}
        self.pki_roles: dict[str, dict[str, Any]] = {}

    @staticmethod
    def mounted(kind: str) -> dict[str, Any]:
        config = {"default_lease_ttl": 0, "max_lease_ttl": 0}
        return {"type": kind, "description": "", "options": None, "config": config}

    def authenticate(self, token: str) -> None:
        self.tokens.append(token)

    def __call__(self, method: str, path: str, document: Any) -> Reply:
        self.calls.append((method, path))
        for prefix, handler in (
            ("sys/seal-status", lambda *_: Reply(200, {"initialized": True, "sealed": False})),
            ("sys/mounts", self._mounts),
            ("sys/auth", self._mounts),
            ("sys/policies/acl", self._policies),
            ("auth/approle/role", self._approle),
            ("platform/", self._kv),
            ("pki/roles/", self._pki_role),
        ):
            if path.startswith(prefix):
                return handler(method, path, document or {})
        return _error(404, f'no handler for route "{path}". route entry not found.')

    @property
    def vault(self) -> Vault:
        return Vault(self, "https://fake:8200")

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [call for call in self.calls if call[0] not in {"GET", "LIST"}]

    def _mounts(self, method: str, path: str, document: dict[str, Any]) -> Reply:
        prefix = "/".join(path.split("/")[:2])
        table, name = self.mounts[prefix], path[len(prefix) + 1 :]
        if method == "GET":
            return Reply(200, {"data": {f"{key}/": value for key, value in table.items()}})
        if method == "DELETE":
            del table[name]
            return Reply(204)
        if name.endswith("/tune"):
            mount = table[name[: -len("/tune")]]
            mount["config"].update(
                {key: value for key, value in document.items() if key.endswith("_ttl")}
            )
            mount["description"] = document.get("description", mount["description"])
            mount["options"] = document.get("options", mount["options"])
            return Reply(204)
        if name in table:
            return _error(400, f"path is already in use at {name}/")
        mount = self.mounted(document["type"])
        mount["config"].update(document.get("config", {}))
        mount.update(description=document["description"], options=document.get("options"))
        table[name] = mount
        return Reply(204)

    def _policies(self, method: str, path: str, document: dict[str, Any]) -> Reply:
        name = path[len("sys/policies/acl/") :]
        if method == "LIST":
            return Reply(200, {"data": {"keys": sorted(self.policies)}})
        if method == "PUT":
            self.policies[name] = document["policy"]
        elif method == "DELETE":
            self.policies.pop(name, None)
        elif name in self.policies:
            return Reply(200, {"data": {"name": name, "policy": self.policies[name]}})
        else:
            return _error(404)
        return Reply(204)

    def _approle(self, method: str, path: str, document: dict[str, Any]) -> Reply:
        name, _unused, rest = path[len("auth/approle/role/") :].partition("/")
        if not name:
            keys = sorted(self.approles)
            return Reply(200, {"data": {"keys": keys}}) if keys else _error(404)
        if rest:
            return self._secret_id(method, name, rest, document)
        if method == "POST":
            self.approles.setdefault(name, {}).update(document)
            self.secret_ids.setdefault(name, {})
        elif method == "DELETE":
            del self.approles[name]
        elif name in self.approles:
            return Reply(200, {"data": self.approles[name]})
        else:
            return _error(404)
        return Reply(204)

    def _secret_id(self, method: str, name: str, rest: str, document: dict[str, Any]) -> Reply:
        issued = self.secret_ids.get(name, {})
        if rest == "role-id":
            return Reply(200, {"data": {"role_id": f"id-of-{name}"}})
        if rest == "secret-id" and method == "LIST":
            return Reply(200, {"data": {"keys": sorted(issued)}}) if issued else _error(404)
        if rest == "secret-id":
            number = next(self.counter)
            issued[f"accessor-{number}"] = f"secret-{number}"
            data = {"secret_id": f"secret-{number}", "secret_id_accessor": f"accessor-{number}"}
            return Reply(200, {"data": data})
        accessor = document["secret_id_accessor"]
        if accessor not in issued:
            return Reply(404, {"data": {"error": "failed to find accessor entry"}})
        if rest.endswith("destroy"):
            del issued[accessor]
        return Reply(200, {"data": {"secret_id_accessor": accessor}})

    def _kv(self, method: str, path: str, document: dict[str, Any]) -> Reply:
        kind, _unused, name = path[len("platform/") :].partition("/")
        data, version = self.kv.get(name, (None, 0))
        if method == "DELETE" and kind == "metadata":
            self.kv.pop(name, None)
            return Reply(204)
        if method == "POST":
            if document["options"]["cas"] != version:
                return _error(400, "check-and-set parameter did not match the current version")
            self.kv[name] = (document["data"], version + 1)
            return Reply(200, {"data": {"version": version + 1}})
        if not version:
            return _error(404)
        body = {"data": {"data": data, "metadata": {"version": version}}}
        return Reply(200 if data is not None else 404, body)

    def _pki_role(self, method: str, path: str, document: dict[str, Any]) -> Reply:
        if method == "POST":
            defaults = {"ttl": 0, "max_ttl": 0, "require_cn": True, "allowed_domains": []}
            self.pki_roles[path] = {**defaults, **document}
        elif method == "DELETE":
            del self.pki_roles[path]
        elif path in self.pki_roles:
            return Reply(200, {"data": self.pki_roles[path]})
        else:
            return _error(404)
        return Reply(204)


class FakeCluster:
    """Members that initialise, unseal and join as OpenBao's do; its clock is moved by sleeping."""

    def __init__(self, count: int = 3, seal: str = "static") -> None:
        self.addresses = [f"https://node{number}:8200" for number in range(1, count + 1)]
        self.seal = seal
        self.now = 0.0
        self.down: set[str] = set()
        self.initialized: set[str] = set()
        self.unsealed: set[str] = set()
        self.broken: set[str] = set()
        self.given: dict[str, list[str]] = {}
        self.keys: list[str] = []
        self.log: list[tuple[str, str, str]] = []
        self.operators = {("role", "secret")}
        self.tokens = {"root"}
        self.kill_at = ""

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now

    def make(self, connection: Connection) -> Any:
        return _MemberTransport(self, connection.address)

    def serve(self, address: str, method: str, path: str, document: Any) -> Reply:
        self.log.append((address, method, path))
        if address in self.down:
            raise UnavailableError("no vault answers: refused", where=address)
        if path == self.kill_at:
            self._init(address, document)
            raise KeyboardInterrupt
        self._progress()
        handlers = {
            "sys/seal-status": self._seal_status,
            "sys/health": self._health,
            "sys/init": self._init,
            "sys/unseal": self._unseal,
            "auth/approle/login": self._login,
        }
        if path in handlers:
            return handlers[path](address, document)
        return _error(503, "Vault is sealed") if address not in self.unsealed else Reply(200)

    def _progress(self) -> None:
        """Let the others join, and unseal those that do it themselves."""
        if self.initialized & self.unsealed:
            self.initialized |= set(self.addresses) - self.down - self.broken
        if self.seal != "shamir":
            self.unsealed |= self.initialized - self.broken

    def _seal_status(self, address: str, _unused: Any) -> Reply:
        body = {
            "initialized": address in self.initialized,
            "sealed": address not in self.unsealed,
            "type": self.seal,
            "t": 2 if self.initialized else 0,
            "version": "2.7.2",
            "cluster_id": "one" if address in self.unsealed else "",
        }
        return Reply(200, body)

    def _health(self, address: str, _unused: Any) -> Reply:
        if address not in self.initialized:
            return Reply(501)
        if address not in self.unsealed:
            return Reply(503)
        return Reply(200 if address == min(self.unsealed - self.down) else 429)

    def _init(self, address: str, document: dict[str, int]) -> Reply:
        if address in self.initialized:
            return _error(400, "Vault is already initialized")
        self.initialized.add(address)
        kind = "secret" if self.seal == "shamir" else "recovery"
        keys = [f"key{number}" for number in range(document[f"{kind}_shares"])]
        self.keys = keys if self.seal == "shamir" else []
        name = "keys_base64" if self.seal == "shamir" else "recovery_keys_base64"
        return Reply(200, {"root_token": "root", "keys_base64": [], name: keys})

    def _unseal(self, address: str, document: dict[str, Any]) -> Reply:
        if document.get("reset"):
            self.given[address] = []
            return Reply(200)
        given = self.given.setdefault(address, [])
        given.append(document["key"])
        if len(given) == 2:
            if not set(given) <= set(self.keys):
                return _error(400, "invalid key: failed to decrypt keys from storage")
            self.unsealed.add(address)
        return Reply(200)

    def _login(self, address: str, document: dict[str, str]) -> Reply:
        if address not in self.unsealed:
            return _error(503, "Vault is sealed")
        if (document["role_id"], document["secret_id"]) in self.operators:
            return Reply(200, {"auth": {"client_token": base64.b64encode(b"t").decode()}})
        return _error(400, "invalid role or secret ID")


class _MemberTransport:
    def __init__(self, cluster: FakeCluster, address: str) -> None:
        self._cluster = cluster
        self._address = address

    def authenticate(self, token: str) -> None:
        """Remember nothing."""

    def __call__(self, method: str, path: str, document: Any) -> Reply:
        return self._cluster.serve(self._address, method, path, document)


# The classes, not instances: a property test needs a new one for every example.
@pytest.fixture(scope="session")
def fake_vault() -> type[FakeVault]:
    """Return the class of a vault in memory."""
    return FakeVault


@pytest.fixture(scope="session")
def fake_cluster() -> type[FakeCluster]:
    """Return the class of a cluster in memory."""
    return FakeCluster
