"""Golden examples: what is on the wire today must be understood tomorrow."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.messages import (
    BadMessage,
    Batch,
    BodyRule,
    Certificate,
    DnsTarget,
    HttpTarget,
    PingTarget,
    ProbeRequest,
    ProbeResult,
    RegionBeat,
    Results,
    SealedHeader,
    SslTarget,
    Target,
    TcpTarget,
    UdpTarget,
    pack,
    split,
    unpack,
)

BATCH_JSON = b"""{"version":1,"region":"eu","urgent":true,"expires_at_ms":1767225640000,"requests":[
{"monitor_id":7,"config_version":3,"scheduled_at_ms":1767225600000,"round_id":11,"attempt":2,
"target":{"type":"http","url":"https://example.com/","method":"POST","headers":[["X-Id","7"]],
"auth":{"name":"Authorization","token":"sealed","account_id":5},"body":"{}",
"expected_status":[[200,204],[418,418]],"body_rule":{"text":"ok","is_negated":true},"max_latency_ms":900,
"follow_redirects":false,"http_version":"2","ip_version":6},
"timeout_ms":5000,"suspect_after_ms":750,"latency_warn_ms":400,"start_by_ms":1767225630000},
{"monitor_id":8,"config_version":1,"scheduled_at_ms":1767225600000,
"target":{"type":"tcp","host":"example.com","port":5432},
"timeout_ms":1000,"start_by_ms":1767225610000}]}"""
TARGETS: list[tuple[str, Target]] = [
    ('{"type":"http","url":"http://a/"}', HttpTarget(url="http://a/")),
    ('{"type":"tcp","host":"a","port":1,"tls":true}', TcpTarget(host="a", port=1, tls=True)),
    (
        '{"type":"ssl","host":"a","port":25,"warn_days":14,"starttls":"smtp"}',
        SslTarget(host="a", port=25, warn_days=14, starttls="smtp"),
    ),
    ('{"type":"udp","host":"a","port":1,"payload":"x"}', UdpTarget(host="a", port=1, payload="x")),
    ('{"type":"ping","host":"a","ip_version":4}', PingTarget(host="a", ip_version=4)),
    (
        '{"type":"dns","name":"a","record_type":"MX","expected_value":"b","resolver":"1.1.1.1:53"}',
        DnsTarget(name="a", record_type="MX", expected_value="b", resolver="1.1.1.1:53"),
    ),
]
BATCH = Batch(
    region="eu",
    urgent=True,
    expires_at_ms=1767225640000,
    requests=[
        ProbeRequest(
            monitor_id=7,
            config_version=3,
            scheduled_at_ms=1767225600000,
            round_id=11,
            attempt=2,
            target=HttpTarget(
                url="https://example.com/",
                method="POST",
                headers=(("X-Id", "7"),),
                auth=SealedHeader(name="Authorization", token="sealed", account_id=5),
                body="{}",
                expected_status=((200, 204), (418, 418)),
                body_rule=BodyRule(text="ok", is_negated=True),
                max_latency_ms=900,
                follow_redirects=False,
                http_version="2",
                ip_version=6,
            ),
            timeout_ms=5000,
            suspect_after_ms=750,
            latency_warn_ms=400,
            start_by_ms=1767225630000,
        ),
        ProbeRequest(
            monitor_id=8,
            config_version=1,
            scheduled_at_ms=1767225600000,
            target=TcpTarget(host="example.com", port=5432),
            timeout_ms=1000,
            start_by_ms=1767225610000,
        ),
    ],
)
RESULTS_JSON = b"""{"version":1,"region":"eu","results":[
{"monitor_id":7,"config_version":3,"scheduled_at_ms":1767225600000,"round_id":11,"attempt":2,"region":"eu",
"outcome":"down","started_at_ms":1767225600100,"total_ms":12.5,"error_class":"http_5xx",
"error":"status 503, expected 200","status_code":503,"address":"93.184.215.14","family":4,
"dns_ms":1.0,"connect_ms":2.0,"tls_ms":3.0,"ttfb_ms":4.0,"download_ms":2.5},
{"monitor_id":8,"config_version":1,"scheduled_at_ms":1767225600000,"region":"eu",
"outcome":"up","started_at_ms":1767225600200,"total_ms":3.25,
"certificate":{"issuer":"CN = ca","expires_at_ms":1798761600000,"chain_expires_at_ms":1798761600000}}]}"""
RESULTS = Results(
    region="eu",
    results=[
        ProbeResult(
            monitor_id=7,
            config_version=3,
            scheduled_at_ms=1767225600000,
            round_id=11,
            attempt=2,
            region="eu",
            outcome="down",
            started_at_ms=1767225600100,
            total_ms=12.5,
            error_class="http_5xx",
            error="status 503, expected 200",
            status_code=503,
            address="93.184.215.14",
            family=4,
            dns_ms=1.0,
            connect_ms=2.0,
            tls_ms=3.0,
            ttfb_ms=4.0,
            download_ms=2.5,
        ),
        ProbeResult(
            monitor_id=8,
            config_version=1,
            scheduled_at_ms=1767225600000,
            region="eu",
            outcome="up",
            started_at_ms=1767225600200,
            total_ms=3.25,
            certificate=Certificate(
                issuer="CN = ca", expires_at_ms=1798761600000, chain_expires_at_ms=1798761600000
            ),
        ),
    ],
)
BEAT_JSON = (
    b'{"version":1,"region":"eu","worker":"eu@host-1","sent_at_ms":1767225600000,"in_flight":4,"sick":""}'
)
BEAT = RegionBeat(region="eu", worker="eu@host-1", sent_at_ms=1767225600000, in_flight=4)

GOLDEN = [(BATCH_JSON, BATCH), (RESULTS_JSON, RESULTS), (BEAT_JSON, BEAT)]


@pytest.mark.parametrize(("wire", "message"), GOLDEN)
def test_the_golden_bytes_are_read(wire: bytes, message: Any) -> None:
    assert unpack(msgspec.Raw(wire), type(message)) == message


@pytest.mark.parametrize(("wire", "message"), GOLDEN)
def test_the_golden_bytes_are_written(wire: bytes, message: Batch | Results | RegionBeat) -> None:
    assert json.loads(bytes(pack(message))) == json.loads(wire)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"null", "Expected `object`, got `null`"),
        (b'"garbage"', "Expected `object`, got `str`"),
        (b"{}", "missing required field `region`"),
        (b'{"region":"eu","requests":{}}', "Expected `array`"),
        (b'{"region":"eu","requests":[{}]}', "missing required field `monitor_id`"),
        (b'{"version":2,"region":"eu","requests":[]}', "version 2 is not 1"),
        (b'{"version":"1","region":"eu","requests":[]}', "Expected `int`"),
    ],
)
def test_a_bad_message_says_why(raw: bytes, reason: str) -> None:
    with pytest.raises(BadMessage, match=reason):
        unpack(msgspec.Raw(raw), Batch)


def test_an_unknown_target_is_a_bad_message() -> None:
    raw = msgspec.Raw(BATCH_JSON.replace(b'"tcp"', b'"gopher"'))
    with pytest.raises(BadMessage, match="gopher"):
        unpack(raw, Batch)


def test_a_beat_of_an_older_worker_is_of_a_region_that_is_well() -> None:
    assert unpack(msgspec.Raw(BEAT_JSON.replace(b',"sick":""', b"")), RegionBeat) == BEAT


@pytest.mark.parametrize(("wire", "target"), TARGETS)
def test_the_golden_targets(wire: str, target: Target) -> None:
    assert json.loads(json.dumps(msgspec.to_builtins(target))) == json.loads(wire)
    assert msgspec.json.decode(wire, type=Target) == target


def test_a_newer_core_may_add_fields() -> None:
    newer = BEAT_JSON.replace(b"{", b'{"mood":"good",')
    assert unpack(msgspec.Raw(newer), RegionBeat) == BEAT


@given(st.integers(1, 20), st.integers(0, 50))
def test_split_keeps_order_and_size(size: int, count: int) -> None:
    requests = [BATCH.requests[0]] * count
    parts = split(requests, size)
    assert [request for part in parts for request in part] == requests
    assert all(1 <= len(part) <= size for part in parts)
