"""Refusals on the wire: one sentence each, and no trace of what went wrong inside."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions

from api.errors import Refusal, first_message, flat_envelope


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
