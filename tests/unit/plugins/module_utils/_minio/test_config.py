# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import Context
from ansible_collections.mcp.platform.plugins.module_utils._minio.client import Reply
from ansible_collections.mcp.platform.plugins.module_utils._minio.config import (
    DYNAMIC,
    Variable,
    heard,
    is_secret,
    sections_of,
    waiting_of,
)
from ansible_collections.mcp.platform.plugins.module_utils._minio.config_apply import apply
from ansible_collections.mcp.platform.plugins.module_utils._s3.client import (
    RefusedError,
    ServerAbsentError,
)

# What the real server has, with the type that its help tells, None where its help is silent.
DEFAULTS = {
    "api": {
        "requests_max": ("0", "number"),
        "odirect": ("on", "boolean"),
        "gzip_objects": ("off", None),
        "root_access": ("on", "boolean"),
    },
    "heal": {"bitrotscan": ("off", "on|off"), "max_io": ("100", "int")},
    "scanner": {"speed": ("default", "string")},
    "site": {"name": ("", "string"), "region": ("", "string")},
    "compression": {"enable": ("off", "on|off"), "extensions": (".txt,.log", "csv")},
    "identity_ldap": {"enable": ("", None), "server_addr": ("", "address")},
    "notify_webhook": {
        "enable": ("off", "on|off"),
        "endpoint": ("", "url"),
        "auth_token": ("", "string"),
        "queue_limit": ("0", "number"),
    },
}
SEVERAL = {"notify_webhook"}


class FakeServer:
    """Keeps settings as the real one does, with its way to write, to read and to load them."""

    def __init__(self):
        self.alive = True
        self.account = "platform"
        self.users = {"platform"}
        self.refusal = "XMinioAdminNoSuchUser"
        self.environment = {}
        self.saved = {
            name: {key: value for key, (value, _type) in keys.items()}
            for name, keys in DEFAULTS.items()
        }
        self.history = []
        self.told = []
        self.asked = []
        self.uptime = 1000
        self.start()

    def start(self):
        self.loaded = json.loads(json.dumps(self.saved))

    def connect(self, _login):
        return self

    def call(self, _method, command, query=None, document=None, *, sealed=False):
        if not self.alive:
            raise ServerAbsentError("no answer: nobody")
        self.asked.append(command)
        return getattr(self, command.replace("-", "_"))(query or {})

    def accountinfo(self, _query):
        return {"AccountName": self.account}

    def user_info(self, query):
        if query["accessKey"] not in self.users:
            raise RefusedError("user-info was refused", code=self.refusal)
        return {}

    def info(self, _query):
        return {"servers": [{"uptime": 1}, {"uptime": self.uptime}, {"state": "offline"}]}

    def list_config_history_kv(self, _query):
        return self.history

    def help_config_kv(self, query):
        name = query["subSys"]
        if not name:
            listed = [{"key": key, "multipleTargets": key in SEVERAL} for key in DEFAULTS]
            return {"keysHelp": listed}
        keys = DEFAULTS[name].items()
        return {"keysHelp": [{"key": key, "type": kind} for key, (_value, kind) in keys if kind]}

    def sealed_text(self, method, command, text=None):
        if method == "GET":
            return Reply("".join(self._lines()))
        assert "\n" not in text
        self.told.append(text)
        name, words = text.split(" ", 1)
        subsystem = name.partition(":")[0]
        keys = DEFAULTS[subsystem]
        fresh = heard(words, [*keys, "comment"])
        if fresh.get("requests_max", "").startswith("-"):
            raise RefusedError(
                "set-config-kv was refused: invalid", code="XMinioAdminConfigBadJSON"
            )
        implied = {"enable": "on"} if "enable" in keys else {}
        before = self.saved.get(name, {key: value for key, (value, _type) in keys.items()})
        self.saved[name] = {**before, **implied, **fresh}
        now = time.strftime("%Y-%m-%dT%H:%M:%S.123456789Z", time.gmtime())
        self.history.append({"createTime": now, "data": text})
        if subsystem not in DYNAMIC:
            return Reply()
        self.loaded[name] = dict(self.saved[name])
        return Reply(applied=True)

    def _lines(self):
        for name in sorted({*self.loaded, *(name for name, _key in self.environment)}):
            subsystem, _colon, target = name.partition(":")
            for (owner, key), value in self.environment.items():
                if owner == name:
                    suffix = f"_{target}" if target else ""
                    yield f"# MINIO_{subsystem.upper()}_{key.upper()}{suffix}={value}\n"
            values = self.loaded.get(name, {})
            words = "".join(
                f'{key}="{value}" ' if " " in value else f"{key}={value} "
                for key, value in values.items()
                if (key, value) != ("enable", "on") and (key != "comment" or value)
            )
            yield f"{'# ' if values.get('enable') == 'off' else ''}{name} {words}\n"


@pytest.fixture
def server():
    return FakeServer()


def outcome_of(server, options, settings=None, secrets=None, check_mode=False, **own):
    params = options(settings=settings or {}, secrets=secrets or {}, **own)
    return apply(Context(params, check_mode, lambda _text: None), server.connect)


def run(server, options, *arguments, **own):
    """Return the changes, and whether a restart is needed."""
    outcome = outcome_of(server, options, *arguments, **own)
    return [str(change) for change in outcome.changes], outcome.values["restart_required"]


def test_a_value_is_set_once_and_loaded_at_once(server, options):
    wanted = {"api": {"requests_max": 77, "odirect": False}, "scanner": {"speed": "slow"}}
    asked = outcome_of(server, options, wanted, check_mode=True)
    assert server.told == []
    done = outcome_of(server, options, wanted)
    assert done == asked
    assert [str(change) for change in done.changes] == [
        "update subsystem api",
        "update subsystem scanner",
    ]
    assert done.changes[0].before == {"requests_max": "0", "odirect": "on"}
    assert done.changes[0].after == {"requests_max": "77", "odirect": "off"}
    assert server.told == ["api requests_max=77 odirect=off", "scanner speed=slow"]
    assert run(server, options, wanted) == ([], False)
    # The history and the servers' ages are nobody's business where all is loaded at once.
    assert "info" not in server.asked


def test_nothing_asked_is_nothing_done(server, options):
    assert run(server, options) == ([], False)


def test_what_is_loaded_at_a_start_is_set_once_and_told_until_then(server, options):
    wanted = {"site": {"name": "lab", "region": "eu-central-1"}}
    assert run(server, options, wanted, check_mode=True) == (["update subsystem site"], True)
    assert run(server, options, wanted) == (["update subsystem site"], True)
    assert run(server, options, wanted) == ([], True)
    assert run(server, options, {"site": {"name": "other"}}, check_mode=True)[0] != []
    server.start()
    assert run(server, options, wanted) == ([], False)


def test_a_value_that_waits_can_be_taken_back(server, options):
    run(server, options, {"site": {"name": "lab"}})
    assert run(server, options, {"site": {"name": ""}}) == (["update subsystem site"], False)
    assert run(server, options, {"site": {"name": ""}}) == ([], False)


def test_a_setting_from_before_the_start_waits_for_nothing(server, options):
    run(server, options, {"site": {"name": "lab"}})
    server.history[0]["createTime"] = "2020-01-01T00:00:00Z"
    assert run(server, options, {"site": {"name": "lab"}}) == (["update subsystem site"], True)


def test_a_line_of_the_history_that_nobody_asked_for_has_no_say():
    history = [
        {"createTime": "2026-01-01T00:00:02Z", "data": "# site name=off\nsite name=b\n\nheal x=1"},
        {"createTime": "2026-01-01T00:00:01Z", "data": "site name=a region=r"},
        {"createTime": "2026-01-01T00:00:03Z"},
    ]
    keys = {"site": {"name": False, "region": False}, "api": {"requests_max": False}}
    assert waiting_of(history, 0, keys) == {"site": {"name": "b", "region": "r"}}


def test_what_is_on_stays_on_and_what_is_off_stays_off(server, options):
    wanted = {"compression": {"extensions": ".csv"}}
    assert run(server, options, wanted)[0] == ["update subsystem compression"]
    assert server.saved["compression"] == {"enable": "off", "extensions": ".csv"}
    run(server, options, {"compression": {"enable": True}})
    run(server, options, {"compression": {"extensions": ".log"}})
    assert server.saved["compression"] == {"enable": "on", "extensions": ".log"}
    assert run(server, options, {"compression": {"enable": "on"}}) == ([], False)


def test_a_key_that_the_help_conceals_is_known(server, options):
    wanted = {"api": {"gzip_objects": True}, "identity_ldap": {"enable": True}}
    assert len(run(server, options, wanted)[0]) == 2
    server.start()
    # What is on is not shown either.
    assert run(server, options, wanted) == ([], False)


def test_a_target_is_made_turned_on_and_its_secret_kept(server, options):
    wanted = {"notify_webhook:shop": {"endpoint": "https://shop.example.test"}}
    secret = {"notify_webhook:shop": {"auth_token": "Bearer qqq"}}
    made = outcome_of(server, options, wanted, secret)
    assert str(made.changes[0]) == "create target notify_webhook:shop"
    assert made.changes[0].before is None
    assert made.changes[0].after == {
        "enable": "on",
        "endpoint": "https://shop.example.test",
        "auth_token": "VALUE_HIDDEN (new)",
    }
    assert server.saved["notify_webhook:shop"]["auth_token"] == "Bearer qqq"
    assert run(server, options, wanted, secret) == ([], True)
    server.start()
    assert run(server, options, wanted, secret) == ([], False)
    changed = outcome_of(server, options, {}, {"notify_webhook:shop": {"auth_token": "other"}})
    assert changed.changes[0].before == {"auth_token": "VALUE_HIDDEN"}
    assert changed.changes[0].after == {"auth_token": "VALUE_HIDDEN (new)"}
    emptied = outcome_of(server, options, {}, {"notify_webhook:shop": {"auth_token": ""}})
    assert emptied.changes[0].after == {"auth_token": ""}
    assert "qqq" not in str([made, changed, emptied])


def test_what_somebody_calls_a_secret_is_one(server, options):
    secret = {"site": {"name": "qqq"}}
    assert "qqq" not in str(outcome_of(server, options, {}, secret).changes)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("auth_token", "", True),
        ("lookup_bind_password", "", True),
        ("client_secret", "", True),
        ("dsn_string", "", True),
        ("license", "", True),
        ("url", "amqp://guest:qqq@mq.example.test", True),
        ("url", "amqp://mq.example.test:5671/a:b@c", False),
        ("key", "", False),
        ("client_key", "", False),
        ("root_access", "on", False),
    ],
)
def test_secrets_are_told_by_their_key_or_their_form(key, value, expected):
    assert is_secret(key, value) is expected


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"API": {"a": "b"}}, "'API' names no subsystem"),
        ({"site:": {"a": "b"}}, "'site:' names no subsystem"),
        ({"site": {}}, "nothing is said about site"),
        ({"site": "name"}, "nothing is said about site"),
        ({"site": {"name": None}}, "neither text, a number nor a boolean"),
        ({"site": {"name": ["a"]}}, "neither text, a number nor a boolean"),
        ({"site": {"name": 'a"b'}}, "cannot keep a double quote"),
        ({"site": {"name": "a\nb"}}, "cannot keep a double quote"),
        ({"notify_webhook": {"auth_token": "qqq"}}, "auth_token holds a secret"),
        ({"notify_webhook": {"endpoint": "https://a:qqq@b"}}, "endpoint holds a secret"),
        ({"scanner": {"speed": "slow"}}, "speed is said twice"),
    ],
)
def test_what_no_server_would_take_is_refused_before_anything_is_asked(
    server, options, settings, what
):
    with pytest.raises(PlatformError, match=what) as caught:
        run(server, options, settings, {"scanner": {"speed": "fast"}})
    assert server.asked == []
    assert "qqq" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"nothing": {"a": "b"}}, "there is no subsystem nothing"),
        ({"api": {"nothing": "b"}}, "api has no key nothing"),
        ({"api:one": {"requests_max": 1}}, "api has no targets"),
        ({"api": {"root_access": "True"}}, "root_access is either on or off"),
        ({"api": {"root_access": ""}}, "root_access is either on or off"),
        ({"site": {"name": "a region=b"}}, "MinIO would not understand it"),
    ],
)
def test_what_this_server_would_not_follow_is_refused_before_anything_is_done(
    server, options, settings, what
):
    with pytest.raises(PlatformError, match=what):
        run(server, options, {"scanner": {"speed": "slow"}, **settings})
    assert server.told == []


def test_a_switch_that_is_none_takes_more(server, options):
    assert run(server, options, {"heal": {"bitrotscan": "12m", "max_io": 1.5}})[0] != []


def test_what_the_server_itself_refuses_is_told(server, options):
    with pytest.raises(RefusedError, match="set-config-kv was refused"):
        run(server, options, {"api": {"requests_max": -1}})


def test_the_environment_wins_and_that_is_told(server, options):
    server.environment = {
        ("scanner", "speed"): "fastest",
        ("notify_webhook:shop", "endpoint"): "https://shop.example.test",
        ("notify_webhook:shop", "auth_token"): "qqq",
    }
    with pytest.raises(PlatformError, match=r"MINIO_SCANNER_SPEED .* sets speed to 'fastest'"):
        run(server, options, {"scanner": {"speed": "slow"}})
    assert run(server, options, {"scanner": {"speed": "fastest"}}) == ([], False)
    with pytest.raises(PlatformError, match=r"AUTH_TOKEN_shop .* to VALUE_HIDDEN"):
        run(server, options, {}, {"notify_webhook:shop": {"auth_token": "other"}})
    assert run(server, options, {"notify_webhook:shop": {"queue_limit": 5}}) == (
        ["create target notify_webhook:shop"],
        True,
    )


@pytest.mark.parametrize("refusal", ["XMinioAdminNoSuchUser", "AccessDenied"])
def test_root_cannot_turn_itself_away(server, options, refusal):
    server.account, server.refusal = "root", refusal
    with pytest.raises(PlatformError, match="would be turned away at once"):
        run(server, options, {"scanner": {"speed": "slow"}, "api": {"root_access": False}})
    assert server.told == []
    assert run(server, options, {"api": {"root_access": True}}) == ([], False)


def test_a_server_that_cannot_say_who_is_logged_in_is_told(server, options):
    server.account, server.refusal = "root", "XMinioServerNotInitialized"
    with pytest.raises(RefusedError, match="user-info was refused"):
        run(server, options, {"api": {"root_access": False}})


def test_an_administrator_turns_root_away(server, options):
    wanted = {"api": {"root_access": False}}
    assert run(server, options, wanted) == (["update subsystem api"], False)
    assert run(server, options, wanted) == ([], False)


def test_a_server_that_is_not_there_counts_as_new_in_check_mode(server, options):
    server.alive = False
    wanted = {"api": {"root_access": False}, "notify_webhook:shop": {"enable": False}}
    assert run(server, options, wanted, check_mode=True) == (
        ["update subsystem api", "create target notify_webhook:shop"],
        True,
    )
    assert run(server, options, {"api": {"root_access": False}}, check_mode=True)[1] is False
    with pytest.raises(ServerAbsentError):
        run(server, options, wanted)


def test_the_servers_text_is_read_as_it_writes_it():
    text = (
        "# MINIO_SCANNER_SPEED=fast=est\nscanner speed=default idle= \n\n"
        "browser csp_policy=\"default-src 'self';  a=b\" hsts_seconds=0 \n"
        "# MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_TEST=/a b\nnotify_webhook:TEST \n"
        "# notify_webhook enable=off endpoint= \n"
    )
    found = sections_of(text)
    assert found["scanner"].environment == {"speed": Variable("MINIO_SCANNER_SPEED", "fast=est")}
    assert found["scanner"].loaded == {"speed": "default", "idle": ""}
    assert found["browser"].loaded == {
        "csp_policy": "default-src 'self';  a=b",
        "hsts_seconds": "0",
    }
    assert found["notify_webhook:TEST"].environment == {
        "queue_dir": Variable("MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_TEST", "/a b")
    }
    assert found["notify_webhook:TEST"].loaded == {}
    assert found["notify_webhook"].loaded == {"enable": "off", "endpoint": ""}


_VALUES = st.text(
    st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters='"'), max_size=8
) | st.sampled_from(["'a'", " a", "b ", "'", "", "a=b", "it's", "dc=example,dc=org"])
_WANTED = st.fixed_dictionaries(
    {},
    optional={
        "site": st.dictionaries(
            st.sampled_from(["name", "region", "comment"]), _VALUES, min_size=1
        ),
        "api": st.fixed_dictionaries({"odirect": st.booleans()}),
        "compression": st.fixed_dictionaries(
            {"extensions": _VALUES}, optional={"enable": st.booleans()}
        ),
        "notify_webhook:a": st.dictionaries(
            st.sampled_from(["endpoint", "comment"]), _VALUES, min_size=1
        ),
    },
)


@given(_WANTED, _WANTED, st.booleans())
def test_after_a_run_there_is_nothing_left_to_do(options, first, second, restarted):
    server = FakeServer()
    run(server, options, first)
    if restarted:
        server.start()
    asked = outcome_of(server, options, second, check_mode=True)
    assert outcome_of(server, options, second) == asked
    assert run(server, options, second) == ([], asked.values["restart_required"])
    server.start()
    assert run(server, options, second) == ([], False)
