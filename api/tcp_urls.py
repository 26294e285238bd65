"""The routes below /v1."""

from __future__ import annotations

from django.urls import path, re_path

from api.dialects.tcp_monitors.errors import not_found
from api.views.tcp_monitors import TcpMonitorDetail, TcpMonitorList, TcpMonitorResults

urlpatterns = [
    path("tcp-monitors", TcpMonitorList.as_view()),
    path("tcp-monitors/<str:id_text>", TcpMonitorDetail.as_view()),
    path("tcp-monitors/<str:id_text>/results", TcpMonitorResults.as_view()),
    re_path(r"", not_found),
]
