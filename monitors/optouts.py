"""The owners of targets who do not want to be monitored."""

from __future__ import annotations

from collections.abc import Iterable

from monitors.models import OptOut


def anyone_opted_out() -> bool:
    """Whether hosts need to be looked at, at all."""
    return OptOut.objects.exists()


def opted_out(host: str) -> bool:
    """Whether `host`, or a domain that it lies below, has opted out."""
    return bool(opted_out_of([host]))


def opted_out_of(hosts: Iterable[str]) -> set[str]:
    """Those of `hosts` that have opted out, or lie below a domain that has; one query for all."""
    covering = {host: _domains(host) for host in hosts}
    wanted = {domain for domains in covering.values() for domain in domains}
    out = set(OptOut.objects.filter(domain__in=wanted).values_list("domain", flat=True))
    return {host for host, domains in covering.items() if not out.isdisjoint(domains)}


def _domains(host: str) -> list[str]:
    """`host` and all that it lies below."""
    labels = host.lower().removesuffix(".").split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]
