"""Django's registration of the package."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"
