"""A whole Upquorum of its own, as `make up` starts it: servers, web, beat, core and three regions.

The end-to-end tests and the benchmarks start it, call it and hurt it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil

REPOSITORY = Path(__file__).resolve().parents[1]
READY_SECONDS = 45
STOP_SECONDS = 20


def wait_for(what: str, condition: Callable[[], object], seconds: float) -> None:
    """Wait until `condition` holds; fail by name when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Environment:
    """One data folder and port; started, called, hurt and stopped as a user would."""

    def __init__(self, folder: Path, variables: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.variables = dict(variables or {})
        self.port = free_port()
        self.log = folder.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """What `make up` runs once everything is installed."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.local.up"],
                cwd=REPOSITORY,
                env=self.variables_of_processes(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(f"ready; see {self.log}", self._is_ready, READY_SECONDS)

    def stop(self) -> list[psutil.Process]:
        """Press ctrl-C; the processes that are left, which should be none."""
        assert self.process
        everything = self.processes()
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(STOP_SECONDS)
        return [process for process in everything if process.is_running() and process.status() != "zombie"]

    def processes(self) -> list[psutil.Process]:
        assert self.process
        manager = psutil.Process(self.process.pid)
        return [manager, *manager.children(recursive=True)]

    def find(self, *words: str) -> psutil.Process:
        """The oldest process with all of `words` in its command line."""
        found = [each for each in self.processes() if all(word in " ".join(each.cmdline()) for word in words)]
        return min(found, key=psutil.Process.create_time)

    def kill(self, *words: str) -> None:
        """SIGKILL, and wait for the manager to start it again."""
        killed = self.find(*words)
        killed.kill()
        wait_for(f"{words} again", lambda: self._replaced(killed, words), 10)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that the API answers; raises `HTTPError` for a refusal."""
        key = (self.folder / "api-key").read_text().strip()
        request = Request(
            f"http://127.0.0.1:{self.port}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}"},
        )
        content = self._answer(request)
        return json.loads(content) if content else None

    def _answer(self, request: Request) -> bytes:
        """The body of the answer; one 503 is waited out for as long as it asks."""
        try:
            with urlopen(request, timeout=30) as response:
                return bytes(response.read())
        except HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            time.sleep(float(error.headers["Retry-After"]))
        with urlopen(request, timeout=30) as response:
            return bytes(response.read())

    def _replaced(self, killed: psutil.Process, words: tuple[str, ...]) -> bool:
        try:
            return self.find(*words).pid != killed.pid
        except (ValueError, psutil.NoSuchProcess, psutil.ZombieProcess):
            return False

    def _is_ready(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as response:
                return bool(response.status == 200) and self._regions_are_known()
        except (HTTPError, OSError):
            return False

    def _regions_are_known(self) -> bool:
        return "Upquorum is ready" in self.log.read_text()

    def variables_of_processes(self) -> dict[str, str]:
        """What its processes are started with, and commands by hand."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("UPQUORUM_")}
        return ours | {
            "UPQUORUM_PORT": str(self.port),
            "UPQUORUM_DATA_DIR": str(self.folder),
            "UPQUORUM_ALLOWED_TARGETS": "127.0.0.0/8",
            "UPQUORUM_MIN_INTERVAL_SECONDS": "1",
            "UPQUORUM_TCP_PORTS": "*",
            "UPQUORUM_API_REQUESTS_PER_MINUTE": "0",
            "UPQUORUM_MONITOR_CREATIONS_PER_MINUTE": "0",
            "UPQUORUM_KEY_REQUESTS_PER_MINUTE": "0",
            **self.variables,
        }
