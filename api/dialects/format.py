"""What a wire format says of monitors: all that the views, which formats share, do not know themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from accounts.models import Account
from api.errors import Refusal
from monitors.models import Monitor


@dataclass(frozen=True, kw_only=True)
class MonitorFormat:
    """One wire format. What is not of it is refused with the sentences of its contract."""

    new_fields: Callable[[dict[str, Any], Account], dict[str, Any]]
    """The model fields of a new monitor, from a body; raises refusals.

    Beside them `servers`, the ids of those that are to look at it, and `addresses`, those of its host
    that were found when its URL was checked, for which regions look at it.
    """
    changed_fields: Callable[[dict[str, Any], Monitor], dict[str, Any]]
    """The model fields that a body changes, and the same beside them; raises refusals."""
    one: Callable[[Monitor], Any]
    """The answer that shows one monitor."""
    many: Callable[[Iterable[Monitor]], Any]
    """The answer that shows all monitors; their states are read."""
    read_id: Callable[[str], int]
    """The id in a path; raises a refusal."""
    refuse_duplicate: Callable[[], Refusal]
    refuse_one_more: Callable[[Account], Refusal]
    missing: str
    """The sentence of its 404."""
    created: int
    """The status of a create."""
    newest_first: bool = False
    shown: Q = field(default_factory=Q)
    """The monitors that exist in this format."""
