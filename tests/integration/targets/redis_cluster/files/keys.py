# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes and reads keys of a cluster on the loopback address, whose host names do not resolve.

keys.py write|read|kill JSON     where the servers are, as setup_redis tells it
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import redis

COUNT = 500


def servers(where: dict[str, Any]) -> dict[int, redis.Redis]:
    """Return a client for each server of the cluster, by its port."""
    found = {}
    for node in where["nodes"]:
        client = redis.Redis(
            host=node["address"],
            port=node["port"],
            username=where["username"],
            password=where["password"],
            ssl=True,
            ssl_ca_certs=where["ca_path"],
            ssl_check_hostname=False,
            decode_responses=True,
        )
        try:
            # One that was taken out of the cluster answers as well, and serves nothing.
            if client.execute_command("CLUSTER INFO")["cluster_state"] == "ok":
                found[node["port"]] = client
        except redis.RedisError:
            continue
    return found


def ask(clients: dict[int, redis.Redis], *words: str) -> Any:
    """Send a command to the node that serves its key."""
    client = next(iter(clients.values()))
    for _redirect in range(5):
        try:
            return client.execute_command(*words)
        except redis.exceptions.MovedError as moved:
            client = clients[moved.port]
    raise RuntimeError(f"{words[0]} is sent around in a circle")


def main() -> None:
    """Do what the first argument says, and print what came of it as JSON."""
    where = json.loads(sys.argv[2])
    clients = servers(where)
    keys = [f"key:{number}" for number in range(COUNT)]
    if sys.argv[1] == "write":
        for key in keys:
            ask(clients, "SET", key, f"value of {key}")
    if sys.argv[1] == "kill":
        for node, pid in zip(where["nodes"], where["pids"]):
            client = clients.get(node["port"])
            if client and client.info("replication")["role"] == "master":
                os.killpg(pid, signal.SIGKILL)
                print(json.dumps(node))
                return
    print(json.dumps({key: ask(clients, "GET", key) for key in keys}))


if __name__ == "__main__":
    main()
