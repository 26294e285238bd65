"""The checks of a monitor, as /v1/tcp-monitors has them."""

from __future__ import annotations

from typing import Any

from api.dialects.tcp_monitors.ids import result_id
from api.query import Page
from monitors.models import Evidence
from monitors.outcomes import check_page
from probes.errors import ErrorClass
from probes.instants import rfc3339, unix_ms

LARGEST_PAGE = 200
TIMEOUTS = (ErrorClass.CONNECT_TIMEOUT, ErrorClass.TIMEOUT)
STATUSES = ["up", "down", "timeout"]


def results_page(monitor_id: int, page: Page) -> dict[str, Any]:
    """This part of a monitor's checks, newest first."""
    checks, total = check_page(monitor_id, page.limit, page.offset)
    pagination = {"total": total, "limit": page.limit, "offset": page.offset}
    return {"data": [_body(check) for check in checks], "pagination": pagination}


def status_of(check: Evidence) -> str:
    """What a check came to; a timeout is told apart from other failures."""
    return "timeout" if check.error_class in TIMEOUTS else check.outcome


def response_ms(check: Evidence) -> int | None:
    """How long the connection took; of one that was not made there is nothing to say."""
    if check.outcome != "up":
        return None
    return round(check.total_ms if check.connect_ms is None else check.connect_ms)


def _body(check: Evidence) -> dict[str, Any]:
    body = {
        # Of the check, not of the probe that stands for it: another may, once more have answered.
        "id": result_id((check.monitor_id, unix_ms(check.scheduled_at))),
        "status": status_of(check),
        "responseTimeMs": response_ms(check),
        "checkedAt": rfc3339(check.started_at),
    }
    return body if check.outcome == "up" else body | {"error": check.error or check.error_class}
