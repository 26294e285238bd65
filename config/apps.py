"""Django's registration of the package."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
