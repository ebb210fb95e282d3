# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs on the controller what the hosts ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.plugin_utils.authority import Authority, sign_leaf

_MODULE = "mcp.platform.tls_certificate_requests"


def _chain(authority: Authority) -> str:
    """Return what a server sends after its leaf: the authority, unless it is a root."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(authority.certificate.encode())
    return "" if certificate.issuer == certificate.subject else authority.certificate


class ActionModule(ActionBase):
    """See the module's documentation for the options."""

    TRANSFERS_FILES = False
    _VALID_ARGS = frozenset({"authority", "trust_anchor", "certificates"})

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        given = self._task.args.get("authority") or {}
        authority = Authority(given.get("certificate") or "", given.get("private_key") or "")
        try:
            result.update(self._ensure(authority, task_vars or {}))
        except PlatformError as error:
            result.update(failed=True, msg=str(error), error=error.as_dict())
        return result

    def _ensure(self, authority: Authority, variables: dict[str, Any]) -> dict[str, Any]:
        arguments = {
            "certificates": self._task.args.get("certificates"),
            "authority_certificate": authority.certificate,
            "trust_anchor": self._task.args.get("trust_anchor") or authority.certificate,
            "can_sign": bool(authority.private_key),
        }
        found = dict(self._execute_module(_MODULE, arguments, task_vars=variables))
        requests = found.pop("requests", [])
        if found.get("failed") or not requests:
            return found
        if not authority.private_key:
            return self._unsigned(found, requests)
        if self._task.check_mode:
            return found
        first = found
        arguments["signed"] = self._sign(authority, requests)
        found = dict(self._execute_module(_MODULE, arguments, task_vars=variables))
        found.pop("requests", None)
        if not found.get("failed"):
            found["changed"] = found["changed"] or first["changed"]
        return found

    def _sign(self, authority: Authority, requests: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        wanted = {item["certificate"]: item for item in self._task.args["certificates"]}
        chain = _chain(authority)
        return {
            request["certificate"]: self._leaf(
                authority, request["csr"], wanted[request["certificate"]]
            )
            + chain
            for request in requests
        }

    @staticmethod
    def _leaf(authority: Authority, csr: str, wanted: Mapping[str, Any]) -> str:
        return sign_leaf(
            authority,
            csr,
            names=wanted.get("names") or [wanted["common_name"]],
            addresses=wanted.get("addresses") or (),
            usages=wanted.get("usages") or ("server", "client"),
            days=int(wanted.get("days") or 365),
        )

    def _unsigned(
        self, found: dict[str, Any], requests: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Say what would have to be signed; only what can't be used any more stops the run."""
        texts = [f"{item['certificate']}: {'; '.join(item['reasons'])}" for item in requests]
        broken = [text for text, item in zip(texts, requests) if item["broken"]]
        if broken:
            raise PlatformError(
                f"a certificate is needed, and the authority's key is not here: {' | '.join(broken)}",
                hint="run again with the platform's state (platform_state_dir)",
            )
        asked = {f"certificate {item['certificate']}" for item in requests}
        found["changes"] = [
            change for change in found["changes"] if change.partition(" ")[2] not in asked
        ]
        found["diff"] = [item for item in found["diff"] if item["before_header"] not in asked]
        found["changed"] = bool(found["changes"])
        found["due"] = texts
        for text in texts:
            self._display.warning(f"{text}; run once with the platform's state to renew it")
        return found
