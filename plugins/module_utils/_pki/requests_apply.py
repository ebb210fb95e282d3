# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the two phases of getting certificates signed elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._core.module import Context, Outcome
from .._core.plan import Change
from .._files import apply as files
from .._files.model import Desired, File
from . import requests_client as client
from .requests import Found, Verdict, Wanted, issue, judge, wanted_from


def _files_of(wanted: Wanted, found: Found, anchor: bytes) -> list[File]:
    """Return the files in place with their own contents, owned as they should be."""
    result = []
    if found.private_key is not None:
        result.append(
            wanted.file(wanted.private_key, found.private_key, wanted.mode, sensitive=True)
        )
    if found.certificate is not None:
        result.append(wanted.file(wanted.certificate, found.certificate, "0644"))
    if wanted.ca and anchor:
        result.append(wanted.file(wanted.ca, anchor, "0644"))
    return result


def _place(desired: Sequence[File], *, check_mode: bool) -> list[Change]:
    if not check_mode:
        for file in desired:
            Path(file.path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    return list(files.apply(Desired(files=tuple(desired)), check_mode=check_mode))


def _installed(wanted: Wanted, chain: bytes) -> Found:
    return Found(chain, client.staged_key(wanted, chain))


def _as_request(wanted: Wanted, verdict: Verdict, text: str) -> dict[str, Any]:
    return {
        "certificate": wanted.certificate,
        "csr": text,
        "reasons": list(verdict.reasons),
        "broken": bool(verdict.broken),
    }


def _needed(
    wanted: Wanted, found: Found, verdict: Verdict, *, stage: bool
) -> tuple[dict[str, Any], Change]:
    text = client.request(wanted) if stage else ""
    return _as_request(wanted, verdict, text), issue(wanted, found, verdict)


def apply(context: Context) -> Outcome:
    """Judge every certificate, install the signed ones, and return requests for the others."""
    params = context.params
    signed: Mapping[str, str] = params["signed"] or {}
    authority = (params["authority_certificate"] or "").encode()
    anchor = (params["trust_anchor"] or "").encode()
    changes: list[Change] = []
    requests: list[dict[str, Any]] = []
    desired: list[File] = []
    stage = params["can_sign"] and not context.check_mode
    for wanted in wanted_from(params):
        found = client.find(wanted)
        verdict = judge(wanted, found, authority)
        if verdict.reasons and wanted.certificate in signed:
            changes.append(issue(wanted, found, verdict))
            found = _installed(wanted, signed[wanted.certificate].encode())
        elif verdict.reasons:
            request, change = _needed(wanted, found, verdict, stage=stage)
            requests.append(request)
            changes.append(change)
            continue
        desired += _files_of(wanted, found, anchor)
    issued = {change.what.partition(" ")[2] for change in changes}
    placed = _place(desired, check_mode=context.check_mode)
    if not context.check_mode:
        for wanted in wanted_from(params):
            if wanted.certificate in signed:
                client.drop_staged(wanted)
    return Outcome(
        [*changes, *(change for change in placed if change.what not in issued)],
        {"requests": requests},
    )
