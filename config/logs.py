"""Logs of the web server, as of all other processes."""

from __future__ import annotations

from typing import Any

from gunicorn import glogging

from probes import logs


class GunicornLogger(glogging.Logger):  # type: ignore[misc]  # it has no types
    """Hands on what gunicorn logs, which by itself has handlers of its own."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn, before the application is loaded."""
        super().setup(cfg)
        logs.set_up()
        self.error_log.handlers.clear()
        self.error_log.propagate = True
