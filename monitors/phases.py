"""`monitors.slots.phase_ms` as PostgreSQL computes it, for an index and for those who read by it.

Not as a generated column: for each row that is written PostgreSQL 18 reads the text of its expression anew.
"""

from __future__ import annotations

from django.db.models import BigIntegerField, F
from django.db.models.functions import Cast

from monitors.slots import GOLDEN, MASK_31, MASK_32

PHASE_MS = (
    (Cast("monitor_id", BigIntegerField()).bitand(MASK_31) * GOLDEN).bitand(MASK_32)
    * F("interval_seconds")
    * 1000
).bitrightshift(32)

PHASE_MS_SQL = f"((((monitor_id & {MASK_31}) * {GOLDEN} & {MASK_32}) * interval_seconds * 1000) >> 32)"
"""The same for statements of our own, which find the index by it."""
