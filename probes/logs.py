"""How every process logs: one line an event, to read as text, or as JSON to search.

A message of ours begins with the dotted name of its event; a sentence may follow, and ids come in `extra`:

    logger.warning("delivery.lease_lost: another claim makes the attempt", extra={"delivery": 7})

Secrets are never logged, and so is nothing that may hold one: no URL, no header, no body.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

from probes import env

NO_EVENT = "log"
"""In its place, of a line that libraries log."""
EVENT = re.compile(r"([a-z_]+(?:\.[a-z_]+)+)(?:: |$)")
OURS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has. The rest is what a call gave as `extra`."""
QUIETER = {
    "celery": logging.WARNING,  # two lines a task
    "django.request": logging.ERROR,  # a 404 is no warning of ours
}


def set_up() -> None:
    """Logs to stderr in the form that `UPQUORUM_LOG_FORMAT` names; raises `BadSetting`."""
    form = env.text("LOG_FORMAT", "text")
    if form not in FORMATTERS:
        raise env.BadSetting(f"{env.PREFIX}LOG_FORMAT must be one of {', '.join(FORMATTERS)}, not {form!r}")
    handler = _Stderr()
    handler.setFormatter(FORMATTERS[form]())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name, level in QUIETER.items():
        logging.getLogger(name).setLevel(level)


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says: when, how bad, which event, in which words, and of what."""
    text = record.getMessage()
    event = EVENT.match(text)
    said = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": event[1] if event else NO_EVENT,
        "message": text[event.end() :] if event else text,
    }
    extra = {name: value for name, value in vars(record).items() if name not in OURS}
    return {name: value for name, value in said.items() if value} | extra


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        said = fields(record)
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str)


class TextFormatter(logging.Formatter):
    """A line to read, with what it is of at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname).1s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in vars(record).items() if name not in OURS}
        return " ".join(
            [super().formatMessage(record), *(f"{name}={value}" for name, value in extra.items())]
        )


FORMATTERS: dict[str, type[logging.Formatter]] = {"text": TextFormatter, "json": JsonFormatter}


class _Stderr(logging.StreamHandler[Any]):
    """Writes to what stderr is at the moment: it may be replaced after logging was set up."""

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, value: Any) -> None:
        pass
