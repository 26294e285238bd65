"""A response is the same however it comes in pieces, and ends at its caps."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.connection import Broken
from probes.errors import ErrorClass
from probes.fetch.answer import Answer
from probes.fetch.messages import MAX_HEADER_BYTES, FetchRequest
from probes.url import parse_http_url

OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = {
    "counted": OK + b"Content-Length: 5\r\n\r\nhello",
    "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nA: b\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello",
    "line feeds": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: 25\r\n\r\n" + gzip.compress(b"hello"),
}


def asked(**fields: Any) -> FetchRequest:
    given = {"timeout_ms": 1, "max_body_bytes": 100, **fields}
    return FetchRequest(url=parse_http_url("http://127.0.0.1/"), **given)


def fed(answer: Answer, *pieces: bytes) -> bool:
    """Whether `answer` was complete with the last piece, and not before."""
    *first, last = [answer.feed(piece) for piece in pieces]
    assert not any(first)
    return last


def fault_of(answer: Answer, *pieces: bytes) -> ErrorClass:
    with pytest.raises(Broken) as caught:
        [answer.feed(piece) for piece in pieces]
    return caught.value.fault.error_class


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_how_it_is_cut_makes_no_difference(name: str, data: st.DataObject) -> None:
    text = WHOLE[name]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=12)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    answer = Answer(asked())
    assert fed(answer, *pieces)
    assert (answer.status_code, bytes(answer.body), answer.is_truncated) == (200, b"hello", False)


@pytest.mark.parametrize("name", WHOLE)
def test_byte_by_byte(name: str) -> None:
    answer = Answer(asked())
    assert fed(answer, *[WHOLE[name][at : at + 1] for at in range(len(WHOLE[name]))])
    assert answer.body == b"hello"


@pytest.mark.parametrize("name", WHOLE)
def test_the_end_comes_too_early_anywhere(name: str) -> None:
    for length in range(len(WHOLE[name]) - 1):
        answer = Answer(asked())
        if length:
            fed(answer, WHOLE[name][:length])
        with pytest.raises(Broken, match="closed before"):
            answer.end()


def test_without_a_length_the_end_is_the_end() -> None:
    answer = Answer(asked())
    assert not fed(answer, OK + b"\r\n", b"hel", b"lo")
    answer.end()
    assert answer.body == b"hello"


def test_the_head_is_that_of_the_final_response() -> None:
    answer = Answer(asked())
    fed(answer, WHOLE["interim"])
    assert answer.head == OK + b"Content-Length: 5\r\n\r\n"


@pytest.mark.parametrize(("length", "is_truncated"), [(99, False), (100, False), (101, True), (5000, True)])
@pytest.mark.parametrize("keep_body", [True, False])
def test_the_body_ends_at_its_cap(length: int, is_truncated: bool, keep_body: bool) -> None:
    answer = Answer(asked(keep_body=keep_body))
    text = b"x" * length
    assert fed(answer, OK + b"Content-Length: %d\r\n\r\n" % length + text)
    assert answer.is_truncated == is_truncated
    assert answer.body == (text[:100] if keep_body else b"")


def test_the_cap_is_on_what_was_decoded_and_no_more_is_decoded() -> None:
    answer = Answer(asked())
    assert fed(answer, OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(50_000_000)))
    assert (bytes(answer.body), answer.is_truncated) == (bytes(100), True)


def test_what_follows_the_end_of_the_coding_is_nobodys() -> None:
    answer = Answer(asked())
    assert not fed(answer, OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"hello") + b"more")
    answer.end()
    assert answer.body == b"hello"


@pytest.mark.parametrize("framing", [b"Content-Length: 5000", b"Transfer-Encoding: chunked"])
def test_the_end_of_the_coding_is_not_the_end_of_the_answer(framing: bytes) -> None:
    answer, body = Answer(asked()), gzip.compress(b"hello")
    sent = b"%x\r\n%b\r\n" % (len(body), body) if b"chunked" in framing else body
    assert not fed(answer, OK + framing + b"\r\nContent-Encoding: gzip\r\n\r\n" + sent)
    with pytest.raises(Broken, match="closed before"):
        answer.end()


@pytest.mark.parametrize("coding", [b"none", b"identity", b""])
def test_names_of_no_coding(coding: bytes) -> None:
    answer = Answer(asked())
    assert fed(answer, OK + b"Content-Encoding: %b\r\nContent-Length: 5\r\n\r\nhello" % coding)
    assert answer.body == b"hello"


@pytest.mark.parametrize("coding", [b"br", b"rot13"])
def test_a_coding_that_nobody_knows_harms_only_who_reads_it(coding: bytes) -> None:
    head = OK + b"Content-Encoding: %b\r\n" % coding
    assert fed(Answer(asked(keep_body=False)), head + b"Content-Length: 5\r\n\r\nhello")
    assert fed(Answer(asked()), head + b"Content-Length: 0\r\n\r\n")
    assert fault_of(Answer(asked()), head + b"Content-Length: 5\r\n\r\nhello") == ErrorClass.PROTOCOL


def test_a_folded_header_is_one_line_of_the_head() -> None:
    answer = Answer(asked())
    fed(answer, b"HTTP/1.1 302 Found\r\nLocation:\r\n /next\r\nContent-Length: 0\r\n\r\n")
    assert b"Location: /next\r\n" in answer.head


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08" + bytes([1]) * 6, b"x" * 10_000),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x"), b"x" * 10_000),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 10_000 + b"\r\ny\r\n"),
    ],
    ids=["a gzip name without end", "garbage after gzip", "extensions of chunks"],
)
def test_what_never_becomes_a_body_is_cut_off(first: bytes, more: bytes) -> None:
    answer = Answer(asked())
    assert not answer.feed(first)
    assert sum(not answer.feed(more) for _ in range(20)) < 10
    assert answer.is_truncated


def test_of_chunks_of_one_byte_a_third_is_read() -> None:
    answer = Answer(asked(max_body_bytes=1_000_000))
    answer.feed(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while not answer.feed(b"1\r\nx\r\n" * 2_000):
        assert len(answer.body) < 400_000
    assert len(answer.body) > 300_000
    assert answer.is_truncated


@pytest.mark.parametrize("keep_body", [True, False])
def test_a_body_that_cannot_be_decoded_is_a_fault_whether_it_is_kept_or_not(keep_body: bool) -> None:
    answer = Answer(asked(keep_body=keep_body))
    assert fault_of(answer, OK + b"Content-Encoding: gzip\r\n\r\n", b"abc") == ErrorClass.PROTOCOL


def test_what_head_asks_for_has_no_body() -> None:
    answer = Answer(asked(method="HEAD"))
    assert fed(answer, OK + b"Content-Length: 5\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status: int) -> None:
    assert fed(Answer(asked()), b"HTTP/1.1 %d Empty\r\nContent-Length: 5\r\n\r\n" % status)


def test_headers_end_at_their_cap() -> None:
    rest = MAX_HEADER_BYTES - len(OK + b"X: \r\n\r\n")
    assert not fed(Answer(asked()), OK + b"X: " + b"y" * rest + b"\r\n\r\n")
    assert fault_of(Answer(asked()), OK + b"X: " + b"y" * (rest + 1) + b"\r\n\r\n") == ErrorClass.TOO_LARGE


def test_headers_without_end_are_cut_off() -> None:
    assert fault_of(Answer(asked()), OK, *[b"X: y\r\n" * 100] * 200) == ErrorClass.TOO_LARGE
    assert fault_of(Answer(asked()), OK + b"X: ", *[b"y" * 4096] * 20) == ErrorClass.TOO_LARGE
    interims = [b"HTTP/1.1 100 Continue\r\n\r\n"] * 5000
    assert fault_of(Answer(asked()), *interims) == ErrorClass.TOO_LARGE
    assert fault_of(Answer(asked()), b"".join(interims)) == ErrorClass.TOO_LARGE


def test_many_interim_responses_at_once_are_passed_over() -> None:
    answer = Answer(asked())
    assert fed(answer, b"HTTP/1.1 100 Continue\r\n\r\n" * 2000 + WHOLE["counted"])
    assert answer.body == b"hello"


@pytest.mark.parametrize("text", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\0", b"HTTP/2", b"HTTP1"])
def test_what_is_no_http_is_told_by_its_first_bytes(text: bytes) -> None:
    if text == b"HTTP/2":  # which may go on as it should
        assert not fed(Answer(asked()), text)
    else:
        assert fault_of(Answer(asked()), text) == ErrorClass.PROTOCOL


@given(st.binary(max_size=300), st.sampled_from([b"", OK, OK + b"Transfer-Encoding: chunked\r\n\r\n"]))
def test_whatever_comes_is_an_answer_or_a_fault(noise: bytes, first: bytes) -> None:
    answer, fault = Answer(asked()), None
    try:
        if not answer.feed(first + noise or b"x"):
            answer.end()
    except Broken as broken:
        fault = broken.fault
    assert fault or answer.status_code is not None
