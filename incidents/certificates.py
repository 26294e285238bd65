"""A certificate that is about to end: told once, however often it is seen. It is no outage."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from incidents.events import publish_expiring
from monitors.models import MonitorState
from probes.errors import ErrorClass
from probes.instants import from_unix_ms
from probes.messages import ProbeResult

RENEWED = timedelta(days=2)
"""One that ends so much later is another: an agent of others tells only how many days are left."""


def warn_of_certificates(results: Iterable[ProbeResult], now: datetime) -> None:
    """Tell of the certificates among these results that are about to end, unless that was told."""
    for result in results:
        if result.error_class == ErrorClass.CERT_EXPIRING and result.certificate:
            _warn(result, from_unix_ms(result.certificate.chain_expires_at_ms), now)


@transaction.atomic
def _warn(result: ProbeResult, ends_at: datetime, now: datetime) -> None:
    untold = Q(cert_warned_until=None) | Q(cert_warned_until__lt=ends_at - RENEWED)
    states = MonitorState.objects.filter(pk=result.monitor_id, config_version=result.config_version)
    if states.filter(untold).update(cert_warned_until=ends_at):
        publish_expiring(states.select_related("monitor").get(), ends_at, now)
