"""What the routes that the flat format answers take and answer in it; the others are as in the native one."""

from __future__ import annotations

from rest_framework.views import APIView

from api.dialects.flat.fields import FlatMonitorInput
from api.schema.answers.flat import FlatMonitor, FlatMonitors
from api.schema.answers.monitors import Unavailable
from api.schema.operations import Operation
from api.views.heartbeats import HeartbeatRotation
from api.views.monitors import MonitorDetail, MonitorList, MonitorTest
from api.views.pausing import MonitorPause, MonitorResume

FLAT_OPERATIONS: dict[type[APIView], dict[str, Operation]] = {
    MonitorList: {
        "GET": Operation("list_monitors", FlatMonitors),
        "POST": Operation("create_monitor", FlatMonitor, FlatMonitorInput, refusals=(409,), success=201),
    },
    MonitorDetail: {
        "GET": Operation("get_monitor", FlatMonitor),
        "PUT": Operation("update_monitor", FlatMonitor, FlatMonitorInput(partial=True), refusals=(409,)),
        "DELETE": Operation("delete_monitor"),
    },
    MonitorTest: {"POST": Operation("test_monitor", FlatMonitor, unavailable=Unavailable)},
    HeartbeatRotation: {"POST": Operation("rotate_heartbeat", FlatMonitor)},
    MonitorPause: {"POST": Operation("pause_monitor", FlatMonitor)},
    MonitorResume: {"POST": Operation("resume_monitor", FlatMonitor)},
}
