"""What one try of a delivery came to, and how that is judged. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """What one try came to. No `status_code`: no answer, and `error_class` says why."""

    duration_ms: int
    status_code: int | None = None
    error_class: str = ""
    error: str = ""
    response_head: str = ""
    retry_after: str = ""
    """The header, where the status says that it is meant for us."""

    @property
    def delivered(self) -> bool:
        """Only a 2xx, whole and in time, is a delivery (the native contract, "Retry policy")."""
        return not self.error_class and self.status_code is not None and 200 <= self.status_code < 300

    @property
    def refused_for_good(self) -> bool:
        """410: the receiver asks for no more (Standard Webhooks 1.0.0)."""
        return self.status_code == HTTPStatus.GONE
