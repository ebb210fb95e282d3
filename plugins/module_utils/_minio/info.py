# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: how a MinIO is, worked out of what it says about itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._core.module import Context, Outcome
from .._s3.client import RefusedError
from . import client
from .client import Admin
from .steps import opened

ABSENT: dict[str, Any] = {
    "reachable": False,
    "healthy": False,
    "problem": "nobody answers",
    "writable": False,
    "version": "",
    "commit": "",
    "deployment_id": "",
    "servers": [],
    "drives": [],
    "sets": [],
    "buckets": [],
    "usage_updated": "",
    "event_targets": [],
    "key_service": "",
    "replication": [],
}
_NANOSECONDS = 1_000_000


def write_quorum(drives: int, parity: int) -> int:
    """Return how many drives of a set a write needs.

    With as many parts of data as of parity, one more, so that two halves never both write.
    """
    data = drives - parity
    return data + 1 if data == parity else data


def drives_of(info: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all drives, by server and path."""
    found = [
        {
            "server": server.get("endpoint", ""),
            "path": drive.get("path") or drive.get("endpoint", ""),
            "state": drive.get("state", "offline"),
            "healing": bool(drive.get("healing")),
            "pool": int(drive.get("pool_index", -1)),
            "set": int(drive.get("set_index", -1)),
            "total": int(drive.get("totalspace") or 0),
            "used": int(drive.get("usedspace") or 0),
            "available": int(drive.get("availspace") or 0),
            "free_inodes": int(drive.get("free_inodes") or 0),
        }
        for server in info.get("servers") or ()
        for drive in server.get("drives") or ()
    ]
    return sorted(found, key=lambda drive: (drive["server"], drive["path"]))


def servers_of(info: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all servers, by endpoint."""
    found = [
        {
            "endpoint": server.get("endpoint", ""),
            "state": server.get("state", "offline"),
            "version": server.get("version", ""),
            "commit": server.get("commitID", ""),
            "uptime": int(server.get("uptime") or 0),
            "pool": int(server.get("poolNumber") or 0),
            "unreachable": sorted(
                peer for peer, state in (server.get("network") or {}).items() if state != "online"
            ),
        }
        for server in info.get("servers") or ()
    ]
    return sorted(found, key=lambda server: str(server["endpoint"]))


def sets_of(info: Mapping[str, Any], drives: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return all erasure sets with what they can still lose."""
    backend = info.get("backend") or {}
    parity = int(backend.get("standardSCParity") or 0)
    counts, sizes = backend.get("totalSets") or (), backend.get("totalDrivesPerSet") or ()
    found = []
    for pool, (count, size) in enumerate(zip(counts, sizes)):
        for nth in range(count):
            mine = [one for one in drives if (one["pool"], one["set"]) == (pool, nth)]
            online = [one for one in mine if one["state"] == "ok"]
            quorum = write_quorum(size, parity)
            found.append(
                {
                    "pool": pool,
                    "set": nth,
                    "drives": size,
                    "online": len(online),
                    "healing": sum(1 for one in online if one["healing"]),
                    "parity": parity,
                    "read_quorum": size - parity,
                    "write_quorum": quorum,
                    "spare": len(online) - quorum,
                }
            )
    return found


def buckets_of(usage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the usage of all buckets, as the server's scanner saw it last."""
    return [
        {
            "name": name,
            "size": int(one.get("size") or 0),
            "objects": int(one.get("objectsCount") or 0),
            "versions": int(one.get("versionsCount") or 0),
            "delete_markers": int(one.get("deleteMarkersCount") or 0),
        }
        for name, one in sorted((usage.get("bucketsUsageInfo") or {}).items())
    ]


def event_targets_of(info: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the targets for events, and whether they take any now."""
    states = {
        (name, kind): status.get("status", "")
        for services in (info.get("services") or {}).get("notifications") or ()
        for kind, targets in services.items()
        for target in targets
        for name, status in target.items()
    }
    return [
        {"arn": arn, "online": states.get(tuple(arn.split(":")[-2:])) == "online"}
        for arn in sorted(info.get("sqsARN") or ())
    ]


def key_service_of(info: Mapping[str, Any]) -> str:
    """Return ``online``, ``offline``, or an empty text where there is no key service."""
    found = (info.get("services") or {}).get("kmsStatus") or ()
    states = {str(one.get("status", "offline")) for one in found}
    return "" if not states else "online" if states == {"online"} else "offline"


def _queued(metrics: Mapping[str, Any]) -> tuple[int, int]:
    nodes = (metrics.get("queueStats") or {}).get("nodes") or ()
    queues = [(node.get("queueStats") or {}).get("curr") or {} for node in nodes]
    count = sum(float(queue.get("count") or 0) for queue in queues)
    size = sum(float(queue.get("bytes") or 0) for queue in queues)
    return int(count), int(size)


def replication_of(
    targets: Iterable[Mapping[str, Any]], metrics: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return every target that is copied to, with what waits and what has failed.

    :param metrics: what the server counts, by bucket.
    """
    found = []
    for target in targets:
        bucket, arn = str(target.get("sourcebucket", "")), str(target.get("arn", ""))
        counted = metrics.get(bucket) or {}
        stats = ((counted.get("currStats") or {}).get("Stats") or {}).get(arn) or {}
        failed = stats.get("failed") or {}
        queued, queued_bytes = _queued(counted)
        scheme = "https" if target.get("secure") else "http"
        place = f"{target.get('endpoint', '')}/{target.get('targetbucket', '')}"
        found.append(
            {
                "bucket": bucket,
                "target": f"{scheme}://{place}",
                "arn": arn,
                "online": bool(target.get("isOnline")),
                "last_online": str(target.get("lastOnline", "")),
                "latency_ms": round(
                    float((target.get("latency") or {}).get("avg") or 0) / _NANOSECONDS, 3
                ),
                "queued": queued,
                "queued_bytes": queued_bytes,
                "replicated": int(stats.get("replicationCount") or 0),
                "replicated_bytes": int(stats.get("completedReplicationSize") or 0),
                "failed_last_hour": int((failed.get("lastHour") or {}).get("count") or 0),
                "failed": int((failed.get("totals") or {}).get("count") or 0),
            }
        )
    return sorted(found, key=lambda one: (one["bucket"], one["target"]))


def problems(values: Mapping[str, Any]) -> list[str]:
    """Return what is wrong, the worst first."""
    return [
        *([] if values["writable"] else ["the cluster takes no writes"]),
        *(
            f"set {one['set']} of pool {one['pool']} has {one['online']} of {one['drives']} "
            f"drives, a write needs {one['write_quorum']}"
            for one in values["sets"]
            if one["spare"] < 0
        ),
        *(
            f"{one['endpoint']} is {one['state']}"
            for one in values["servers"]
            if one["state"] != "online"
        ),
        *(
            f"{one['endpoint']} does not reach {', '.join(one['unreachable'])}"
            for one in values["servers"]
            if one["unreachable"]
        ),
        *(
            f"drive {one['path']} of {one['server']} is {one['state']}"
            for one in values["drives"]
            if one["state"] != "ok"
        ),
        *(
            f"drive {one['path']} of {one['server']} is being healed"
            for one in values["drives"]
            if one["healing"]
        ),
        *(["the key service is offline"] if values["key_service"] == "offline" else []),
        *(
            f"{one['target']}, which {one['bucket']} is copied to, is offline"
            for one in values["replication"]
            if not one["online"]
        ),
    ]


def summary(
    info: Mapping[str, Any],
    usage: Mapping[str, Any],
    targets: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, Mapping[str, Any]],
    *,
    writable: bool,
) -> dict[str, Any]:
    """Return the module's values.

    :param info: the reply to ``info``.
    :param usage: the reply to ``datausageinfo``.
    :param targets: the reply to ``list-remote-targets``.
    :param metrics: how copying goes, by bucket.
    :param writable: whether the health check says that it takes writes.
    """
    drives, servers = drives_of(info), servers_of(info)
    values: dict[str, Any] = {
        "reachable": True,
        "writable": writable,
        "version": ", ".join(sorted({str(one["version"]) for one in servers if one["version"]})),
        "commit": ", ".join(sorted({str(one["commit"]) for one in servers if one["commit"]})),
        "deployment_id": str(info.get("deploymentID", "")),
        "servers": servers,
        "drives": drives,
        "sets": sets_of(info, drives),
        "buckets": buckets_of(usage),
        "usage_updated": str(usage.get("lastUpdate", "")),
        "event_targets": event_targets_of(info),
        "key_service": key_service_of(info),
        "replication": replication_of(targets, metrics),
    }
    found = problems(values)
    return {**values, "healthy": not found, "problem": "; ".join(found)}


def _is_writable(admin: Admin) -> bool:
    try:
        # The other health check, /live, says yes whatever is broken.
        admin.call("GET", "/minio/health/cluster")
    except RefusedError:
        return False
    return True


def apply(context: Context, connect: client.Connect = client.connect) -> Outcome:
    """Return how the server and its peers are."""
    with opened(context, connect) as found:
        if found is None:
            return Outcome(values=ABSENT)
        admin, _about = found
        targets = admin.call("GET", "list-remote-targets", {"bucket": "", "type": "replication"})
        buckets = sorted({str(one["sourcebucket"]) for one in targets or ()})
        metrics = {
            name: admin.call("GET", f"/{name}", {"replication-metrics": "2"}) or {}
            for name in buckets
        }
        values = summary(
            admin.call("GET", "info") or {},
            admin.call("GET", "datausageinfo") or {},
            targets or (),
            metrics,
            writable=_is_writable(admin),
        )
    return Outcome(values=values)
