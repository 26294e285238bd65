"""The wiring: settings, URLs, the servers and the Celery app of the core."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
