"""`manage.py doctor`: what is well with this installation, and what to do about the rest."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from config.diagnosis import diagnose


class Command(BaseCommand):
    help = (
        "Look at the broker, the database, the clocks, migrations, the schedule, the regions, partitions,"
        " secrets and ICMP rights. Say what to do about what is not well, and then end with status 1."
    )
    requires_system_checks: list[str] = []  # it says itself what is wrong

    def handle(self, *args: Any, **options: Any) -> None:
        troubles = 0
        for finding in diagnose(timezone.now):
            troubles += not finding.ok
            self.stdout.write(f"{'ok ' if finding.ok else 'BAD'}  {finding.name}: {finding.text}")
        self.stdout.write("All is well." if troubles == 0 else f"{troubles} to be mended.")
        if troubles:
            sys.exit(1)
