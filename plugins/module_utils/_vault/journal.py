# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what a host remembers about the initialisation of its vault.

Three root-only files, so that an initialisation that is killed at any point is neither lost nor
done twice: the intent, written before it; the reply, written before anybody is told of it; and
done, written when the controller's state holds the reply.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .._core.errors import PlatformError
from .._core.files import sync_directory, write_atomically

DEFAULT_DIRECTORY = "/var/lib/mcp-platform/vault"
_INTENT = "intent.json"
_REPLY = "reply.json"
_DONE = "done.json"


@dataclass(frozen=True)
class Journal:
    """One host's memory; every field is empty where there is no such file.

    :param host: URL of the member that runs on the host: its name in messages.
    :param intent: the platform that began to initialise a vault here.
    :param reply: digest of the reply that lies here.
    :param done: the platform whose state holds the reply.
    """

    host: str
    intent: str = ""
    reply: str = ""
    done: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it as a module returns it."""
        return asdict(self)


@dataclass(frozen=True)
class Init:
    """What the vault told once, at its initialisation."""

    root_token: str = field(repr=False)
    unseal_keys: tuple[str, ...] = field(default=(), repr=False)
    recovery_keys: tuple[str, ...] = field(default=(), repr=False)

    @property
    def digest(self) -> str:
        """A digest that tells this reply from any other, and tells nothing of its content."""
        content = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Return it as the module returns it."""
        return {
            "root_token": self.root_token,
            "unseal_keys": list(self.unseal_keys),
            "recovery_keys": list(self.recovery_keys),
            "digest": self.digest,
        }


def init_from(document: Mapping[str, Any]) -> Init:
    """Return the reply that :meth:`Init.as_dict` gave."""
    return Init(
        root_token=str(document["root_token"]),
        unseal_keys=tuple(document["unseal_keys"]),
        recovery_keys=tuple(document["recovery_keys"]),
    )


def journal_from(document: Mapping[str, Any]) -> Journal:
    """Return the journal that another host's :meth:`Journal.as_dict` gave."""
    return Journal(**{key: str(document.get(key) or "") for key in Journal.__dataclass_fields__})


class JournalFiles:
    """The files themselves.

    :param directory: where they are; made for root alone when the first is written.
    :param host: URL of the member that runs on this host.
    """

    def __init__(self, directory: str | Path, host: str) -> None:
        self.directory = Path(directory)
        self.host = host

    def _load(self, name: str) -> dict[str, Any]:
        path = self.directory / name
        try:
            document = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise PlatformError(
                f"it can't be read: {error}",
                where=str(path),
                hint="it may hold the only copy of the vault's keys: repair it, do not delete it",
            ) from error
        return dict(document)

    def _save(self, name: str, document: Mapping[str, Any]) -> None:
        if not self.directory.is_dir():
            self.directory.mkdir(mode=0o700, parents=True)
            sync_directory(self.directory.parent)
        self.directory.chmod(0o700)
        content = json.dumps(document, indent=2, sort_keys=True) + "\n"
        write_atomically(self.directory / name, content.encode(), mode=0o600)

    def _remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.directory / name)
            sync_directory(self.directory)

    def reply(self) -> Init | None:
        """Return the reply that lies here."""
        document = self._load(_REPLY)
        return init_from(document) if document else None

    def read(self) -> Journal:
        """Return what the files say."""
        reply = self.reply()
        return Journal(
            host=self.host,
            intent=str(self._load(_INTENT).get("platform", "")),
            reply=reply.digest if reply else "",
            done=str(self._load(_DONE).get("platform", "")),
        )

    def write_intent(self, platform: str) -> None:
        """Remember, on disk when this returns, that *platform* is about to initialise."""
        self._save(_INTENT, {"platform": platform})

    def write_reply(self, init: Init) -> None:
        """Keep the reply, on disk when this returns."""
        self._save(_REPLY, init.as_dict())

    def acknowledge(self, platform: str, digest: str) -> None:
        """Remember that the state holds the reply, then forget the reply and the intent."""
        self._save(_DONE, {"platform": platform, "digest": digest})
        self._remove(_REPLY)
        self._remove(_INTENT)
