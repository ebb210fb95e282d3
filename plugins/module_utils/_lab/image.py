# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: images of Debian for the lab, made by debootstrap."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from .._core.errors import PlatformError
from .client import Podman

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEBOOTSTRAP = Path("/usr/sbin/debootstrap")
SCRIPTS = Path("/usr/share/debootstrap/scripts")
_WITH_SHELL = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}


@dataclass(frozen=True)
class Recipe:
    """All that decides what is in an image.

    :param base: image to start from; empty starts from *release* by debootstrap.
    :param release: code name of the Debian release.
    :param packages: what debootstrap adds to the minimal system.
    :param setup: shell script that runs inside, with LAB_RELEASE and LAB_SOURCES set.
    :param mirror: mirror to use; empty takes the one of this machine.
    """

    base: str
    release: str
    packages: tuple[str, ...]
    setup: str
    mirror: str

    def tagged(self, name: str) -> str:
        """Return *name* with a tag that changes whenever the recipe does."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{name}:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Mirror:
    """Where packages come from; empty texts mean that this machine does not say."""

    main: str = ""
    security: str = ""


def _stanzas(text: str) -> Iterable[dict[str, str]]:
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        fields = (line.partition(":") for line in lines)
        yield {name.strip().lower(): value.strip() for name, _separator, value in fields}


def _one_line_sources(text: str) -> Iterable[tuple[str, str]]:
    for line in text.splitlines():
        found = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", line.strip())
        if found:
            yield found.group(1), found.group(2)


def find_mirror(sources: Mapping[str, str], codename: str) -> Mirror:
    """Return the mirror that apt's *sources* (content by file name) name for Debian *codename*.

    The suite has to be the release itself, so that no third party's repository is taken.
    """
    pairs: list[tuple[str, str]] = []
    for name, text in sources.items():
        if name.endswith(".sources"):
            for stanza in _stanzas(text):
                uris, suites = stanza.get("uris", "").split(), stanza.get("suites", "").split()
                pairs += [(uri, suite) for uri in uris[:1] for suite in suites]
        else:
            pairs += _one_line_sources(text)
    by_suite = {suite: uri.rstrip("/") for uri, suite in reversed(pairs) if uri.startswith("http")}
    return Mirror(by_suite.get(codename, ""), by_suite.get(f"{codename}-security", ""))


def machine_mirror(root: Path = Path("/")) -> Mirror:
    """Return the mirror that this machine uses, where it is a Debian itself."""
    release = dict(
        line.split("=", 1)
        for line in (root / "etc/os-release").read_text(encoding="utf-8").splitlines()
        if "=" in line
    )
    if release.get("ID", "").strip('"') != "debian":
        return Mirror()
    apt = root / "etc/apt"
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    sources = {file.name: file.read_text(encoding="utf-8") for file in files if file.is_file()}
    return find_mirror(sources, release.get("VERSION_CODENAME", "").strip('"'))


def machine_proxy() -> str:
    """Return the HTTP proxy that this machine's apt uses, empty for none."""
    done = subprocess.run(  # pylint: disable=ansible-bad-function
        ["apt-config", "shell", "proxy", "Acquire::http::Proxy"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"proxy='([^']*)'", done.stdout)
    proxy = found.group(1) if found else os.environ.get("http_proxy", "")
    return "" if proxy.upper() == "DIRECT" else proxy


def _offers(mirror: str, suite: str, proxy: str) -> bool:
    handlers = [urllib.request.ProxyHandler({"http": proxy, "https": proxy})] if proxy else []
    if not mirror.startswith(("http://", "https://")):
        return False
    url = f"{mirror}/dists/{suite}/InRelease"
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 -- the scheme is checked above
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=15):
            return True
    except (urllib.error.URLError, OSError):
        return False


def sources_for(recipe: Recipe, mirror: Mirror, proxy: str) -> str:
    """Return the sources that the image's apt gets: the release, its updates and security fixes.

    :raises PlatformError: when the mirror does not answer for the release.
    """
    main = mirror.main
    if not _offers(main, recipe.release, proxy):
        raise PlatformError(
            f"the Debian mirror {main} does not answer for {recipe.release}",
            where="lab_mirror",
            hint="check this machine's network and apt settings, or set lab_mirror to a mirror "
            "that can be reached",
        )
    suites = [recipe.release]
    if _offers(main, f"{recipe.release}-updates", proxy):
        suites.append(f"{recipe.release}-updates")
    entries = [(main, " ".join(suites))]
    security = mirror.security or f"{main}-security"
    if _offers(security, f"{recipe.release}-security", proxy):
        entries.append((security, f"{recipe.release}-security"))
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {names}\nComponents: main\nSigned-By: {KEYRING}\n"
        for uri, names in entries
    )


def _execute(command: list[str], *, environment: Mapping[str, str], stdin: str = "") -> None:
    done = subprocess.run(  # pylint: disable=ansible-bad-function
        command,
        input=stdin,
        env={**_WITH_SHELL, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PlatformError(
            f"{Path(command[0]).name} failed: {done.stdout.strip()[-800:]}",
            where=" ".join(command),
            hint="most often the mirror or the disk: check both, then run this again",
        )


def _first_match(pattern: str, path: Path) -> str:
    if not path.is_file():
        return ""
    found = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1).rstrip("/") if found else ""


def _default_mirror(release: str) -> str:
    """Return the mirror that debootstrap itself falls back to, from its own scripts."""
    program = Path(shutil.which("debootstrap") or DEBOOTSTRAP)
    return _first_match(r"^\s*default_mirror\s+(\S+)", SCRIPTS / release) or _first_match(
        r'^DEF_MIRROR="?([^"\s]+)', program
    )


def _choose_mirror(recipe: Recipe) -> Mirror:
    if recipe.mirror:
        return Mirror(recipe.mirror.rstrip("/"))
    mirror = machine_mirror()
    return mirror if mirror.main else Mirror(_default_mirror(recipe.release))


def build_from_release(podman: Podman, recipe: Recipe, image: str) -> None:
    """Make *image* from nothing: debootstrap, the set-up script in its root, then the import."""
    proxy = machine_proxy()
    mirror = _choose_mirror(recipe)
    sources = sources_for(recipe, mirror, proxy)
    environment = {"http_proxy": proxy, "https_proxy": proxy} if proxy else {}
    with tempfile.TemporaryDirectory(prefix="mcp-platform-lab.", dir="/var/tmp") as directory:
        root = Path(directory) / "root"
        _execute(
            [
                *("debootstrap", "--variant=minbase", f"--keyring={KEYRING}"),
                *(f"--include={','.join(recipe.packages)}", recipe.release, str(root)),
                mirror.main,
            ],
            environment=environment,
        )
        _execute(
            ["chroot", str(root), "/bin/sh", "-eu"],
            environment={
                **environment,
                "LAB_RELEASE": recipe.release,
                "LAB_SOURCES": sources,
            },
            stdin=recipe.setup,
        )
        archive = Path(directory) / "root.tar"
        _execute(
            ["tar", "--create", "--file", str(archive), "--directory", str(root), "."],
            environment={},
        )
        podman.run("import", "--change", 'CMD ["/sbin/init"]', str(archive), image)


def build_from_image(podman: Podman, recipe: Recipe, image: str) -> None:
    """Make *image* by running the set-up script in a container of the base image.

    The machine's own network is used: nothing of podman's is there yet. Privileged, because
    otherwise crun sets limits that it may not set where CAP_SYS_RESOURCE is missing.
    """
    proxy = machine_proxy()
    container = f"mcp-platform-build-{os.getpid()}"
    try:
        podman.run(
            *("run", "--interactive", "--name", container, "--network=host", "--privileged"),
            *("--env", f"http_proxy={proxy}", "--env", "DEBIAN_FRONTEND=noninteractive"),
            *(recipe.base, "/bin/sh", "-eu"),
            stdin=recipe.setup,
        )
        podman.run("commit", "--quiet", container, image)
    finally:
        podman.attempt("rm", "--force", container)
