"""Redirects: what is sent again, and what goes no further than its origin."""

from __future__ import annotations

from itertools import pairwise

import pytest

from probes.errors import ErrorClass
from probes.fetch import FetchRequest
from probes.guard import AddressPolicy
from probes.redirects import redirected
from probes.url import BadUrl, parse_http_url
from tests.probes.asking import look
from tests.probes.listeners import Listener, answer, response

SECRET = (("Authorization", "Basic x"), ("X-Api-Key", "k"), ("Cookie", "c=1"))


def request(method: str = "POST") -> FetchRequest:
    url = parse_http_url("https://example.com/a/b?c")
    body = None if method == "HEAD" else b"body"
    return FetchRequest(url=url, timeout_ms=1, max_body_bytes=1, method=method, headers=SECRET, body=body)


@pytest.mark.parametrize(
    ("method", "status", "expected"),
    [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("POST", 307, "POST"),
        ("POST", 308, "POST"),
        ("PUT", 302, "PUT"),
        ("PUT", 303, "GET"),
        ("HEAD", 303, "HEAD"),
        ("HEAD", 302, "HEAD"),
    ],
)
def test_within_its_origin_the_method_follows_rfc_9110(method: str, status: int, expected: str) -> None:
    sent = redirected(request(method), status, "/next")
    assert (sent.method, sent.headers) == (expected, SECRET)
    assert sent.body == (b"body" if expected == method != "HEAD" else None)
    assert str(sent.url) == "https://example.com/next"


@pytest.mark.parametrize(
    "location",
    [
        "http://example.com/",
        "https://example.com:8443/",
        "https://www.example.com/",
        "https://example.com.evil.example/",
        "//evil.example/",
        "https://evil.example/#https://example.com/",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_origin_gets_nothing_of_the_customers(location: str, status: int) -> None:
    sent = redirected(request(), status, location)
    assert (sent.method, sent.headers, sent.body) == ("GET", (), None)


@pytest.mark.parametrize(
    "location", ["https://EXAMPLE.com:443/x", "https://example.com./x", "x", "?x", "//example.com/x"]
)
def test_the_same_origin_in_another_spelling(location: str) -> None:
    assert redirected(request(), 307, location).headers == SECRET


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "https://u:p@example.com/", "gopher://x", "http://[x]/"]
)
def test_a_bad_location_is_refused(location: str) -> None:
    with pytest.raises((BadUrl, ValueError)):
        redirected(request(), 302, location)


def test_what_was_dropped_stays_dropped_on_the_way_back(listener: Listener, loopback: AddressPolicy) -> None:
    with Listener() as elsewhere:
        elsewhere.script = answer(response(307, b"", f"Location: {listener.url}/home"))
        listener.script = lambda connection, got: connection.sendall(
            response() if b"/home" in got else response(307, b"", f"Location: {elsewhere.url}/away")
        )
        measured = look(loopback, listener.url, method="POST", headers=SECRET, body="secret")
        sent = [listener.requests[0], *elsewhere.requests, listener.requests[1]]
    assert measured.error_class is None
    assert [got.split(b" ", 2)[:2] for got in sent] == [
        [b"POST", b"/"],
        [b"GET", b"/away"],
        [b"GET", b"/home"],
    ]
    assert b"X-Api-Key" in sent[0]
    assert not any(word in got for got in sent[1:] for word in (b"X-Api-Key", b"Cookie", b"Basic", b"secret"))


def test_redirects_need_not_be_followed(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(302, b"", "Location: /elsewhere"))
    measured = look(loopback, listener.url, follow_redirects=False)
    assert (measured.error_class, measured.status_code) == (ErrorClass.HTTP_STATUS, 302)
    assert listener.count() == 1


def test_a_range_that_has_a_redirect_in_it_expects_one(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = answer(response(308, b"", "Location: /elsewhere"))
    assert look(loopback, listener.url, expected_status=((200, 399),)).error_class is None
    assert listener.count() == 1


def test_a_loop_ends(listener: Listener, loopback: AddressPolicy) -> None:
    listener.script = lambda connection, got: connection.sendall(
        response(302, b"", "Location: /b" if b"GET /a" in got else "Location: /a")
    )
    assert look(loopback, f"{listener.url}/a").error_class == ErrorClass.REDIRECT
    paths = [got.split()[1] for got in listener.requests]
    assert all(one != other for one, other in pairwise(paths))
    assert len(paths) == 6
