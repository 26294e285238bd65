"""Log lines: events with names and ids, as text and as JSON."""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from probes import env, logs

REPOSITORY = Path(__file__).parents[2]
LOGGING_CALL = r"(logger|(logging\.)?getLogger\(.*\))\.(debug|info|warning|error|exception|critical)"


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    return logging.getLogger("ours").makeRecord(
        "ours", logging.WARNING, "file.py", 1, message, arguments, None, extra=extra
    )


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (record("region.sick: %s", "why"), {"event": "region.sick", "message": "why"}),
        (record("delivery.lease_lost", delivery=7), {"event": "delivery.lease_lost", "delivery": 7}),
        (record("a sentence: of a library"), {"event": "log", "message": "a sentence: of a library"}),
        (record("example.com is no event"), {"event": "log", "message": "example.com is no event"}),
        (record("batch.dropped: x: y"), {"event": "batch.dropped", "message": "x: y"}),
    ],
)
def test_an_event_has_its_name_its_words_and_its_ids(made: logging.LogRecord, said: dict[str, Any]) -> None:
    found = json.loads(logs.JsonFormatter().format(made))
    assert found.pop("at").endswith("+00:00")
    assert found == {"level": "warning", "logger": "ours", **said}


def test_every_line_of_ours_begins_with_its_event() -> None:
    calls = [(file, call) for file in sources() for call in logging_calls(file.read_text())]
    assert len(calls) > 30
    assert [f"{file}:{call.lineno}" for file, call in calls if not has_event(call)] == []


@pytest.mark.parametrize(
    "call", ["logger.info('no event')", "logging.getLogger('a').error(text)", "logger.error('a.b c=%s', c)"]
)
def test_a_line_without_an_event_would_be_noticed(call: str) -> None:
    assert [has_event(each) for each in logging_calls(call)] == [False]


def sources() -> list[Path]:
    packages = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]
    return [file for name in packages["root_packages"] for file in (REPOSITORY / name).rglob("*.py")]


def logging_calls(source: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and re.fullmatch(LOGGING_CALL, ast.unparse(node.func)):
            yield node


def has_event(call: ast.Call) -> bool:
    """An event may be made of a word that is put in, as those of the operator are."""
    message = getattr(call.args[0], "value", None)
    return isinstance(message, str) and bool(logs.EVENT.match(message.replace("%s", "word")))


def test_json_is_one_line_also_of_an_exception() -> None:
    made = record("probe.failed", text="two\nlines")
    try:
        raise ZeroDivisionError("of ours")
    except ZeroDivisionError:
        made.exc_info = sys.exc_info()
    line = logs.JsonFormatter().format(made)
    assert "\n" not in line
    assert "ZeroDivisionError: of ours" in json.loads(line)["exception"]


def test_text_shows_the_ids_at_the_end() -> None:
    line = logs.TextFormatter().format(record("delivery.lease_lost", delivery=7, attempt=1))
    assert line.endswith(" W ours delivery.lease_lost delivery=7 attempt=1")


def test_a_format_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPQUORUM_LOG_FORMAT", "xml")
    with pytest.raises(env.BadSetting, match="UPQUORUM_LOG_FORMAT must be one of text, json, not 'xml'"):
        logs.set_up()


REGIONAL = "from probes import worker, logs; logs.set_up(); worker.logger.error('batch.dropped: x')"
CORE = "import config; config.celery_app.log.setup(); import logging; logging.getLogger('a').error('b.c')"
DJANGO = "import django; django.setup(); import logging; logging.getLogger('django.security').error('b.c')"


@pytest.mark.parametrize("code", [REGIONAL, CORE, DJANGO])
def test_every_kind_of_process_says_it_in_json_and_once(code: str) -> None:
    environment = {**os.environ, "UPQUORUM_LOG_FORMAT": "json", "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["level"] == "error"


def test_the_web_server_logs_as_we_do(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    code = (
        "from gunicorn.config import Config; from config.logs import GunicornLogger;"
        "GunicornLogger(Config()).error('worker %s', 7)"
    )
    environment = {**os.environ, "UPQUORUM_LOG_FORMAT": "json"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == ["worker 7"]
