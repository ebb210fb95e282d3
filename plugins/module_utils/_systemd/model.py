# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: systemd units as they are and as they should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Service:
    """A unit's desired state.

    :param started: whether it should run.
    :param restart_files: files whose content it takes only at a start.
    :param reload_files: files whose content it takes at a reload.
    :param restart: whether it may be restarted here.
    :param restart_when: command that has to exit with 0 before a restart; empty for none.
    :param in_force: command that exits with 0 while what a start did still holds; empty for none.
    :param ready: command that exits with 0 once the service does its work; empty for none.
    :param ready_timeout: seconds to wait for that.
    """

    name: str
    enabled: bool = True
    started: bool = True
    restart_files: tuple[str, ...] = ()
    reload_files: tuple[str, ...] = ()
    restart: bool = True
    restart_when: tuple[str, ...] = ()
    in_force: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()
    ready_timeout: int = 60

    @property
    def files(self) -> tuple[str, ...]:
        """Every file whose content counts, each once."""
        return (*self.restart_files, *self.only_reload_files)

    @property
    def only_reload_files(self) -> tuple[str, ...]:
        """The files for which a reload is enough; a file in both lists needs a restart."""
        return tuple(path for path in self.reload_files if path not in self.restart_files)


@dataclass(frozen=True)
class Unit:
    """What systemd, the disk and our record say of a unit now.

    :param exists: whether systemd knows the unit.
    :param active: systemd's ActiveState.
    :param enablement: systemd's UnitFileState.
    :param started_at: seconds since the epoch at which the last start began, 0 for never.
    :param digests: SHA-256 of each of its files by path, empty where there is none.
    :param changed_at: seconds since the epoch of each file's last change, by path.
    :param invocation: systemd's id of this run of the unit, empty where it does not run.
    :param loaded: the digests that the running process has taken, as recorded.
    :param in_force: whether what its start did still holds.
    :param loaded_by: the run that is known to have taken them, and to have got ready.
    """

    exists: bool = False
    active: str = "inactive"
    enablement: str = ""
    started_at: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)
    changed_at: Mapping[str, float] = field(default_factory=dict)
    invocation: str = ""
    loaded: Mapping[str, str] = field(default_factory=dict)
    loaded_by: str = ""
    in_force: bool = True

    @property
    def proven(self) -> bool:
        """Whether what runs is what was recorded, so that no clock has to tell."""
        return bool(self.invocation) and self.invocation == self.loaded_by


@dataclass(frozen=True)
class Record:
    """What is remembered of a unit: a :class:`Unit`'s *loaded* and *loaded_by*."""

    loaded: Mapping[str, str] = field(default_factory=dict)
    loaded_by: str = ""


def services_from(params: Mapping[str, Any]) -> tuple[Service, ...]:
    """Return the module's options as desired states."""
    return tuple(
        Service(
            name=item["name"],
            enabled=item["enabled"],
            started=item["state"] == "started",
            restart_files=tuple(item["restart_files"]),
            reload_files=tuple(item["reload_files"]),
            restart=item["restart"],
            restart_when=tuple(item["restart_when"]),
            in_force=tuple(item["in_force"]),
            ready=tuple(item["ready"]),
            ready_timeout=item["ready_timeout"],
        )
        for item in params["services"]
    )
