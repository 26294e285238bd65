"""The routes below /uptime-checks."""

from __future__ import annotations

from django.urls import path, re_path

from api.dialects.uptime_checks.errors import not_found
from api.views.uptime_checks import UptimeCheckDetail

urlpatterns = [
    path("<str:id_text>", UptimeCheckDetail.as_view()),
    re_path(r"", not_found),
]
