"""Beat's scheduler: the schedule in memory, and asleep between its entries."""

from __future__ import annotations

from typing import Any

from celery import beat

from probes import liveness


class Scheduler(beat.Scheduler):
    """Wakes when an entry is due. Celery's own wakes 10 ms before and spins until then.

    With three entries a second that was 2.6 % of a core, as much as all else that idles.
    """

    def adjust(self, n: float, drift: float = 0.0) -> float:
        """The seconds to sleep for an entry that is due in `n`."""
        return super().adjust(n, drift)  # type: ignore[arg-type]  # its stubs know whole seconds

    def apply_async(self, *args: Any, **kwargs: Any) -> Any:
        """Publish an entry; raises when the broker is away, and only else does this process live."""
        published = super().apply_async(*args, **kwargs)
        liveness.note()
        return published
