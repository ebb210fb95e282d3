# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._postgresql import scram

# RFC 7677, section 3: the example's password, salt and iterations. The server signature that it
# prints is HMAC(ServerKey, AuthMessage).
_SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
_AUTH_MESSAGE = (
    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
)


def test_the_server_key_makes_the_signature_of_the_rfc():
    text = scram.verifier("pencil", salt=_SALT)
    server_key = base64.b64decode(text.rpartition(":")[2])
    signature = hmac.digest(server_key, _AUTH_MESSAGE.encode(), "sha256")
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_a_verifier_has_the_form_that_postgresql_stores():
    assert scram.is_verifier(scram.verifier("x"))
    assert not scram.is_verifier("x")
    assert scram.verifier("x") != scram.verifier("x")


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=1), st.integers(1, 50))
def test_a_verifier_matches_its_password_and_no_other(password, iterations):
    stored = scram.verifier(password, iterations=iterations)
    assert scram.matches(stored, password)
    assert scram.matches(stored, stored)
    assert not scram.matches(stored, password + "x")


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        "md5e8a48653851e28c69d0506508fb27fc5",
        "SCRAM-SHA-256$1:not base64!$a:b",
        "SCRAM-SHA-256$0:AAAA$a:b",
    ],
)
def test_what_is_no_verifier_matches_nothing(stored):
    assert not scram.matches(stored, "password")


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("plain \t", b"plain \t"),
        # RFC 4013, section 3
        ("I\u00adX", b"IX"),
        ("\u00aa", b"a"),
        ("\u2168", b"IX"),
        # another space becomes a space
        ("a\u00a0b", b"a b"),
        # refused by SASLprep, so taken as it is: control character, direction, nothing left
        ("\u0007\u00e9", "\u0007\u00e9".encode()),
        ("\u06271", "\u06271".encode()),
        ("\u0627a\u0627", "\u0627a\u0627".encode()),
        ("\u00ad", "\u00ad".encode()),
        # right to left throughout is fine
        ("\u0627\u0628", "\u0627\u0628".encode()),
    ],
)
def test_a_password_is_prepared_as_the_server_does_it(password, prepared):
    assert scram.prepare(password) == prepared
