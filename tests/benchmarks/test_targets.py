"""The ports of local targets."""

from __future__ import annotations

import pytest

from benchmarks.accuracy import targets
from benchmarks.accuracy.behaviours import WELL
from benchmarks.accuracy.targets import Target


def test_no_two_targets_share_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = targets.PORTS
    monkeypatch.setattr(targets, "PORTS", ports[:40])
    made = [Target(WELL) for _ in range(20)]
    assert len({target.port for target in made}) == len(made)
    for target in made:
        target._claim.close()
