# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the encrypted file on the controller that a platform begins with."""

from __future__ import annotations

import base64
import copy
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret, is_encrypted

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._core.files import write_atomically

if TYPE_CHECKING:
    from .authority import Authority

_FORMAT = 1
_VAULT_ID = "platform"


def new_state(platform: str) -> dict[str, Any]:
    """Return the state before the first host: the authorities and the seal key."""
    # Reading the state happens in many tasks, and should not wait for the library that makes keys.
    from .authority import create_intermediate, create_root

    root = create_root(f"{platform} root")
    bootstrap = create_intermediate(root, f"{platform} bootstrap")
    return {
        "format": _FORMAT,
        "platform": platform,
        "root": _as_dict(root),
        "bootstrap": _as_dict(bootstrap),
        "seal": {"key_id": "1", "key": base64.b64encode(secrets.token_bytes(32)).decode()},
        "vault": {},
        "operator": {},
    }


def _as_dict(authority: Authority) -> dict[str, str]:
    return {"certificate": authority.certificate, "private_key": authority.private_key}


def merged(state: Mapping[str, Any], addition: Mapping[str, Any]) -> dict[str, Any]:
    """Return *state* with *addition* laid over it, mapping by mapping; None removes a key."""
    result = copy.deepcopy(dict(state))
    for key, value in addition.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            old = result.get(key)
            result[key] = merged(old if isinstance(old, Mapping) else {}, value)
        else:
            result[key] = value
    return result


def plain(value: Any) -> Any:
    """Return *value* made of plain types: Ansible's strings carry tags that no file takes."""
    return json.loads(json.dumps(value))


class StateFile:
    """The state of one platform, in the format of ansible-vault.

    :param path: the file.
    :param password_file: file whose first line is the password; readable by its owner alone.
    """

    def __init__(self, path: str | Path, password_file: str | Path) -> None:
        self.path = Path(path).expanduser()
        self.password_file = Path(password_file).expanduser()

    def exists(self) -> bool:
        """Return whether there is a state already."""
        return self.path.exists()

    def _vault(self) -> VaultLib:
        try:
            password = self.password_file.read_bytes().splitlines()[:1]
            mode = self.password_file.stat().st_mode
        except OSError as error:
            raise PlatformError(
                f"the state's password can't be read: {error.strerror}",
                where=str(self.password_file),
                hint="set platform_state_password_file to a file that holds the password",
            ) from error
        if not password or not password[0]:
            raise PlatformError(
                "the state's password is empty",
                where=str(self.password_file),
                hint="write a long random password into its first line",
            )
        if mode & 0o077:
            raise PlatformError(
                "others may read the state's password",
                where=str(self.password_file),
                hint=f"run: chmod 600 {self.password_file}",
            )
        return VaultLib([(_VAULT_ID, VaultSecret(password[0]))])

    def load(self) -> dict[str, Any]:
        """Return the decrypted state.

        :raises PlatformError: when there is none, the password is wrong, or it is no state.
        """
        vault = self._vault()
        try:
            text = self.path.read_bytes()
        except OSError as error:
            raise PlatformError(
                f"the platform's state can't be read: {error.strerror}",
                where=str(self.path),
                hint="set platform_state_dir, or VAULT_ROLE_ID and VAULT_SECRET_ID instead",
            ) from error
        if not is_encrypted(text):
            raise self._foreign("it is not in the format of ansible-vault")
        try:
            decrypted = vault.decrypt(text)
        except AnsibleError as error:
            raise PlatformError(
                "the platform's state can't be decrypted: the password is another one",
                where=str(self.path),
                hint=f"put the right password into {self.password_file}",
            ) from error
        try:
            state = yaml.safe_load(decrypted)
        except yaml.YAMLError:
            # The parser's own words would quote a secret.
            raise self._foreign("what it decrypts to is not YAML") from None
        if not isinstance(state, dict) or state.get("format") != _FORMAT:
            raise self._foreign(f"it is not a state of format {_FORMAT}")
        return state

    def _foreign(self, what: str) -> PlatformError:
        return PlatformError(
            f"the platform's state can't be used: {what}",
            where=str(self.path),
            hint="set platform_state_dir to the right one, or restore the file from your backup",
        )

    def save(self, state: Mapping[str, Any]) -> None:
        """Encrypt *state* and replace the file by it in one step, on disk before this returns."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = yaml.safe_dump(plain(state), sort_keys=True)
        content = self._vault().encrypt(text.encode(), vault_id=_VAULT_ID)
        write_atomically(self.path, content, mode=0o600)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs of the same platform from changing the state meanwhile."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self.path.with_name(f".{self.path.name}.lock")
        descriptor = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def check_owner(state: Mapping[str, Any], platform: str, path: Path) -> None:
    """Refuse the state of another platform."""
    if state.get("platform") != platform:
        raise PlatformError(
            f"this is the state of the platform {state.get('platform')}, not of {platform}",
            where=str(path),
            hint="correct platform_name or platform_state_dir",
        )
