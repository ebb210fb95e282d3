# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: secrets in a key-value engine of version 2."""

from __future__ import annotations

import secrets as random_source
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import HIDDEN, Change
from .client import Vault

ALPHABET = string.ascii_letters + string.digits
# A second writer may come in between; a third time means that somebody writes all the time.
_TRIES = 3
_CONFLICT = "check-and-set"


@dataclass(frozen=True)
class Generate:
    """How a value is drawn: *length* characters of *alphabet*."""

    length: int = 32
    alphabet: str = ALPHABET


@dataclass(frozen=True)
class Field:
    """A field that a secret should have: a given value, or a drawn one.

    :param sensitive: whether a diff hides the value.
    """

    name: str
    value: Any = field(default=None, repr=False)
    generate: Generate | None = None
    sensitive: bool = True


@dataclass(frozen=True)
class Secret:
    """A secret that should exist, or not.

    :param rotate: whether its drawn values are drawn again.
    """

    path: str
    fields: tuple[Field, ...] = ()
    present: bool = True
    rotate: bool = False


@dataclass(frozen=True)
class Stored:
    """What the vault holds at a path.

    :param version: the present version, 0 where there never was one.
    """

    data: Mapping[str, Any] = field(repr=False)
    version: int = 0


@dataclass(frozen=True)
class Planned:
    """A secret's data as it will be.

    :param change: None when it is already so.
    """

    change: Change | None
    data: Mapping[str, Any] = field(repr=False)


Draw = Callable[[Generate], str]


def draw(generate: Generate) -> str:
    """Return a random value, from the operating system's source."""
    return "".join(random_source.choice(generate.alphabet) for _unused in range(generate.length))


def placeholder(generate: Generate) -> str:
    """Return what stands for a value that only a real run draws, of the same shape."""
    return generate.alphabet[0] * generate.length


def _field_from(path: str, item: Mapping[str, Any]) -> Field:
    where = f"{path}: {item['name']}"
    generate = item.get("generate")
    if (item.get("value") is None) == (generate is None):
        raise PlatformError("give either value or generate, not both and not neither", where=where)
    if generate is None:
        return Field(item["name"], item["value"], None, item["sensitive"])
    if generate["length"] < 1 or not generate["alphabet"]:
        raise PlatformError(
            "a value can't be drawn so", where=where, hint="length ≥ 1 and an alphabet are needed"
        )
    return Field(
        item["name"], None, Generate(generate["length"], generate["alphabet"]), item["sensitive"]
    )


def secrets_from(params: Mapping[str, Any]) -> tuple[Secret, ...]:
    """Return what the module's options describe."""
    return tuple(
        Secret(
            path=item["path"].strip("/"),
            fields=tuple(_field_from(item["path"], entry) for entry in item["fields"]),
            present=item["state"] == "present",
            rotate=item["rotate"],
        )
        for item in params["secrets"]
    )


def read(vault: Vault, mount: str, path: str) -> Stored:
    """Return what is stored at *path*; a deleted version counts as empty but keeps its number."""
    reply = vault.request("GET", f"{mount}/data/{path}", accept=(404,))
    metadata = reply.data.get("metadata") or {}
    return Stored(reply.data.get("data") or {}, int(metadata.get("version", 0)))


def _wanted(wanted: Field, stored: Stored, rotate: bool, draw_value: Draw) -> Any:
    if wanted.generate is None:
        return wanted.value
    present = stored.data.get(wanted.name)
    return draw_value(wanted.generate) if rotate or not present else present


def _shown(
    secret: Secret, data: Mapping[str, Any], keys: list[str], hidden: str = HIDDEN
) -> dict[str, Any]:
    open_fields = {item.name for item in secret.fields if not item.sensitive}
    return {key: data[key] if key in open_fields else hidden for key in keys if key in data}


def plan(stored: Stored, secret: Secret, draw_value: Draw) -> Planned:
    """Return the data that *secret* should have, fields that it does not name kept as they are.

    :param draw_value: draws a value that is missing.
    """
    name = f"secret {secret.path}"
    if not secret.present:
        return Planned(Change("delete", name) if stored.version else None, {})
    wanted = {item.name: _wanted(item, stored, secret.rotate, draw_value) for item in secret.fields}
    data = {**stored.data, **wanted}
    differing = [key for key in wanted if stored.data.get(key) != wanted[key]]
    if not differing:
        return Planned(None, data)
    if not stored.data:
        return Planned(Change("create", name, after=_shown(secret, data, differing)), data)
    before = _shown(secret, stored.data, differing)
    after = _shown(secret, data, differing, f"{HIDDEN} (new)")
    return Planned(Change("update", name, before, after), data)


def _write(vault: Vault, mount: str, secret: Secret, planned: Planned, version: int) -> bool:
    """Write the planned data; return False when somebody else wrote in between."""
    if not secret.present:
        vault.request("DELETE", f"{mount}/metadata/{secret.path}")
        return True
    document = {"data": dict(planned.data), "options": {"cas": version}}
    reply = vault.request("POST", f"{mount}/data/{secret.path}", document, accept=(400,))
    if reply.status == 400 and _CONFLICT not in reply.errors:
        raise PlatformError(
            f"the vault refused the data: {reply.errors}", where=f"{mount}/{secret.path}"
        )
    return reply.status != 400


def ensure(vault: Vault, mount: str, secret: Secret, *, check_mode: bool) -> Planned:
    """Bring one secret to its desired state.

    :returns: the plan that was carried out, or in check mode would be.
    :raises PlatformError: when others write the same secret all the time.
    """
    for _unused in range(_TRIES):
        stored = read(vault, mount, secret.path)
        planned = plan(stored, secret, placeholder if check_mode else draw)
        if planned.change is None or check_mode:
            return planned
        if _write(vault, mount, secret, planned, stored.version):
            return planned
    raise PlatformError(
        f"somebody else changed it {_TRIES} times while it was being written",
        where=f"{mount}/{secret.path}",
        hint="run again when the other writer is done",
    )
