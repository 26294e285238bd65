"""blackbox_exporter, where Debian's package of it is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = shutil.which("prometheus-blackbox-exporter") or shutil.which("blackbox_exporter")


@contextmanager
def running(config: str, cores: int = 1) -> Iterator[tuple[int, int]]:
    """Its port and process id; it has one core unless told otherwise."""
    assert PROGRAM
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "blackbox.yml")
        file.write_text(config)
        command = [PROGRAM, f"--config.file={file}", f"--web.listen-address=127.0.0.1:{port}"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env={"GOMAXPROCS": str(cores)}) as exporter:
            try:
                _wait_for(port)
                yield port, exporter.pid
            finally:
                exporter.terminate()


def _wait_for(port: int, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
