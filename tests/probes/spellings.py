"""The many ways to write an address that must not be reached."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import product

FORBIDDEN_V4 = (
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.1.2.3",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.5.4",
    "192.0.0.192",
    "192.168.1.1",
    "224.0.0.1",
    "255.255.255.255",
)
FORBIDDEN_V6 = (
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "fc00::1",
    "ff02::1",
    "fec0::1",
    "2001:db8::1",
    "3fff::1",
)
CIRCLED = {ord("1") + n: 0x2460 + n for n in range(9)} | {ord("a") + n: 0x24D0 + n for n in range(26)}
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x30, 0x7B)} | {ord("."): 0x3002}
NAMES = (
    *("localhost", "LOCALHOST", "localhost.", "ip6-localhost"),
    *("localhost".translate(FULL_WIDTH), "localhost".translate(CIRCLED)),
)


def hosts() -> Iterator[str]:
    """As the host of a URL, in brackets where it needs them."""
    yield from NAMES
    for text in FORBIDDEN_V4:
        yield from _v4(IPv4Address(text))
    for text in FORBIDDEN_V6:
        yield from (f"[{spelled}]" for spelled in _v6(IPv6Address(text)))


def urls(port: int) -> Iterator[str]:
    """With `port`; the first of them are plain, then come those that try to confuse the parser."""
    for scheme, host in product(("http", "https"), hosts()):
        yield f"{scheme}://{host}:{port}/"
    yield from (shape.format(port=port) for shape in CONFUSING)


def _v4(address: IPv4Address) -> Iterator[str]:
    number, (a, b, c, d) = int(address), address.packed
    yield from (f"{a}.{b}.{c}.{d}", f"{a}.{b}.{c}.{d}.", f"{a}.{b}.{c << 8 | d}", f"{a}.{number & 0xFFFFFF}")
    yield from (f"{number}", f"{number:#x}", f"{number:#X}", f"0{number:o}", f"0000000000{number:o}")
    yield from (f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"000{a:o}.{b}.{c}.{d:#x}")
    yield from (f"{a:#x}.{number & 0xFFFFFF}", f"0{a:o}.{b:#x}.{c << 8 | d}")
    yield from (str(address).translate(FULL_WIDTH), str(address).translate(CIRCLED))
    high, low = f"{a << 8 | b:x}", f"{c << 8 | d:x}"
    for prefix in ("::ffff:", "::", "::ffff:0:", "64:ff9b::", "64:ff9b:1::", "0:0:0:0:0:ffff:"):
        yield from (f"[{prefix}{address}]", f"[{prefix}{high}:{low}]")
    yield from (f"[2002:{high}:{low}::]", f"[2001:0:{high}:{low}::1]")


def _v6(address: IPv6Address) -> Iterator[str]:
    yield from (str(address), address.exploded, address.exploded.upper(), f"{address.exploded[:-9]}:0.0.0.1")


CONFUSING = (
    "http://example.com@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.com/",
    "http://127.0.0.1:{port}?@example.com/",
    "http://example.com\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http:///127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[::1%lo]:{port}/",
    "http://127.0.0.1%00.example.com:{port}/",
    "http://127.0.0.1%2f.example.com:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1\t:{port}/",
    "http://127.0.0.1\r\n:{port}/",
    "\thttp://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\r\nHost: example.com",
    "http://127.0.0.1:\u0660{port}/",
    "http://127\u30020\u30020\u30021:{port}/",
    "http://loc\u00adalhost:{port}/",
    "http://[::ffff:127.0.0.1]x:{port}/",
    "http://x[::1]:{port}/",
    "file://127.0.0.1:{port}/etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "dict://127.0.0.1:{port}/x",
    "ftp://127.0.0.1:{port}/x",
    "ldap://127.0.0.1:{port}/x",
    "ws://127.0.0.1:{port}/x",
)
