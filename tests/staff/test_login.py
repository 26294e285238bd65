"""Signing in: limited by address and name, with a code where a second factor is set up."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from redis import Redis

from accounts import limits
from config.settings import required
from probes.env import BadSetting
from staff import login
from staff.models import Authenticator
from tests.staff.conftest import PASSWORD

INDEX = "/admin/"
WRONG = "This is not the name, password and code"


@pytest.fixture(autouse=True)
def unspent_limits() -> None:
    """The tries of the tests before."""
    with Redis.from_url(django_settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{limits.PREFIX}staff*"):
            redis.delete(key)


@pytest.fixture
def authenticator(staff: User) -> Authenticator:
    made = Authenticator.begin(staff.pk)
    made.confirmed = True
    made.save()
    return made


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    away = limits.Limiter("unix:///nowhere/redis.sock")
    monkeypatch.setattr(limits, "limiter", lambda: away)


def code_of(authenticator: Authenticator, steps: int = 0) -> str:
    """What the app shows, or shows `steps` of 30 s from now."""
    totp = TOTP(authenticator.key)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06}"


def sign_in(client: Client, password: str = PASSWORD, code: str = "", name: str = "op", **extra: Any) -> Any:
    fields = {"username": name, "password": password, "code": code}
    return client.post(reverse("admin:login"), fields, **extra)


def is_in(client: Client) -> bool:
    return client.get(INDEX).status_code == 200


def test_a_password_is_enough_where_there_is_no_second_factor(client: Client, staff: User) -> None:
    assert not is_in(client)
    assert WRONG in sign_in(client, "wrong").content.decode()
    assert not is_in(client)
    sign_in(client)
    assert is_in(client)


def test_customers_and_the_inactive_do_not_get_in(client: Client, staff: User) -> None:
    User.objects.create_user("customer", password=PASSWORD)
    User.objects.create_user("gone", password=PASSWORD, is_staff=True, is_active=False)
    for name in ("customer", "gone", "nobody"):
        assert WRONG in sign_in(client, name=name).content.decode()
        assert not is_in(client)


def test_an_address_has_so_many_tries(client: Client, staff: User) -> None:
    for number in range(login.OF_ADDRESS.limit):
        assert WRONG in sign_in(client, "wrong", name=f"name{number}").content.decode()
    assert "Too many tries" in sign_in(client).content.decode()
    assert not is_in(client)
    sign_in(client, REMOTE_ADDR="127.0.0.2")
    assert is_in(client)


def test_a_name_has_so_many_tries_from_all_addresses_together(client: Client, staff: User) -> None:
    for number in range(login.OF_NAME.limit):
        sign_in(client, "", name="OP", REMOTE_ADDR=f"10.0.0.{number}")
        limits.take(login.OF_NAME, "op")
    assert "Too many tries" in sign_in(client, REMOTE_ADDR="10.0.1.1").content.decode()


@pytest.mark.usefixtures("no_redis")
def test_without_a_broker_to_count_in_only_a_second_factor_opens(
    client: Client, authenticator: Authenticator
) -> None:
    User.objects.create_superuser("plain", "", PASSWORD)
    refused = sign_in(client, name="plain").content.decode()
    assert "Tries cannot be counted" in refused
    assert "Tries cannot be counted" in sign_in(client, name="nobody").content.decode()
    assert not is_in(client)
    sign_in(client, code=code_of(authenticator))
    assert is_in(client)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(lambda of: "", id="none"),
        pytest.param(lambda of: "12345", id="short"),
        pytest.param(lambda of: "a" * 6, id="letters"),
        pytest.param(lambda of: code_of(of, 5), id="of another time"),
    ],
)
def test_a_wrong_code_is_as_good_as_a_wrong_password(
    client: Client, authenticator: Authenticator, code: Callable[[Authenticator], str]
) -> None:
    assert WRONG in sign_in(client, code=code(authenticator)).content.decode()
    assert not is_in(client)


def test_a_code_is_good_once(client: Client, authenticator: Authenticator) -> None:
    code = code_of(authenticator)
    sign_in(client, code=code)
    assert is_in(client)
    other = Client()
    assert WRONG in sign_in(other, code=code).content.decode()
    assert not is_in(other)


def test_guessing_codes_makes_even_the_right_one_wait(client: Client, authenticator: Authenticator) -> None:
    sign_in(client, code=code_of(authenticator, 5))
    assert Authenticator.objects.get().throttling_failure_count == 1
    Authenticator.objects.update(throttling_failure_count=6)  # half a minute, whatever the machine does
    assert WRONG in sign_in(client, code=code_of(authenticator)).content.decode()
    Authenticator.objects.update(throttling_failure_timestamp=None)
    sign_in(client, code=code_of(authenticator))
    assert is_in(client)


def test_a_code_of_someone_else_opens_nothing(client: Client, authenticator: Authenticator) -> None:
    other = User.objects.create_superuser("other", "", PASSWORD)
    Authenticator.begin(other.pk)
    Authenticator.objects.update(confirmed=True)
    assert WRONG in sign_in(client, name="other", code=code_of(authenticator)).content.decode()


def test_setting_it_up_needs_a_code_and_then_every_login_does(desk: Client, staff: User) -> None:
    page = desk.get(reverse("admin:second_factor"))
    key = re.search(r"<code>(\w+)</code>", page.content.decode())
    made = Authenticator.objects.get()
    assert key
    assert key[1] == made.key_text
    assert "<svg" in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert made.key.hex() not in made.sealed
    assert (
        "That was not the code" in desk.post(reverse("admin:second_factor"), {"code": "1"}).content.decode()
    )
    Authenticator.objects.update(throttling_failure_timestamp=None)
    stolen = Client()
    stolen.force_login(staff)
    assert is_in(stolen)
    desk.post(reverse("admin:second_factor"), {"code": code_of(made)})
    assert is_in(desk)
    assert not is_in(stolen)
    assert key[1] not in desk.get(reverse("admin:second_factor")).content.decode()
    assert key[1] not in stolen.get(reverse("admin:second_factor"), follow=True).content.decode()
    assert LogEntry.objects.get().get_change_message() == "Second factor set up."


def test_removing_it_needs_a_code(client: Client, authenticator: Authenticator) -> None:
    sign_in(client, code=code_of(authenticator, -1))
    client.post(reverse("admin:second_factor"), {"code": ""})
    assert Authenticator.objects.exists()
    Authenticator.objects.update(throttling_failure_timestamp=None)
    client.post(reverse("admin:second_factor"), {"code": code_of(authenticator)})
    assert not Authenticator.objects.exists()
    assert is_in(client)


def test_where_it_is_required_nobody_works_before_it_is_set_up(
    client: Client, staff: User, settings: Any
) -> None:
    settings.ADMIN_TOTP_REQUIRED = True
    sign_in(client)
    assert not is_in(client)
    page = client.get(INDEX, follow=True)
    assert page.redirect_chain[-1][0] == reverse("admin:second_factor")
    client.post(reverse("admin:second_factor"), {"code": code_of(Authenticator.objects.get())})
    assert is_in(client)


def test_a_stranger_is_sent_to_the_login(client: Client, db: None) -> None:
    assert client.get(reverse("admin:second_factor")).headers["Location"] == reverse("admin:login")
    assert not Authenticator.objects.exists()


def test_a_lost_authenticator_is_removed_by_command(client: Client, authenticator: Authenticator) -> None:
    call_command("remove_second_factor", "op")
    sign_in(client)
    assert is_in(client)
    with pytest.raises(CommandError, match="op has no second factor"):
        call_command("remove_second_factor", "op")


def test_a_mistyped_setting_is_refused() -> None:
    assert (required("required"), required("optional")) == (True, False)
    with pytest.raises(BadSetting, match="ADMIN_TOTP"):
        required("yes")
