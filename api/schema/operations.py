"""What each route takes and answers: one row an operation. A route without a row fails a test."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from api.dialects.native.account import KeyInput
from api.dialects.native.monitors import MonitorInput
from api.dialects.native.servers import ServerInput
from api.dialects.native.webhooks import WebhookInput
from api.dialects.tcp_monitors.monitors import TcpMonitorInput
from api.dialects.uptime_checks.fields import UptimeCheckInput
from api.schema.answers.account import AccountStatus as Status
from api.schema.answers.account import ApiKey, FeedUrls, NewApiKey
from api.schema.answers.common import Error
from api.schema.answers.history import Latency, ResultPage, Uptime
from api.schema.answers.incidents import IncidentEnvelope, IncidentPage
from api.schema.answers.monitors import ListedMonitor, MonitorEnvelope, RoundPage, Unavailable
from api.schema.answers.servers import EnrollingServer, Server
from api.schema.answers.tcp_monitors import (
    CodedError,
    TcpMonitorData,
    TcpMonitorsData,
    TcpResultPage,
)
from api.schema.answers.uptime_checks import (
    ChangedUptimeCheck,
    CheckError,
    Done,
    UptimeChecks,
    WholeUptimeCheck,
)
from api.schema.answers.webhooks import DeliveryEnvelope, DeliveryPage, Webhook
from api.schema.parameters import ID, LARGE_PAGE, MONITOR_ID, PAGE, TCP_ID, choice, instant
from api.views.account import AccountStatus
from api.views.deliveries import DeliveryDetail, DeliveryList, DeliveryReplay
from api.views.feeds import FeedRotation, Feeds, SharedFeed
from api.views.heartbeats import HeartbeatRotation
from api.views.history import (
    DEFAULT_WINDOW,
    OUTCOMES,
    REGIONS,
    WINDOWS,
    MonitorLatency,
    MonitorUptime,
    ResultList,
)
from api.views.incidents import INCIDENT_TYPES, IncidentDetail, IncidentList
from api.views.keys import KeyDetail, KeyList, KeyRotation
from api.views.monitors import MonitorDetail, MonitorList, MonitorTest
from api.views.pausing import MonitorPause, MonitorResume
from api.views.rounds import RoundList
from api.views.servers import ServerDetail, ServerList, ServerToken
from api.views.tcp_monitors import TcpMonitorDetail, TcpMonitorList, TcpMonitorResults
from api.views.uptime_checks import UptimeCheckDetail, UptimeCheckList
from api.views.webhooks import WebhookRotation, WebhookSlot, WebhookTest
from webhooks.models import Status as DeliveryStatus


@dataclass(frozen=True)
class Operation:
    """A method of a route. 400 and 404 follow from what it takes; `refusals` are the others of its own."""

    id: str
    answer: Any = None
    """The type of its success; None: it answers 204, without a body."""
    body: type[Serializer[Any]] | Serializer[Any] | None = None
    query: tuple[OpenApiParameter, ...] = ()
    refusals: tuple[int, ...] = ()
    success: int = 200
    error: Any = Error
    """The type of its refusals."""
    unavailable: Any = None
    """The type of its 503, where that says more."""
    path_id: OpenApiParameter = ID
    """What `{id}` in its path is."""


tcp = functools.partial(Operation, error=CodedError, path_id=TCP_ID)
check = functools.partial(Operation, error=CheckError)

INCIDENT_FILTERS = (
    MONITOR_ID,
    choice("type", INCIDENT_TYPES),
    instant("started_after", "Those that started later."),
    instant("started_before", "Those that started earlier."),
)
DELIVERY_FILTERS = (
    MONITOR_ID,
    choice("status", DeliveryStatus.values),
    instant("since", "Those that were created at this instant or later."),
)
RESULT_FILTERS = (
    choice("outcome", OUTCOMES),
    choice("region", REGIONS),
    instant("since", "Those whose slot was at this instant or later."),
)
WINDOW = (choice("window", WINDOWS, DEFAULT_WINDOW),)

OPERATIONS: dict[type[APIView], dict[str, Operation]] = {
    MonitorList: {
        "GET": Operation("list_monitors", list[ListedMonitor]),
        "POST": Operation("create_monitor", MonitorEnvelope, MonitorInput, refusals=(409,)),
    },
    MonitorDetail: {
        "GET": Operation("get_monitor", MonitorEnvelope),
        "PUT": Operation("update_monitor", MonitorEnvelope, MonitorInput(partial=True), refusals=(409,)),
        "DELETE": Operation("delete_monitor"),
    },
    MonitorTest: {"POST": Operation("test_monitor", MonitorEnvelope, unavailable=Unavailable)},
    HeartbeatRotation: {"POST": Operation("rotate_heartbeat", MonitorEnvelope)},
    MonitorPause: {"POST": Operation("pause_monitor", MonitorEnvelope)},
    MonitorResume: {"POST": Operation("resume_monitor", MonitorEnvelope)},
    RoundList: {"GET": Operation("list_rounds", RoundPage, query=PAGE)},
    ResultList: {"GET": Operation("list_results", ResultPage, query=(*RESULT_FILTERS, *PAGE))},
    MonitorUptime: {"GET": Operation("get_uptime", Uptime, query=WINDOW)},
    MonitorLatency: {"GET": Operation("get_latency", Latency, query=WINDOW)},
    WebhookSlot: {
        "GET": Operation("get_webhook", Webhook),
        "PUT": Operation("set_webhook", Webhook, WebhookInput),
        "DELETE": Operation("delete_webhook"),
    },
    WebhookRotation: {"POST": Operation("rotate_webhook", Webhook)},
    WebhookTest: {"POST": Operation("test_webhook", DeliveryEnvelope, refusals=(409,))},
    DeliveryList: {"GET": Operation("list_deliveries", DeliveryPage, query=(*DELIVERY_FILTERS, *PAGE))},
    DeliveryDetail: {"GET": Operation("get_delivery", DeliveryEnvelope)},
    DeliveryReplay: {"POST": Operation("replay_delivery", DeliveryEnvelope, refusals=(409,))},
    IncidentList: {"GET": Operation("list_incidents", IncidentPage, query=(*INCIDENT_FILTERS, *PAGE))},
    IncidentDetail: {"GET": Operation("get_incident", IncidentEnvelope)},
    AccountStatus: {"GET": Operation("get_account", Status)},
    KeyList: {
        "GET": Operation("list_keys", list[ApiKey]),
        "POST": Operation("create_key", NewApiKey, KeyInput, refusals=(409,)),
    },
    KeyDetail: {"DELETE": Operation("revoke_key", refusals=(409,))},
    KeyRotation: {"POST": Operation("rotate_key", NewApiKey)},
    ServerList: {
        "GET": Operation("list_servers", list[Server]),
        "POST": Operation("create_server", EnrollingServer, ServerInput, refusals=(409,)),
    },
    ServerDetail: {
        "GET": Operation("get_server", Server),
        "PUT": Operation("rename_server", Server, ServerInput),
        "DELETE": Operation("remove_server", refusals=(409,)),
    },
    ServerToken: {"POST": Operation("renew_server_token", EnrollingServer)},
    Feeds: {"GET": Operation("get_feeds", FeedUrls)},
    FeedRotation: {"POST": Operation("rotate_feed", FeedUrls)},
    SharedFeed: {
        "PUT": Operation("share_feed", FeedUrls),
        "DELETE": Operation("unshare_feed", refusals=(404,)),
    },
    TcpMonitorList: {
        "GET": tcp("list_tcp_monitors", TcpMonitorsData),
        "POST": tcp("create_tcp_monitor", TcpMonitorData, body=TcpMonitorInput, success=201),
    },
    TcpMonitorDetail: {
        "GET": tcp("get_tcp_monitor", TcpMonitorData),
        "PUT": tcp("update_tcp_monitor", TcpMonitorData, body=TcpMonitorInput(partial=True)),
        "DELETE": tcp("delete_tcp_monitor"),
    },
    TcpMonitorResults: {"GET": tcp("list_tcp_monitor_results", TcpResultPage, query=LARGE_PAGE)},
    UptimeCheckList: {
        "GET": check("list_uptime_checks", UptimeChecks),
        "POST": check(
            "create_uptime_check", ChangedUptimeCheck, UptimeCheckInput, refusals=(402,), success=201
        ),
    },
    UptimeCheckDetail: {
        "GET": check("get_uptime_check", WholeUptimeCheck),
        "PUT": check("update_uptime_check", ChangedUptimeCheck, UptimeCheckInput(partial=True)),
        "DELETE": check("delete_uptime_check", Done),
    },
}
