# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves the primary, takes members away, lets them lie; fails unless the doors keep their word."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

STATE = Path("/run/members")
ADDRESS = "127.0.0.1"


def set_state(**files: str) -> None:
    """Say what the members are: everything that is not said is nobody."""
    for name in ("primary", "active", "down", "misnamed", "strange"):
        staged = STATE / f".{name}"
        staged.write_text(files.get(name, ""))
        staged.rename(STATE / name)


def knock(port: int) -> socket.socket:
    """Return a connection to the door at *port*."""
    return socket.create_connection((ADDRESS, port), timeout=3)


def greeting(port: int) -> str:
    """Return who answers at the door, empty when nobody does."""
    with contextlib.suppress(OSError), knock(port) as connection:
        return connection.recv(100).decode().strip()
    return ""


def wait_for(what: str, condition: Callable[[], bool], seconds: float = 15) -> float:
    """Wait until *condition* holds; return how long that took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            sys.exit(f"not within {seconds} s: {what}")
        time.sleep(0.05)
    sys.stdout.write(f"{what}: {time.monotonic() - began:.2f} s\n")
    return time.monotonic() - began


def leads_to(*members: str) -> Callable[[], bool]:
    """Return whether 5000 and 5002 lead to the first member, and 5001 to one of the others."""
    primary, *replicas = members

    def holds() -> bool:
        return (
            greeting(5000) == f"{primary} 6432"
            and greeting(5002) == f"{primary} 6433"
            and greeting(5001) in [f"{name} 6432" for name in replicas]
        )

    return holds


def active_vault() -> str:
    """Return the common name of the certificate that the vault's door shows."""
    asked = ["openssl", "s_client", "-connect", f"{ADDRESS}:8210"]
    shown = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    wanted = ["openssl", "x509", "-noout", "-subject", "-nameopt", "multiline"]
    named = subprocess.run(wanted, input=shown.stdout, capture_output=True, check=False)
    return named.stdout.decode().rpartition("= ")[2].strip()


def leads_to_db1() -> bool:
    """Tell whether the doors lead to db1 and its replicas."""
    time.sleep(0.1)
    return leads_to("db1", "db2", "db3")()


def a_moved_primary_takes_its_clients_along() -> None:
    set_state(primary="db1", active="db1")
    # A former primary is still in service until its second bad answer.
    wait_for("nobody else is behind the doors", lambda: all(leads_to_db1() for _turn in range(20)))
    stays = knock(5000)
    if stays.recv(100) != b"db1 6432\n":
        sys.exit("the door does not lead to the primary")
    stays.settimeout(10)
    set_state(primary="db2", active="db1")
    wait_for("doors lead to db2", leads_to("db2", "db1", "db3"))
    if stays.recv(100):
        sys.exit("a client was left with the former primary")


def without_replicas_the_primary_answers() -> None:
    set_state(primary="db2", active="db1", down="db1 db3")
    wait_for("the primary answers for its replicas", leads_to("db2", "db2"))
    set_state(primary="db2", active="db1")
    wait_for("a replica is back", leads_to("db2", "db1", "db3"))


def who_cannot_prove_its_name_is_down() -> None:
    for kind in ("misnamed", "strange"):
        set_state(primary="db2", active="db1", **{kind: "db2"})
        wait_for(f"a {kind} primary gets no clients", lambda: greeting(5000) == "")
        set_state(primary="db2", active="db1")
        wait_for("it is back", leads_to("db2", "db1", "db3"))


def the_vaults_door_follows_the_active_one() -> None:
    wait_for("the vault's door leads to db1", lambda: active_vault() == "db1")
    set_state(primary="db2", active="db2")
    wait_for("the vault's door leads to db2", lambda: active_vault() == "db2")


def a_reload_keeps_clients_and_misleads_nobody() -> None:
    with knock(5000) as client:
        client.recv(100)
        subprocess.run(["systemctl", "reload", "haproxy"], check=True)
        only_the_primary(2)
        client.sendall(b"still there\n")
        if client.recv(100) != b"still there\n":
            sys.exit("a reload cut a client off")


def a_restart_misleads_nobody() -> None:
    subprocess.run(["systemctl", "restart", "haproxy"], check=True)
    only_the_primary(2)
    wait_for("doors are open again", leads_to("db2", "db1", "db3"))


def only_the_primary(seconds: float) -> None:
    """Knock for *seconds*; nobody but the primary may answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (who := greeting(5000)) not in ("", "db2 6432"):
            sys.exit(f"a writer was led to {who}")


if __name__ == "__main__":
    a_moved_primary_takes_its_clients_along()
    without_replicas_the_primary_answers()
    who_cannot_prove_its_name_is_down()
    the_vaults_door_follows_the_active_one()
    a_reload_keeps_clients_and_misleads_nobody()
    a_restart_misleads_nobody()
    set_state(primary="db1", active="db1")
    wait_for("doors lead to db1", leads_to("db1", "db2", "db3"))
