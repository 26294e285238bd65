"""`manage.py create_key`: an API key for an account, made with it where it does not exist."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.keys import issue_key
from accounts.models import Account
from api.key_formats import KEY_FORMATS, NATIVE


class Command(BaseCommand):
    help = "Create an API key and print it, once. Only its SHA-256 is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--account", default="default", help="name of the account (made if there is none)"
        )
        parser.add_argument("--label", default="first", help="label of the key, 3 to 100 characters")
        parser.add_argument(
            "--format", default=NATIVE, choices=list(KEY_FORMATS), help="wire format that it is answered in"
        )
        parser.add_argument("--file", type=Path, help="also write the key to this file, readable by you only")
        parser.add_argument("--first", action="store_true", help="do nothing where any account exists")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["first"] and Account.objects.exists():
            return
        if not 3 <= len(options["label"]) <= 100:
            raise CommandError("--label must be 3 to 100 characters")
        with transaction.atomic():
            plaintext = self._issue(options["account"], options["label"], options["format"])
            if options["file"]:
                write_private(options["file"], plaintext)
        self.stdout.write(plaintext)

    def _issue(self, name: str, label: str, format_name: str) -> str:
        now = timezone.now()
        account = Account.objects.filter(name=name).first() or Account.objects.create(
            name=name, created_at=now
        )
        format_ = KEY_FORMATS[format_name]
        return issue_key(account, label, now, format_.unlimited, format_.kind)[1]


def write_private(path: Path, text: str) -> None:
    """Write `text` and a newline to `path` with mode 600, whatever the umask and what was there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600)
        file.write(f"{text}\n")
