"""`monitors.slots.phase_ms` as a column that PostgreSQL computes; a test compares the two."""

from __future__ import annotations

from django.db.models import BigIntegerField, F
from django.db.models.functions import Cast

from monitors.slots import GOLDEN, MASK_31, MASK_32

PHASE_MS = (
    (Cast("monitor_id", BigIntegerField()).bitand(MASK_31) * GOLDEN).bitand(MASK_32)
    * F("interval_seconds")
    * 1000
).bitrightshift(32)
