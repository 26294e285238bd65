"""Unset, nothing is imported; set and not to be had, a process says so and does not start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.local import up
from config.local.paths import Paths
from probes import env, telemetry

REPOSITORY = Path(__file__).parents[3]
DSN, ENDPOINT = "UPQUORUM_SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"
PROCESSES = {
    "web": "import config.wsgi",
    "core": "from config import celery; celery.app.finalize(); celery.set_up_worker({})",
    "probe": "from probes import telemetry, worker; telemetry.set_up('probe', 'eu'); worker.tasks.connect()",
    "agent": "from probes.agent import __main__; from probes import telemetry; telemetry.set_up('agent')",
}
SAY = "; import sys; print(*sys.modules)"
OURS = {"sentry_sdk", "opentelemetry.sdk.trace", "opentelemetry.exporter", "google.protobuf"}
"""What is imported for what is sent. redis imports OpenTelemetry's metrics by itself, where it can."""


@pytest.mark.parametrize("process", PROCESSES)
def test_unset_nothing_is_imported(process: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in (DSN, ENDPOINT)}
    environment |= {DSN: "", ENDPOINT: "", "DJANGO_SETTINGS_MODULE": "config.settings"}  # as compose has it
    done = subprocess.run(
        [sys.executable, "-c", PROCESSES[process] + SAY],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = done.stdout.split()
    assert "probes" in imported
    assert not OURS & set(imported)
    assert process != "agent" or "opentelemetry" not in imported


@pytest.mark.parametrize(
    ("variable", "value", "package"),
    [(DSN, "https://public@sentry.example/1", "sentry_sdk"), (ENDPOINT, "http://otel:4318", "opentelemetry")],
)
def test_a_package_that_is_missing_is_said_with_what_installs_it(
    variable: str, value: str, package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, value)
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    said = f"{variable} is set, .* -m pip install --require-hashes --requirement requirements/telemetry.txt"
    with pytest.raises(env.BadSetting, match=said):
        telemetry.set_up("web")
    with pytest.raises(env.BadSetting, match=said):
        up.prepare(Paths(tmp_path))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({DSN: "sentry.example"}, f"{DSN} is not the DSN of a Sentry project"),
        (
            {ENDPOINT: "http://otel:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, not 'grpc'",
        ),
    ],
)
def test_what_cannot_work_is_refused(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(env.BadSetting, match=said):
        telemetry.check()


def test_the_worker_of_a_region_refuses_to_start(tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text("planted")
    done = subprocess.run(
        [sys.executable, "-m", "probes.worker", "--region", "eu"],
        cwd=REPOSITORY,
        env={**os.environ, f"{DSN}_FILE": str(tmp_path / "dsn")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"{DSN} is not the DSN of a Sentry project" in done.stderr
    assert "planted" not in done.stderr
