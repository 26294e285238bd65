"""Names on the broker: tasks and queues. Both sides use these constants, never a module's path."""

RUN_BATCH = "probes.run_batch"
INGEST = "incidents.ingest"
REGION_BEAT = "monitors.region_beat"

CORE_QUEUE = "core"
INGEST_QUEUE = "ingest"
DELIVERY_QUEUE = "deliveries"


def scheduled_queue(region: str) -> str:
    """The queue of a region's scheduled probes."""
    return f"probe.{region}"


def echo_queue(region: str, worker: str) -> str:
    """The queue by which a worker of a region, known by what follows the `@` of its name, reaches itself."""
    return f"echo.{region}@{worker}"


def urgent_queue(region: str) -> str:
    """The queue of a region's confirmation and immediate probes, which a full schedule never delays."""
    return f"urgent.{region}"
