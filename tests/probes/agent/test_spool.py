"""Results on disk: the newest first, none lost to a crash, none kept for ever."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from probes.agent import spool as module
from probes.agent.spool import FILE_BYTES, LONGEST_KEPT_MS, PARCEL_BYTES, Spool

NOW_MS = 1_763_726_400_000


def result(number: int, size: int = 0) -> bytes:
    return b'{"n":%d,"pad":"%s"}' % (number, b"x" * size)


def drained(spool: Spool) -> list[bytes]:
    """All results, as they would be sent."""
    sent = list[bytes]()
    while not spool.is_empty():
        parcel = spool.take()
        assert sum(map(len, parcel.results)) <= PARCEL_BYTES
        sent += parcel.results
        spool.forget(parcel)
    return sent


def test_what_is_taken_is_kept_until_it_is_forgotten(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    assert spool.take().results == []
    spool.add([result(1), result(2)], NOW_MS)
    parcel = spool.take()
    assert parcel.results == [result(1), result(2)]
    spool.add([result(3)], NOW_MS)
    spool.forget(parcel)
    assert spool.take().results == [result(3)]


def test_another_process_sends_what_one_left(tmp_path: Path) -> None:
    Spool(tmp_path).add([result(1)], NOW_MS)
    again = Spool(tmp_path)
    again.add([result(2)], NOW_MS)
    assert again.take().results == [result(2), result(1)]


def test_a_line_that_was_not_written_to_its_end_is_passed_over(tmp_path: Path) -> None:
    Spool(tmp_path).add([result(1), result(2)], NOW_MS)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    again = Spool(tmp_path)
    again.add([result(3)], NOW_MS)
    assert drained(again) == [result(3), result(1)]


def test_the_newest_go_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(10):
        spool.add([result(number, FILE_BYTES // 2)], NOW_MS + number)
    first = spool.take().results
    assert result(9, FILE_BYTES // 2) == first[0]
    assert result(0, FILE_BYTES // 2) not in first


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(0, 2000), max_size=30), max_size=20))
def test_each_is_sent_once_whatever_their_sizes(batches: list[list[int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool, given_ = Spool(Path(folder)), list[bytes]()
        for sizes in batches:
            results = [result(len(given_) + place, size) for place, size in enumerate(sizes)]
            given_ += results
            spool.add(results, NOW_MS)
        assert sorted(drained(spool)) == sorted(given_)


def test_what_is_a_day_old_goes(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add([result(1)], NOW_MS)
    spool.take()
    spool.add([result(2)], NOW_MS + LONGEST_KEPT_MS + 1)
    assert drained(spool) == [result(2)]


def test_of_too_much_the_oldest_goes(tmp_path: Path, monkeypatch: object) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 3 * FILE_BYTES)  # type: ignore[attr-defined]
    spool = Spool(tmp_path)
    for number in range(20):
        spool.add([result(number, FILE_BYTES - 100)], NOW_MS + number)
    kept = drained(spool)
    assert kept[0] == result(19, FILE_BYTES - 100)
    assert len(kept) in (2, 3)


def test_only_the_agent_reads_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.add([result(1)], NOW_MS)
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "spool").iterdir())
