"""The pages, where Django's admin looks for them."""

from staff.pages import accounts, incidents, log, monitors, news, regions, rounds, servers, webhooks

__all__ = ["accounts", "incidents", "log", "monitors", "news", "regions", "rounds", "servers", "webhooks"]
