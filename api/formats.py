"""The formats that share the paths of /api/v1: the key decides, unless the request says otherwise."""

from __future__ import annotations

from rest_framework.request import Request

from accounts.models import ApiKey
from api.dialects.flat.monitors import FORMAT as FLAT_FORMAT
from api.dialects.format import MonitorFormat
from api.dialects.native.monitors import FORMAT as NATIVE_FORMAT
from api.errors import Refusal
from api.key_formats import FLAT, NATIVE

HEADER = "Upquorum-Format"
FORMATS = {NATIVE: NATIVE_FORMAT, FLAT: FLAT_FORMAT}


def format_of(request: Request) -> MonitorFormat:
    """The format of a request and its answer; refuses with 400 a header that names none."""
    if name := request.headers.get(HEADER):
        if name not in FORMATS:
            raise Refusal(400, f"{HEADER} must be one of: {', '.join(FORMATS)}")
        return FORMATS[name]
    key: ApiKey = request.auth  # type: ignore[assignment]
    return FORMATS.get(key.format, NATIVE_FORMAT)
