# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: brings the buckets of a service to what the options describe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from .._core.errors import PlatformError
from .._core.module import Context, Outcome
from .._minio import client as minio
from .._minio.info import key_service_of
from . import buckets, client
from .buckets import Service
from .model import Bucket
from .options import event_arn, wish_from
from .plan import Step, Wish, check_list, plan, refuse_full, unlisted
from .policy_check import ANY_BUCKET, MINIO_BUCKET, Words

AdminConnect = Callable[[client.Login], minio.Admin]


def _wishes(entries: Iterable[Mapping[str, Any]], words: Words) -> list[Wish]:
    wishes = [wish_from(entry, words) for entry in entries]
    check_list(wishes)
    return wishes


def _cold(wishes: Sequence[Wish]) -> Outcome:
    """Return what would be done to a service that is not there yet."""
    return Outcome([step.change for step in plan({}, wishes)], {"unlisted": []})


def _check_engine(service: Service, wishes: Iterable[Wish]) -> None:
    """Refuse what this engine does not do, which it would say too late or not at all."""
    for wish in wishes:
        bucket, where = wish.bucket, f"bucket {wish.name}"
        if service.is_minio:
            if any(rule.abort_incomplete_days for rule in bucket.lifecycle or ()):
                raise PlatformError(
                    "MinIO has no rule for unfinished uploads, and would drop it without a word",
                    where=where,
                    hint="leave abort_incomplete_days out: it removes them after 24 hours by "
                    "itself, which its setting api stale_uploads_expiry changes",
                )
            continue
        copies = bucket.replication
        if bucket.quota is not None or (copies and copies.targets):
            raise PlatformError(
                "quotas and targets for replication are MinIO's own, and this is none",
                where=where,
                hint="leave quota out, and name the destination by its arn",
            )
        if copies and any(rule.deletes for rule in copies.rules):
            raise PlatformError(
                "only MinIO copies the deletion of versions",
                where=where,
                hint="leave deletes out",
            )


def _read(
    service: Service, wishes: Sequence[Wish], found: set[str] | None
) -> tuple[dict[str, Bucket], list[Wish]]:
    current: dict[str, Bucket] = {}
    settled = []
    for wish in wishes:
        if wish.name in (found or ()) or buckets.exists(service, wish.name):
            current[wish.name] = buckets.read(service, wish.bucket)
        settled.append(buckets.resolved(service, wish, current.get(wish.name)))
    return current, settled


def _check_minio(service: Service, steps: Iterable[Step]) -> None:
    """Refuse targets for events and encryption that this MinIO does not have.

    It would refuse them itself, but after other changes. A login that may not ask leaves it to it.
    """
    said = [(step, aspect) for step in steps for aspect in step.aspects]
    if not any(aspect in ("notifications", "encryption") for _step, aspect in said):
        return
    try:
        about = service.admin().call("GET", "info") or {}
    except client.RefusedError:
        return
    known = {event_arn(arn) for arn in about.get("sqsARN") or ()}
    for step, aspect in said:
        bucket = step.wish.bucket
        unknown = sorted({one.arn for one in bucket.notifications or ()} - known)
        if aspect == "notifications" and unknown:
            raise PlatformError(
                f"the server has no target {unknown[0]}",
                where=f"bucket {bucket.name}, notifications",
                hint=f"it has {', '.join(sorted(known)) or 'none'}",
            )
        wanted = bucket.encryption and bucket.encryption.algorithm != "none"
        if aspect == "encryption" and wanted and not key_service_of(about):
            raise PlatformError(
                "the server has no key service, so it cannot encrypt",
                where=f"bucket {bucket.name}, encryption",
                hint="give it a key (MINIO_KMS_SECRET_KEY_FILE), or leave encryption out",
            )


def _refuse_full(service: Service, steps: Sequence[Step]) -> None:
    asked = [step.wish.name for step in steps if step.delete and not step.wish.force_delete]
    refuse_full(steps, {name for name in asked if buckets.holds_objects(service, name)})


def apply(
    context: Context,
    connect: client.Connect = client.connect,
    connect_admin: AdminConnect = minio.connect,
) -> Outcome:
    """Bring the buckets to the state that the options describe."""
    entries = context.params["buckets"]
    wishes = _wishes(entries, ANY_BUCKET)
    login = client.login_from(context.params)
    try:
        # One connection for all that goes to the admin API, and none where nothing does.
        service = Service(connect(login), lru_cache(maxsize=1)(lambda: connect_admin(login)))
        found = buckets.names(service)
    except client.NotYetError as error:
        if not context.check_mode:
            raise
        context.warn(f"taken for a new server: {error.what}")
        return _cold(wishes)
    if service.is_minio:
        wishes = _wishes(entries, MINIO_BUCKET)
    _check_engine(service, wishes)
    current, wishes = _read(service, wishes, found)
    steps = plan(current, wishes)
    _refuse_full(service, steps)
    if service.is_minio:
        _check_minio(service, steps)
    if not context.check_mode:
        for step in steps:
            buckets.carry_out(service, step)
    values = {"unlisted": unlisted(found or (), wishes)}
    return Outcome([step.change for step in steps], values)
