from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import Account
from tests.webhooks.conftest import make_webhook, publish_delivery
from tests.webhooks.receivers import receiver, replies
from webhooks.models import Delivery, Status
from webhooks.tasks import DELIVER_DUE, deliver_due


@pytest.mark.django_db(transaction=True)
def test_the_task_delivers_what_is_due_by_the_clock(account: Account) -> None:
    with receiver(replies(204)) as server:
        publish_delivery(make_webhook(account, url=server.url), now=timezone.now())

        assert deliver_due() == 1

    assert Delivery.objects.get().status == Status.DELIVERED


def test_the_task_is_acknowledged_late_since_a_run_may_die_with_its_worker() -> None:
    assert (deliver_due.name, deliver_due.acks_late) == (DELIVER_DUE, True)
