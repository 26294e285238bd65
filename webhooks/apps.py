"""Django's registration of the package."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
