# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prompt on a Redis Cluster whose members' names lead nowhere from here; tools/connect starts it.

redis-cli does not check whom it talks to. This does: a member is reached at its address, which its
certificate carries as well as its name, and redirections are followed the same way.
"""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import suppress

import redis
from redis.cluster import RedisCluster


def connect() -> RedisCluster:
    """Return a client by the environment that tools/connect makes."""
    members = dict(member.split("=", 1) for member in os.environ["REDIS_MEMBERS"].split(","))
    port = int(os.environ["REDIS_PORT"])
    return RedisCluster(
        startup_nodes=[redis.cluster.ClusterNode(address, port) for address in members.values()],
        address_remap=lambda there: (members.get(there[0], there[0]), there[1]),
        username=os.environ["REDIS_USER"],
        password=os.environ["REDIS_PASSWORD"],
        ssl=True,
        ssl_ca_certs=os.environ["REDIS_CA"],
        ssl_check_hostname=True,
        decode_responses=True,
        socket_timeout=10,
        protocol=2,
    )


def show(reply: object, indent: str = "") -> None:
    """Print a reply."""
    if isinstance(reply, dict):
        reply = [f"{name}: {value}" for name, value in reply.items()]
    if isinstance(reply, (list, tuple, set)):
        for item in reply:
            show(item, f"{indent}  " if isinstance(item, (list, tuple)) else indent)
    else:
        print(f"{indent}{'(nil)' if reply is None else reply}")


def run(cluster: RedisCluster, words: list[str]) -> bool:
    """Run one command; returns whether it succeeded."""
    try:
        show(cluster.execute_command(*words))
    except redis.exceptions.RedisError as error:
        print(f"(error) {error}", file=sys.stderr)
        return False
    return True


def main() -> int:
    """Run the command of the command line, or those of the prompt."""
    try:
        cluster = connect()
    except redis.exceptions.RedisError as error:
        print(f"connect: no answer from the cluster: {error} -- see `make status`", file=sys.stderr)
        return 1
    if len(sys.argv) > 1:
        return 0 if run(cluster, sys.argv[1:]) else 1
    with suppress(ImportError):
        import readline  # noqa: F401  # gives input() its keys
    if sys.stdin.isatty():
        print("Logged in as", os.environ["REDIS_USER"], "- try: SET app:hello world")
    # The last one: whoever reads the output has seen enough.
    with suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        while True:
            words = shlex.split(input("redis> " if sys.stdin.isatty() else ""))
            if words in (["exit"], ["quit"]):
                break
            if words:
                run(cluster, words)
    return 0


if __name__ == "__main__":
    sys.exit(main())
