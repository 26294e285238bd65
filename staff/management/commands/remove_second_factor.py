"""`manage.py remove_second_factor`: for a member of staff whose authenticator is lost."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from staff.models import Authenticator


class Command(BaseCommand):
    help = (
        "Remove the second factor of a member of staff: they sign in with their password, and set up another."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        removed, _ = Authenticator.objects.filter(user__username=options["username"]).delete()
        if not removed:
            raise CommandError(f"{options['username']} has no second factor")
        self.stdout.write(f"removed the second factor of {options['username']}")
