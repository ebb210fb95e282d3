# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: secrets engines and auth methods, which the vault mounts alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import Change
from .client import Vault
from .durations import seconds
from .steps import Step

# Where each kind is found in the API, and how it is called in a message.
PREFIXES = {"secrets engine": "sys/mounts", "auth method": "sys/auth"}
# The vault mounts these itself and refuses to lose them.
_BUILT_IN = frozenset({"sys", "identity", "cubbyhole", "token"})


@dataclass(frozen=True)
class Mount:
    """A secrets engine or auth method; None: whatever it is.

    :param version: of the key-value engine.
    :param default_lease_ttl: seconds, 0 for the system's default.
    :param max_lease_ttl: likewise.
    """

    path: str
    type: str
    kind: str = "secrets engine"
    description: str | None = None
    version: str | None = None
    default_lease_ttl: int | None = None
    max_lease_ttl: int | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.kind} {self.path}/"

    def config(self) -> dict[str, int]:
        """Return the lease times that are said."""
        times = {
            "default_lease_ttl": self.default_lease_ttl,
            "max_lease_ttl": self.max_lease_ttl,
        }
        return {key: value for key, value in times.items() if value is not None}

    def options(self) -> dict[str, str]:
        """Return the engine's options that are said."""
        return {} if self.version is None else {"version": self.version}

    def shown(self) -> dict[str, Any]:
        """Return what a diff shows of it."""
        text = {} if self.description is None else {"description": self.description}
        return {"type": self.type, **text, **self.config(), **self.options()}


@dataclass(frozen=True)
class Desired:
    """What should be mounted, and what should not.

    :param exclusive: whether mounts that are not named are removed, the built-in ones excepted.
    """

    present: tuple[Mount, ...] = ()
    absent: frozenset[tuple[str, str]] = frozenset()
    exclusive: bool = False


def _mount_from(kind: str, item: Mapping[str, Any]) -> Mount:
    path = item["path"].strip("/")
    config = item.get("config") or {}
    if not item.get("type"):
        raise PlatformError("it has no type", where=f"{kind} {path}", hint="set type, such as kv")

    def ttl(key: str) -> int | None:
        value = config.get(key)
        return None if value is None else seconds(value, where=f"{path}: {key}")

    version = item.get("version")
    return Mount(
        path=path,
        type=item["type"],
        kind=kind,
        description=item.get("description"),
        # Without a version the API would make the old engine, which keeps no versions.
        version="2" if item["type"] == "kv" and version is None else version and str(version),
        default_lease_ttl=ttl("default_lease_ttl"),
        max_lease_ttl=ttl("max_lease_ttl"),
    )


def desired_from(params: Mapping[str, Any]) -> Desired:
    """Return what the module's options describe."""
    present: list[Mount] = []
    absent: set[tuple[str, str]] = set()
    for kind, option in (("secrets engine", "mounts"), ("auth method", "auth_methods")):
        for item in params[option]:
            if item["state"] == "absent":
                absent.add((kind, item["path"].strip("/")))
            else:
                present.append(_mount_from(kind, item))
    return Desired(tuple(present), frozenset(absent), params["exclusive"])


def _read_kind(vault: Vault, kind: str) -> Iterable[Mount]:
    for path, found in (vault.read(PREFIXES[kind]) or {}).items():
        config = found.get("config") or {}
        yield Mount(
            path=path.strip("/"),
            type=found["type"],
            kind=kind,
            description=found.get("description") or "",
            version=(found.get("options") or {}).get("version"),
            default_lease_ttl=config.get("default_lease_ttl", 0),
            max_lease_ttl=config.get("max_lease_ttl", 0),
        )


def read(vault: Vault) -> tuple[Mount, ...]:
    """Return everything that is mounted."""
    return tuple(mount for kind in PREFIXES for mount in _read_kind(vault, kind))


def _create(mount: Mount) -> Step:
    document: dict[str, Any] = {"type": mount.type, "description": mount.description or ""}
    if mount.config():
        document["config"] = mount.config()
    if mount.options():
        document["options"] = mount.options()
    change = Change("mount", mount.name, after=mount.shown())
    return Step(change, "POST", f"{PREFIXES[mount.kind]}/{mount.path}", document)


def _differing(found: Mount, wanted: Mount) -> dict[str, Any]:
    current = found.shown()
    return {key: value for key, value in wanted.shown().items() if current.get(key) != value}


def _tune(found: Mount, wanted: Mount) -> list[Step]:
    if found.type != wanted.type:
        raise PlatformError(
            f"it is mounted with type {found.type}, not {wanted.type}",
            where=wanted.name,
            hint="choose another path; changing the type would delete everything it holds",
        )
    if wanted.version and found.version and int(wanted.version) < int(found.version):
        raise PlatformError(
            f"it has version {found.version} and can't go back to {wanted.version}",
            where=wanted.name,
            hint="choose another path",
        )
    differing = _differing(found, wanted)
    if not differing:
        return []
    document = {key: value for key, value in differing.items() if key != "version"}
    if "version" in differing:
        document["options"] = wanted.options()
    before = {key: found.shown().get(key) for key in differing}
    change = Change("update", wanted.name, before, differing)
    return [Step(change, "POST", f"{PREFIXES[wanted.kind]}/{wanted.path}/tune", document)]


def _unmount(found: Mount) -> Step:
    change = Change("unmount", found.name, before=found.shown())
    return Step(change, "DELETE", f"{PREFIXES[found.kind]}/{found.path}")


def plan(current: Iterable[Mount], desired: Desired) -> tuple[Step, ...]:
    """Return the requests that lead from *current* to *desired*.

    :raises PlatformError: when a mount would need another type or an older version.
    """
    existing = {(mount.kind, mount.path): mount for mount in current}
    named = {(mount.kind, mount.path) for mount in desired.present}
    steps: list[Step] = []
    for mount in desired.present:
        found = existing.get((mount.kind, mount.path))
        steps += [_create(mount)] if found is None else _tune(found, mount)
    for key, found in sorted(existing.items()):
        unwanted = desired.exclusive and key not in named and found.path not in _BUILT_IN
        if key in desired.absent or unwanted:
            steps.append(_unmount(found))
    return tuple(steps)
