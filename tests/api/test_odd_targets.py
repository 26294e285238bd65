"""Whatever an entrance takes, its probe can be made of: else one row would stop the schedule of all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import APIException

from api import targets
from api.dialects.flat.monitors import FORMAT as FLAT
from api.dialects.format import MonitorFormat
from api.dialects.native.monitors import FORMAT as NATIVE
from api.dialects.tcp_monitors.monitors import FORMAT as TCP
from api.dialects.tcp_monitors.monitors import host_and_port
from api.dialects.uptime_checks.checks import FORMAT as CHECKS
from monitors.targets import TARGETS
from probes.url import parse_address
from tests import make

ENTRANCES: list[tuple[MonitorFormat, str, str, dict[str, Any]]] = [
    (TCP, "host", "localhost", {"port": 80}),
    (TCP, "host", "::1", {"port": 80}),
    *((NATIVE, "url", f"{scheme}localhost:80", {"type": "tcp"}) for scheme in ("", "tcp://")),
    *(
        (format_, name, "localhost:80", {"type": "port", "protocol": protocol})
        for format_, name in ((NATIVE, "url"), (FLAT, "target"))
        for protocol in ("tcp", "udp")
    ),
    *(
        (format_, name, url, {"type": type_, "keyword": "ok"})
        for format_, name in ((NATIVE, "url"), (FLAT, "target"))
        for type_, url in (
            *(("http", "http://localhost:80/a?b#c"), ("keyword", "http://[::1]/"), ("dns", "a.example")),
            *(("ssl", "localhost:443"), ("ssl", "https://localhost/"), ("ssl", "localhost")),
        )
    ),
    *((NATIVE, "url", url, {"type": "ping"}) for url in ("localhost", "::1", "http://localhost/")),
    *((NATIVE, "dns_resolver", at, {"type": "dns", "url": "a.example"}) for at in ("[::1]:53", "localhost")),
    *(
        (CHECKS, "target", target, {"check_type": type_, "probe_server_ids": [1]})
        for type_, target in (
            ("http", "https://[::1]/"),
            ("tcp", "localhost:80"),
            ("tls_expiry", "[::1]:443"),
        )
    ),
]
"""A format, the field that is changed, a good value of it, and the fields beside it."""

ODD = st.sampled_from(
    "\u200b\xad\ufeff\u2060\ufe0f\u2028\xa0\u3000\uff0f\uff1f?#%@/\\[]: \t\0\ud800\uff11\u3002"
)


@pytest.mark.parametrize(("format_", "field", "value", "others"), ENTRANCES)
@given(st.integers(0, 30), st.text(ODD | st.characters(), min_size=1, max_size=2))
@example(5, "\u200b")
@example(30, "?")
@example(3, "%1")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_what_is_taken_can_be_probed_and_shown(
    db: None,
    monkeypatch: pytest.MonkeyPatch,
    format_: MonitorFormat,
    field: str,
    value: str,
    others: dict[str, Any],
    at: int,
    odd: str,
) -> None:
    monkeypatch.setattr(targets, "check_host", lambda *_: None)  # whether it resolves is another question
    body = {"name": "odd", **others, field: value[:at] + odd + value[at:]}
    try:
        made = format_.new_fields(body, make.account())
    except APIException:
        return
    options = made.get("options", {})
    assert TARGETS[made["type"]](made["url"], options)
    if made["type"] in ("tcp", "port"):
        assert host_and_port(made["url"])
    if "resolver" in options:
        assert parse_address(options["resolver"], "dns", default_port=53)
