"""One after the other, of which none holds up the next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar, TypeVarTuple

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Rest = TypeVarTuple("Rest")


def take_each(items: Iterable[Item], step: Callable[[Item, *Rest], None], *rest: *Rest) -> None:
    """Take `step`, a transaction of its own, for each item. One that raises is logged and holds up no other.

    Items are ids, or have a `monitor_id`. Raises what says that the database is away: no other would fare
    better.
    """
    for item in items:
        try:
            step(item, *rest)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            of = {"step": step.__name__, "id": getattr(item, "monitor_id", item)}
            logger.exception("step.failed", extra=of)
