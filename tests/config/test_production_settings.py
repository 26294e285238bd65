"""The settings of production, in a process of their own, for they are read once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SAY = """
import django; django.setup()
from django.test import Client
for path, headers in (("/docs", {}), ("/docs", {"X-Forwarded-Proto": "https"}), ("/healthz", {})):
    answer = Client().get(path, headers=headers)
    print(answer.status_code, answer.get("Strict-Transport-Security"), answer.get("Location"))
"""


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "UPQUORUM_SECRET_KEY": "throwaway-throwaway-throwaway-throwaway-throwaway-1",
        "UPQUORUM_ALLOWED_HOSTS": "testserver",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **variables,
    }
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )


def test_django_has_nothing_to_say_about_them() -> None:
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", UPQUORUM_HTTPS="1")
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n")


def test_it_would_say_something_without_them() -> None:
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 1
    assert "security.W004" in done.stderr


def test_a_setting_that_cannot_be_used_is_named() -> None:
    done = run("manage.py", "check", UPQUORUM_ALLOWED_TARGETS="192.168.1.5/16")
    assert (done.returncode, done.stderr) == (
        1,
        "UPQUORUM_ALLOWED_TARGETS: 192.168.1.5/16 has host bits set\n",
    )


def test_everybody_is_sent_to_https_but_the_probes_of_the_process() -> None:
    done = run("-c", SAY, UPQUORUM_HTTPS="1", UPQUORUM_PROXY_SSL_HEADER="X-Forwarded-Proto")
    assert done.stdout.splitlines() == [
        "301 None https://testserver/docs",
        "200 max-age=31536000; includeSubDomains; preload None",
        "200 None None",
    ]
