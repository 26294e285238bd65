"""What the flat format takes: the native fields, some by other names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from accounts.models import Account
from api import fields
from api.dialects.flat.kinds import TYPES, type_of
from api.dialects.native.monitors import (
    LONGEST_INTERVAL_SECONDS,
    LONGEST_URL,
    MonitorInput,
    Url,
    fields_of_change,
    fields_of_new,
)
from api.errors import Refusal
from monitors.models import Monitor


class FlatMonitorInput(MonitorInput):
    """The body of a create; in an update nothing is required. Unknown members are ignored."""

    url = None  # type: ignore[assignment]  # so DRF takes a field away
    interval_sec = None  # type: ignore[assignment]
    body_match = None  # type: ignore[assignment]
    type = fields.Choice(TYPES)
    target = Url(longest=LONGEST_URL, required=False, source="url")
    interval_secs = fields.Whole(
        least=settings.MIN_INTERVAL_SECONDS,
        most=LONGEST_INTERVAL_SECONDS,
        required=False,
        source="interval_seconds",
    )


def new_fields(data: dict[str, Any], account: Account) -> dict[str, Any]:
    """The model fields of a new monitor."""
    given = _validated(data)
    with targets_named():
        return fields_of_new(given, account)


def changed_fields(data: dict[str, Any], monitor: Monitor) -> dict[str, Any]:
    """The model fields that an update changes."""
    given = _validated(data, partial=True)
    if given.pop("type", type_of(monitor)) != type_of(monitor):
        raise Refusal(400, "type cannot be changed")
    if monitor.type == "tcp" and given.get("protocol", "tcp") != "tcp":
        raise Refusal(400, "protocol cannot be changed: the monitor was made for tcp alone")
    if given.get("url") == target_of(monitor):  # perhaps without a scheme that another format wrote
        del given["url"]
    if (monitor.type, type_of(monitor)) == ("http", "keyword") and "keyword" in given:
        given["body_match"] = given["keyword"]
    with targets_named():
        return fields_of_change(given, monitor)


def target_of(monitor: Monitor) -> str:
    """A monitor's target; of ports without the scheme that other formats may give them."""
    return monitor.url.rpartition("//")[2] if type_of(monitor) == "port" else monitor.url


@contextmanager
def targets_named() -> Iterator[None]:
    """What is refused of a `url` in the block is refused of the `target`."""
    try:
        yield
    except Refusal as refusal:
        if refusal.field != "url":
            raise
        sentence = str(refusal.detail).replace("url", "target", 1)
        raise Refusal(refusal.status_code, sentence, field="target") from refusal


def _validated(data: dict[str, Any], *, partial: bool = False) -> dict[str, Any]:
    serializer = FlatMonitorInput(data=data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
