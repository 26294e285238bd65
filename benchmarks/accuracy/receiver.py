"""The webhook receiver: keeps each event with the moment at which it came."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Set

from benchmarks.accuracy.behaviours import answer
from benchmarks.accuracy.scoring import Arrival
from benchmarks.accuracy.targets import Exchange, Target


class Receiver:
    """A target that webhooks are sent to. A repeated delivery is the same event, as docs/webhooks.md says."""

    def __init__(self) -> None:
        self.target = Target(self._keep)
        self._seen: set[int] = set()
        self._arrivals: defaultdict[int, list[Arrival]] = defaultdict(list)

    @property
    def delivery_ids(self) -> Set[int]:
        """Of all that came."""
        return self._seen

    def of(self, monitor_id: int) -> list[Arrival]:
        """The events of one monitor, in the order in which they came."""
        return self._arrivals[monitor_id]

    async def _keep(self, exchange: Exchange) -> None:
        event = json.loads(exchange.body)
        if event["delivery_id"] not in self._seen:
            self._seen.add(event["delivery_id"])
            self._arrivals[event["monitor_id"]].append(Arrival(event["event"], time.monotonic()))
        await answer(204)(exchange)
