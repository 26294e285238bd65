"""`manage.py replay_delivery`: send a finished delivery again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from webhooks.models import Delivery
from webhooks.replaying import NotReplayable, replay


class Command(BaseCommand):
    help = "Send finished deliveries again, as the same deliveries, and say of each what was done."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="+", type=int, metavar="ID", help="the delivery_id")

    def handle(self, *args: Any, **options: Any) -> None:
        problems = [problem for id_ in options["ids"] if (problem := self._replay(id_))]
        if problems:
            raise CommandError("; ".join(problems))

    def _replay(self, id_: int) -> str:
        """Why it could not be done, or nothing."""
        delivery = Delivery.objects.filter(pk=id_).first()
        if delivery is None:
            return f"{id_}: there is no such delivery"
        try:
            replay(delivery, timezone.now())
        except NotReplayable as error:
            return f"{id_}: {error}"
        self.stdout.write(f"{id_}: due now")
        return ""
