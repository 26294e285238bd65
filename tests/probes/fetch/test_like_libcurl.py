"""A target fares alike by either way: what libcurl makes of an answer, our own client makes of it too."""

from __future__ import annotations

import gzip
import socket
import zlib
from typing import Any

import pytest
import uvloop

from probes.curl import Curl, Found
from probes.fetch.libcurl import fetch_by_libcurl
from probes.fetch.messages import FetchRequest, FetchResponse
from probes.fetch.plain import fetch_plain
from probes.guard import AddressPolicy
from probes.url import parse_http_url
from tests.probes.listeners import Listener

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\n"

ANSWERS = {
    "counted": OK + b"Content-Length: 5\r\n\r\nhello",
    "nothing in it": OK + b"Content-Length: 0\r\n\r\n",
    "until the end": OK + b"\r\nhello",
    "http 1.0": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    "an empty reason": b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok",
    "line feeds only": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "line feeds at the end": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok",
    "more than was said": OK + b"Content-Length: 2\r\n\r\nok and more",
    "less than was said": OK + b"Content-Length: 9\r\n\r\nok",
    "a length in capitals": OK + b"CONTENT-LENGTH:2\r\n\r\nok",
    "a length in blanks": OK + b"Content-Length: \t 2 \t\r\n\r\nok",
    "a length that is none": OK + b"Content-Length: two\r\n\r\nok",
    "a negative length": OK + b"Content-Length: -2\r\n\r\nok",
    "a length with a sign": OK + b"Content-Length: +2\r\n\r\nok",
    "a huge length": OK + b"Content-Length: 99999999999999999999999\r\n\r\nok",
    "a length and a word": OK + b"Content-Length: 2abc\r\n\r\nok",
    "a length and another": OK + b"Content-Length: 2 3\r\n\r\nok",
    "a length with leading zeros": OK + b"Content-Length: 002\r\n\r\nok!",
    "a list of different lengths": OK + b"Content-Length: 2, 3\r\n\r\nok!",
    "an empty length": OK + b"Content-Length:\r\n\r\nok",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "two equal lengths": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok!",
    "a list of lengths": OK + b"Content-Length: 2, 2\r\n\r\nok",
    "length and chunks": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunks": CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    "chunks in capitals": OK + b"Transfer-Encoding: CHUNKED\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
    "chunks with extensions": CHUNKED + b"2;a=b\r\nhe\r\n3 ;x\r\nllo\r\n0;z\r\n\r\n",
    "chunks with trailers": CHUNKED + b"2\r\nok\r\n0\r\nA: b\r\nC: d\r\n\r\n",
    "chunks with leading zeros": CHUNKED + b"0002\r\nok\r\n00\r\n\r\n",
    "chunks with line feeds": CHUNKED + b"2\nok\n0\n\n",
    "chunks that end early": CHUNKED + b"2\r\nok\r\n",
    "chunks without the last line": CHUNKED + b"2\r\nok\r\n0\r\n",
    "a chunk of no size": CHUNKED + b"\r\nok\r\n0\r\n\r\n",
    "a chunk of a wrong size": CHUNKED + b"ZZ\r\nok\r\n0\r\n\r\n",
    "a chunk of a huge size": CHUNKED + b"fffffffffffffffff\r\nok\r\n0\r\n\r\n",
    "a chunk longer than its size": CHUNKED + b"2\r\nokay\r\n0\r\n\r\n",
    "a transfer coding we have not": OK + b"Transfer-Encoding: rot13\r\n\r\nok",
    "an identity transfer": OK + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok",
    "two transfer codings": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunked in two headers": OK + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n2\r\nok\r\n0\r\n\r\n",
    "identity, then chunked": OK + b"Transfer-Encoding: identity, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunks in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunks with blanks": CHUNKED + b" 2\r\nok\r\n0\r\n\r\n",
    "chunks with a sign": CHUNKED + b"+2\r\nok\r\n0\r\n\r\n",
    "chunks with 0x": CHUNKED + b"0x2\r\nok\r\n0\r\n\r\n",
    "chunks and more": CHUNKED + b"2\r\nok\r\n0\r\n\r\nmore",
    "raw deflate": OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"hello")[2:-4],
    "gzip twice": OK + b"Content-Encoding: gzip, gzip\r\n\r\n" + gzip.compress(gzip.compress(b"hello")),
    "gzip and identity": OK + b"Content-Encoding: gzip, identity\r\n\r\n" + gzip.compress(b"hello"),
    "gzip": GZIP + b"\r\n" + gzip.compress(b"hello"),
    "x-gzip": OK + b"Content-Encoding: x-gzip\r\n\r\n" + gzip.compress(b"hello"),
    "zlib": OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"hello"),
    "gzip in chunks": CHUNKED[:-2]
    + b"Content-Encoding: gzip\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    % (len(gzip.compress(b"hello")), gzip.compress(b"hello")),
    "gzip that is none": GZIP + b"Content-Length: 5\r\n\r\nhello",
    "gzip that is cut": GZIP + b"\r\n" + gzip.compress(b"hello" * 100)[:30],
    "gzip and more": GZIP + b"\r\n" + gzip.compress(b"hello") + b"more",
    "two members": GZIP + b"\r\n" + gzip.compress(b"hello") + gzip.compress(b"again"),
    "a coding that does not exist": OK + b"Content-Encoding: rot13\r\nContent-Length: 2\r\n\r\nok",
    "no coding": OK + b"Content-Encoding: identity\r\nContent-Length: 2\r\n\r\nok",
    "a coding that is empty": OK + b"Content-Encoding:\r\nContent-Length: 2\r\n\r\nok",
    "a bomb": GZIP + b"\r\n" + gzip.compress(bytes(100_000)),
    "too long": OK + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000,
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "no content, but a length": b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
    "two interims": b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + OK + b"Content-Length: 2\r\n\r\nok",
    "an interim alone": b"HTTP/1.1 103 Early\r\n\r\n",
    "an interim with a length": b"HTTP/1.1 103 Early\r\nContent-Length: 5\r\n\r\n"
    + OK
    + b"Content-Length: 2\r\n\r\nok",
    "a header that begins with a colon": OK + b": x\r\nContent-Length: 2\r\n\r\nok",
    "a first header that is folded": OK + b" x\r\nContent-Length: 2\r\n\r\nok",
    "a status line with a nul": b"HTTP/1.1 200 O\0K\r\nContent-Length: 2\r\n\r\nok",
    "a header of blanks": OK + b"X: " + b" " * 30_000 + b"y\r\nContent-Length: 2\r\n\r\nok",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
    "a status of letters": b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok",
    "a status of 999": b"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok",
    "a status of 000": b"HTTP/1.1 000 Odd\r\nContent-Length: 2\r\n\r\nok",
    "two blanks before the status": b"HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nok",
    "http 2 in clear": b"HTTP/2 200\r\nContent-Length: 2\r\n\r\nok",
    "http 3": b"HTTP/3 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "http 1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "http 0.9": b"hello\r\n",
    "small letters": b"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "icy": b"ICY 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "an empty line first": b"\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
    "nothing": b"",
    "half of a status line": b"HTTP/1.",
    "half of a head": OK + b"Content-Len",
    "a head without its end": OK + b"Content-Length: 2\r\n",
    "a header without a colon": OK + b"nonsense\r\nContent-Length: 2\r\n\r\nok",
    "a blank before a colon": OK + b"Content-Length : 2\r\n\r\nok",
    "a folded header": OK + b"X-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
    "a folded length": OK + b"Content-Length:\r\n 2\r\n\r\nok",
    "odd header names": OK + b"X A/B[]: c\r\nContent-Length: 2\r\n\r\nok",
    "bytes above ascii": OK + "X-Ä: ö\r\nContent-Length: 2\r\n\r\nok".encode(),
    "a nul in a header": OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "a carriage return alone": OK + b"X: a\rContent-Length: 3\r\nContent-Length: 2\r\n\r\nok!",
    "other headers that sound alike": OK
    + b"X-Content-Length: 9\r\nContent-Length-X: 7\r\nContent-Length: 2\r\n\r\nok",
    "too much head": OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    "too many headers": OK + b"X: y\r\n" * 12_000 + b"\r\n",
}


def both(listener: Listener, policy: AddressPolicy, **fields: Any) -> list[FetchResponse]:
    """The same answer by libcurl, and by our own client."""

    async def twice() -> list[FetchResponse]:
        request = FetchRequest(
            url=parse_http_url(listener.url), timeout_ms=2000, max_body_bytes=1000, **fields
        )
        async with Curl(policy) as curl:
            found = Found(listener.host, listener.port, [listener.host], 0.0)
            return [
                await fetch_by_libcurl(curl, request, found),
                await fetch_plain(curl, request, listener.host, 0.0),
            ]

    return uvloop.run(twice())


def seen(response: FetchResponse) -> tuple[object, ...]:
    if response.error_class:
        return (response.error_class,)
    return response.status_code, response.body, response.is_truncated


EXPLAINED = {
    "half of a head": "libcurl takes it for a whole one",
    "a head without its end": "libcurl takes it for a whole one",
    "gzip and more": "libcurl says too_large, of what browsers show",
    "two members": "libcurl says too_large, of what browsers show half of",
    "gzip twice": "we asked for gzip, once",
    "a first header that is folded": "it does no harm",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_taken_alike(listener: Listener, loopback: AddressPolicy, name: str) -> None:
    def send(connection: socket.socket, _: bytes) -> None:
        connection.sendall(ANSWERS[name])
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    listener.script = send
    theirs, ours = both(listener, loopback)
    assert (seen(ours) == seen(theirs)) == (name not in EXPLAINED)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("body", [None, b"", b"some"])
@pytest.mark.parametrize(
    "headers", [(), (("X-One", "1"), ("User-Agent", "own"), ("accept", "text/html"), ("X-None", ""))]
)
def test_a_request_is_sent_alike(
    listener: Listener,
    loopback: AddressPolicy,
    method: str,
    body: bytes | None,
    headers: tuple[tuple[str, str], ...],
) -> None:
    both(listener, loopback, method=method, body=body, headers=headers)
    theirs, ours = map(without_encoding, listener.requests)
    assert ours == theirs


def without_encoding(request: bytes) -> tuple[bytes, set[bytes], bytes]:
    """First line, headers and body; without the codings, of which libcurl knows more."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    return first, {line for line in lines if not line.startswith(b"Accept-Encoding:")}, body
