"""What must have happened before the application starts: servers up, tables made, the first key issued."""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.core.management import call_command

from config.local import waiting
from probes import env

START_SECONDS = 60


def main() -> None:
    database_url, redis_url = env.secret("DATABASE_URL"), env.secret("REDIS_URL")
    waiting.wait_until(lambda: waiting.postgres_answers(database_url), "PostgreSQL", seconds=START_SECONDS)
    waiting.wait_until(lambda: waiting.redis_answers(redis_url), "Redis", seconds=START_SECONDS)
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    with open(os.devnull, "w") as nowhere:  # the key is shown once everything is ready
        call_command("create_key", first=True, file=settings.PATHS.api_key, stdout=nowhere)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
