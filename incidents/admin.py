"""Rounds with their votes, transitions and incidents in the admin, to read."""

from __future__ import annotations

from django.contrib import admin

from incidents.models import Incident, Round, Transition, Vote


class VoteInline(admin.TabularInline[Vote, Round]):
    model = Vote
    extra = 0


@admin.register(Round)
class RoundAdmin(admin.ModelAdmin[Round]):
    list_display = ("id", "monitor", "opened_at", "mode", "verdict", "closed_at")
    list_filter = ("verdict", "mode")
    list_select_related = ("monitor",)
    raw_id_fields = ("monitor",)
    inlines = (VoteInline,)


@admin.register(Incident)
class IncidentAdmin(admin.ModelAdmin[Incident]):
    list_display = ("id", "monitor", "type", "reason", "mode", "started_at", "resolved_at")
    list_filter = ("type", "reason")
    list_select_related = ("monitor",)
    raw_id_fields = ("monitor", "account")


@admin.register(Transition)
class TransitionAdmin(admin.ModelAdmin[Transition]):
    list_display = ("monitor", "sequence", "from_status", "to_status", "at")
    list_select_related = ("monitor",)
    raw_id_fields = ("monitor", "round")
