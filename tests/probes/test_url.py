"""What counts as a URL, and what it is turned into."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from probes import url
from probes.messages import TcpTarget
from probes.url import (
    BadUrl,
    HttpUrl,
    bracketed,
    parse_address,
    parse_host,
    parse_http_url,
    parse_tcp_url,
)

CANONICAL = {
    "http://example.com": "http://example.com/",
    "HTTP://EXAMPLE.com:80/A": "http://example.com/A",
    "https://example.com:443?q=1": "https://example.com/?q=1",
    "https://example.com:8443/a?b=c#fragment": "https://example.com:8443/a?b=c",
    "http://example.com./": "http://example.com/",
    "http://a_b.example/": "http://a_b.example/",
    "http://bücher.example/ä?ö=%20": "http://xn--bcher-kva.example/%C3%A4?%C3%B6=%20",
    "http://Straße.example/": "http://xn--strae-oqa.example/",  # IDNA 2008: not "strasse"
    "http://BÜCHER.Example/": "http://xn--bcher-kva.example/",
    "http://bu\u0308cher.example/": "http://xn--bcher-kva.example/",  # the same letter, composed
    "http://\uff45xample\u3002com/": "http://example.com/",
    "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/": "http://127.0.0.1/",  # full-width digits
    "http://127\uff0e0\u30020\uff611:8000/": "http://127.0.0.1:8000/",  # and dots
    "http://\u2460\u2461\u2466.0.0.1/": "http://127.0.0.1/",
    "http://\uff10x7f.1/": "http://0x7f.1/",
    "http://[2606:4700:0:0::1]:81/": "http://[2606:4700::1]:81/",
    "http://[::ffff:7f00:1]/": "http://[::ffff:127.0.0.1]/",
    "http://2130706433/": "http://2130706433/",
    'http://example.com/a|b"c': "http://example.com/a|b%22c",
    "http://example.com/?a=@&b=%zz": "http://example.com/?a=@&b=%zz",
}
BAD = {
    "": "scheme",
    "example.com": "scheme",
    "//example.com/": "scheme",
    "ftp://example.com/": "scheme",
    "file:///etc/passwd": "scheme",
    "dict://127.0.0.1:6379/": "scheme",
    "http://": "host is required",
    "http:///127.0.0.1": "host is required",
    "http://./": "host is required",
    "http://user@example.com/": "userinfo",
    "http://user:secret@example.com/": "userinfo",
    "http://example.com@127.0.0.1/": "userinfo",
    "http://@example.com/": "userinfo",
    "http://[fe80::1%25eth0]/": "zone id",
    "http://[fe80::1%eth0]/": "zone id",
    "http://127.0.0.1%2f/": "zone id",
    "http://example.com\\@127.0.0.1/": "backslash",
    "http://example.com/a\\b": "backslash",
    "http://example.com/\r\nHost: x": "control characters",
    "http://example.com/\0": "control characters",
    "http://example.com/\x7f": "control characters",
    "http://exam ple.com/": "spaces",
    " http://example.com/": "spaces",
    "http://example.com/\u2028": "control characters",
    "http://example.com/\u202e": "control characters",
    "http://example.com:0/": "port",
    "http://example.com:65536/": "port",
    "http://example.com:123456/": "host and a port",
    "http://example.com:x/": "host and a port",
    "http://example.com:-1/": "host and a port",
    "http://a..b/": "not allowed",
    "http://exa*mple.com/": "not allowed",
    "http://[v1.a]/": "host and a port",
    "http://[127.0.0.1]/": "not a URL",
    "http://[1.2]/": "not a URL",
    "http://[::1/": "not a URL",
    "http://1:2:3/": "host and a port",
    "http://[::1]x:80/": "host and a port",
    "http://x[::1]:80/": "host and a port",
    f"http://{'a' * 254}/": "longer than 253",
    f"http://{'ä' * 60}.{'ö' * 254}/": "longer than 253",
    f"http://{'ä' * 64}/": "internationalized",
    "http://\U0001f4a9.example/": "internationalized",
    "http://\u2603.example/": "internationalized",
    "http://\u0661a\u05d0.example/": "internationalized",  # directions mixed
    "http://a\u200d.example/": "control characters",
    "http://a\uff20b.example/": "not a URL",  # "@" in full width, and so on
    "http://a\uff0fb.example/": "not a URL",
    "http://\uff0531.example/": "internationalized",
    "http://[\uff1a\uff1a1]/": "not a URL",
    f"http://example.com/{'a' * 2048}": "longer than 2048",
}


@pytest.mark.parametrize(("text", "canonical"), CANONICAL.items())
def test_a_url_is_rebuilt_from_its_parts(text: str, canonical: str) -> None:
    assert str(parse_http_url(text)) == canonical


@pytest.mark.parametrize(("text", "reason"), BAD.items())
def test_a_bad_url_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(BadUrl, match=reason):
        parse_http_url(text)


def test_the_parts_are_what_a_connection_needs() -> None:
    assert parse_http_url("https://[::1]/x") == HttpUrl("https", "::1", 443, "/x")


@given(st.from_regex(url.CANONICAL, fullmatch=True))
@example("http://a:65536/")
@example("http://a:65535/")
@example("http://a:80/")
@example("http://a/?")
@example("http://a/??")
@example("http://a//b/../c;d=1?e=[f]&g=%zz")
@example(f"http://{'a' * 254}/")
@example(f"http://a/{'b' * 2040}")
def test_what_needs_no_parsing_is_what_parsing_makes_of_it(text: str) -> None:
    assert url._canonical(text) in (None, _or_none(text))


def _or_none(text: str) -> HttpUrl | None:
    try:
        return url._parsed(text)
    except BadUrl:
        return None


@pytest.mark.parametrize("text", ["http://127.0.0.1:8080/", "https://www.example.com/a/b?c=d", "http://a_b/"])
def test_most_need_no_parsing(text: str) -> None:
    assert str(url._canonical(text)) == text


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused_and_the_canonical_form_is_stable(text: str) -> None:
    try:
        url = parse_http_url(f"http://{text}")
    except BadUrl:
        return
    assert str(url).isascii()
    assert parse_http_url(str(url)) == url


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("tcp://example.com:22", "example.com", 22),
        ("Example.com.:5432", "example.com", 5432),
        ("[2606:4700::0:1]:53", "2606:4700::1", 53),
        ("tcp://10.0.0.1:1", "10.0.0.1", 1),
    ],
)
def test_a_tcp_target_is_host_and_port(text: str, host: str, port: int) -> None:
    assert parse_tcp_url(text) == TcpTarget(host=host, port=port)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("example.com", "a port is required"),
        ("tcp://example.com", "a port is required"),
        ("tcp://example.com:", "a port is required"),
        ("example.com:0", "port must be"),
        ("example.com:99999", "port must be"),
        (":80", "host is required"),
        ("udp://example.com:53", "scheme must be tcp"),
        ("tcp://example.com:80/path", "nothing may follow"),
        ("example.com:80?x", "nothing may follow"),
        ("example.com:80?", "nothing may follow"),
        ("tcp://example.com:80#", "nothing may follow"),
        ("user@example.com:80", "userinfo"),
        ("::1:80", "host and a port"),
    ],
)
def test_a_bad_tcp_target_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(BadUrl, match=reason):
        parse_tcp_url(text)


@pytest.mark.parametrize(
    "host", ["local\u200bhost", "local\xadhost", "\ufefflocalhost", "a\u2060", "fe80::1%eth0"]
)
def test_a_host_that_no_url_could_have_is_refused(host: str) -> None:
    with pytest.raises(BadUrl, match="not allowed"):
        parse_host(host)


@given(st.text(max_size=20))
@example("a\u200bb")
@example("::1%1")
def test_a_host_that_is_taken_alone_is_taken_in_an_address(text: str) -> None:
    try:
        host = parse_host(text)
    except BadUrl:
        return
    assert parse_address(f"{bracketed(text)}:80", "tcp") == (host, 80)
