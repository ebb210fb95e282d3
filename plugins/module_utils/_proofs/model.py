# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: what a proof is, and how several are tried and told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._core.errors import PlatformError
from .._core.module import Outcome


class RefutedError(Exception):
    """A proof failed; the text says what was seen instead."""


@dataclass(frozen=True)
class Proof:
    """One thing that was tried.

    :param proof: what was to be proven, in words.
    :param detail: what was seen.
    """

    service: str
    proof: str
    passed: bool
    detail: str

    def as_dict(self) -> dict[str, Any]:
        """Return the proof as the modules return it."""
        return {
            "service": self.service,
            "proof": self.proof,
            "passed": self.passed,
            "detail": self.detail,
        }


def words(error: object) -> str:
    """Return an error in one line."""
    return " ".join(str(error).split())


def try_all(
    service: str,
    plan: Iterable[tuple[str, Callable[[], str]]],
    errors: tuple[type[Exception], ...],
) -> list[Proof]:
    """Try everything; a proof that fails does not keep the others from being tried.

    :param plan: the name of each proof, and what tries it and returns what was seen.
    :param errors: with which an attempt ends that proves nothing.
    """
    proofs = []
    refuting: tuple[type[Exception], ...] = (RefutedError, *errors)
    for name, attempt in plan:
        try:
            proofs.append(Proof(service, name, True, attempt()))
        except refuting as error:
            proofs.append(Proof(service, name, False, words(error)))
    return proofs


def told(proofs: Iterable[Proof], options: Mapping[str, Any], where: str) -> Outcome:
    """Return the proofs as a module's outcome.

    :raises PlatformError: when one failed, unless the options leave that to the playbook.
    """
    proofs = list(proofs)
    failed = [f"{proof.proof}: {proof.detail}" for proof in proofs if not proof.passed]
    if failed and options["raise_on_failure"]:
        raise PlatformError(
            f"{len(failed)} of {len(proofs)} proofs failed; {'; '.join(failed)}",
            where=where,
            hint="raise_on_failure=false returns all of them",
        )
    return Outcome(values={"proofs": [proof.as_dict() for proof in proofs]})
