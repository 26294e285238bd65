"""Where Schemathesis aims: at what exists, and never at the key that it asks with."""

from __future__ import annotations

from random import choice
from typing import Any
from urllib.parse import urlencode

import schemathesis
from schemathesis.core.parameters import ParameterLocation

FIRST = 1
"""The id of the environment's monitor, webhook, delivery and key."""
NOTHING = 999_999_999
"""An id of nothing."""
OTHERS = {"/v1/tcp-monitors/{id}": "tcpm_000002", "/uptime-checks/{id}": 3}
"""By path, the environment's monitors in the formats that have not the first."""
LONGEST_QUERY = 3500
"""The web server refuses a request line of more than 4094 bytes itself, and not as the API does."""


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """Turn every second id to what exists, unless that would delete it."""
    if len(urlencode(case.query, doseq=True)) > LONGEST_QUERY:
        case.query = {}
    path = case.operation.path
    other = next((id_ for start, id_ in OTHERS.items() if path.startswith(start)), None)
    if other and case.method.upper() != "DELETE":
        case.path_parameters["id"] = choice([other, case.path_parameters["id"]])
        return
    if not is_id(case):
        return
    id_ = int(case.path_parameters["id"])
    if case.method.upper() == "DELETE" or case.operation.path.startswith("/api/v1/keys"):
        case.path_parameters["id"] = NOTHING if id_ == FIRST else id_
    elif id_ % 2:
        case.path_parameters["id"] = FIRST


def is_id(case: schemathesis.Case[Any]) -> bool:
    """Whether the API would read an id in the path: no fault was put there, or none that it minds."""
    path = case.meta and case.meta.components.get(ParameterLocation.PATH)
    text = str(case.path_parameters.get("id")) if case.path_parameters else ""
    return text.isascii() and text.isdigit() and (int(text) == FIRST or bool(path and path.mode.is_positive))
