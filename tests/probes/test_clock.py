"""The clock that all share is the broker's; ours may be wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import clock
from probes.clock import SLOWEST_ANSWER_MS, TOLERANCE_MS

TRUE_MS = 1_800_000_000_000


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """The clock is the process': another test must not find it set."""
    yield
    clock._offset_ms = 0


def own(monkeypatch: pytest.MonkeyPatch, *readings_ms: int) -> None:
    """Let our own clock show these in turn, and the last one for ever."""
    left = list(readings_ms)
    monkeypatch.setattr(clock, "own_ms", lambda: left.pop(0) if len(left) > 1 else left[0])


def tell(ms: int) -> Callable[[], int]:
    return lambda: ms


@pytest.mark.parametrize("wrong_by_ms", [-60_000, -1_000, 1_000, 60_000])
def test_a_wrong_clock_is_set_right(monkeypatch: pytest.MonkeyPatch, wrong_by_ms: int) -> None:
    own(monkeypatch, TRUE_MS + wrong_by_ms)
    assert clock.set_by(tell(TRUE_MS)) == -wrong_by_ms
    assert clock.now_ms() == TRUE_MS


def test_half_of_the_way_there_and_back_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    own(monkeypatch, TRUE_MS, TRUE_MS + 800)
    assert clock.set_by(tell(TRUE_MS + 60_400)) == 60_000


def test_a_slow_answer_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    own(monkeypatch, TRUE_MS, TRUE_MS + SLOWEST_ANSWER_MS + 1)
    assert clock.set_by(tell(TRUE_MS + 60_000)) == 0


@given(st.integers(-TOLERANCE_MS, TOLERANCE_MS))
def test_it_does_not_tremble(off_by_ms: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        own(patch, TRUE_MS)
        assert clock.set_by(tell(TRUE_MS + off_by_ms)) == 0


def test_one_that_was_put_right_is_believed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    own(monkeypatch, TRUE_MS - 60_000)
    clock.set_by(tell(TRUE_MS))
    own(monkeypatch, TRUE_MS + 5_000)
    assert clock.set_by(tell(TRUE_MS + 5_000)) == 0
    assert clock.now_ms() == TRUE_MS + 5_000
