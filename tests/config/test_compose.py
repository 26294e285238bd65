"""The deployment's files agree with the code and with each other; docker itself is not needed for that."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from probes import env

REPOSITORY = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
ONCE = {"secrets", "setup"}
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_can_do_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "build" in service or service["user"]


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE))
def test_every_container_that_stays_says_how_it_is_and_has_time_to_end(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["stop_grace_period"]
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_our_images_run_without_root() -> None:
    assert DOCKERFILE.count("USER upquorum") == 2


def test_there_is_a_worker_for_each_default_region() -> None:
    environments = [service.get("environment", {}) for service in SERVICES.values()]
    regions = {each["UPQUORUM_REGION"] for each in environments if "UPQUORUM_REGION" in each}
    assert regions == set(env.regions())


def test_every_package_is_in_the_web_image_and_only_probes_in_the_other() -> None:
    packages = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]
    stages = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.M | re.S))
    assert set(re.findall(r"^COPY (\w+) \w+$", stages["web"], re.M)) == set(packages["root_packages"])
    assert re.findall(r"^COPY (\w+) \w+$", stages["probe"], re.M) == ["probes"]


def test_each_reader_s_secrets_are_mounted_where_they_are_read() -> None:
    for name, service in SERVICES.items():
        folders = {volume.split(":")[1] for volume in service["volumes"]}
        for value in service.get("environment", {}).values():
            if "/run/upquorum/" in value and not value.endswith("-secrets"):
                assert any(value.startswith(folder) for folder in folders), (name, value)


def test_secrets_are_written_by_those_who_make_them_alone() -> None:
    writers = {
        name
        for name, service in SERVICES.items()
        for volume in service["volumes"]
        if re.search("-secrets:[^:]+$", volume)
    }
    assert writers == ONCE


def test_what_is_read_of_the_operator_s_environment_is_a_setting_or_of_compose() -> None:
    settings = set(re.findall(r"`UPQUORUM_([A-Z_]+)`", (REPOSITORY / "docs/settings.md").read_text()))
    asked = set(re.findall(r"\$\{UPQUORUM_([A-Z_]+)", (REPOSITORY / "docker-compose.yml").read_text()))
    assert asked - settings == {"LISTEN"}


def test_what_an_operator_may_set_reaches_the_containers() -> None:
    """Compose decides on some by itself, and others are of `make up`, of one region, or of agents."""
    settings = set(re.findall(r"`UPQUORUM_([A-Z_]+)`", (REPOSITORY / "docs/settings.md").read_text()))
    decided = {"DATA_DIR", "PORT", "REGION", "ALIVE_FILE", "LOG_FORMAT", "METRICS_TOKEN", "SECRET_KEY"}
    decided |= {"DATABASE_URL", "REDIS_URL", "ENCRYPTION_KEYS"}
    asked = set(re.findall(r"\$\{UPQUORUM_([A-Z_]+)", (REPOSITORY / "docker-compose.yml").read_text()))
    files = {f"{name}_FILE" for name in settings}
    assert {name for name in settings - asked - decided - files if not name.startswith("AGENT_")} == set()


def test_so_does_what_the_documents_name_of_other_libraries() -> None:
    """Of these compose passes on no more than that: docker-compose.override.yml is for the rest."""
    documents = "".join((REPOSITORY / f"docs/{name}.md").read_text() for name in ("settings", "operations"))
    variable = r"(?<![A-Z_])(?:SENTRY|OTEL)_[A-Z_]+"
    asked = re.findall(rf"\$\{{({variable})", (REPOSITORY / "docker-compose.yml").read_text())
    assert set(re.findall(variable, documents)) == set(asked)


@pytest.mark.parametrize("name", ["UPQUORUM_SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_every_process_is_told_where_errors_and_traces_go(name: str) -> None:
    told = {service for service in SERVICES if name in SERVICES[service].get("environment", {})}
    assert told == SERVICES.keys() - {"secrets", "postgres", "redis"}


@pytest.mark.parametrize("name", ["agent", "core", "probe"])
def test_what_is_installed_together_is_of_the_same_versions(name: str) -> None:
    pins, others = pinned(name), pinned("telemetry")
    assert others
    assert {package: pins[package] for package in pins.keys() & others} == {
        package: others[package] for package in pins.keys() & others
    }


def pinned(name: str) -> dict[str, str]:
    """The version of each package that a requirements file locks."""
    text = (REPOSITORY / f"requirements/{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)(?:\[.*\])?==([^ ]+)", text, re.M))


def test_both_composes_understand_it() -> None:
    assert "version" not in COMPOSE  # the older needs none from 1.27 on, the newer warns of one
    assert not re.search(r"--mount|--chmod|--link|<<EOF|# syntax", DOCKERFILE)  # of BuildKit alone
