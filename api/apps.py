"""Django's registration of the package."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "api"
