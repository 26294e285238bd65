"""What an HTTP answer must look like: status ranges, body rules, latency."""

from __future__ import annotations

import socket

import pytest

from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.messages import BodyRule
from tests.probes.asking import look
from tests.probes.listeners import Listener, answer, response


@pytest.mark.parametrize(
    ("status", "ranges", "error_class"),
    [
        (204, ((200, 299),), None),
        (200, ((204, 204), (200, 200)), None),
        (418, ((200, 299), (418, 418)), None),
        (301, ((200, 299), (418, 418)), ErrorClass.HTTP_STATUS),
        (404, ((200, 299), (500, 599)), ErrorClass.HTTP_4XX),
        (500, ((200, 399),), ErrorClass.HTTP_5XX),
    ],
)
def test_the_status_is_in_one_of_the_ranges(
    listener: Listener,
    loopback: AddressPolicy,
    status: int,
    ranges: tuple[tuple[int, int], ...],
    error_class: ErrorClass | None,
) -> None:
    listener.script = answer(response(status, b""))
    assert look(loopback, listener.url, expected_status=ranges).error_class == error_class


def test_the_expected_ranges_are_said(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(500, b""))
    measured = look(loopback, listener.url, expected_status=((200, 204), (418, 418)))
    assert measured.error == "status 500, expected 200-204, 418"


@pytest.mark.parametrize(
    ("rule", "is_up"),
    [
        (BodyRule(text="status: ok"), True),
        (BodyRule(text="STATUS"), False),
        (BodyRule(text="status", is_negated=True), False),
        (BodyRule(text="error", is_negated=True), True),
        (BodyRule(text=r"status:\s+(ok|fine)$", is_regex=True), True),
        (BodyRule(text=r"^ok", is_regex=True), False),
        (BodyRule(text=r"(?i)STATUS", is_regex=True, is_negated=True), False),
        (BodyRule(text=r"err.r", is_regex=True, is_negated=True), True),
        (BodyRule(text="gr.n", is_regex=True), True),
    ],
)
def test_a_body_rule(listener: Listener, loopback: AddressPolicy, rule: BodyRule, is_up: bool) -> None:
    listener.script = answer(response(200, "grün, status: ok".encode()))
    measured = look(loopback, listener.url, body_rule=rule)
    assert measured.error_class == (None if is_up else ErrorClass.BODY_MISMATCH)
    assert bool(measured.error) != is_up


def test_a_pattern_that_did_not_reach_the_end_says_how_far(
    listener: Listener, loopback: AddressPolicy
) -> None:
    listener.script = answer(response(200, b"x" * 500_000 + b"y"))
    rule = BodyRule(text="[^y]{40}y", is_regex=True)
    measured = look(loopback, listener.url, body_rule=rule)
    assert measured.error_class == ErrorClass.TOO_LARGE
    assert "the text is not in the first" in measured.error


@pytest.mark.parametrize(("limit_ms", "error_class"), [(5000, None), (20, ErrorClass.LATENCY)])
def test_an_answer_may_be_too_slow(
    listener: Listener, loopback: AddressPolicy, limit_ms: int, error_class: ErrorClass | None
) -> None:
    def slowly(connection: socket.socket, _: bytes) -> None:
        listener.stopping.wait(0.05)
        connection.sendall(response())

    listener.script = slowly
    measured = look(loopback, listener.url, max_latency_ms=limit_ms)
    assert measured.error_class == error_class
    assert measured.status_code == 200


def test_a_wrong_status_is_said_before_a_slow_one(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(500, b""))
    assert look(loopback, listener.url, max_latency_ms=1).error_class == ErrorClass.HTTP_5XX
