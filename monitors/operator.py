"""What the operator should know, and no customer: one open event a kind, in the log and in the admin."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from monitors.models import OperatorEvent

logger = logging.getLogger(__name__)

NO_REGION = "regions.none"


def report(troubles: Mapping[str, str], regions: int, now: datetime) -> None:
    """Begin an event for each region in trouble, or one if all `regions` are; end those that are over."""
    if len(troubles) == regions:
        wanted = {NO_REGION: "; ".join(f"{name}: {why}" for name, why in troubles.items())}
    else:
        wanted = {f"region.{name}": why for name, why in troubles.items()}
    open_ = set(OperatorEvent.objects.filter(ended_at=None).values_list("kind", flat=True))
    for kind in wanted.keys() - open_:
        _begin(kind, wanted[kind], now)
    for kind in open_ - wanted.keys():
        _end(kind, now)


def _begin(kind: str, detail: str, now: datetime) -> None:
    logger.error("operator.%s: %s", kind, detail)
    OperatorEvent.objects.create(kind=kind, detail=detail, began_at=now)


def _end(kind: str, now: datetime) -> None:
    logger.warning("operator.%s: over", kind)
    OperatorEvent.objects.filter(kind=kind, ended_at=None).update(ended_at=now)
