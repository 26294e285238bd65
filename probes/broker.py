"""The broker: how every process of Upquorum, core or regional, speaks to Redis."""

from __future__ import annotations

import logging
from queue import Empty
from typing import Any

import msgspec
from kombu import Connection, Exchange, Queue, serialization, transport
from kombu.exceptions import OperationalError
from kombu.transport import redis, virtual
from redis.exceptions import RedisError

from probes import env

logger = logging.getLogger(__name__)

# Measured: without socket_timeout, recovery from dropped packets takes 95-106 s instead of 1-3 s.
TRANSPORT_OPTIONS: dict[str, object] = {
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 15,
    # A publisher meets a refusing broker once more, then raises: kombu's default holds it for 6 s,
    # even with retry=False.
    "max_retries": 1,
    "interval_start": 0,
    "priority_steps": [0],  # no message goes before another, so a queue is one list and not four
}
CELERY_SETTINGS: dict[str, object] = {
    "broker_transport_options": TRANSPORT_OPTIONS,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_pool_acquire_timeout": 5,
    "task_ignore_result": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "worker_prefetch_multiplier": 1,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_hijack_root_logger": False,
    "worker_send_task_events": False,
    "enable_utc": True,
    "timezone": "UTC",
}

SHOWN = "[...]"
"""What logs show of long arguments: Celery's own text of them would cost more than their JSON."""

BINDING_DEADLINES = "keyprefix_binding_deadlines"
"""The option that says where kombu keeps when queues end."""


def broker_url(default: str = "redis://127.0.0.1:6379/0") -> str:
    """The Redis URL in the form that Celery takes (`unix://` becomes `redis+socket://`)."""
    url = env.secret("REDIS_URL", default)
    if url.startswith("rediss://") and "ssl_cert_reqs=" not in url:
        url += f"{'&' if '?' in url else '?'}ssl_cert_reqs=required"  # kombu's default trusts any certificate
    return url.replace("unix://", "redis+socket://", 1)


def regional_options(region: str) -> dict[str, object]:
    """The transport's options for a region's workers, which write to keys of others only to report."""
    return TRANSPORT_OPTIONS | {BINDING_DEADLINES: binding_deadlines(region)}


def binding_deadlines(region: str) -> str:
    """The key under which it is kept when a region's queues end."""
    return f"_kombu.binding_deadlines.{region}"


def queue(name: str, expires_seconds: float | None = None) -> Queue:
    """A queue as Celery makes one by name alone, but for its end."""
    return Queue(name, Exchange(name), routing_key=name, expires=expires_seconds)


def time_ms(connection: Connection) -> int:
    """The broker's clock in Unix milliseconds; raises `OperationalError` while it is away."""
    try:
        seconds, microseconds = connection.default_channel.client.time()  # type: ignore[attr-defined]
    except (OSError, RedisError) as error:
        raise OperationalError(str(error)) from error
    return int(seconds) * 1000 + int(microseconds) // 1000


class QoS(virtual.QoS):
    """The messages not yet acknowledged, whose channel can be closed when the broker is gone."""

    def restore_unacked(self) -> None:
        """Put them back, up to the first that cannot be: kombu's own writes all that is left to a file."""
        self._flush()  # type: ignore[attr-defined]  # kombu's stubs do not know it
        held: dict[str, Any] = self._delivered or {}
        try:
            while held:
                tag, message = next(iter(held.items()))
                self.channel._restore(message)
                del held[tag]
        except (AttributeError, OSError, RedisError) as error:
            logger.warning("broker.unrestored: %d messages: %r", len(held), error)
            held.clear()


class Channel(redis.Channel):
    """A channel that outlives what no Celery put on its queue: kombu's own ends the worker over it."""

    from_transport_options = (*redis.Channel.from_transport_options, BINDING_DEADLINES)
    # kombu would copy to Redis what was not acknowledged, and bring it back after minutes. The leases of the
    # database bring back sooner what a process was killed with, so what is held is held in memory alone.
    ack_emulation = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.QoS = QoS  # type: ignore[assignment]  # as kombu sets its own

    def _brpop_read(self, **options: Any) -> Any:
        held = self._held()
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # kombu has no stubs for it
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            logger.error("broker.dropped: a message that is not Celery's: %r", error)
            for tag in self._held() - held:
                self.qos.ack(tag)  # else it would take the place of another for ever
            raise Empty from error

    def _held(self) -> set[str]:
        return set(self.qos._delivered or ())


class Transport(redis.Transport):
    """kombu's Redis transport, over `Channel`."""

    Channel = Channel


TASK = msgspec.json.Decoder(tuple[tuple[msgspec.Raw], dict[str, Any], dict[str, Any]])
"""A task's body, as Celery's protocol 2 has it: arguments, named arguments, and what is to follow."""


def loads(data: bytes | str) -> Any:
    """What is in a body. A task's only argument stays as it came, until it is unpacked as what it is."""
    try:
        return TASK.decode(data)
    except msgspec.ValidationError:
        return msgspec.json.decode(data)


# JSON all the same, at a third of the cost: kombu's own calls a function of Python's for every object.
serialization.register(
    "json",
    msgspec.json.encode,  # type: ignore[arg-type]  # bytes do as well
    loads,
    content_type="application/json",
    content_encoding="utf-8",
)
# By name, because a URL's scheme decides over any transport that Celery is configured with.
transport.TRANSPORT_ALIASES["redis"] = f"{__name__}:Transport"
transport.TRANSPORT_ALIASES["rediss"] = f"{__name__}:Transport"
