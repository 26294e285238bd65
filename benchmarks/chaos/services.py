"""The processes of a system: each is started again when it ends, as a process manager would."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.environment import REPOSITORY

RESTART_SECONDS = 0.5
STOP_SECONDS = 15


class Service:
    """One process, kept running from `start` to `stop`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        variables: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.variables = dict(variables or {})
        self.ended_at = 0.0
        """When it last ended, in seconds of `time.monotonic`."""
        self._command, self._log, self._stop_signal = list(command), log, stop_signal
        self._stopping = False
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher = threading.Thread(target=self._keep_running, name=f"keep-{name}", daemon=True)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process
        return self._process

    def start(self) -> None:
        """Begin, and do not wait until it is ready."""
        self._spawn()
        self._watcher.start()

    def kill(self) -> None:
        """SIGKILL; it is started again."""
        self.process.kill()

    def restart(self) -> None:
        """Ask it to end, and wait until it has; it is started again."""
        ending = self.process
        ending.send_signal(self._stop_signal)
        ending.wait(STOP_SECONDS)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it for good."""
        self._stopping = True
        self.thaw()
        self.process.send_signal(self._stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._watcher.join()

    def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=REPOSITORY,
                env={**os.environ, **self.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def _keep_running(self) -> None:
        while not self._stopping:
            self.process.wait()
            self.ended_at = time.monotonic()
            time.sleep(RESTART_SECONDS)
            if not self._stopping:
                self._spawn()
