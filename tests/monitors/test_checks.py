"""An operator with too few regions is told what that means."""

from __future__ import annotations

from typing import Any

import pytest

from monitors.checks import enough_regions


@pytest.mark.parametrize(("count", "says"), [(1, "one place only"), (2, "both agree"), (3, ""), (5, "")])
def test_fewer_regions_than_a_quorum_takes_are_a_warning(settings: Any, count: int, says: str) -> None:
    settings.REGIONS = [f"r{number}" for number in range(count)]
    found = enough_regions()
    assert [message.id for message in found] == (["monitors.W001"] if says else [])
    assert all(says in message.msg for message in found)
