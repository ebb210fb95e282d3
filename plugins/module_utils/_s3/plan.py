# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the pure plan from the buckets that there are to the desired ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._core.errors import PlatformError
from .._core.plan import Change
from .model import ASPECTS, Bucket, Retention, fresh, shown


@dataclass(frozen=True)
class Wish:
    """An entry of the list: a bucket that shall exist, or not.

    :param refresh: places of targets whose credentials are sent again.
    :param secrets: secret keys by the place of the target.
    """

    bucket: Bucket
    present: bool = True
    force_delete: bool = False
    allow_weaker_retention: bool = False
    refresh: frozenset[str] = frozenset()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Return the bucket's name."""
        return self.bucket.name


@dataclass(frozen=True)
class Step:
    """What is done to one bucket.

    :param current: None for one that has to be created.
    :param aspects: what is set, in this order; empty with *delete*.
    """

    change: Change
    wish: Wish
    current: Bucket | None
    aspects: tuple[str, ...] = ()

    @property
    def delete(self) -> bool:
        """Return whether the bucket is deleted."""
        return not self.wish.present


def differing(current: Bucket, desired: Bucket) -> tuple[str, ...]:
    """Return the aspects that somebody speaks for, and that are not as they shall be."""
    return tuple(
        name
        for name in ASPECTS
        if getattr(desired, name) is not None and getattr(desired, name) != getattr(current, name)
    )


def applied(current: Bucket | None, desired: Bucket) -> Bucket:
    """Return the bucket after *desired* was applied to it."""
    locked = bool(desired.lock and desired.lock.locked)
    base = current or fresh(desired.name, locked=locked)
    said = {name: getattr(desired, name) for name in ASPECTS if getattr(desired, name) is not None}
    return replace(base, **said)


def _refuse(name: str, what: str, hint: str) -> PlatformError:
    return PlatformError(what, where=f"bucket {name}", hint=hint)


def _is_weaker(current: Retention, desired: Retention) -> bool:
    if current.mode != "compliance":
        return False
    return desired.mode != "compliance" or desired.days < current.days


def _check_lock(current: Bucket | None, wish: Wish) -> None:
    lock = wish.bucket.lock
    if current is None or lock is None or current.lock is None:
        return
    if lock.locked and not current.lock.locked:
        raise _refuse(
            wish.name,
            "object lock can only be switched on when a bucket is created",
            "copy its objects to a new bucket that has it",
        )
    if _is_weaker(current.lock, lock) and not wish.allow_weaker_retention:
        raise _refuse(
            wish.name,
            f"this would weaken a compliance retention, {current.lock.shown()} to {lock.shown()}",
            "say it twice, with allow_weaker_retention, if that is wanted; "
            "versions that are there already keep theirs",
        )


def _check_versions(after: Bucket) -> None:
    if after.lock and after.lock.locked and after.versioning is False:
        raise _refuse(
            after.name,
            "versioning cannot be suspended where objects are locked",
            "leave versioning out",
        )
    if after.replication and after.replication.rules and after.versioning is False:
        raise _refuse(
            after.name,
            "replication needs versioning",
            "set versioning to enabled, here and on the target",
        )


def plan_one(current: Bucket | None, wish: Wish) -> Step | None:
    """Return the step for one bucket, None where it is as it shall be.

    :raises PlatformError: for a change that no server allows, or that has to be said twice.
    """
    if not wish.present:
        if current is None:
            return None
        what = "with all its objects" if wish.force_delete else "empty"
        return Step(Change("delete", f"bucket {wish.name}", {"state": what}, None), wish, current)
    _check_lock(current, wish)
    after = applied(current, wish.bucket)
    _check_versions(after)
    locked = bool(wish.bucket.lock and wish.bucket.lock.locked)
    before = current or fresh(wish.name, locked=locked)
    aspects = differing(before, wish.bucket)
    if wish.refresh and "replication" not in aspects:
        aspects = (*aspects, "replication")
    if current and not aspects:
        return None
    if current is None:
        said = tuple(name for name in ASPECTS if getattr(wish.bucket, name) is not None)
        change = Change("create", f"bucket {wish.name}", None, shown(after, said))
        return Step(change, wish, None, aspects)
    now, then = shown(before, aspects), shown(after, aspects)
    if wish.refresh:
        then["credentials"] = f"sent again to {', '.join(sorted(wish.refresh))}"
    return Step(Change("update", f"bucket {wish.name}", now, then), wish, current, aspects)


def plan(current: Mapping[str, Bucket], wishes: Sequence[Wish]) -> tuple[Step, ...]:
    """Return the steps from the *current* buckets to what is wished, in the list's order.

    :param current: of the listed buckets those that exist, with the aspects that are spoken for.
    """
    steps = (plan_one(current.get(wish.name), wish) for wish in wishes)
    return tuple(step for step in steps if step)


def check_list(wishes: Sequence[Wish]) -> None:
    """Refuse a list that names a bucket twice."""
    names = [wish.name for wish in wishes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PlatformError(
            f"listed twice: {', '.join(twice)}", where="buckets", hint="make one entry of them"
        )


def unlisted(names: Collection[str], wishes: Sequence[Wish]) -> list[str]:
    """Return the buckets that nobody speaks for."""
    return sorted(set(names) - {wish.name for wish in wishes})


def refuse_full(steps: Sequence[Step], full: Collection[str]) -> None:
    """Refuse to delete buckets that hold objects, unless that was said twice.

    :param full: names of the buckets that hold any.
    """
    for step in steps:
        if step.delete and step.wish.name in full and not step.wish.force_delete:
            raise _refuse(
                step.wish.name,
                "the bucket still holds objects, or old versions of them",
                "say it twice, with force_delete, if they shall be deleted too",
            )
