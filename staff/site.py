"""The admin site: its first page, who may see it, and the page of the second factor."""

from __future__ import annotations

from typing import Any

import django_otp
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from staff import second_factor
from staff.login import LoginForm
from staff.models import Authenticator
from staff.overview import overview

WRONG_CODE = "That was not the code of now, or it was used already; after a wrong one, wait a moment."


class StaffSite(AdminSite):
    site_header = site_title = "Upquorum"
    index_title = "At a glance"
    site_url = None
    login_form = LoginForm
    login_template = "staff/login.html"
    index_template = "staff/index.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, with the second factor where it is asked of them."""
        return super().has_permission(request) and second_factor.suffices(request.user)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        return [path("second-factor/", self.second_factor, name="second_factor"), *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """What runs and what does not, above the list of pages."""
        context = {"overview": overview(timezone.now()), **(extra_context or {})}
        return super().index(request, context)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """As ever; but who has signed in and still lacks a second factor is sent to set it up."""
        if request.method == "GET" and self._may_set_up(request) and not self.has_permission(request):
            return redirect("admin:second_factor")
        return super().login(request, extra_context)

    @method_decorator([never_cache, csrf_protect])
    def second_factor(self, request: HttpRequest) -> HttpResponseBase:
        """Set up the second factor of the user, or remove it."""
        if not (self.has_permission(request) or self._may_set_up(request)):
            return redirect("admin:login")
        user: Any = request.user
        is_set_up = second_factor.is_set_up(user)
        if request.method == "POST":
            change = self._remove if is_set_up else self._confirm
            if change(request, request.POST.get("code", "")):
                return redirect("admin:index")
            messages.error(request, WRONG_CODE)
        context = {**self.each_context(request), "title": "Second factor", "is_set_up": is_set_up}
        if not is_set_up:
            authenticator = Authenticator.begin(user.pk)
            context |= {"qr_code": second_factor.qr_code(authenticator.url), "key": authenticator.key_text}
        return TemplateResponse(request, "staff/second_factor.html", context)

    def _may_set_up(self, request: HttpRequest) -> bool:
        """Staff who have signed in and have no second factor yet."""
        return super().has_permission(request) and not second_factor.is_set_up(request.user)

    def _confirm(self, request: HttpRequest, code: str) -> bool:
        authenticator = second_factor.confirm(request.user, code)
        if authenticator is None:
            return False
        request.session.cycle_key()
        django_otp.login(request, authenticator)
        messages.success(request, "The second factor is set up: it is asked for whenever you sign in.")
        return True

    def _remove(self, request: HttpRequest, code: str) -> bool:
        if not second_factor.remove(request.user, code):
            return False
        messages.success(request, "The second factor is removed.")
        return True
