from __future__ import annotations

import base64
import re
import subprocess

from hypothesis import given
from hypothesis import strategies as st

from tests.webhooks.conftest import NOW
from webhooks.signing import new_secret, signature, signature_headers, standard_signature

SECRET = "whs_live_0123456789abcdefghijABCDEFGHIJ0123456789"
BODY = b'{"event":"monitor.down","delivery_id":3,"attempt":1}'


def openssl_hmac(key: bytes, content: bytes) -> bytes:
    """HMAC-SHA256 by a program that shares no code with ours."""
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout


def test_the_contracts_signature_is_what_openssl_computes_with_the_whole_secret() -> None:
    assert signature(SECRET, BODY) == openssl_hmac(SECRET.encode(), BODY).hex()


def test_the_standard_signature_is_what_a_library_computes_with_the_secret_in_its_form() -> None:
    library_secret = "whsec_" + base64.b64encode(SECRET.encode()).decode()
    key = base64.b64decode(library_secret.removeprefix("whsec_"))

    expected = base64.b64encode(openssl_hmac(key, b"3.1795252442." + BODY)).decode()

    assert standard_signature(SECRET, "3", 1795252442, BODY) == f"v1,{expected}"


def test_the_headers_carry_both_signatures_and_what_they_sign() -> None:
    timestamp = int(NOW.timestamp())

    assert signature_headers([SECRET], 3, BODY, NOW) == {
        "X-UptimeMonitoring-Signature": signature(SECRET, BODY),
        "webhook-id": "3",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": standard_signature(SECRET, "3", timestamp, BODY),
    }


def test_while_there_are_two_secrets_both_sign_and_the_contracts_header_is_by_the_newer() -> None:
    old, timestamp = "whs_live_old", int(NOW.timestamp())

    headers = signature_headers([SECRET, old], 3, BODY, NOW)

    assert headers["X-UptimeMonitoring-Signature"] == signature(SECRET, BODY)
    assert headers["webhook-signature"].split(" ") == [
        standard_signature(SECRET, "3", timestamp, BODY),
        standard_signature(old, "3", timestamp, BODY),
    ]


@given(st.binary())
def test_a_signature_is_64_lower_case_hex_digits(body: bytes) -> None:
    assert re.fullmatch("[0-9a-f]{64}", signature(SECRET, body))


def test_secrets_have_the_contracts_form_and_differ() -> None:
    made = {new_secret() for _ in range(100)}

    assert len(made) == 100
    assert all(re.fullmatch("whs_live_[0-9A-Za-z]{40}", secret) for secret in made)
