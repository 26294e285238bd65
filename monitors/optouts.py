"""The owners of targets who do not want to be monitored."""

from __future__ import annotations

from django.db.models import QuerySet

from monitors.models import OptOut


def opted_out(host: str) -> bool:
    """Whether `host`, or a domain that it lies below, has opted out."""
    return covering(host).exists()


def covering(host: str) -> QuerySet[OptOut]:
    """The opt-outs that cover `host`."""
    labels = host.lower().removesuffix(".").split(".")
    return OptOut.objects.filter(domain__in=[".".join(labels[start:]) for start in range(len(labels))])
