"""The queues of this installation."""

from __future__ import annotations

from django.conf import settings

from accounts.redis import client
from probes import names


def depths() -> dict[str, int]:
    """How many messages wait in each queue, the core's first; raises `RedisError`."""
    queues = [names.CORE_QUEUE, names.INGEST_QUEUE, names.DELIVERY_QUEUE]
    for region in settings.REGIONS:
        queues += [names.scheduled_queue(region), names.urgent_queue(region)]
    with client().pipeline(transaction=False) as pipe:
        for queue in queues:
            pipe.llen(queue)
        return dict(zip(queues, pipe.execute(), strict=True))
