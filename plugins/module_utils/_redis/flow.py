# Copyright: Contributors to the mcp.platform project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private to mcp.platform: the cheapest flow through a small network, for placement."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass


@dataclass
class _Edge:
    to: Hashable
    room: int
    cost: int
    back: int
    forward: bool


class Network:
    """A network of edges with a capacity and a cost for each unit that flows.

    Flow is sent along the shortest way again and again (successive shortest paths), so costs may
    be negative as long as no cycle is. Edges added first win among ways of one cost.
    """

    def __init__(self) -> None:
        self._edges: dict[Hashable, list[_Edge]] = {}

    def add(self, start: Hashable, to: Hashable, room: int, cost: int = 0) -> None:
        """Add an edge for *room* units at *cost* each."""
        there, back = self._edges.setdefault(start, []), self._edges.setdefault(to, [])
        there.append(_Edge(to, room, cost, len(back), True))
        back.append(_Edge(start, 0, -cost, len(there) - 1, False))

    def _shortest(self, source: Hashable) -> dict[Hashable, tuple[Hashable, _Edge]]:
        distance: dict[Hashable, int] = {source: 0}
        came: dict[Hashable, tuple[Hashable, _Edge]] = {}
        queue, waiting = deque([source]), {source}
        while queue:
            here = queue.popleft()
            waiting.discard(here)
            for edge in self._edges.get(here, ()):
                length = distance[here] + edge.cost
                if not edge.room or length >= distance.get(edge.to, length + 1):
                    continue
                distance[edge.to] = length
                came[edge.to] = (here, edge)
                if edge.to not in waiting:
                    queue.append(edge.to)
                    waiting.add(edge.to)
        return came

    def run(self, source: Hashable, sink: Hashable) -> int:
        """Send as much as fits from *source* to *sink* as cheaply as can be; return how much."""
        sent = 0
        while True:
            came = self._shortest(source)
            if sink not in came:
                return sent
            here = sink
            while here != source:
                start, edge = came[here]
                edge.room -= 1
                self._edges[edge.to][edge.back].room += 1
                here = start
            sent += 1

    def used(self, start: Hashable) -> list[Hashable]:
        """Return where flow goes to from *start*."""
        return [
            edge.to
            for edge in self._edges.get(start, ())
            # The way back has room exactly where something went there.
            if edge.forward and self._edges[edge.to][edge.back].room
        ]
