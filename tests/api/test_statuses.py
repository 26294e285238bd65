"""The grammar of expected statuses: codes, ranges and classes, written back in numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.statuses import LONGEST, BadStatuses, Ranges, parsed, written


@pytest.mark.parametrize(
    ("text", "expected", "shown"),
    [
        ("200", 200, "200"),
        ("200-200", 200, "200"),
        ("200,201,204", [[200, 200], [201, 201], [204, 204]], "200,201,204"),
        ("200-299", [[200, 299]], "200-299"),
        ("2xx", [[200, 299]], "200-299"),
        ("200,201,2xx-3xx", [[200, 200], [201, 201], [200, 399]], "200,201,200-399"),
        (" 200 , 404 - 5xx ", [[200, 200], [404, 599]], "200,404-599"),
        ("100,599", [[100, 100], [599, 599]], "100,599"),
    ],
)
def test_what_is_taken_and_how_it_is_shown(text: str, expected: int | Ranges, shown: str) -> None:
    assert parsed(text) == expected
    assert written(expected) == shown
    assert parsed(shown) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ",", "200,", ",200", "99", "600", "2x", "6xx", "xx2", "2XX", "-200", "200-", "300-200"),
        *("200-201-202", "200;201", "200\n", "\uff12\uff10\uff10", "200.0", "2 00", "2xx-1xx"),
        ",".join(["200"] * 126),
    ],
)
def test_all_else_is_refused(text: str) -> None:
    with pytest.raises(BadStatuses):
        parsed(text)


@given(st.lists(st.tuples(st.integers(100, 599), st.integers(100, 599)).map(sorted), min_size=2, max_size=9))
def test_what_is_shown_leads_back(ranges: Ranges) -> None:
    assert len(written(ranges)) < LONGEST
    assert parsed(written(ranges)) == ranges
