from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.body import body_of, freeze

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_a_body_is_the_payload_then_its_delivery_and_attempt() -> None:
    frozen = freeze({"event": "monitor.down", "monitor_name": "größe"})

    body = body_of(frozen, delivery_id=3, attempt=2)

    assert body == rb'{"event":"monitor.down","monitor_name":"gr\u00f6\u00dfe","delivery_id":3,"attempt":2}'


@given(st.dictionaries(st.text().filter(lambda key: key not in ("delivery_id", "attempt")), JSON, min_size=1))
def test_any_payload_makes_a_body_of_valid_json(payload: dict[str, object]) -> None:
    body = body_of(freeze(payload), delivery_id=3, attempt=1)

    assert json.loads(body) == {**payload, "delivery_id": 3, "attempt": 1}
    assert body.isascii()


@given(st.integers(1, 5), st.integers(1, 5))
def test_attempts_differ_only_in_their_number(one: int, other: int) -> None:
    frozen = freeze({"event": "monitor.up"})

    bodies = [body_of(frozen, delivery_id=3, attempt=attempt) for attempt in (one, other)]

    assert bodies[0][:-2] == bodies[1][:-2]


@pytest.mark.parametrize("payload", [{}, {"at": float("nan")}, {"at": object()}])
def test_what_is_no_payload_is_refused(payload: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        freeze(payload)
