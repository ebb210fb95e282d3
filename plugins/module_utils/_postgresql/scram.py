# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: SCRAM-SHA-256 verifiers, made and compared without the server.

A verifier is what PostgreSQL stores in place of a password (RFC 5802, RFC 7677). Made here, the
password itself never travels in a statement, so no log of the server can hold it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import stringprep
import unicodedata

ITERATIONS = 4096
"""PostgreSQL's own default (parameter ``scram_iterations``)."""

_SALT_BYTES = 16
_VERIFIER = re.compile(
    r"SCRAM-SHA-256\$(?P<iterations>[1-9]\d{0,8}):(?P<salt>[^$]+)"
    r"\$(?P<stored>[^:]+):(?P<server>.+)"
)
_PROHIBITED = (
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def _breaks_direction(text: str) -> bool:
    """Tell whether *text* mixes directions in a way that RFC 3454, section 6, refuses."""
    if not any(stringprep.in_table_d1(character) for character in text):
        return False
    return (
        any(stringprep.in_table_d2(character) for character in text)
        or not stringprep.in_table_d1(text[0])
        or not stringprep.in_table_d1(text[-1])
    )


def prepare(password: str) -> bytes:
    """Return the bytes that are hashed for *password*: SASLprep (RFC 4013) as PostgreSQL does it.

    A password that SASLprep refuses is taken as it is, as the server and libpq do.
    """
    raw = password.encode()
    if password.isascii():
        return raw
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in password
        if not stringprep.in_table_b1(character)
    )
    normal = unicodedata.normalize("NFKC", mapped)
    if not normal or _breaks_direction(normal):
        return raw
    if any(refused(character) for character in normal for refused in _PROHIBITED):
        return raw
    return normal.encode()


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def verifier(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """Return the text that PostgreSQL stores for *password*.

    :param salt: 16 random bytes when it is left out.
    :param iterations: rounds of PBKDF2.
    """
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", prepare(password), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    return f"SCRAM-SHA-256${iterations}:{_encode(salt)}${_encode(stored_key)}:{_encode(server_key)}"


def is_verifier(text: str) -> bool:
    """Tell whether *text* is a verifier already, and no password."""
    return _VERIFIER.fullmatch(text) is not None


def matches(stored: str | None, password: str) -> bool:
    """Tell whether the verifier *stored* belongs to *password*, which may be a verifier itself."""
    if stored is None:
        return False
    if is_verifier(password):
        return hmac.compare_digest(stored, password)
    parts = _VERIFIER.fullmatch(stored)
    if parts is None:
        return False
    try:
        salt = base64.b64decode(parts["salt"], validate=True)
    except binascii.Error:
        return False
    again = verifier(password, salt=salt, iterations=int(parts["iterations"]))
    return hmac.compare_digest(stored, again)
