# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[3] / "tools" / "playbook_output.py"


@pytest.fixture(scope="module")
def output():
    spec = importlib.util.spec_from_file_location("playbook_output", SOURCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["playbook_output"] = module
    spec.loader.exec_module(module)
    return module


def read(output, text):
    progress = output.Progress()
    for line in text.splitlines():
        progress.feed(line)
    progress.finish()
    return progress


GOOD = """\
PLAY [Make the lab] ************************************************************

TASK [mcp.platform.lab : configure | Hosts] ************************************
changed: [localhost]

RUNNING HANDLER [lab : reload] *************************************************
ok: [localhost]

PLAY RECAP *********************************************************************
node1                      : ok=13   changed=2    unreachable=0    failed=0    skipped=1
node2                      : ok=13   changed=3    unreachable=0    failed=0    skipped=1
"""


def test_play_tasks_and_changes(output):
    progress = read(output, GOOD)
    assert (progress.play, progress.task) == ("Make the lab", "lab : reload")
    assert (progress.tasks, progress.changed) == (2, 5)
    assert progress.failures == []


FAILED = """\
PLAY [Deploy] ******
TASK [etcd : validate | The inputs] ******
[ERROR]: Task failed: Module failed: 2 etcd members
fatal: [node1]: FAILED! =>\x20
    changed: false
    error:
        hint: Use an odd number of members
            (1, 3 or 5).
        what: 2 etcd members
        where: etcd_hosts
    msg: 2 etcd members [etcd_hosts]
fatal: [node2]: FAILED! =>\x20
    changed: false
    error: {hint: "Use an odd number of members (1, 3 or 5).", what: 2 etcd members,
            where: etcd_hosts}

PLAY RECAP *****
"""


def test_the_parts_of_an_error_and_all_its_hosts(output):
    progress = read(output, FAILED)
    (failure, hosts), *others = output.merged(progress.failures)
    assert not others
    assert hosts == ["node1", "node2"]
    assert failure.task == "etcd : validate | The inputs"
    assert failure.what == "2 etcd members"
    assert failure.where == "etcd_hosts"
    assert failure.hint == "Use an odd number of members (1, 3 or 5)."


@pytest.mark.parametrize(
    ("line", "host", "what"),
    [
        ('fatal: [n1]: UNREACHABLE! => {"msg": "no route", "unreachable": true}', "n1", "no route"),
        ('failed: [n1] (item=x) => {"msg": "no", "stderr": "why"}', "n1", "no\nwhy"),
        ("fatal: [n1 -> n2]: FAILED! => not: [yaml", "n1 -> n2", "not: [yaml"),
        ("fatal: [n1]: FAILED! => ", "n1", "it did not say why"),
    ],
)
def test_other_failures(output, line, host, what):
    (failure,) = read(output, f"TASK [t] ***\n{line}\n").failures
    assert (failure.host, failure.task, failure.what) == (host, "t", what)


def test_an_ignored_failure_is_none(output):
    text = 'fatal: [n1]: FAILED! =>\n    msg: "no"\n...ignoring\n'
    assert read(output, text).failures == []


def test_durations_and_widths(output):
    assert [output.elapsed(seconds) for seconds in (0, 7.9, 754)] == ["0:00", "0:07", "12:34"]
    assert output.shortened("abcdefgh", 8) == "abcdefgh"
    assert output.shortened("abcdefghi", 8) == "abcde..."
