"""Errors to Sentry: what is logged at ERROR, and what ends a thread or the process.

Only what cannot hold a secret is sent, so that nothing need be searched for one: of a log line its template
and its numbers, of an exception its type and where it came from. What was put into a line, and the text of
an exception, may be a URL, a header or a row of the database; they stay in the logs.

Sentry's own integrations of Django and Celery wrap every request and message, to add just what must not
leave: addresses, headers, arguments, queries. Both log what was raised, and that is heard.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from probes import VERSION, env, logs

if TYPE_CHECKING:
    from sentry_sdk.client import BaseClient
    from sentry_sdk.types import Event, Hint

CLOSE_SECONDS = 1.0
OURS = {"accounts", "api", "config", "incidents", "monitors", "probes", "staff", "webhooks"}
"""Whose log lines are written as ours are: an event, and a template that nothing was put into before."""
KEPT = (
    *("event_id", "timestamp", "platform", "level", "logger"),
    *("release", "environment", "server_name", "tags"),
)
KEPT_OF_EXCEPTION = ("type", "module", "thread_id")
KEPT_OF_FRAME = (
    *("filename", "abs_path", "module", "function", "lineno", "in_app"),
    *("pre_context", "context_line", "post_context"),  # of the source
)

_client: BaseClient | None = None


def check() -> None:
    """Raises `BadSetting` for a DSN that is none, or without the package."""
    if not (dsn := env.secret("SENTRY_DSN")):
        return
    env.require("sentry_sdk", f"{env.PREFIX}SENTRY_DSN")
    from sentry_sdk.utils import BadDsn, Dsn

    try:
        Dsn(dsn)
    except BadDsn as error:
        raise env.BadSetting(f"{env.PREFIX}SENTRY_DSN is not the DSN of a Sentry project") from error


def set_up(process: str, region: str) -> None:
    """Sends what goes wrong from now on, where there is a DSN."""
    global _client
    if not (dsn := env.secret("SENTRY_DSN")):
        return
    import sentry_sdk
    from sentry_sdk.integrations import logging as of_logging
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration

    of_logs = of_logging.LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None)
    sentry_sdk.init(
        dsn=dsn,
        release=os.environ.get("SENTRY_RELEASE") or f"upquorum@{VERSION}",
        environment=os.environ.get("SENTRY_ENVIRONMENT") or "production",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[of_logs, ExcepthookIntegration(), DedupeIntegration()],
        before_send=harmless,
        include_local_variables=False,
        send_default_pii=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
    )
    of_logging.ignore_logger("opentelemetry.*")  # that a collector is away is no error of ours
    sentry_sdk.get_global_scope().set_tags({"process": process} | ({"region": region} if region else {}))
    _client = sentry_sdk.get_client()
    _hear_threads()
    atexit.register(close)


def close() -> None:
    """Send what waits, for a second at most."""
    if _client is not None:
        _client.close(timeout=CLOSE_SECONDS)


def harmless(event: Event, hint: Hint) -> Event | None:
    """As much of an event as cannot hold a secret; None if another says the same."""
    said: Any = event
    record: logging.LogRecord | None = hint.get("log_record")
    kept: Any = {name: said[name] for name in KEPT if name in said}
    if exceptions := said.get("exception", {}).get("values"):
        kept["exception"] = {"values": [_harmless_exception(each) for each in exceptions]}
    if record is not None:
        if record.name == "django.request" and not record.exc_info:
            return None  # the answer to an exception that was logged before
        kept["logentry"] = {"message": template(record)}
        numbers = {name: value for name, value in _extra(record).items() if isinstance(value, int | float)}
        kept["extra"] = numbers
        kept["tags"] = kept.get("tags", {}) | tags(record)
    return kept  # type: ignore[no-any-return]


def template(record: logging.LogRecord) -> str:
    """The words of a log line without what was put into them."""
    written, event = str(record.msg), _event(record)
    if event != logs.NO_EVENT and not written.startswith(event):
        return event
    return written if record.args or _is_ours(record) else f"an error of {record.name}"


def tags(record: logging.LogRecord) -> dict[str, str]:
    """What a log line is about: our event, Celery's task, Django's route, the region."""
    extra = _extra(record)
    found = {
        "event": _event(record),
        "task": extra["data"].get("name") if isinstance(extra.get("data"), dict) else None,
        "route": getattr(getattr(extra.get("request"), "resolver_match", None), "route", None),
        "region": extra.get("region"),
    }
    return {name: value for name, value in found.items() if value}


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


def _event(record: logging.LogRecord) -> str:
    return str(logs.fields(record)["event"]) if _is_ours(record) else logs.NO_EVENT


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in logs.OURS}


def _harmless_exception(exception: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {name: exception[name] for name in KEPT_OF_EXCEPTION if name in exception}
    frames = (exception.get("stacktrace") or {}).get("frames", [])
    kept["stacktrace"] = {
        "frames": [{name: frame[name] for name in KEPT_OF_FRAME if name in frame} for frame in frames]
    }
    return kept


def _hear_threads() -> None:
    """Hear what ends a thread. Sentry's own integration wraps every thread for it, and each job of a pool."""
    import sentry_sdk

    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            sentry_sdk.capture_exception(args.exc_value)
        before(args)

    threading.excepthook = hook
