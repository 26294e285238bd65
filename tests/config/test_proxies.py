"""Whose address is believed, by the number of our own proxies."""

from __future__ import annotations

import pytest

from config.proxies import BehindProxies

PEER = "10.0.0.9"


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "203.0.113.7", PEER),
        (1, None, PEER),
        (1, "", PEER),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6,2001:db8::7", "2001:db8::7"),
        (2, "6.6.6.6, 203.0.113.7, 10.0.0.8", "203.0.113.7"),
        (2, "203.0.113.7", PEER),
        (2, ",10.0.0.8", PEER),
    ],
)
def test_the_address_is_what_the_outermost_of_our_proxies_saw(
    proxies: int, header: str | None, address: str
) -> None:
    seen: list[str] = []

    def application(environ: dict[str, str], _start: object) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        return [b"ok"]

    environ = {"REMOTE_ADDR": PEER} | ({} if header is None else {"HTTP_X_FORWARDED_FOR": header})
    assert BehindProxies(application, proxies)(environ, lambda *_: None) == [b"ok"]
    assert seen == [address]
