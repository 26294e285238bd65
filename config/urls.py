"""Every URL of the web process."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from api.base import not_found
from api.dialects.tcp_monitors.errors import not_found as coded_not_found
from api.key_formats import FLAT
from api.views import agents, readers, reference
from api.views.uptime_checks import UptimeCheckList
from config import health
from config.metrics.views import metrics

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api", not_found),
    path("metrics", metrics),
    path("api/", include("api.urls")),
    path("v1", coded_not_found),
    path("v1/", include("api.tcp_urls")),
    path("uptime-checks", UptimeCheckList.as_view()),
    path("uptime-checks/", include("api.check_urls")),
    path("agent/enrol", agents.AgentEnrolment.as_view()),
    path("agent/heartbeat", agents.AgentHeartbeat.as_view()),
    re_path(r"^agent(?:/|$)", not_found),
    path("feed/<str:token>/rss", readers.incident_feed_view, name="incident-feed"),
    path("feed/shared/<str:token>", readers.shared_incidents_view, name="shared-incidents"),
    path("feed.xml", readers.news_view),
    path("openapi.json", reference.openapi_view),
    path("openapi-flat.json", reference.openapi_view, {"name": FLAT}),
    path("docs", reference.docs_view),
    path("admin/", admin.site.urls),
]
