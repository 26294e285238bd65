"""The rows, the file, and which goals they miss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.accuracy.report import Row, missed_goals, row, table, write
from benchmarks.accuracy.scoring import Score

TOLD = Score(events=2, false_events=0, expected=2, untold=0, delays=(6.0,))
UNTOLD = Score(events=1, false_events=0, expected=2, untold=1, delays=(3.0,))
SILENT = Score(events=0, false_events=0, expected=0, untold=0, delays=())
FALSE = Score(events=1, false_events=1, expected=0, untold=0, delays=())
LATE = Score(events=2, false_events=0, expected=2, untold=0, delays=(14.5,))


def test_a_row_is_about_all_monitors_of_a_fault() -> None:
    assert row("hang", [TOLD, LATE, SILENT], unit=12.0) == Row(
        fault="hang",
        monitors=3,
        expected=4,
        detected=True,
        ratio=1.208,
        ratio_p50=0.854,
        events=4,
        false_events=0,
    )


def test_where_nothing_was_to_be_told_nothing_was_detected() -> None:
    silent = row("blip", [SILENT], unit=12.0)
    assert (silent.detected, silent.ratio) == (False, None)


@pytest.mark.parametrize(
    ("scores", "missed"),
    [
        ([TOLD, SILENT], []),
        ([TOLD, FALSE], ["fault: 1 false events"]),
        ([TOLD, UNTOLD], ["fault: not everything was told"]),
        ([LATE], ["fault: told after 1.21 times interval + timeout, 1.2 is the most"]),
    ],
)
def test_each_goal_that_is_missed_is_a_sentence(scores: list[Score], missed: list[str]) -> None:
    assert missed_goals([row("fault", scores, unit=12.0)]) == missed


def test_the_table_has_a_line_a_fault() -> None:
    rows = [row("hang", [TOLD], unit=12.0), row("blip", [SILENT], unit=12.0)]
    assert table(rows).splitlines()[2:] == [
        "| hang | yes | 0.50 | 0.50 | 2 | 0 |",
        "| blip | none to detect |  |  | 0 | 0 |",
    ]


def test_the_file_holds_the_rows(tmp_path: Path) -> None:
    file = tmp_path / "build" / "accuracy.json"
    write([row("hang", [TOLD], unit=12.0)], 2, 10, file)
    written = json.loads(file.read_text())["rows"][0]
    assert {name: written[name] for name in ("fault", "detected", "ratio", "events", "false_events")} == {
        "fault": "hang",
        "detected": True,
        "ratio": 0.5,
        "events": 2,
        "false_events": 0,
    }
