"""What came of it: rows, the table, the file, and the goals. Pure but for the file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.accuracy.scoring import Score

FILE = Path("build/accuracy.json")
LOG = Path("build/accuracy.log")
MOST_RATIO = 1.2


@dataclass(frozen=True)
class Row:
    """One fault over all its monitors."""

    fault: str
    monitors: int
    expected: int
    detected: bool
    """Everything that was to be told was told; False where nothing was."""
    ratio: float | None
    """The longest time from the fault to its event, in units of interval + timeout."""
    ratio_p50: float | None
    events: int
    false_events: int


def row(fault: str, scores: Sequence[Score], unit: float) -> Row:
    """The row of a fault, from the scores of its monitors."""
    expected = sum(score.expected for score in scores)
    ratios = [delay / unit for score in scores for delay in score.delays]
    return Row(
        fault=fault,
        monitors=len(scores),
        expected=expected,
        detected=expected > 0 and not any(score.untold for score in scores),
        ratio=round(max(ratios), 3) if ratios else None,
        ratio_p50=round(median(ratios), 3) if ratios else None,
        events=sum(score.events for score in scores),
        false_events=sum(score.false_events for score in scores),
    )


def line(of: Row) -> str:
    """One row while the others still run."""
    untold = " NOT ALL TOLD" if of.expected and not of.detected else ""
    ratio = f", ratio {of.ratio:.2f}" if of.ratio is not None else ""
    return f"{of.fault}: {of.events} events, {of.false_events} false{ratio}{untold}"


def missed_goals(rows: Iterable[Row]) -> list[str]:
    """A sentence for each goal that is missed."""
    return [sentence for each in rows for sentence in _missed(each)]


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown, as docs/accuracy.md shows them."""
    head = ["| fault | detected | ratio p50 | ratio max | events | false events |", "| --- " * 6 + "|"]
    return "\n".join([*head, *map(_table_row, rows)])


def write(rows: Sequence[Row], interval_seconds: int, timeout_seconds: int, file: Path = FILE) -> None:
    """Write the rows, and what their ratios are in units of."""
    file.parent.mkdir(exist_ok=True)
    units = {"interval_seconds": interval_seconds, "timeout_seconds": timeout_seconds}
    file.write_text(json.dumps(units | {"rows": [asdict(each) for each in rows]}, indent=2) + "\n")


def keep_log(log: Path) -> None:
    """Keep what the system printed meanwhile."""
    LOG.parent.mkdir(exist_ok=True)
    shutil.copy(log, LOG)


def _table_row(of: Row) -> str:
    detected = ("yes" if of.detected else "no") if of.expected else "none to detect"
    ratios = (_ratio(of.ratio_p50), _ratio(of.ratio))
    return "| " + " | ".join([of.fault, detected, *ratios, str(of.events), str(of.false_events)]) + " |"


def _missed(of: Row) -> Iterator[str]:
    if of.false_events:
        yield f"{of.fault}: {of.false_events} false events"
    if of.expected and not of.detected:
        yield f"{of.fault}: not everything was told"
    if of.ratio is not None and of.ratio > MOST_RATIO:
        yield f"{of.fault}: told after {of.ratio:.2f} times interval + timeout, {MOST_RATIO} is the most"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
