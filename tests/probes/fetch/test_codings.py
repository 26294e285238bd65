"""Content codings are undone piece by piece, and no further than asked."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.connection import Broken
from probes.fetch.codings import Decoder

SOME = 10_000
CODED: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"gzip", gzip.compress),
    "x-gzip": (b"x-gzip", gzip.compress),
    "deflate": (b"deflate", zlib.compress),
    "deflate without a header": (b"deflate", lambda data: zlib.compress(data)[2:-4]),
}


@given(st.sampled_from(sorted(CODED)), st.binary(max_size=500), st.integers(1, 100))
def test_what_was_coded_comes_out(name: str, content: bytes, step: int) -> None:
    coding, compress = CODED[name]
    coded, decoder = compress(content), Decoder(coding)
    if name.endswith("header"):
        step = len(coded)  # in pieces it might begin like one that has a header
    pieces = [decoder.decode(coded[at : at + step], SOME) for at in range(0, len(coded), step)]
    assert b"".join(pieces) == content
    assert decoder.decode(b"more", SOME) == b""


def test_no_more_is_decoded_than_asked_for() -> None:
    assert Decoder(b"gzip").decode(gzip.compress(bytes(50_000_000)), 7) == bytes(7)


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"gzip,gzip", b"x"])
def test_what_was_not_asked_for(coding: bytes) -> None:
    with pytest.raises(Broken, match="not asked for"):
        Decoder(coding)


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
def test_what_cannot_be_decoded(coding: bytes) -> None:
    with pytest.raises(Broken, match="cannot be decoded"):
        Decoder(coding).decode(b"this is neither", SOME)
