"""The HTTP probe, against a real server."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Callable

import pytest

from probes.errors import ErrorClass
from probes.guard import AddressPolicy
from probes.messages import BodyRule
from probes.protocols.http import MAX_BODY_BYTES
from probes.url import BadUrl
from tests.probes.asking import look
from tests.probes.listeners import Listener, answer, response
from tests.timing import keeps


def by_path(pages: dict[str, bytes]) -> Callable[[socket.socket, bytes], None]:
    """A script that answers each path with its bytes."""
    return lambda connection, request: connection.sendall(pages[request.split()[1].decode()])


def test_the_expected_status_is_up(listener: Listener, loopback: AddressPolicy) -> None:
    measured = look(loopback, listener.url)
    assert (measured.error_class, measured.error, measured.status_code) == (None, "", 200)


@pytest.mark.parametrize(
    ("status", "expected", "error_class"),
    [
        (500, 200, ErrorClass.HTTP_5XX),
        (503, 500, ErrorClass.HTTP_5XX),
        (404, 200, ErrorClass.HTTP_4XX),
        (204, 200, ErrorClass.HTTP_STATUS),
        (304, 200, ErrorClass.HTTP_STATUS),
        (200, 404, ErrorClass.HTTP_STATUS),
        (404, 404, None),
        (503, 503, None),
    ],
)
def test_another_status_has_the_class_of_its_range(
    listener: Listener, loopback: AddressPolicy, status: int, expected: int, error_class: ErrorClass | None
) -> None:
    listener.script = answer(response(status, b""))
    measured = look(loopback, listener.url, expected_status=((expected, expected),))
    assert (measured.error_class, measured.status_code) == (error_class, status)
    assert measured.error == (f"status {status}, expected {expected}" if error_class else "")


def test_the_expected_text_may_be_anywhere_in_the_body(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(200, "…alles grün…".encode()))
    assert look(loopback, listener.url, body_rule=BodyRule(text="grün")).error_class is None
    assert (
        look(loopback, listener.url, body_rule=BodyRule(text="rot")).error_class == ErrorClass.BODY_MISMATCH
    )


def test_the_body_is_searched_decoded(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(200, gzip.compress(b"all is well"), "Content-Encoding: gzip"))
    assert look(loopback, listener.url, body_rule=BodyRule(text="is well")).error_class is None


def test_a_large_body_is_up_and_searched_to_the_cap(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(200, b"early" + b"x" * MAX_BODY_BYTES + b"late"))
    assert look(loopback, listener.url).error_class is None
    assert look(loopback, listener.url, body_rule=BodyRule(text="early")).error_class is None
    assert look(loopback, listener.url, body_rule=BodyRule(text="late")).error_class == ErrorClass.TOO_LARGE


def test_a_redirect_is_followed(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = by_path(
        {
            "/": response(301, b"", "Location: /a b"),
            "/a%20b": response(307, b"", f"Location: {listener.url}/end?x=1"),
            "/end?x=1": response(200, b"here"),
        }
    )
    measured = look(loopback, listener.url, body_rule=BodyRule(text="here"))
    assert (measured.error_class, measured.status_code) == (None, 200)
    assert listener.count() == 3


def test_timings_are_summed_over_the_hops(listener: Listener, loopback: AddressPolicy) -> None:
    def slowly(connection: socket.socket, request: bytes) -> None:
        listener.stopping.wait(0.05)
        by_path({"/": response(302, b"", "Location: /2"), "/2": response()})(connection, request)

    listener.script = slowly
    timings = look(loopback, listener.url).timings
    assert timings.total_ms >= 100
    assert (timings.ttfb_ms or 0) >= 100


def test_an_expected_redirect_is_not_followed(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(302, b"", "Location: /elsewhere"))
    assert look(loopback, listener.url, expected_status=((302, 302),)).error_class is None
    assert look(loopback, listener.url, expected_status=((301, 301),)).error_class == ErrorClass.HTTP_STATUS
    assert listener.count() == 2


@pytest.mark.parametrize("hops", [5, 6])
def test_five_redirects_are_enough(listener: Listener, loopback: AddressPolicy, hops: int) -> None:
    pages = {f"/{hop}": response(302, b"", f"Location: /{hop + 1}") for hop in range(hops)}
    listener.script = by_path({**pages, f"/{hops}": response()})
    measured = look(loopback, f"{listener.url}/0")
    assert measured.error_class == (None if hops == 5 else ErrorClass.REDIRECT)


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "http://u:p@127.0.0.1/", "gopher://127.0.0.1", "http://[x]/"],
)
def test_a_redirect_to_a_bad_url_is_a_failure(
    listener: Listener, loopback: AddressPolicy, location: str
) -> None:
    listener.script = answer(response(302, b"", f"Location: {location}"))
    measured = look(loopback, listener.url)
    assert (measured.error_class, measured.status_code) == (ErrorClass.REDIRECT, 302)
    assert listener.count() == 1


def test_a_redirect_without_a_location_is_a_status(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(302, b""))
    assert look(loopback, listener.url).error_class == ErrorClass.HTTP_STATUS


def test_the_guard_stands_on_every_hop(listener: Listener) -> None:
    with Listener() as inner:
        listener.script = answer(response(302, b"", f"Location: http://127.0.0.2:{inner.port}/"))
        measured = look(AddressPolicy.of(["127.0.0.1/32"]), listener.url)
        assert (measured.error_class, measured.address) == (ErrorClass.BLOCKED, "127.0.0.2")
        assert inner.count() == 0


def test_one_deadline_covers_all_hops(listener: Listener, loopback: AddressPolicy) -> None:
    def slowly(connection: socket.socket, _: bytes) -> None:
        listener.stopping.wait(0.1)
        connection.sendall(response(302, b"", "Location: /again"))

    listener.script = slowly
    measured = look(loopback, listener.url, timeout_ms=250)
    assert measured.error_class == ErrorClass.TIMEOUT
    assert keeps(250, measured.timings.total_ms)


def test_a_url_that_should_never_have_come_here_is_no_measurement(loopback: AddressPolicy) -> None:
    with pytest.raises(BadUrl):
        look(loopback, "ftp://127.0.0.1/")
