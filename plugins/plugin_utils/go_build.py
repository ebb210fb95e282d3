# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: builds a binary from a Go module whose sources Go itself proves."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError

# A large server takes minutes on two idle cores.
_BUILD_SECONDS = 3600


def find(oldest: str) -> str | None:
    """Return the path of the PATH's Go command, None where it is missing or older than *oldest*."""
    command = shutil.which("go")
    if command is None:
        return None
    done = subprocess.run(
        [command, "env", "GOVERSION"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOTOOLCHAIN": "local"},
        timeout=60,
    )
    return command if _numbers(done.stdout) >= _numbers(oldest) else None


def _numbers(version: str) -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)", version)
    return tuple(int(part) for part in found.groups()) if found else ()


def unpacked(archive: Path, member: str) -> str:
    """Return the path of the Go command *member*, unpacked beside the *archive* that holds it.

    The caller holds no lock: whoever is second finds the whole folder, or replaces nothing.
    """
    folder = archive.with_name(archive.name + ".unpacked")
    command = folder / member
    if not command.exists():
        staged = folder.with_name(f"{folder.name}.{os.getpid()}")
        with zipfile.ZipFile(archive) as files:
            for item in files.infolist():
                path = Path(files.extract(item, staged))
                # zipfile drops the permissions, and the compiler has to be run.
                if item.external_attr >> 16 & 0o100:
                    path.chmod(0o755)
        try:
            staged.rename(folder)
        except OSError:
            shutil.rmtree(staged)
    return str(command)


def _environment(architecture: str, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        # The toolchain that was chosen and no other, which Go would download.
        "GOTOOLCHAIN": "local",
        # A static binary, which runs on every host.
        "CGO_ENABLED": "0",
        "GOOS": "linux",
        "GOARCH": architecture,
        "GOWORK": "off",
        # No module is exempt from the checksum database. An empty value would be no value.
        "GONOSUMDB": "none",
        "GOBIN": "",
        # That of the toolchain that was chosen, whatever the controller has installed.
        "GOROOT": "",
        "GOPATH": str(folder),
    }


def _run(words: Sequence[str], environment: Mapping[str, str], folder: Path) -> str:
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=folder,
        timeout=_BUILD_SECONDS,
    )
    if done.returncode == 0:
        return done.stdout
    raise PlatformError(
        f"Go could not do {' '.join(words[1:3])}: {(done.stderr or done.stdout).strip()[-800:]}",
        where="meta/catalogue.yml",
        hint="check Go's settings on the controller (go env), or use the source url or path",
    )


def build(go: str, entry: Mapping[str, Any], architecture: str, folder: Path) -> Path:
    """Return the binary that *go* has built in *folder* from the catalogue's *entry*.

    :raises PlatformError: when the sources are not those of the catalogue, or do not build.
    """
    settings = json.loads(_run([go, "env", "-json", "GOSUMDB", "GOMODCACHE"], os.environ, folder))
    if settings["GOSUMDB"] == "off":
        raise PlatformError(
            "Go's checksum database is switched off here, so nothing proves the sources",
            where="GOSUMDB",
            hint="unset it (go env -u GOSUMDB), or use the source url or path",
        )
    environment = _environment(entry["architectures"][architecture]["goarch"], folder)
    environment["GOMODCACHE"] = settings["GOMODCACHE"]
    module = f"{entry['module']}@{entry['release']}"
    got = json.loads(_run([go, "mod", "download", "-json", module], environment, folder))["Sum"]
    if got != entry["sum"]:
        raise PlatformError(
            f"the sources of {module} have the sum {got}, not {entry['sum']}",
            where="meta/catalogue.yml",
            hint="nothing was built; check where Go fetches modules from (go env GOPROXY)",
        )
    values = " ".join(f"-X {name}={value}" for name, value in entry.get("values", {}).items())
    _run([go, "install", "-trimpath", f"-ldflags={values}", module], environment, folder)
    # For another architecture than its own, Go puts it one folder deeper.
    name = entry["module"].rsplit("/", 1)[-1]
    return next(path for path in (folder / "bin").rglob(name) if path.is_file())
