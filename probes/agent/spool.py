"""Results on disk until the service has taken them: small append-only files, the newest sent first.

A process may be killed, and a machine lose power, at any point: a line that was not written to its end is
passed over, and a file whose results were sent but not yet forgotten is sent again, which the service knows.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

LONGEST_KEPT_MS = 24 * 60 * 60 * 1000
MOST_BYTES = 64 * 1024 * 1024
"""On disk: of more, the oldest goes."""
FILE_BYTES = 16 * 1024
PARCEL_BYTES = 48 * 1024
"""Of one heartbeat, which may have 64 KiB with all that is around the results."""
SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Parcel:
    """Results to send, as JSON, and the files that hold them."""

    files: Sequence[Path]
    results: Sequence[bytes]


class Spool:
    """The results of one agent in a folder of its own. Any thread may call it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._current: Path | None = None
        self._lock = threading.Lock()

    def add(self, results: Iterable[bytes], now_ms: int) -> None:
        """Keep results, each the JSON of one, beyond a crash; raises `OSError`."""
        with self._lock:
            for part in _parts(results):
                if self._current and self._current.stat().st_size + len(part) > FILE_BYTES:
                    self._current = None
                self._current = self._current or self._new_file(now_ms)
                _append(self._current, part)
            self._drop_old(now_ms)

    def take(self) -> Parcel:
        """The newest results that fit in one heartbeat; what is added from now on is not among them."""
        with self._lock:
            self._current = None
            files, total = list[Path](), 0
            for file in reversed(self._files()):
                total += file.stat().st_size
                if total > PARCEL_BYTES and files:
                    break
                files.append(file)
            return Parcel(files, [line for file in files for line in _whole_lines(file)])

    def forget(self, parcel: Parcel) -> None:
        """The service has taken them."""
        with self._lock:
            for file in parcel.files:
                file.unlink(missing_ok=True)

    def is_empty(self) -> bool:
        """Whether nothing waits to be sent."""
        with self._lock:
            return not self._files()

    def _files(self) -> list[Path]:
        """Oldest first: their names begin with the instant at which they were begun."""
        return sorted(self._folder.glob(f"*{SUFFIX}"))

    def _new_file(self, now_ms: int) -> Path:
        files = self._files()
        number = int(files[-1].stem.partition("-")[2]) + 1 if files else 0
        file = self._folder / f"{now_ms:015d}-{number:09d}{SUFFIX}"
        file.touch(mode=0o600)
        _sync(self._folder)
        return file

    def _drop_old(self, now_ms: int) -> None:
        files = self._files()
        sizes = {file: file.stat().st_size for file in files}
        total = sum(sizes.values())
        for file in files[:-1]:
            if total <= MOST_BYTES and int(file.stem.partition("-")[0]) >= now_ms - LONGEST_KEPT_MS:
                break
            total -= sizes[file]
            file.unlink()


def _parts(results: Iterable[bytes]) -> Iterable[bytes]:
    """The results as lines, in parts that fit into a file."""
    part = b""
    for result in results:
        if part and len(part) + len(result) >= FILE_BYTES:
            yield part
            part = b""
        part += result + b"\n"
    if part:
        yield part


def _append(file: Path, lines: bytes) -> None:
    with file.open("ab") as stream:
        stream.write(lines)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    """A name in a folder is on disk when the folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _whole_lines(file: Path) -> list[bytes]:
    return [line for line in file.read_bytes().split(b"\n") if _is_json(line)]


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except msgspec.DecodeError:
        return False
    return True
