"""Which addresses may be connected to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.env import BadSetting
from probes.guard import ANYWHERE, DENIED_V4, DENIED_V6, GLOBAL_V6, AddressPolicy, configured_policy

PUBLIC = AddressPolicy()

PERMITTED = [
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "168.63.129.15",
    "198.17.255.255",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450:4001::1",
]
REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.1.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::1234",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2620:4f:8000::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
NOT_ADDRESSES = [
    "",
    "localhost",
    "127.1",
    "8.8.8.8/32",
    "8.8.8.8 ",
    "fe80::1%eth0",
    "2606:4700::1%1",
    "[::1]",
]


@pytest.mark.parametrize("address", PERMITTED)
def test_a_public_address_is_permitted(address: str) -> None:
    assert PUBLIC.permits(address, 443)


@pytest.mark.parametrize("address", REFUSED)
def test_a_special_address_is_refused(address: str) -> None:
    assert not PUBLIC.permits(address, 443)


@pytest.mark.parametrize("text", NOT_ADDRESSES)
def test_what_is_not_a_plain_address_is_refused(text: str) -> None:
    assert not ANYWHERE.permits(text, 443)


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "::ffff:10.1.2.3", "::10.1.2.3", "::ffff:0:10.1.2.3", "64:ff9b::10.1.2.3"],
)
def test_an_allowed_network_is_let_through_in_every_spelling(address: str) -> None:
    assert AddressPolicy.of(["10.1.0.0/16"]).permits(address, 443)


def test_an_allowed_network_opens_nothing_else() -> None:
    policy = AddressPolicy.of(["10.1.0.0/16", "fd12::/16"])
    assert policy.permits("fd12::1", 443)
    assert policy.permits("8.8.8.8", 443)
    assert not any(policy.permits(text, 443) for text in ("10.2.0.1", "127.0.0.1", "fd13::1", "::1"))


def test_loopback_over_ipv6_is_no_translated_address() -> None:
    assert AddressPolicy.of(["::1/128"]).permits("::1", 443)
    assert not AddressPolicy.of(["0.0.0.0/8"]).permits("::1", 443)


def test_allowing_a_translation_prefix_allows_nothing_in_it() -> None:
    assert not AddressPolicy.of(["64:ff9b::/96"]).permits("64:ff9b::7f00:1", 443)


@pytest.mark.parametrize("cidr", ["10.0.0.1/8", "10.0.0.0/33", "example.com"])
def test_what_is_no_network_is_named_with_its_setting(cidr: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPQUORUM_ALLOWED_TARGETS", f"10.1.0.0/16,{cidr}")
    with pytest.raises(BadSetting, match=f"UPQUORUM_ALLOWED_TARGETS: .*{cidr}"):
        configured_policy({})


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_its_ipv4_address(address: IPv4Address) -> None:
    assert PUBLIC.permits(f"::ffff:{address}", 443) == PUBLIC.permits(str(address), 443)


@given(st.sampled_from(["::", "::ffff:0:", "64:ff9b::"]), st.ip_addresses(v=4))
def test_a_translated_address_is_never_public(prefix: str, address: IPv4Address) -> None:
    assert not PUBLIC.permits(f"{prefix}{address}", 443)


@given(st.sampled_from(DENIED_V4), st.data())
def test_nothing_in_a_denied_network_passes(network: object, data: st.DataObject) -> None:
    assert not PUBLIC.permits(str(data.draw(st.ip_addresses(network=network))), 443)  # type: ignore[arg-type]


@given(st.ip_addresses(v=6))
def test_ipv6_is_permitted_only_in_the_global_range(address: IPv6Address) -> None:
    if PUBLIC.permits(str(address), 443) and address.ipv4_mapped is None:
        assert address in GLOBAL_V6
        assert not any(address in network for network in DENIED_V6)


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    AddressPolicy.of(["127.0.0.0/8"]).permits(text, 443)


@pytest.mark.parametrize(
    ("server", "address", "port"),
    [
        ("redis://127.0.0.1:6379/0", "127.0.0.1", 6379),
        ("redis://127.0.0.1:6379/0", "127.9.9.9", 6379),
        ("redis://127.0.0.1:6379/0", "::1", 6379),
        ("redis://127.0.0.1:6379/0", "::ffff:127.0.0.1", 6379),
        ("redis://10.1.2.3", "10.1.2.3", 6379),
        ("rediss://:secret@10.1.2.3:7000/0", "10.1.2.3", 7000),
        ("redis://10.1.2.3", "::ffff:10.1.2.3", 6379),
        ("redis://10.1.2.3", "64:ff9b::a01:203", 6379),
        ("postgresql://user:secret@8.8.4.4/name", "8.8.4.4", 5432),
        ("postgres://[fd12::1]:5433/name", "fd12::1", 5433),
    ],
)
def test_our_own_servers_are_refused_in_allowed_networks_and_in_public(
    server: str, address: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPQUORUM_ALLOWED_TARGETS", "127.0.0.0/8,::1/128,10.0.0.0/8,fd00::/8")
    policy = configured_policy({"X": server})
    assert not policy.permits(address, port)
    others = [name for name in ("10.1.2.4", "127.0.0.1", "8.8.8.8") if name != address]
    assert all(policy.permits(other, port + 1) for other in others)


def test_a_server_that_has_no_address_takes_none_away() -> None:
    assert configured_policy({"X": "postgresql://upquorum@/name?host=/run"}).own == frozenset()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "no..host"])
def test_without_the_address_of_a_server_there_is_no_policy(host: str) -> None:
    """It would let probes reach that server as soon as its name resolves again."""
    with pytest.raises(
        BadSetting, match=rf"UPQUORUM_REDIS_URL: the name '{host}' does not resolve: "
    ) as raised:
        configured_policy({"REDIS_URL": f"redis://:secret@{host}:6379/0"})
    assert "secret" not in str(raised.value)
