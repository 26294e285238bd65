"""Where the embedded servers keep their data and where they are reached."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from probes import env

DEFAULT_DATA_DIR = Path(__file__).resolve().parents[2] / "data"

# A Unix socket's path holds at most 104 bytes on BSD and macOS, and PostgreSQL adds its own name.
LONGEST_SOCKET_FOLDER = 80


@dataclass(frozen=True)
class Paths:
    """The files of one environment, all below its data folder (sockets aside, when its path is too long)."""

    data_dir: Path

    @classmethod
    def from_environment(cls) -> Paths:
        """The environment in `UPQUORUM_DATA_DIR`, which is `data/` in the checkout when unset."""
        return cls(Path(env.text("DATA_DIR", str(DEFAULT_DATA_DIR))).resolve())

    @property
    def postgres(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def sockets(self) -> Path:
        """The folder of the Unix sockets: short enough for the kernel, whatever the data folder is called."""
        inside = self.data_dir / "run"
        if len(str(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        digest = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"upquorum-{digest}"

    @property
    def api_key(self) -> Path:
        return self.data_dir / "api-key"

    def secret(self, name: str) -> Path:
        """The file of a generated secret: `secret-key` or `encryption-key`."""
        return self.data_dir / name

    @property
    def database_url(self) -> str:
        return f"postgresql://upquorum@/upquorum?host={self.sockets}"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.sockets / 'redis.sock'}"
