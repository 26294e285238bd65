"""The routes below /api."""

from __future__ import annotations

from django.urls import path, re_path

from api.base import not_found
from api.views.account import AccountStatus
from api.views.deliveries import DeliveryDetail, DeliveryList, DeliveryReplay
from api.views.feeds import FeedRotation, Feeds, SharedFeed
from api.views.heartbeats import HeartbeatRotation
from api.views.history import MonitorLatency, MonitorUptime, ResultList
from api.views.incidents import IncidentDetail, IncidentList
from api.views.keys import KeyDetail, KeyList, KeyRotation
from api.views.monitors import MonitorDetail, MonitorList, MonitorTest
from api.views.pausing import MonitorPause, MonitorResume
from api.views.pings import ping_view
from api.views.rounds import RoundList
from api.views.servers import ServerDetail, ServerList, ServerToken
from api.views.webhooks import WebhookRotation, WebhookSlot, WebhookTest

urlpatterns = [
    path("v1/monitors", MonitorList.as_view()),
    path("v1/monitors/<str:id_text>", MonitorDetail.as_view()),
    path("v1/monitors/<str:id_text>/pause", MonitorPause.as_view()),
    path("v1/monitors/<str:id_text>/resume", MonitorResume.as_view()),
    path("v1/monitors/<str:id_text>/test", MonitorTest.as_view()),
    path("v1/monitors/<str:id_text>/webhook", WebhookSlot.as_view()),
    path("v1/monitors/<str:id_text>/webhook/rotate", WebhookRotation.as_view()),
    path("v1/monitors/<str:id_text>/webhook/test", WebhookTest.as_view()),
    path("v1/monitors/<str:id_text>/heartbeat/rotate", HeartbeatRotation.as_view()),
    path("v1/monitors/<str:id_text>/rounds", RoundList.as_view()),
    path("v1/monitors/<str:id_text>/results", ResultList.as_view()),
    path("v1/monitors/<str:id_text>/uptime", MonitorUptime.as_view()),
    path("v1/monitors/<str:id_text>/latency", MonitorLatency.as_view()),
    path("v1/account", AccountStatus.as_view()),
    path("v1/keys", KeyList.as_view()),
    path("v1/keys/<str:id_text>", KeyDetail.as_view()),
    path("v1/keys/<str:id_text>/rotate", KeyRotation.as_view()),
    path("v1/servers", ServerList.as_view()),
    path("v1/servers/<str:id_text>", ServerDetail.as_view()),
    path("v1/servers/<str:id_text>/token", ServerToken.as_view()),
    path("v1/feeds", Feeds.as_view()),
    path("v1/feeds/rotate", FeedRotation.as_view()),
    path("v1/feeds/shared", SharedFeed.as_view()),
    path("v1/webhook-deliveries", DeliveryList.as_view()),
    path("v1/webhook-deliveries/<str:id_text>", DeliveryDetail.as_view()),
    path("v1/webhook-deliveries/<str:id_text>/replay", DeliveryReplay.as_view()),
    path("v1/incidents", IncidentList.as_view()),
    path("v1/incidents/<str:id_text>", IncidentDetail.as_view()),
    path("v1/heartbeat/<str:token>", ping_view),
    path("v1/heartbeat/<str:token>/<path:signal>", ping_view),
    re_path(r"", not_found),
]
