# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the only place that talks to podman about labs."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._core.errors import PlatformError
from .model import HOST_LABEL, LAB_LABEL, Found, FoundHost, Host, Lab

USER = "platform"
APT_PROXY = "/etc/apt/apt.conf.d/00lab-proxy"
BOOT_SECONDS = 60
PODMAN_SECONDS = 900

# One round trip per host: what a host holds of its lab, one fact a line.
# While a host boots, sshd answers already, and /run/nologin makes it refuse all but root.
_REPORT = f"""
set -e
test -s /etc/ssh/ssh_host_ed25519_key.pub
systemctl --quiet is-active ssh.service
test ! -e /run/nologin
echo "host_key $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)"
echo "authorized_key $(cat /home/{USER}/.ssh/authorized_keys 2>/dev/null || :)"
echo "apt_proxy $(sed -n 's/^Acquire::http::Proxy "\\(.*\\)";$/\\1/p' \
    {APT_PROXY} 2>/dev/null || :)"
"""

_SETTLE = f"""
set -e
install -d -o {USER} -g {USER} -m 0700 /home/{USER}/.ssh
install -o {USER} -g {USER} -m 0600 /dev/null /home/{USER}/.ssh/authorized_keys.new
printf '%s\\n' "$1" >/home/{USER}/.ssh/authorized_keys.new
mv /home/{USER}/.ssh/authorized_keys.new /home/{USER}/.ssh/authorized_keys
if [ -n "$2" ]; then
    printf 'Acquire::http::Proxy "%s";\\nAcquire::Retries "3";\\n' "$2" >{APT_PROXY}
else
    rm -f {APT_PROXY}
fi
# The image has no package lists; without this they would pass for fresh ones that are empty.
[ -n "$(ls /var/lib/apt/lists/*Release 2>/dev/null)" ] || touch -d @0 /var/lib/apt/lists
"""

Runner = Callable[..., "subprocess.CompletedProcess[str]"]


class Podman:
    """Podman as the labs use it, through the wrapper that also works beside older cgroups.

    :param command: path of podman or of the wrapper.
    """

    def __init__(self, command: str, runner: Runner = subprocess.run) -> None:
        self._command = command
        self._runner = runner

    def attempt(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run podman and return how it ended.

        :raises PlatformError: when there is no podman, or it hangs.
        """
        try:
            return self._runner(  # pylint: disable=ansible-bad-function
                [self._command, *arguments],
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
                timeout=PODMAN_SECONDS,
            )
        except FileNotFoundError as error:
            raise PlatformError(
                "there is no podman on this machine", where=self._command, hint="install podman"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise PlatformError(
                f"podman {arguments[0]} did not end within {PODMAN_SECONDS} s",
                where=" ".join(arguments[-2:]),
                hint="is the disk or the machine overloaded? Try again",
            ) from error

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Run podman and return its standard output.

        :raises PlatformError: when it fails, with the end of what it said.
        """
        done = self.attempt(*arguments, stdin=stdin)
        if done.returncode != 0:
            said = done.stderr.strip() or done.stdout.strip()
            raise PlatformError(
                f"podman {arguments[0]} failed: {said[-600:]}",
                where=" ".join(arguments[-2:]),
                hint="the whole command was: podman " + " ".join(arguments),
            )
        return done.stdout

    def documents(self, *arguments: str) -> list[dict[str, Any]]:
        """Run a podman command that prints a JSON list, and return it."""
        found: list[dict[str, Any]] | None = json.loads(self.run(*arguments) or "[]")
        return found or []

    def has_image(self, name: str) -> bool:
        """Tell whether the image *name* is stored here."""
        return self.attempt("image", "exists", name).returncode == 0


def networks(podman: Podman) -> dict[str, list[ipaddress.IPv4Network]]:
    """Return the IPv4 subnets of podman's networks by the networks' names."""
    # In one call: a network that is asked for by its name may have gone in between.
    return {
        network["name"]: [
            ipaddress.IPv4Network(entry["subnet"])
            for entry in network.get("subnets") or []
            if ":" not in entry["subnet"]
        ]
        for network in podman.documents("network", "ls", "--format", "json")
    }


def routes(runner: Runner = subprocess.run) -> list[tuple[str, ipaddress.IPv4Network]]:
    """Return the IPv4 networks that this machine has routes to, as (interface, network)."""
    done = runner(  # pylint: disable=ansible-bad-function
        ["ip", "-json", "-4", "route", "show", "table", "all"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        (
            f"the interface {route.get('dev', 'of another route')}",
            ipaddress.IPv4Network(route["dst"]),
        )
        for route in json.loads(done.stdout or "[]")
        if route["dst"] != "default" and route.get("type", "unicast") == "unicast"
    ]


def report(podman: Podman, container: str) -> dict[str, str]:
    """Return what the running *container* says of itself; empty until its sshd runs."""
    done = podman.attempt("exec", "-i", container, "sh", stdin=_REPORT)
    if done.returncode != 0:
        return {}
    facts = (line.partition(" ") for line in done.stdout.splitlines())
    return {name: value for name, _separator, value in facts}


def read(podman: Podman, name: str) -> Found:
    """Return what exists of the lab *name*."""
    subnets = networks(podman).get(name)
    ids = podman.run("ps", "-aq", "--filter", f"label={LAB_LABEL}={name}").split()
    inspected = podman.documents("container", "inspect", *ids) if ids else []

    def look(container: dict[str, Any]) -> FoundHost:
        running = container["State"]["Status"] == "running"
        facts = report(podman, container["Name"]) if running else {}
        return FoundHost(running=running, image=container["ImageName"], **facts)

    with ThreadPoolExecutor(max_workers=8) as pool:
        hosts = dict(zip((one["Name"] for one in inspected), pool.map(look, inspected)))
    return Found(subnets[0] if subnets else None, hosts)


def refuse_foreign(podman: Podman, lab: Lab, found: Found) -> None:
    """Raise when a container that is not of this lab has the name of one of its hosts."""
    present = set(podman.run("ps", "-a", "--format", "{{.Names}}").split())
    for host in lab.hosts:
        if host.container in present and host.container not in found.hosts:
            raise PlatformError(
                f"a container named {host.container} exists and is not part of the lab",
                where="lab_name",
                hint="choose another LAB_NAME, or remove that container",
            )


def create_network(podman: Podman, lab: Lab) -> None:
    """Make the lab's network; without podman's own DNS, which would hide missing host names."""
    podman.run(
        *("network", "create", "--disable-dns", "--label", f"{LAB_LABEL}={lab.name}"),
        *("--subnet", str(lab.subnet), "--gateway", lab.gateway, lab.name),
    )


def create_host(podman: Podman, lab: Lab, host: Host) -> None:
    """Create and boot one host.

    The host's own /etc/hosts stays its own: podman's would be a mount that nothing can replace.
    PostgreSQL's parallel queries need more shared memory than podman's 64 MB.
    A drive is a volume without a name, which stays as long as its host and goes with it.
    """
    drives = [word for path in lab.drives for word in ("--volume", path)]
    podman.run(
        *("run", "--detach", "--name", host.container, "--hostname", host.name),
        *("--label", f"{LAB_LABEL}={lab.name}", "--label", f"{HOST_LABEL}={host.name}"),
        *("--network", lab.name, "--ip", host.address, "--no-hosts"),
        *("--mac-address", host.hardware_address),
        *("--privileged", "--systemd=always", "--restart=always", "--shm-size=1g"),
        *("--log-driver", "k8s-file", "--log-opt", "max-size=1mb", "--stop-timeout", "30"),
        *drives,
        lab.image,
    )


def settle(podman: Podman, lab: Lab, host: Host) -> FoundHost:
    """Wait until the host's sshd runs, hand it the lab's key and proxy, and return what it says.

    :raises PlatformError: when it has not booted within BOOT_SECONDS.
    """
    deadline = time.monotonic() + BOOT_SECONDS
    facts = report(podman, host.container)
    while not facts:
        if time.monotonic() > deadline:
            raise PlatformError(
                f"{host.name} did not start its SSH server within {BOOT_SECONDS} s",
                where=host.container,
                hint=f"read its boot messages: podman logs {host.container}",
            )
        time.sleep(0.2)
        facts = report(podman, host.container)
    wanted = {"authorized_key": lab.authorized_key, "apt_proxy": lab.apt_proxy}
    if any(facts.get(name) != value for name, value in wanted.items()):
        podman.run(
            *("exec", "-i", host.container, "sh", "-s", "--", *wanted.values()), stdin=_SETTLE
        )
        facts.update(wanted)
    return FoundHost(running=True, image=lab.image, **facts)


def build_up(podman: Podman, lab: Lab, found: Found) -> Found:
    """Create and start what is missing of *lab*, all hosts at a time, and return the result."""
    if found.subnet is None:
        create_network(podman, lab)

    def bring_up(host: Host) -> FoundHost:
        present = found.hosts.get(host.container)
        if present is None:
            create_host(podman, lab, host)
        elif not present.running:
            podman.run("start", host.container)
        return settle(podman, lab, host)

    with ThreadPoolExecutor(max_workers=8) as pool:
        results = list(pool.map(bring_up, lab.hosts))
    return Found(lab.subnet, dict(zip((host.container for host in lab.hosts), results)))


def tear_down(podman: Podman, name: str, found: Found) -> None:
    """Remove the lab's containers with their data, and its network."""
    if found.hosts:
        podman.run("rm", "--force", "--time", "0", "--volumes", *sorted(found.hosts))
    if found.subnet is not None:
        podman.run("network", "rm", name)
