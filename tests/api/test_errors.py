"""Refusals on the wire: one sentence each, and no trace of what went wrong inside."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions

from api.errors import Refusal, first_message, flat_envelope
from tests.api.conftest import ApiClient


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (Refusal(409, "key limit reached"), 409, "key limit reached"),
        (exceptions.ParseError("JSON parse error - line 1"), 400, "invalid request body"),
        (exceptions.MethodNotAllowed("PATCH"), 405, "method not allowed"),
        (exceptions.ValidationError({"url": ["url is required"], "name": ["other"]}), 400, "url is required"),
        (Http404("secret"), 404, "not found"),
        (OperationalError("connection to server at 10.1.2.3 failed"), 503, "temporarily unavailable"),
        (RuntimeError("secret"), 500, "internal error"),
    ],
)
def test_each_error_has_its_status_and_sentence(error: Exception, status: int, message: str) -> None:
    response = flat_envelope(error, {})
    assert (response.status_code, response.data) == (status, {"error": message})


def test_who_comes_too_early_is_told_when_to_come_again() -> None:
    assert flat_envelope(OperationalError(), {})["Retry-After"] == "5"


@pytest.mark.parametrize(
    "detail", ["text", ["text", "other"], {"a": ["text"]}, [{"a": {"b": ["text"]}}, "other"]]
)
def test_the_first_sentence_is_found_however_deep(detail: object) -> None:
    assert first_message(detail) == "text"


def test_a_body_that_is_too_large_is_refused(alice: ApiClient) -> None:
    assert alice.post("/keys", {"label": "x" * 1_000_001}) == (413, {"error": "request body too large"})


@pytest.mark.parametrize("charset", ["zlib", "rot13", "base64", "idna", "undefined", "utf-16"])
def test_no_charset_makes_a_body_or_a_query_unreadable(alice: ApiClient, charset: str) -> None:
    content_type = f"application/json; charset={charset}"
    sent = alice.http.generic("POST", "/api/v1/keys", b'{"label": "\xc3\xa4bc"}', content_type=content_type)
    assert (sent.status_code, sent.json()["label"]) == (200, "äbc")
    query = alice.http.generic("GET", "/api/v1/incidents?type=%64own", content_type=content_type)
    assert query.status_code == 200


@pytest.mark.parametrize("accepted", ["text/html", "application/xml", "nonsense", "*/*;q=0"])
def test_json_is_answered_whatever_is_accepted(alice: ApiClient, accepted: str) -> None:
    response = alice.http.get("/api/v1/monitors?format=csv", headers={"Accept": accepted})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
