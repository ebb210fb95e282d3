# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: intermediate authorities whose keys never leave the vault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .._core.errors import PlatformError
from .._core.plan import Change
from .._pki.inspect import Material, describe, problems
from .client import Vault
from .durations import seconds
from .steps import Step

_URLS = ("issuing_certificates", "crl_distribution_points", "ocsp_servers")
_DAY = 86400


@dataclass(frozen=True)
class Authority:
    """An intermediate that a PKI engine should have.

    :param lifetime: days for which the root signs it.
    :param minimum_left: days below which it is replaced.
    :param urls: what it writes into its certificates; keys that are missing stay as they are.
    """

    mount: str
    common_name: str
    key_type: str = "ec"
    key_bits: int = 256
    lifetime: int = 1825
    minimum_left: int = 365
    # Not part of what tells one authority from another.
    urls: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"authority {self.common_name} in {self.mount}/"


@dataclass(frozen=True)
class Found:
    """What the engine has now.

    :param certificate: the default issuer's as PEM text, empty when there is none.
    """

    certificate: str = ""
    urls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A certificate request that waits for the root's signature."""

    mount: str
    csr: str
    days: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as the module hands it to the controller."""
        return asdict(self)


def authorities_from(params: Mapping[str, Any]) -> tuple[Authority, ...]:
    """Return what the module's options describe."""
    return tuple(_authority_from(item) for item in params["authorities"])


def _authority_from(item: Mapping[str, Any]) -> Authority:
    mount = item["mount"].strip("/")
    lifetime = seconds(item["ttl"], where=f"{mount}: ttl") // _DAY
    left = seconds(item["minimum_left"], where=f"{mount}: minimum_left") // _DAY
    if not 0 < left < lifetime:
        raise PlatformError(
            "minimum_left must be at least a day and less than ttl",
            where=mount,
            hint="otherwise every run would make a new authority",
        )
    urls = {key: tuple(item[key]) for key in _URLS if item.get(key) is not None}
    return Authority(
        mount, item["common_name"], item["key_type"], item["key_bits"], lifetime, left, urls
    )


def read(vault: Vault, mount: str) -> Found:
    """Return what the engine at *mount* has; an engine that is not mounted has nothing."""
    default = (vault.read(f"{mount}/config/issuers") or {}).get("default")
    if not default:
        certificate = ""
    else:
        certificate = str((vault.read(f"{mount}/issuer/{default}") or {}).get("certificate", ""))
    urls = vault.read(f"{mount}/config/urls") or {}
    return Found(certificate, {key: tuple(urls.get(key) or ()) for key in _URLS})


def _end(certificate: str) -> datetime:
    return datetime.fromisoformat(str(describe(certificate.encode())["not_after"]))


def reasons(found: Found, wanted: Authority, root: str, now: datetime | None = None) -> list[str]:
    """Return why a new certificate is needed, empty when the present one will do.

    :param root: the root's certificate as PEM text.
    """
    if not found.certificate:
        return ["there is none"]
    material = Material(found.certificate.encode(), ca=root.encode())
    left = timedelta(days=wanted.minimum_left)
    if _end(found.certificate) + timedelta(days=1) >= _end(root):
        # It lives as long as its root already: a new one could not live longer.
        left = timedelta(0)
    result = problems(material, now=now, left=left)
    subject = describe(found.certificate.encode())["subject"]
    if subject != f"CN={wanted.common_name}":
        result.append(f"its subject is {subject}")
    return result


def check_signable(why: Mapping[Authority, list[str]], *, signable: bool) -> None:
    """Refuse, before anything is changed, what the controller has no key to sign.

    :param why: the reasons for a new certificate, by authority.
    """
    waiting = [f"{authority.name}: {'; '.join(text)}" for authority, text in why.items() if text]
    if waiting and not signable:
        raise PlatformError(
            "an authority must be signed, but the root's private key is not given",
            where=", ".join(waiting),
            hint="run with the platform's state at hand, or give signer.private_key",
        )


def plan_urls(found: Found, wanted: Authority) -> tuple[Step, ...]:
    """Return the request that sets the URLs, none when they are so already."""
    differing = {
        key: list(value) for key, value in wanted.urls.items() if found.urls.get(key, ()) != value
    }
    if not differing:
        return ()
    before = {key: list(found.urls.get(key, ())) for key in differing}
    change = Change("update", f"URLs of {wanted.mount}/", before, differing)
    # The API replaces all of them: what is not said here must be sent as it is.
    document = {key: list(value) for key, value in {**found.urls, **wanted.urls}.items()}
    return (Step(change, "POST", f"{wanted.mount}/config/urls", document),)


def change_for(found: Found, wanted: Authority, why: list[str]) -> Change:
    """Return how a new certificate is shown."""
    before = str(describe(found.certificate.encode())) if found.certificate else None
    kind = "update" if found.certificate else "create"
    after = {"common_name": wanted.common_name, "days": wanted.lifetime, "because": why}
    return Change(kind, wanted.name, before, after)


def request_certificate(vault: Vault, wanted: Authority) -> Request:
    """Make a new key in the vault and return the request for its certificate."""
    data = vault.write(
        f"{wanted.mount}/intermediate/generate/internal",
        {
            "common_name": wanted.common_name,
            "key_type": wanted.key_type,
            "key_bits": wanted.key_bits,
        },
    )
    return Request(wanted.mount, str(data["csr"]), wanted.lifetime)


def install_certificate(vault: Vault, mount: str, certificate: str) -> None:
    """Give the vault the signed certificate and make it the one that it signs with.

    :raises PlatformError: when the engine has no key for it.
    """
    data = vault.write(f"{mount}/intermediate/set-signed", {"certificate": certificate})
    issuers = [issuer for issuer, key in (data.get("mapping") or {}).items() if key]
    if len(issuers) != 1:
        raise PlatformError(
            "the certificate belongs to no key of this engine",
            where=mount,
            hint="run again: a new request is made",
        )
    # Without this a second certificate would lie beside the first one, unused.
    vault.write(f"{mount}/config/issuers", {"default": issuers[0]})
