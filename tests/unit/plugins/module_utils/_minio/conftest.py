# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin API's server, played: policies, users, groups and access keys with its manners."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._s3.client import (
    Login,
    LoginError,
    RefusedError,
    ServerAbsentError,
)


def refused(code, what="no"):
    return RefusedError(what, code=code, where="https://s3.example.test")


class FakeMinio:
    """Keeps what it is told, and refuses what the real one refuses."""

    def __init__(self):
        self.login = None
        self.alive = True
        self.policies = {"readonly": {"Statement": []}, "consoleAdmin": ADMIN}
        self.users = {}
        self.groups = {}
        self.keys = {}
        self.mapped = {}
        self.asked = []

    def connect(self, login):
        fake = copy.copy(self)
        fake.login = login
        return fake

    def connect_s3(self, login):
        return FakeS3(self, login)

    def call(self, method, command, query=None, document=None, *, sealed=False):
        if not self.alive:
            raise ServerAbsentError("no answer: nobody", where=self.login.endpoint)
        self.asked.append((method, command, dict(query or {}), copy.deepcopy(document)))
        work = getattr(self, command.replace("-", "_").replace("/", "_"))
        return copy.deepcopy(work(query or {}, copy.deepcopy(document)))

    def accountinfo(self, _query, _document):
        return {"AccountName": self.login.access_key}

    # ---- policies

    def list_canned_policies(self, _query, _document):
        return self.policies

    def add_canned_policy(self, query, document):
        assert isinstance(document["Statement"], list)
        self.policies[query["name"]] = document

    def remove_canned_policy(self, query, _document):
        if any(query["name"] in names for names in self.mapped.values()):
            raise refused("XMinioIAMPolicyInUse")
        del self.policies[query["name"]]

    def idp_builtin_policy_entities(self, query, _document):
        found = {}
        for (kind, name), policies in self.mapped.items():
            for policy in policies:
                entry = found.setdefault(policy, {"policy": policy, "users": [], "groups": []})
                entry[kind].append(name)
        wanted = query.get("policy")
        return {
            "policyMappings": [one for one in found.values() if wanted in (None, one["policy"])]
        }

    def idp_builtin_policy_detach(self, _query, document):
        kind = "user" if "user" in document else "group"
        if kind == "user" and self.users[document[kind]]["status"] != "enabled":
            raise refused("XMinioAdminNoSuchUser")
        names = self.mapped[kind + "s", document[kind]]
        names -= set(document["policies"])

    def set_user_or_group_policy(self, query, _document):
        kind = "groups" if query["isGroup"] == "true" else "users"
        name = query["userOrGroup"]
        if kind == "users" and self.users[name]["status"] != "enabled":
            raise refused("XMinioAdminNoSuchUser")
        names = {one for one in query["policyName"].split(",") if one}
        assert names <= set(self.policies)
        self.mapped[kind, name] = names

    # ---- users and groups

    def user_info(self, query, _document):
        name = query["accessKey"]
        if name not in self.users:
            raise refused("XMinioAdminNoSuchUser")
        return {"policyName": ",".join(sorted(self.mapped.get(("users", name), ())))}

    def list_users(self, _query, _document):
        return {name: {"status": one["status"]} for name, one in self.users.items()}

    def add_user(self, query, document):
        self.users[query["accessKey"]] = document

    def set_user_status(self, query, _document):
        self.users[query["accessKey"]]["status"] = query["status"]

    def remove_user(self, query, _document):
        name = query["accessKey"]
        del self.users[name]
        self.mapped.pop(("users", name), None)
        for group in self.groups.values():
            group["members"] = [one for one in group["members"] if one != name]
        self.keys = {key: one for key, one in self.keys.items() if one["targetUser"] != name}

    def groups_(self, _query, _document):
        return list(self.groups)

    def group(self, query, _document):
        return {"name": query["group"], **self.groups[query["group"]]}

    def update_group_members(self, _query, document):
        name, members = document["group"], set(document["members"])
        assert members <= set(self.users)
        if not document["isRemove"]:
            group = self.groups.setdefault(name, {"status": "enabled", "members": []})
            group["members"] = sorted({*group["members"], *members})
        elif members:
            left = set(self.groups[name]["members"]) - members
            self.groups[name]["members"] = sorted(left)
        else:
            if self.groups[name]["members"]:
                raise refused("XMinioAdminGroupNotEmpty")
            del self.groups[name]
            self.mapped.pop(("groups", name), None)

    def set_group_status(self, query, _document):
        self.groups[query["group"]]["status"] = query["status"]

    # ---- access keys

    def list_access_keys_bulk(self, _query, _document):
        found = {}
        for name, key in self.keys.items():
            lists = found.setdefault(key["targetUser"], {"serviceAccounts": []})
            lists["serviceAccounts"].append({"accessKey": name})
        return found

    def info_service_account(self, query, _document):
        key = self.keys[query["accessKey"]]
        return {
            "parentUser": key["targetUser"],
            "accountStatus": key["status"],
            "impliedPolicy": not key["policy"],
            "policy": key["policy"],
            "name": key["name"],
            "description": key["description"],
            **({"expiration": key["expiration"]} if key["expiration"] else {}),
        }

    def add_service_account(self, _query, document):
        empty = {"status": "on", "policy": {}, "name": "", "description": "", "expiration": ""}
        self.keys[document.pop("accessKey")] = {**empty, **document}

    def update_service_account(self, query, document):
        key = self.keys[query["accessKey"]]
        # The real one drops the policy of a request without one.
        key["policy"] = document.get("newPolicy", {})
        names = {
            "newStatus": "status",
            "newName": "name",
            "newDescription": "description",
            "newSecretKey": "secretKey",
            "newExpiration": "expiration",
        }
        for theirs, ours in names.items():
            if theirs in document:
                key[ours] = document[theirs]
        if key["expiration"].startswith("1970"):
            key["expiration"] = ""

    def delete_service_account(self, query, _document):
        del self.keys[query["accessKey"]]


# A method may not have the name of an attribute.
class _WithGroups(FakeMinio):
    def call(self, method, command, query=None, document=None, *, sealed=False):
        return super().call(
            method, "groups-" if command == "groups" else command, query, document, sealed=sealed
        )


class FakeS3:
    """Says whether a signature is right."""

    def __init__(self, fake, login):
        self.fake = fake
        self.login = login

    def call(self, _operation):
        name, secret = self.login.access_key, self.login.secret_key
        user, key = self.fake.users.get(name), self.fake.keys.get(name)
        on = user["status"] == "enabled" if user else key["status"] == "on"
        if not on:
            raise LoginError("off", code="InvalidAccessKeyId")
        if secret != (user or key)["secretKey"]:
            raise LoginError("wrong", code="SignatureDoesNotMatch")
        if name.startswith("poor"):
            raise refused("AccessDenied")
        return {}


ADMIN = {"Statement": [{"Effect": "Allow", "Action": ["admin:*"]}]}


class Options(dict):
    """Options of a module, with the defaults that Ansible would fill in."""

    def __init__(self, **own):
        login = {
            "endpoint": "https://s3.example.test:9000",
            "access_key": "root",
            "secret_key": "secret-of-root",
            "ca_path": None,
            "region": "us-east-1",
            "timeout": 5,
        }
        super().__init__({**login, "exclusive": False, "protected": [], **own})


@pytest.fixture(scope="session")
def played():
    """Return what makes a new server, for tests that need many of them."""
    return _WithGroups


@pytest.fixture
def fake(played):
    return played()


@pytest.fixture(scope="session")
def options():
    return Options


@pytest.fixture
def login():
    return Login("https://s3.example.test", "root", "secret-of-root")
