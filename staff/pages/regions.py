"""Regions and how they are, what the operator was told, the kill switch, and those who opted out."""

from __future__ import annotations

import re
from typing import Any

import idna
from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from monitors import regions
from monitors.models import KillSwitch, Monitor, OperatorEvent, OptOut, Region
from probes.url import BadUrl, parse_host
from staff import show
from staff.base import ReadOnlyAdmin, StaffAdmin, choice_filter


@admin.register(Region)
class RegionAdmin(ReadOnlyAdmin[Region]):
    list_display = ("name", "health", "heard", "in_flight", "sick", "suspect", "worker")
    fields = ("name", "health", "last_seen_at", "worker", "in_flight", "sick", "suspect_since")
    ordering = ("name",)

    @admin.display(description="health")
    def health(self, region: Region) -> SafeString | str:
        """As the core judges it, in one word."""
        if region.sick:
            return show.badge("sick")
        if timezone.now() - region.last_seen_at > regions.SILENCE:
            return show.badge("silent")
        return show.badge("suspect" if region.suspect_since else "up")

    @admin.display(description="last heard")
    def heard(self, region: Region) -> str:
        return f"{show.lasted(timezone.now() - region.last_seen_at)} ago"

    @admin.display(description="suspect since")
    def suspect(self, region: Region) -> str:
        return show.instant(region.suspect_since)


@admin.register(OperatorEvent)
class OperatorEventAdmin(ReadOnlyAdmin[OperatorEvent]):
    list_display = ("kind", "began", "ended", "detail")
    list_filter = (choice_filter("state", {"open": Q(ended_at=None), "ended": Q(ended_at__isnull=False)}),)
    search_fields = ("kind", "detail")

    @admin.display(description="began")
    def began(self, event: OperatorEvent) -> str:
        return show.instant(event.began_at)

    @admin.display(description="ended")
    def ended(self, event: OperatorEvent) -> SafeString | str:
        return show.instant(event.ended_at) if event.ended_at else show.badge("open")


CONSEQUENCE = "From then on no region is asked anything, whoever's monitor it is, until it is disengaged."


@admin.register(KillSwitch)
class KillSwitchAdmin(StaffAdmin[KillSwitch]):
    """Engaged by adding its row, which wants a reason; disengaged by deleting it, which asks once more."""

    list_display = ("reason", "engaged_at")
    fields = ("reason",)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What it does is said before it is engaged."""
        context = {"title": "Engage the kill switch", "subtitle": CONSEQUENCE}
        buttons = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, {**context, **buttons, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Once: it has one row."""
        return super().has_add_permission(request) and not KillSwitch.objects.exists()

    def has_change_permission(self, request: HttpRequest, obj: KillSwitch | None = None) -> bool:
        """No: why it was engaged stays as it was said."""
        return False


class OptOutForm(forms.ModelForm[OptOut]):
    """A domain in the form in which hosts are compared with it."""

    class Meta:
        model = OptOut
        fields = ("domain", "note")

    def clean_domain(self) -> str:
        try:
            return parse_host(self.cleaned_data["domain"].strip())
        except BadUrl as error:
            raise forms.ValidationError(f"This is no domain: {error}.") from error


@admin.register(OptOut)
class OptOutAdmin(StaffAdmin[OptOut]):
    form = OptOutForm
    list_display = ("domain", "note", "created_at")
    search_fields = ("domain", "note")
    readonly_fields = ("covers", "created_at")

    @admin.display(description="covers")
    def covers(self, opt_out: OptOut) -> str:
        """How many monitors are not looked at for it."""
        return f"{covered(opt_out.domain)} monitors" if opt_out.domain else show.NOTHING


def covered(domain: str) -> int:
    """How many monitors there are on `domain` and below it, by their URLs: one pass over the monitors."""
    spelled = "|".join(re.escape(each) for each in {domain, _as_written(domain)})
    host = rf"^([a-z]+://)?([^/?#]*@)?([^/?#@]*\.)?({spelled})\.?(:\d+)?([/?#]|$)"
    return Monitor.objects.filter(url__iregex=host).count()


def _as_written(domain: str) -> str:
    """An IDN as people write it in a URL."""
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain
