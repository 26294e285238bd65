"""Telling monitoring from scanning: nobody watches so many ports of one host.

Within an hour an account may create monitors on `MOST_PORTS` different ports of a host; with one more it is
suspended, and an operator can lift that. Networks that the operator opened himself do not count.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import Account
from monitors.models import PortTried
from probes.guard import AddressPolicy
from probes.resolve import Unresolvable, resolve

logger = logging.getLogger(__name__)

WINDOW = timedelta(hours=1)
MOST_PORTS = 10
PUBLIC = AddressPolicy()


def note_port(account: Account, host: str, port: int, now: datetime) -> None:
    """Note that `account` had a monitor on this port made, and suspend it if that is one port too many."""
    if not _is_public(host, port):
        return
    mine = PortTried.objects.filter(account=account)
    mine.filter(tried_at__lte=now - WINDOW).delete()
    PortTried.objects.update_or_create(
        account=account, host=host.lower(), port=port, defaults={"tried_at": now}
    )
    if mine.filter(host=host.lower()).count() > MOST_PORTS:
        _suspend(account, host, now)


def _is_public(host: str, port: int) -> bool:
    try:
        addresses = resolve(host, port)
    except Unresolvable:
        return True
    own = [address for address in addresses if settings.ADDRESS_POLICY.permits(address, port)]
    return not own or any(PUBLIC.permits(address, port) for address in own)


def _suspend(account: Account, host: str, now: datetime) -> None:
    logger.error(
        "account.suspended: more than %d ports of %s", MOST_PORTS, host, extra={"account": account.pk}
    )
    Account.objects.filter(pk=account.pk, suspended_at=None).update(suspended_at=now)
