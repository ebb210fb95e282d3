# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealing against MinIO's own Python library, and against what its Go library has sealed."""

from __future__ import annotations

import hashlib
import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from minio import crypto

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._minio import sealing
from ansible_collections.mcp.platform.plugins.module_utils._minio.sealing import seal, unseal

SECRET = "secret-öf"
SIZES = (0, 1, 16383, 16384, 16385, 40000)
# From EncryptData of madmin-go 3.0.109 for 0, from the same chunks under the other ciphers for 1
# and 2; its DecryptData opens all three.
FROM_GO = {
    0: "8fe93c3f743f9b575164229797b6e43137ecb8657e308dba79ecdd181c843fa8004fa62acc0ac4a3b0a3b46e3c"
    "54e6efa2945b715173fb670225f305d52a4dc627be9e0ce8facec6",
    1: "e30fbb57dee22b8354390ed7a400c904315f7807cbcceffc4c901bb1d0063f51018f9014a16e6ce45e792a6cf1"
    "81c523671a7cb4a813304b5b0feda265a1766798baaaa09ac165a8",
    2: "1719e5e8fbcd8e161682013941b5d3ed1fe8bd5aa9bd23d8ea3608fb061c142102f1fab499f44a1fb1d2b176e0"
    "ec0ec3861e0c982d8b5715d8a31c02bfcafa9d74a5df3bfd3ac7fc",
}


class Reply(io.BytesIO):
    """A reply as the library reads it."""

    def release_conn(self):
        pass


def _document(size):
    return bytes(nth * 7 % 251 for nth in range(size))


@pytest.fixture(params=[0, 1, 2])
def theirs(request, monkeypatch):
    """Return what seals with MinIO's library: by itself it only knows 0 for that."""
    cipher, wanted = crypto._get_cipher, request.param
    monkeypatch.setattr(crypto, "_get_cipher", lambda _id, *own: cipher(int(wanted == 1), *own))
    if wanted == 2:

        def derived(secret, salt):
            return hashlib.pbkdf2_hmac("sha256", secret, salt, 8192)

        monkeypatch.setattr(crypto, "_generate_key", derived)

    def sealed(document):
        made = crypto.encrypt(document, SECRET)
        return made[:32] + bytes([wanted]) + made[33:]

    return sealed


@pytest.mark.parametrize("size", SIZES)
def test_their_library_opens_what_is_sealed_here(size):
    document = _document(size)
    assert crypto.decrypt(Reply(seal(document, SECRET)), SECRET) == document


@pytest.mark.parametrize("size", SIZES[1:])
def test_what_their_library_seals_opens_here(theirs, size):
    document = _document(size)
    assert unseal(theirs(document), SECRET) == document


def test_an_empty_document_has_a_chunk_as_the_server_wants_it():
    # Their library leaves it out; the server's own says of that "data is not authentic".
    sealed = seal(b"", SECRET)
    assert len(sealed) == 41 + 16
    assert unseal(sealed, SECRET) == b""
    with pytest.raises(PlatformError, match="41 bytes are too few"):
        unseal(crypto.encrypt(b"", SECRET), SECRET)


@pytest.mark.parametrize("algorithm", FROM_GO)
def test_what_the_servers_library_seals_opens_here(algorithm):
    sealed = bytes.fromhex(FROM_GO[algorithm])
    assert sealed[32] == algorithm
    assert unseal(sealed, SECRET) == b"sealed by MinIO"


@given(st.binary(max_size=100), st.integers(0, 3), st.text(max_size=40))
def test_what_is_sealed_opens_again(text, chunks, secret):
    document = text + _document(chunks * 16384)
    with pytest.MonkeyPatch.context() as patched:
        # A key takes Argon2 longer than all the rest, and is the same for every document.
        patched.setattr(sealing, "_key", lambda _id, secret, salt: _hash(secret.encode() + salt))
        assert unseal(seal(document, secret), secret) == document


def _hash(text):
    return hashlib.sha256(text).digest()


@given(st.data())
def test_every_change_is_noticed(data):
    sealed = bytearray.fromhex(FROM_GO[2])
    nth = data.draw(st.integers(0, len(sealed) - 1))
    sealed[nth] ^= data.draw(st.integers(1, 255))
    with pytest.raises(PlatformError, match=r"does not open|not sealed in a way"):
        unseal(bytes(sealed), SECRET)


@given(st.integers(0, 71))
def test_nothing_can_be_cut_off(length):
    with pytest.raises(PlatformError, match=r"does not open|too few"):
        unseal(bytes.fromhex(FROM_GO[2])[:length], SECRET)


def test_chunks_can_neither_be_left_out_nor_swapped():
    sealed = seal(_document(40000), SECRET)
    header, whole = sealed[:41], 16384 + 16
    first, second, third = (sealed[41 + nth * whole :][:whole] for nth in range(3))
    assert unseal(header + first + second + third, SECRET) == _document(40000)
    for chunks in ([first, second], [first, third], [second, first, third], [third], [first] * 3):
        with pytest.raises(PlatformError, match="does not open"):
            unseal(header + b"".join(chunks), SECRET)


def test_a_way_to_seal_that_is_not_known_is_told():
    sealed = bytearray.fromhex(FROM_GO[0])
    sealed[32] = 3
    with pytest.raises(PlatformError, match=r"not sealed in a way that is known here \(3\)"):
        unseal(bytes(sealed), SECRET)


def test_another_secret_opens_nothing():
    with pytest.raises(PlatformError, match="the secret is another one") as caught:
        unseal(bytes.fromhex(FROM_GO[0]), "another")
    assert "another'" not in str(caught.value)


def test_the_same_is_never_sealed_the_same():
    assert seal(b"a", SECRET) != seal(b"a", SECRET)


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("argon2", "python3-argon2 .argon2-cffi on PyPI."),
        (
            "cryptography.hazmat.primitives.ciphers",
            "python3-cryptography .cryptography on PyPI.",
        ),
    ],
)
def test_a_missing_library_is_told_by_its_package(monkeypatch, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PlatformError, match=package):
        seal(b"a", SECRET)
    with pytest.raises(PlatformError, match=package):
        unseal(bytes.fromhex(FROM_GO[0]), SECRET)
