# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.mcp.platform.plugins.module_utils._core import module as boundary
from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.module import (
    Outcome,
    result,
    serve,
)
from ansible_collections.mcp.platform.plugins.module_utils._core.plan import Change


class Module:
    """Stands for AnsibleModule: keeps what it is told."""

    def __init__(self, **options):
        self.options = options
        self.params = {"name": "x"}
        self.check_mode = True
        self.said = None
        self.failed = False
        self.warnings = []

    def warn(self, warning):
        self.warnings.append(warning)

    def exit_json(self, **kwargs):
        self.said = kwargs

    def fail_json(self, msg, **kwargs):
        self.failed = True
        self.said = {"msg": msg, **kwargs}


def test_work_gets_options_and_mode_and_may_warn():
    module = Module()

    def execute(context):
        context.warn("careful")
        assert (context.params, context.check_mode) == ({"name": "x"}, True)
        return Outcome([Change("create", "x")], {"id": 7})

    serve(module, execute)
    assert module.warnings == ["careful"]
    assert module.said["changed"] is True
    assert module.said["changes"] == ["create x"]
    assert module.said["id"] == 7
    assert not module.failed


def test_no_change_is_not_changed():
    assert result(Outcome()) == {"changed": False, "diff": [], "changes": []}


def test_a_module_cannot_overrule_what_its_changes_say():
    assert result(Outcome(values={"changed": True}))["changed"] is False


def _failure(error):
    module = Module()

    def execute(context):
        raise error

    serve(module, execute)
    assert module.failed
    return module.said


def test_an_error_of_ours_keeps_its_three_parts():
    said = _failure(PlatformError("it is wrong", where="/etc/x", hint="mend it"))
    assert said["msg"] == "it is wrong [/etc/x] -- mend it"
    assert said["error"] == {"what": "it is wrong", "where": "/etc/x", "hint": "mend it"}


def test_a_refusal_of_the_system_is_no_traceback():
    said = _failure(OSError(28, "No space left on device", "/etc/x"))
    assert said["error"]["what"] == "No space left on device"
    assert said["error"]["where"] == "/etc/x"


def test_a_refusal_without_a_file_is_said_all_the_same():
    assert _failure(OSError("odd"))["error"]["what"] == "odd"


@pytest.mark.parametrize("command", ["sleep hunter2", ["sleep", "hunter2"]])
def test_a_command_that_hangs_is_named_without_its_arguments(command):
    said = _failure(subprocess.TimeoutExpired(command, 60))
    assert said["error"]["what"] == "sleep did not end within 60 s"
    assert "hunter2" not in str(said)


def test_a_fault_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        _failure(ZeroDivisionError())


def test_check_mode_is_supported_unless_said_otherwise(monkeypatch):
    from ansible.module_utils import basic

    made = []
    monkeypatch.setattr(basic, "AnsibleModule", lambda **options: made.append(options) or Module())
    boundary.run(lambda _context: Outcome(), argument_spec={})
    boundary.run(lambda _context: Outcome(), argument_spec={}, supports_check_mode=False)
    assert [options["supports_check_mode"] for options in made] == [True, False]


def test_an_error_without_place_and_hint_is_the_sentence_alone():
    assert str(PlatformError("it is wrong")) == "it is wrong"


@pytest.mark.parametrize("name", ["_core", "_files", "_systemd", "_pki"])
def test_the_core_needs_no_ansible(name):
    """A host's Python imports these before Ansible's own modules are looked for."""
    folder = Path(boundary.__file__).parents[1] / name
    script = """
import importlib, json, sys, types
folder, package = sys.argv[1:]
names = "ansible_collections.mcp.platform.plugins.module_utils".split(".")
for end in range(1, len(names) + 1):
    made = sys.modules.setdefault(".".join(names[:end]), types.ModuleType(".".join(names[:end])))
    made.__path__ = []
made.__path__ = [folder]
for module in json.load(sys.stdin):
    importlib.import_module(f"{'.'.join(names)}.{package}.{module}")
print([module for module in sys.modules if module.split(".")[0] == "ansible"])
"""
    modules = [path.stem for path in folder.glob("*.py") if path.stem != "__init__"]
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder.parent), name],
        input=json.dumps(modules),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
