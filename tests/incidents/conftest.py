"""The broker of these tests is a list: what is sent is looked at, never carried out."""

from __future__ import annotations

import pytest

from incidents import records
from probes.messages import Batch, ProbeRequest


class Outbox:
    """The questions sent to regions, oldest first."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    @property
    def asked(self) -> list[tuple[str, ProbeRequest]]:
        return [(batch.region, request) for batch in self.batches for request in batch.requests]

    @property
    def regions(self) -> list[str]:
        return [region for region, _ in self.asked]


@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """Stands in for the broker; the real one carries these messages in tests/e2e."""
    sent = Outbox()
    monkeypatch.setattr(records, "send", lambda batch: sent.batches.append(batch))
    return sent
