"""Every URL of the web process."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from config import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api/", include("api.urls")),
    path("admin/", admin.site.urls),
]
