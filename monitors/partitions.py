"""The partitions of the evidence, by day, and of its rollups, by month: made ahead, dropped behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import OperationalError, connection, transaction

logger = logging.getLogger(__name__)

DAYS_AHEAD = 3
DAY = timedelta(days=1)
LOCK_TIMEOUT = "2s"
"""To drop a partition locks out all who read or write the table, also those who queue up behind the wait."""

EXISTING = """
SELECT child.relname FROM pg_inherits
JOIN pg_class child ON child.oid = inhrelid
WHERE inhparent = %s::regclass
"""


@dataclass(frozen=True)
class Partitioned:
    """A table in partitions of a day or a month, each of which is named after its first day."""

    table: str
    suffix: str
    """The format of that day in a partition's name; without `%d` it is a partition of a month."""

    def first_day(self, day: date) -> date:
        """Of the partition that `day` lies in."""
        return day if "%d" in self.suffix else day.replace(day=1)

    def next_first_day(self, first_day: date) -> date:
        """Of the partition after the one that begins on `first_day`."""
        return self.first_day(first_day + (DAY if "%d" in self.suffix else 31 * DAY))

    def partitions(self) -> set[date]:
        """The first days of the partitions that there are."""
        with connection.cursor() as cursor:
            cursor.execute(EXISTING, [self.table])
            names = [name for (name,) in cursor.fetchall()]
        return {self._day(name) for name in names}

    def keep(self, first: date, last: date, horizon: date) -> None:
        """Make what is missing from `first` to `last`, and drop what lies wholly before `horizon`."""
        existing = self.partitions()
        for day in sorted({self.first_day(day) for day in _days(first, last)} - existing):
            self._create(day)
        for day in sorted(day for day in existing if self.next_first_day(day) <= horizon):
            self._drop(day)

    def _create(self, day: date) -> None:
        bounds = f"FROM ('{_midnight(day)}') TO ('{_midnight(self.next_first_day(day))}')"
        _execute(
            f"CREATE TABLE IF NOT EXISTS {self._name(day)} PARTITION OF {self.table} FOR VALUES {bounds}"
        )

    def _drop(self, day: date) -> None:
        _execute(f"DROP TABLE IF EXISTS {self._name(day)}")

    def _name(self, day: date) -> str:
        return f"{self.table}_{day.strftime(self.suffix)}"

    def _day(self, name: str) -> date:
        text = name.removeprefix(f"{self.table}_")
        return datetime.strptime(text, self.suffix).replace(tzinfo=UTC).date()


EVIDENCE = Partitioned("monitors_evidence", "%Y%m%d")
REGION_HOURS = Partitioned("monitors_regionhour", "%Y%m")


def keep_partitions(
    now: datetime, *, evidence_days: int, rollup_days: int, rolled_up_until: datetime | None = None
) -> None:
    """Keep as many days of the evidence and of its rollups, and a place for all that is to come.

    The evidence of an hour that was not rolled up yet stays, however old it is.
    """
    today = now.astimezone(UTC).date()
    ahead, oldest = today + DAYS_AHEAD * DAY, today - evidence_days * DAY
    waiting = rolled_up_until.astimezone(UTC).date() if rolled_up_until else oldest
    EVIDENCE.keep(today - DAY, ahead, min(oldest, waiting))
    REGION_HOURS.keep(min(oldest, waiting), ahead, today - rollup_days * DAY)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + offset * DAY for offset in range((last - first).days + 1))


def _midnight(day: date) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).isoformat()


def _execute(statement: str) -> None:
    """Run it unless the table is busy: then the next run of the task tries again."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            cursor.execute(statement)
    except OperationalError as error:
        logger.warning("partitions.busy: %s", error)
