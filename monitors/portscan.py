"""Telling monitoring from scanning: nobody watches so many ports of one host.

Within an hour an account may create monitors on `MOST_PORTS` different ports of a host; with one more it is
suspended, and an operator can lift that. Networks that the operator opened himself do not count.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.models import Account
from monitors.models import PortTried
from probes.guard import AddressPolicy

logger = logging.getLogger(__name__)

WINDOW = timedelta(hours=1)
MOST_PORTS = 10
PUBLIC = AddressPolicy()


def note_port(account: Account, host: str, port: int, addresses: Sequence[str], now: datetime) -> None:
    """Note that `account` had a monitor on this port made, and suspend it if that is one port too many.

    `addresses` are those of `host` that our policy was asked about.
    """
    if not any(PUBLIC.permits(address, port) for address in addresses):
        return
    mine = PortTried.objects.filter(account=account)
    mine.filter(tried_at__lte=now - WINDOW).delete()
    PortTried.objects.update_or_create(
        account=account, host=host.lower(), port=port, defaults={"tried_at": now}
    )
    if mine.filter(host=host.lower()).count() > MOST_PORTS:
        _suspend(account, host, now)


def _suspend(account: Account, host: str, now: datetime) -> None:
    logger.error(
        "account.suspended: more than %d ports of %s", MOST_PORTS, host, extra={"account": account.pk}
    )
    Account.objects.filter(pk=account.pk, suspended_at=None).update(suspended_at=now)
