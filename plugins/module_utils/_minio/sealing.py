# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: how secrets travel to MinIO's admin API and back.

A sealed document is, as the server's own library has it (``encrypt.go`` of madmin-go 3.0.109)::

    salt, 32 bytes | algorithm, 1 byte | nonce, 8 bytes | chunks

A chunk is 16 KiB of the document and its tag of 16 bytes; only the last one is shorter, and there
is always one. Its nonce is that of the document with its number, which counts from 1. What is
authenticated beside it is whether it is the last one, and the tag of no text at all under number 0.
So chunks can be neither changed, nor swapped, nor left out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import Any

from .._core.errors import PlatformError

_SALT, _NONCE, _TAG = 32, 8, 16
_HEADER = _SALT + 1 + _NONCE
_CHUNK = 16 * 1024
_KEY = 32
_ARGON2_AES, _ARGON2_CHACHA, _PBKDF2_AES = 0, 1, 2
_MORE, _LAST = b"\x00", b"\x80"


def libraries() -> tuple[Any, Any]:
    """Return the ciphers of cryptography, and argon2.

    :raises PlatformError: when one of them is missing.
    """
    package = "python3-cryptography (cryptography on PyPI)"
    try:
        from cryptography.hazmat.primitives.ciphers import aead

        package = "python3-argon2 (argon2-cffi on PyPI)"
        from argon2 import low_level
    except ImportError as error:
        raise PlatformError(
            f"secrets only travel sealed, and what seals them is missing: {error}",
            hint=f"install {package} where the module runs",
        ) from None
    return aead, low_level


def _key(algorithm: int, secret: str, salt: bytes) -> bytes:
    if algorithm == _PBKDF2_AES:
        return hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, 8192, _KEY)
    argon2 = libraries()[1]
    return bytes(
        argon2.hash_secret_raw(
            secret.encode(),
            salt,
            time_cost=1,
            memory_cost=64 * 1024,  # KiB
            parallelism=4,
            hash_len=_KEY,
            type=argon2.Type.ID,
        )
    )


class _Chunks:
    """Seals and opens the chunks of one document."""

    def __init__(self, algorithm: int, secret: str, salt: bytes, nonce: bytes) -> None:
        ciphers = libraries()[0]
        kind = ciphers.ChaCha20Poly1305 if algorithm == _ARGON2_CHACHA else ciphers.AESGCM
        self._cipher = kind(_key(algorithm, secret, salt))
        self._nonce = nonce
        self._document = bytes(self._cipher.encrypt(self._nth(0), b"", None))

    def _nth(self, number: int) -> bytes:
        return self._nonce + number.to_bytes(4, "little")

    def _beside(self, last: bool) -> bytes:
        return (_LAST if last else _MORE) + self._document

    def seal(self, number: int, text: bytes, last: bool) -> bytes:
        return bytes(self._cipher.encrypt(self._nth(number), text, self._beside(last)))

    def open(self, number: int, sealed: bytes, last: bool) -> bytes:
        return bytes(self._cipher.decrypt(self._nth(number), sealed, self._beside(last)))


def _pieces(text: bytes, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yield the number of each piece, the piece, and whether it is the last; at least one."""
    count = max(1, -(-len(text) // size))
    for nth in range(count):
        yield nth + 1, text[nth * size : (nth + 1) * size], nth + 1 == count


def seal(document: bytes, secret: str) -> bytes:
    """Return *document* so that only *secret* opens it.

    :raises PlatformError: when a library is missing.
    """
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    chunks = _Chunks(_ARGON2_AES, secret, salt, nonce)
    sealed = (chunks.seal(*piece) for piece in _pieces(document, _CHUNK))
    return b"".join((salt, bytes([_ARGON2_AES]), nonce, *sealed))


def unseal(sealed: bytes, secret: str) -> bytes:
    """Return the document that was sealed with *secret*.

    :raises PlatformError: when it was another secret, not all of it is there, it was changed, or a
        library is missing.
    """
    if len(sealed) < _HEADER + _TAG:
        raise PlatformError(
            f"{len(sealed)} bytes are too few for something sealed",
            hint="check that nothing between here and the server cuts off its replies",
        )
    algorithm = sealed[_SALT]
    if algorithm not in (_ARGON2_AES, _ARGON2_CHACHA, _PBKDF2_AES):
        raise PlatformError(
            f"it is not sealed in a way that is known here ({algorithm})",
            hint="check that the endpoint is a MinIO server",
        )
    chunks = _Chunks(algorithm, secret, sealed[:_SALT], sealed[_SALT + 1 : _HEADER])
    from cryptography.exceptions import InvalidTag

    try:
        pieces = _pieces(sealed[_HEADER:], _CHUNK + _TAG)
        return b"".join(chunks.open(*piece) for piece in pieces)
    except InvalidTag:
        raise PlatformError(
            "what is sealed does not open: the secret is another one, or it was cut or changed",
            hint="check secret_key, and what stands between here and the server",
        ) from None
