#!/usr/bin/env python3
# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes objects to an S3 bucket and reads them back at a steady rate, and tells what a fault cost.

Each round puts a new object, and gets an older one. An object counts as acknowledged once the store
has answered; at the end every one has to have its content. The client retries a request as
applications' clients do; what it gives up is counted as an error, and tried again.

Where the store is and whom to log in as comes from the environment that `tools/connect s3-env`
makes: S3_ENDPOINT, S3_ADDRESSES (of the endpoint's name, where no DNS has it), S3_BUCKET, and what
every AWS client takes. The run ends by itself after --seconds, or earlier on SIGTERM or SIGINT; the
last line of output is a JSON object. Exit status 1: an acknowledged object is lost or changed; 2:
the run could not begin.

Example: tools/connect s3-env tests/faults/s3_writer.py --rate 20 --seconds 60
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.config
import botocore.exceptions

_AGAIN_AFTER = 0.05
_READ_BACK_SECONDS = 120
# Whole in its metadata up to 128 KiB; above, parts lie on the drives.
_SIZES = (100, 200_000)
_ERRORS = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)


def find_addresses() -> None:
    """Have the endpoint's name lead to S3_ADDRESSES, in a new order at each connection."""
    addresses = os.environ.get("S3_ADDRESSES", "").split()
    name, resolve = urlsplit(os.environ["S3_ENDPOINT"]).hostname, socket.getaddrinfo

    def resolved(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != name or not addresses:
            return resolve(host, *arguments, **options)
        order = random.sample(addresses, len(addresses))
        return [found for one in order for found in resolve(one, *arguments, **options)]

    socket.getaddrinfo = resolved


def connect() -> Any:
    """Return a client, as an application has it: verified, and with short patience."""
    return boto3.client(
        "s3",
        endpoint_url=os.environ["S3_ENDPOINT"],
        config=botocore.config.Config(
            connect_timeout=2,
            read_timeout=5,
            retries={"total_max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": "path"},
        ),
    )


def content(key: str) -> bytes:
    """Return what the object *key* holds; every second one is large."""
    size = _SIZES[int(key.rpartition("/")[2]) % 2]
    return (key.encode() * (size // len(key) + 1))[:size]


@dataclass
class Tally:
    """What happened; times are seconds of a steady clock."""

    acknowledged: list[tuple[float, str]] = field(default_factory=list)
    read: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)
    began: float = 0.0
    ended: float = 0.0

    def gap(self, times: list[float]) -> float:
        """Return the longest time without a success, the run's ends included."""
        marks = [self.began, *times, self.ended]
        return max(later - earlier for earlier, later in zip(marks, marks[1:]))

    def failed(self, what: str, error: Exception) -> None:
        """Count what the client gave up."""
        code = getattr(error, "response", {}).get("Error", {}).get("Code") or type(error).__name__
        self.errors[f"{what}: {code}"] = self.errors.get(f"{what}: {code}", 0) + 1


class Writer:
    """Puts and gets objects below a prefix of its own."""

    def __init__(self, bucket: str, rate: float) -> None:
        self._bucket = bucket
        self._pause = 1 / rate
        self._prefix = f"writer/{secrets.token_hex(4)}"
        self._s3 = connect()
        self.tally = Tally()
        self.stopped = threading.Event()
        self._s3.head_bucket(Bucket=bucket)

    def _put(self, key: str) -> bool:
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content(key))
        except _ERRORS as error:
            self.tally.failed("put", error)
            return False
        self.tally.acknowledged.append((time.monotonic(), key))
        return True

    def _get(self, key: str) -> bool:
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except _ERRORS as error:
            self.tally.failed("get", error)
            return False
        if found != content(key):
            self.tally.wrong.add(key)
        self.tally.read.append(time.monotonic())
        return True

    def run(self, until: float) -> None:
        """Write and read until *until*, or until it is stopped."""
        due = self.tally.began = time.monotonic()
        number = 0
        while not self.stopped.is_set() and time.monotonic() < until:
            written = self._put(f"{self._prefix}/{number}")
            number += written
            if self.tally.acknowledged:
                self._get(secrets.choice(self.tally.acknowledged)[1])
            due = max(due + self._pause, time.monotonic() - 1)
            pause = max(0.0, due - time.monotonic()) if written else _AGAIN_AFTER
            self.stopped.wait(pause)
        self.tally.ended = time.monotonic()

    def lost(self) -> int:
        """Read everything back; return how many objects are gone or changed, then remove them."""
        deadline = time.monotonic() + _READ_BACK_SECONDS
        missing = set(self.tally.wrong)
        for _when, key in self.tally.acknowledged:
            while not self._get(key):
                if time.monotonic() > deadline:
                    missing.add(key)
                    break
                time.sleep(0.5)
        keys = [key for _when, key in self.tally.acknowledged]
        for start in range(0, len(keys), 1000):
            entries = [{"Key": key} for key in keys[start : start + 1000]]
            self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": entries})
        return len(missing | self.tally.wrong)


def main() -> int:
    """Write, read back, tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=20, help="rounds a second")
    parser.add_argument("--seconds", type=float, default=60, help="the run's length at most")
    options = parser.parse_args()
    find_addresses()
    try:
        writer = Writer(os.environ["S3_BUCKET"], options.rate)
    except _ERRORS as error:
        print(f"the store does not answer: {error}")
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_signal: writer.stopped.set())
    print("writing", flush=True)
    writer.run(time.monotonic() + options.seconds)
    tally = writer.tally
    figures = {
        "acknowledged": len(tally.acknowledged),
        "read": len(tally.read),
        "errors": sum(tally.errors.values()),
        "error_kinds": dict(tally.errors),
        "gap_max_ms": round(tally.gap([when for when, _key in tally.acknowledged]) * 1000),
        "read_gap_max_ms": round(tally.gap(tally.read) * 1000),
    }
    # The figures above stay as they were when the fault was over.
    figures["lost"] = writer.lost()
    print(json.dumps(figures))
    return 1 if figures["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
