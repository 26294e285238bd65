"""What of an event is sent: a table of log lines, and a thread that ends by an exception."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from probes.telemetry import sentry
from tests.probes.telemetry.collector import Collector

REPOSITORY = Path(__file__).parents[3]


def record(
    message: str, *arguments: object, name: str = "probes.tests", **extra: object
) -> logging.LogRecord:
    return logging.getLogger(name).makeRecord(
        name, logging.ERROR, "file.py", 1, message, arguments, None, extra=extra
    )


@pytest.mark.parametrize(
    ("made", "template"),
    [
        (record("batch.dropped: %s", "hunter2"), "batch.dropped: %s"),
        (record("operator.%s: %s", "regions.none", "hunter2"), "operator.regions.none"),
        (record("worker.deaf: it consumed no echo"), "worker.deaf: it consumed no echo"),
        (record("gave up %s", "hunter2", name="lib"), "gave up %s"),
        (record("gave up on https://me:hunter2@x", name="lib"), "an error of lib"),
        (record("shop.example: hunter2 was refused", name="lib"), "an error of lib"),
    ],
)
def test_of_a_line_its_template_is_sent(made: logging.LogRecord, template: str) -> None:
    sent: Any = sentry.harmless({}, {"log_record": made})
    assert sent["logentry"] == {"message": template}
    assert "hunter2" not in str(sent)


def test_the_packages_whose_lines_are_ours_are_all_of_them() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    assert set(project["tool"]["importlinter"]["root_packages"]) == sentry.OURS


@pytest.mark.parametrize(
    ("made", "tags", "extra"),
    [
        (
            record("results.lost", results=3, region="eu"),
            {"event": "results.lost", "region": "eu"},
            {"results": 3},
        ),
        (
            record("x", data={"name": "tests.fail", "args": "hunter2"}),
            {"event": "log", "task": "tests.fail"},
            {},
        ),
        (record("x", data="hunter2", url="https://hunter2"), {"event": "log"}, {}),
        (
            record(
                "x", request=SimpleNamespace(resolver_match=SimpleNamespace(route="r/<id>"), url="hunter2")
            ),
            {"event": "log", "route": "r/<id>"},
            {},
        ),
        (
            record("x", request=SimpleNamespace(resolver_match=None), status_code=500),
            {"event": "log"},
            {"status_code": 500},
        ),
    ],
)
def test_of_what_a_line_is_about_names_and_numbers_are_sent(
    made: logging.LogRecord, tags: dict[str, str], extra: dict[str, int]
) -> None:
    sent: Any = sentry.harmless({"tags": {}, "extra": {"url": "hunter2"}}, {"log_record": made})
    assert (sent["tags"], sent["extra"]) == (tags, extra)


def test_what_an_event_may_hold_besides_is_not_sent() -> None:
    frame = {"function": "f", "lineno": 7, "vars": {"key": "hunter2"}}
    exception = {
        "type": "E",
        "value": "hunter2",
        "mechanism": {"data": "hunter2"},
        "stacktrace": {"frames": [frame]},
    }
    event: Any = {
        "level": "error",
        "exception": {"values": [exception]},
        **dict.fromkeys(("request", "user", "breadcrumbs", "contexts", "modules", "_meta"), "hunter2"),
    }
    assert sentry.harmless(event, {}) == {
        "level": "error",
        "exception": {"values": [{"type": "E", "stacktrace": {"frames": [{"function": "f", "lineno": 7}]}}]},
    }


def test_the_answer_to_an_exception_that_was_logged_is_no_second_event() -> None:
    made = record("%s: %s", "Internal Server Error", "/feed/hunter2", name="django.request")
    assert sentry.harmless({}, {"log_record": made}) is None


THREAD = """
import threading
from probes import telemetry
telemetry.set_up("probe", "eu")
def fail(): raise LookupError("hunter2")
thread = threading.Thread(target=fail); thread.start(); thread.join()
raise SystemError("hunter2")
"""


def test_what_ends_a_thread_or_the_process_is_sent_as_the_process_ends(collector: Collector) -> None:
    environment = {**os.environ, **collector.variables()}
    command = [sys.executable, "-c", THREAD]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("hunter2") == 2  # it is told here as ever
    types = [event["exception"]["values"][0]["type"] for event in collector.events]
    assert types == ["LookupError", "SystemError"]
    assert all(event["tags"] == {"process": "probe", "region": "eu"} for event in collector.events)
    assert collector.saw("hunter2") == []
