# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._pki import inspect
from ansible_collections.mcp.platform.plugins.module_utils._pki.inspect import (
    Material,
    describe,
    names_of,
    problems,
)

from .conftest import NOW, issue


def _problems(*certificates, key=b"", ca=b"", **options):
    options.setdefault("now", NOW)
    pem = b"".join(item.pem for item in certificates)
    return problems(Material(pem, key, ca), **options)


def _says(found, words):
    assert len(found) == 1
    assert words in found[0]


def test_a_certificate_that_fits_has_no_problem(root, intermediate, leaf):
    names = ["node1.example.org", "any.db.example.org", "10.0.0.1"]
    assert _problems(leaf, intermediate, key=leaf.key_pem, ca=root.pem, names=names) == []


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("node1.example.org", True),
        ("NODE1.Example.org", True),
        ("a.db.example.org", True),
        ("*.db.example.org", True),
        ("db.example.org", False),
        ("a.b.db.example.org", False),
        ("node2.example.org", False),
        ("10.0.0.1", True),
        ("10.0.0.2", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_a_name_is_covered_as_clients_see_it(leaf, name, covered):
    found = _problems(leaf, names=[name])
    assert found == ([] if covered else [f"the certificate lacks the name {name}"])


def test_an_address_is_the_same_in_every_spelling():
    leaf = issue("x", names=["2001:db8::1"])
    assert _problems(leaf, names=["2001:0db8:0:0:0:0:0:1"]) == []


def test_a_certificate_without_names_covers_none():
    bare = issue("bare")
    assert names_of(bare.certificate) == frozenset()
    _says(_problems(bare, names=["bare"]), "lacks the name bare")


def test_time_is_judged(leaf):
    end = leaf.certificate.not_valid_after_utc
    _says(_problems(leaf, now=end), "expired")
    _says(_problems(leaf, now=NOW - timedelta(days=9)), "valid from")
    _says(_problems(leaf, left=timedelta(days=60)), "sooner than asked for")
    assert _problems(leaf, now=end - timedelta(seconds=1)) == []


@given(st.integers(-5, 40), st.integers(0, 40))
def test_it_is_used_neither_before_its_time_nor_after(day, left):
    certificate = _LEAF.certificate
    now = NOW + timedelta(days=day)
    fits = certificate.not_valid_before_utc <= now
    fits &= now + timedelta(days=left) < certificate.not_valid_after_utc
    assert bool(_problems(_LEAF, now=now, left=timedelta(days=left))) == (not fits)


_LEAF = issue("leaf")


def test_a_key_of_another_certificate_is_told(leaf):
    _says(_problems(leaf, key=issue("other").key_pem), "does not belong")


def _encrypted(leaf):
    return leaf.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )


@pytest.mark.parametrize("key", [lambda _: b"nonsense", _encrypted, lambda leaf: leaf.pem])
def test_a_key_that_no_service_can_read_is_told(leaf, key):
    _says(_problems(leaf, key=key(leaf)), "not an unencrypted key")


def test_a_key_of_an_unknown_kind_is_told(leaf, monkeypatch):
    def refuse(*_words):
        raise UnsupportedAlgorithm("x")

    monkeypatch.setattr(inspect.serialization, "load_pem_private_key", refuse)
    _says(_problems(leaf, key=leaf.key_pem), "not an unencrypted key")


def test_certificate_and_key_may_share_a_file(leaf, intermediate, root):
    for combined in (
        leaf.pem + intermediate.pem + leaf.key_pem,
        leaf.key_pem + leaf.pem + intermediate.pem,
    ):
        assert problems(Material(combined, combined, root.pem), now=NOW) == []


def test_what_is_no_certificate_is_told():
    assert problems(Material(b"nonsense")) == [
        "the certificate's file holds no certificate in PEM format"
    ]
    assert describe(b"nonsense") == {}


def test_what_is_no_authority_is_told(leaf):
    _says(_problems(leaf, ca=b"nonsense"), "the authority's file")


def test_a_chain_without_its_middle_leads_nowhere(root, leaf):
    _says(_problems(leaf, ca=root.pem), "does not lead")


def test_the_order_of_the_chain_does_not_matter(root, intermediate, leaf):
    assert _problems(leaf, issue("stranger"), root, intermediate, ca=root.pem) == []


def test_the_middle_can_be_the_trust_anchor(intermediate, leaf):
    assert _problems(leaf, ca=intermediate.pem) == []


def test_an_authority_of_the_same_name_is_another_one(leaf, intermediate):
    twin = issue("root", ca=True)
    _says(_problems(leaf, intermediate, ca=twin.pem), "does not lead")


def test_one_of_several_anchors_is_enough(root, intermediate, leaf):
    assert _problems(leaf, intermediate, ca=issue("other", ca=True).pem + root.pem) == []


def test_a_leaf_can_sign_nothing(root, intermediate):
    mallory = issue("mallory", intermediate)
    forged = issue("forged", mallory)
    _says(_problems(forged, mallory, intermediate, ca=root.pem), "does not lead")
    silent = issue("silent", intermediate, constraints=False)
    _says(_problems(issue("forged", silent), silent, intermediate, ca=root.pem), "does not lead")


def test_an_expired_authority_breaks_the_chain(root):
    old = issue("old", root, ca=True, start=-9, days=8)
    _says(_problems(issue("leaf", old), old, ca=root.pem), "one on the way has expired")
    old_root = issue("old root", ca=True, start=-9, days=8)
    _says(_problems(issue("leaf", old_root), ca=old_root.pem), "has expired")


def test_authorities_that_sign_each_other_do_not_end_in_a_circle(root):
    one = issue("one", ca=True)
    two = issue("two", one, ca=True)
    back = issue("one", two, ca=True)
    back.certificate, back.key = issue("one", two, ca=True).certificate, one.key
    _says(_problems(issue("leaf", two), two, back, one, ca=root.pem), "does not lead")


def test_a_certificate_can_be_its_own_anchor():
    own = issue("own")
    assert _problems(own, ca=own.pem) == []


def test_every_problem_is_told_at_once(leaf, root):
    found = _problems(leaf, key=b"x", ca=root.pem, names=["a", "b"], now=NOW + timedelta(days=99))
    assert len(found) == 5


def test_now_is_now_unless_said_otherwise(leaf):
    assert problems(Material(leaf.pem)) == []


def test_a_description_identifies_the_leaf(leaf, intermediate):
    found = describe(leaf.pem + intermediate.pem)
    assert found["serial"] == f"{leaf.certificate.serial_number:x}"
    assert (found["subject"], found["issuer"]) == ("CN=leaf", "CN=intermediate")
    assert found["names"] == ["*.db.example.org", "10.0.0.1", "node1.example.org"]
    assert found["not_after"] == leaf.certificate.not_valid_after_utc.isoformat()


def test_the_missing_library_is_named(monkeypatch):
    monkeypatch.setattr(inspect, "MISSING", ImportError())
    with pytest.raises(PlatformError, match="python3-cryptography"):
        problems(Material(b""))
