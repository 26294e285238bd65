"""The broker may go away while messages are unacknowledged; the worker does not go with it."""

from __future__ import annotations

import secrets
from typing import Any

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
