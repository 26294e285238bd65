"""Django's registration of the package, and of its site in place of the stock admin's."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class StaffConfig(AppConfig):
    name = "staff"


class StaffAdminConfig(AdminConfig):
    default_site = "staff.site.StaffSite"
