# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what is wrong with lists of buckets, policies and accounts, without a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mcp.platform.plugins.module_utils._core.errors import PlatformError
from ansible_collections.mcp.platform.plugins.module_utils._minio import accounts_apply, policies
from ansible_collections.mcp.platform.plugins.module_utils._s3.options import (
    BUCKET_SPEC,
    wish_from,
)
from ansible_collections.mcp.platform.plugins.module_utils._s3.policy_check import MINIO_BUCKET

_ALONE = {"exclusive": False, "protected": []}


def _read_buckets(options: Mapping[str, Any]) -> None:
    for entry in options["buckets"]:
        wish_from(entry, MINIO_BUCKET)


def _read_policies(options: Mapping[str, Any]) -> None:
    policies.desired_from({**options, **_ALONE})


def _read_users(options: Mapping[str, Any]) -> None:
    others = {"groups": None, "access_keys": None}
    accounts_apply.desired_from({**others, **options, **_ALONE})


_KINDS: dict[str, tuple[dict[str, Any], Callable[[Mapping[str, Any]], None]]] = {
    "buckets": ({"options": BUCKET_SPEC}, _read_buckets),
    "policies": ({"options": policies.SPEC}, _read_policies),
    "users": (accounts_apply.SPEC["users"], _read_users),
}


def minio_problems(entries: Sequence[Mapping[str, Any]], kind: str) -> list[str]:
    """Return why MinIO would refuse *entries*, a sentence each; the modules' own checks.

    :param kind: ``buckets``, ``policies`` or ``users``.
    """
    if kind not in _KINDS:
        raise AnsibleFilterError(f"{kind} is none of {', '.join(_KINDS)}")
    spec, read = _KINDS[kind]
    whole = {kind: {**spec, "type": "list", "elements": "dict"}}
    found = []
    # One by one, so that one mistake does not hide another.
    for entry in entries:
        checked = ArgumentSpecValidator(whole).validate({kind: [dict(entry)]})
        if checked.error_messages:
            found += checked.error_messages
            continue
        try:
            read(checked.validated_parameters)
        except PlatformError as error:
            found.append(f"{error.where}: {error.what}" if error.where else error.what)
    return found


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"minio_problems": minio_problems}
