"""The web process: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from probes import telemetry
from probes.telemetry import tasks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

telemetry.set_up("web")
tasks.connect()
django = get_wsgi_application()

# These need Django's settings, which are there now.
from django.conf import settings  # noqa: E402

from api.pings import PingsFirst  # noqa: E402
from config.proxies import BehindProxies  # noqa: E402

application = BehindProxies(PingsFirst(django), settings.PROXIES)
