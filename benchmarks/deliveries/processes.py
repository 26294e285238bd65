"""The servers and the delivery worker: started, killed, started again, and ended with the run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import servers as embedded
from benchmarks.deliveries.clock import FILE
from benchmarks.environment import REPOSITORY
from probes import names


@contextmanager
def servers(folder: Path) -> Iterator[None]:
    """A PostgreSQL and a Redis of their own, and the file of the clock."""
    (folder / "skipped").write_text("0")
    os.environ[FILE] = str(folder / "skipped")
    with embedded.servers(folder):
        yield


class Worker:
    """The delivery worker, which is started again at once when it was killed."""

    COMMAND = (
        *(sys.executable, "-m", "celery", "--quiet", "--app=benchmarks.deliveries.worker", "worker"),
        *("--pool=threads", "--concurrency=2", f"--queues={names.DELIVERY_QUEUE}", "--loglevel=ERROR"),
        *("--without-gossip", "--without-mingle"),
    )

    def __init__(self, log: Path) -> None:
        self._log = log
        self.start()

    def start(self) -> None:
        """Begin, and do not wait until it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.COMMAND, cwd=REPOSITORY, stdout=log, stderr=log, process_group=0
            )

    def kill(self) -> None:
        """SIGKILL, and another takes its place."""
        self._process.kill()
        self._process.wait()
        self.start()

    def stop(self) -> None:
        """End it: what it has in hand does not matter any more."""
        self._process.kill()
        self._process.wait()
