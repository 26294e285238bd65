"""Percentiles, as every benchmark tells them."""

from __future__ import annotations

import pytest

from benchmarks.percentiles import percentiles

HUNDRED = [float(number) for number in range(1, 101)]


@pytest.mark.parametrize(
    ("values", "wanted", "expected"),
    [
        ([7.0], (95,), [7.0]),
        (HUNDRED, (95,), [95.0]),
        (HUNDRED[::-1], (50, 99), [50.0, 99.0]),
        ([3.0, 1.0, 2.0], (50, 100), [2.0, 3.0]),
    ],
)
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(
    values: list[float], wanted: tuple[int, ...], expected: list[float]
) -> None:
    assert percentiles(values, *wanted) == expected
