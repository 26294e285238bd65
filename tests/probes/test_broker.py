"""What kombu is made to do: it keeps no copies, outlives its broker, leaves messages as they came."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
import pytest
from kombu import Connection

from probes import broker


def test_a_channel_closes_although_what_it_held_cannot_be_put_back(caplog: pytest.LogCaptureFixture) -> None:
    with Connection(broker.broker_url()) as connection:
        queue = connection.SimpleQueue(f"t{secrets.token_hex(4)}")
        queue.put("x")
        assert queue.get(timeout=5).payload == "x"
        channel: Any = queue.channel
        transport = channel.connection
        client, transport.client = transport.client, None  # as kombu leaves it when the connection is lost
        channel._disconnect_pools()
        channel.qos.restore_unacked_once()
        transport.client = client
    assert "broker.unrestored: 1 messages" in caplog.text


def test_what_is_held_is_in_no_second_place_and_is_put_back_when_its_channel_closes() -> None:
    name = f"t{secrets.token_hex(4)}"
    with Connection(broker.broker_url()) as connection:
        queue = connection.SimpleQueue(name)
        queue.put("x")
        client: Any = connection.default_channel.client  # type: ignore[attr-defined]
        assert queue.get(timeout=5).payload == "x"
        assert (client.exists(name), client.keys("unacked*")) == (0, [])
    with Connection(broker.broker_url()) as connection:
        message = connection.SimpleQueue(name).get(timeout=5)
        message.ack()
    assert message.payload == "x"


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (b'{"method":"ping"}', {"method": "ping"}),
        (b'[[],{},{"chain":null}]', [[], {}, {"chain": None}]),
        (b"[[1,2],{},{}]", [[1, 2], {}, {}]),
        (b"[1]", [1]),
    ],
)
def test_what_is_not_a_task_of_one_argument_is_read_as_any_json(body: bytes, payload: object) -> None:
    assert broker.loads(body) == payload


@pytest.mark.parametrize("argument", [b'{"version":1}', b"null", b'"text"', b"[ 1, 2 ]"])
def test_a_task_s_only_argument_stays_as_it_came(argument: bytes) -> None:
    (raw,), named, embedded = broker.loads(b"[[" + argument + b'],{"a":1},{"chain":null}]')
    assert (bytes(raw), named, embedded) == (argument, {"a": 1}, {"chain": None})


@pytest.mark.parametrize("body", [b"", b"[[1],{},", b"\xff"])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        broker.loads(body)


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("rediss://host:1/0", "rediss://host:1/0?ssl_cert_reqs=required"),
        (
            "rediss://host:1/0?ssl_ca_certs=ca.pem",
            "rediss://host:1/0?ssl_ca_certs=ca.pem&ssl_cert_reqs=required",
        ),
        ("rediss://host:1/0?ssl_cert_reqs=none", "rediss://host:1/0?ssl_cert_reqs=none"),
        ("unix:///a.sock", "redis+socket:///a.sock"),
    ],
)
def test_a_certificate_is_checked_unless_the_operator_says_otherwise(
    url: str, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPQUORUM_REDIS_URL", url)
    assert broker.broker_url() == used
