"""What `manage.py check`, and every start, tells the operator."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

RULES = {
    1: "an outage is confirmed from one place only, by three failures 2 s apart",
    2: "two regions must both agree, so trouble of one delays or hides an outage",
}


@register()
def enough_regions(**_: object) -> list[CheckMessage]:
    """Two of three regions confirm; with fewer, a weaker rule does."""
    rule = RULES.get(len(settings.REGIONS))
    if rule is None:
        return []
    return [
        Warning(
            f"UPQUORUM_REGIONS names {len(settings.REGIONS)} of the 3 regions that a quorum takes: {rule}",
            hint="Name three or more, and run a worker for each.",
            id="monitors.W001",
        )
    ]
