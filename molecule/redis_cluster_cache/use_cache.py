# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uses the scenario's cache as an application does, and prints as JSON what came of it.

    use_cache.py HOST fill   reads a few keys often, writes twice as much as fits; what is left
    use_cache.py HOST try    writes and reads a few keys; how many by each third of the slots

The password comes from REDIS_PASSWORD.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisError

SLOTS = 16384
POPULAR, READS = 300, 40
VALUE = "v" * 4096
# 150 MiB into three primaries of 25 MiB.
SELDOM = 150 * (1 << 20) // len(VALUE)
BATCH = 200


def parts(keys: Sequence[str]) -> list[Sequence[str]]:
    """Return *keys* in parts that one pipeline takes."""
    return [keys[first : first + BATCH] for first in range(0, len(keys), BATCH)]


def read(client: Any, keys: Sequence[str]) -> int:
    """Return how many of *keys* are there."""
    found = 0
    for part in parts(keys):
        pipeline = client.pipeline()
        for key in part:
            pipeline.get(key)
        found += sum(value is not None for value in pipeline.execute())
    return found


def write(client: Any, keys: Sequence[str]) -> int:
    """Write *keys*; return how many were refused."""
    refused = 0
    for part in parts(keys):
        pipeline = client.pipeline()
        for key in part:
            pipeline.set(key, VALUE)
        answers = pipeline.execute(raise_on_error=False)
        refused += sum(isinstance(answer, RedisError) for answer in answers)
    return refused


def fill(client: Any) -> dict[str, float]:
    """Write more than fits, beside keys that are read often."""
    popular = [f"shop:popular:{number}" for number in range(POPULAR)]
    seldom = [f"shop:seldom:{number}" for number in range(SELDOM)]
    refused = write(client, popular)
    for _time in range(READS):
        read(client, popular)
    refused += write(client, seldom)
    return {
        "refused": refused,
        "popular": read(client, popular) / POPULAR,
        "seldom": read(client, seldom) / SELDOM,
    }


def try_slots(client: Any) -> dict[str, Counter[int]]:
    """Write and read one key at a time, so that a shard that is lost costs its own keys alone."""
    told: dict[str, Counter[int]] = {"served": Counter(), "refused": Counter()}
    for number in range(12):
        key = f"shop:tried:{number}"
        third = client.keyslot(key) * 3 // SLOTS
        try:
            served = client.set(key, VALUE) and client.get(key) == VALUE.encode()
        except (RedisError, OSError):
            served = False
        told["served" if served else "refused"][third] += 1
    return told


def main() -> int:
    host, work = sys.argv[1:]
    client = RedisCluster(
        startup_nodes=[ClusterNode(host, 6379)],
        username="shop",
        password=os.environ["REDIS_PASSWORD"],
        ssl=True,
        ssl_ca_certs="/etc/ssl/own/ca.crt",
        ssl_check_hostname=True,
        socket_timeout=2,
        socket_connect_timeout=1,
    )
    told = {"fill": fill, "try": try_slots}[work](client)
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
