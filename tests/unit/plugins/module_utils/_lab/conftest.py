# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import subprocess

import pytest

HOST_KEY = "ssh-ed25519 BBBB"


class Machine:
    """Answers like podman and ip do, from a small state that their commands change."""

    def __init__(self):
        self.networks = {"podman": ["10.88.0.0/16"]}
        self.containers = {}
        self.images = set()
        self.inside = {}
        self.calls = []
        self.failing = {}
        self.boots = True
        self.routes = [{"dst": "default", "dev": "eth0"}, {"dst": "192.0.2.0/24", "dev": "eth0"}]

    def __call__(self, command, **options):
        program, *arguments = command
        self.calls.append(arguments)
        if program == "ip":
            return self._done(json.dumps(self.routes))
        verb = arguments[0]
        if verb in self.failing:
            return subprocess.CompletedProcess(command, 125, "", self.failing[verb])
        return getattr(self, f"do_{verb}")(arguments[1:], options.get("input", ""))

    @staticmethod
    def _done(text="", code=0):
        return subprocess.CompletedProcess([], code, text, "")

    def called(self, *start):
        return [call for call in self.calls if call[: len(start)] == list(start)]

    def do_network(self, arguments, _stdin):
        if arguments[0] == "ls":
            found = [
                {"name": name, "subnets": [{"subnet": subnet} for subnet in subnets]}
                for name, subnets in self.networks.items()
            ]
            return self._done(json.dumps(found))
        if arguments[0] == "create":
            subnet = (
                arguments[arguments.index("--subnet") + 1]
                if "--subnet" in arguments
                else "10.89.0.0/24"
            )
            self.networks[arguments[-1]] = [subnet]
        if arguments[0] == "rm":
            del self.networks[arguments[-1]]
        return self._done()

    def do_ps(self, arguments, _stdin):
        if "--filter" in arguments:
            label = arguments[arguments.index("--filter") + 1].removeprefix("label=")
            names = [name for name, one in self.containers.items() if label in one["labels"]]
        else:
            names = list(self.containers)
        return self._done("\n".join(names))

    def do_container(self, arguments, _stdin):
        if arguments[0] == "exists":
            return self._done(code=0 if arguments[1] in self.containers else 1)
        found = [
            {
                "Name": name,
                "State": {"Status": self.containers[name]["status"]},
                "ImageName": self.containers[name]["image"],
                "Config": {
                    "Labels": dict(
                        label.partition("=")[::2] for label in self.containers[name]["labels"]
                    )
                },
            }
            for name in arguments[1:]
        ]
        return self._done(json.dumps(found))

    def do_image(self, arguments, _stdin):
        return self._done(code=0 if arguments[1] in self.images else 1)

    def do_run(self, arguments, _stdin):
        name = arguments[arguments.index("--name") + 1]
        labels = [arguments[n + 1] for n, text in enumerate(arguments) if text == "--label"]
        image = next((text for text in arguments if text.startswith("localhost/")), "")
        self.containers[name] = {"status": "running", "image": image, "labels": labels}
        return self._done()

    def do_start(self, arguments, _stdin):
        self.containers[arguments[0]]["status"] = "running"
        return self._done()

    def do_exec(self, arguments, _stdin):
        _interactive, name, _shell, *rest = arguments
        if not self.boots:
            return self._done(code=1)
        if rest:
            self.inside[name] = rest[2:]
        key, proxy = self.inside.get(name, ["", ""])
        return self._done(f"host_key {HOST_KEY}\nauthorized_key {key}\napt_proxy {proxy}\n")

    def do_rm(self, arguments, _stdin):
        for name in arguments:
            self.containers.pop(name, None)
        return self._done()

    def do_import(self, arguments, _stdin):
        self.images.add(arguments[-1])
        return self._done()

    do_commit = do_import


@pytest.fixture
def machine():
    return Machine()
