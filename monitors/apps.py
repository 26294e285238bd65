"""Django's registration of the package."""

from django.apps import AppConfig


class MonitorsConfig(AppConfig):
    name = "monitors"
