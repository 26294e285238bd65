"""Rounds with their receipts, and the transitions that they made."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from incidents.models import Round, Transition, Vote
from incidents.verdict import MODES, Verdict
from probes.instants import from_unix_ms
from staff import show
from staff.base import ReadOnlyAdmin, choice_filter, value_filter
from staff.pages.monitors import verdict_of

VERDICTS = {"open": Q(closed_at=None)} | {each.value: Q(verdict=each.value) for each in Verdict}
RECEIPT = (
    *("region", "try", "asked", "outcome", "error class", "status", "address", "began"),
    *("total ms", "dns", "connect", "tls", "first byte", "error"),
)
TIMINGS = ("total_ms", "dns_ms", "connect_ms", "tls_ms", "ttfb_ms")


@admin.register(Round)
class RoundAdmin(ReadOnlyAdmin[Round]):
    list_display = ("id", "monitor_link", "opened", "took", "mode", "verdict_shown", "regional_shown")
    list_filter = (choice_filter("verdict", VERDICTS), value_filter("mode", "mode", list(MODES)))
    list_select_related = ("monitor",)
    search_fields = ("pk",)
    search_help_text = "The id of a round or of a monitor"
    number_fields = ("pk", "monitor")
    fieldsets = (
        (None, {"fields": ("monitor_link", "verdict_shown", "mode", "scheduled_at", "opened", "took")}),
        ("Receipt", {"fields": ("votes", "regional_shown", "transitions", "extended", "deadline_at")}),
    )

    @admin.display(description="monitor")
    def monitor_link(self, round_: Round) -> SafeString | str:
        return show.link(round_.monitor)

    @admin.display(description="opened")
    def opened(self, round_: Round) -> str:
        return show.precise(round_.opened_at)

    @admin.display(description="took")
    def took(self, round_: Round) -> str:
        if round_.closed_at is None:
            return "open"
        return f"{(round_.closed_at - round_.opened_at).total_seconds():.3f} s"

    @admin.display(description="verdict")
    def verdict_shown(self, round_: Round) -> SafeString | str:
        return verdict_of(round_)

    @admin.display(description="failed alone")
    def regional_shown(self, round_: Round) -> str:
        return ", ".join(round_.regional) or show.NOTHING

    @admin.display(description="votes")
    def votes(self, round_: Round) -> SafeString:
        return show.table(RECEIPT, map(vote_row, round_.votes.order_by("pk")))

    @admin.display(description="transition")
    def transitions(self, round_: Round) -> SafeString:
        rows = [(show.link(row, str(row)), show.precise(row.at)) for row in round_.transitions.all()]
        return show.table(("transition", "at"), rows, empty="none: the state stayed")


def vote_row(vote: Vote) -> tuple[object, ...]:
    """What a region was asked and what it answered, with what proves it."""
    seen = vote.evidence or {}
    began = from_unix_ms(seen["started_at_ms"]) if seen else None
    return (
        *(vote.region, vote.attempt, show.precise(vote.asked_at), show.badge(vote.outcome or "silent")),
        *(seen.get("error_class") or show.NOTHING, seen.get("status_code") or show.NOTHING),
        *(seen.get("address") or show.NOTHING, show.clock(began)),
        *(show.milliseconds(seen.get(name)) for name in TIMINGS),
        seen.get("error", ""),
    )


@admin.register(Transition)
class TransitionAdmin(ReadOnlyAdmin[Transition]):
    list_display = ("id", "monitor_link", "sequence", "change", "reason", "round_link", "at")
    list_filter = (value_filter("to", "to_status", ["up", "down"]),)
    list_select_related = ("monitor",)
    search_fields = ("pk",)
    search_help_text = "The id of a transition or of a monitor"
    number_fields = ("pk", "monitor")
    fields = ("monitor_link", "sequence", "from_status", "to_status", "reason", "round_link", "at")

    @admin.display(description="monitor")
    def monitor_link(self, transition: Transition) -> SafeString | str:
        return show.link(transition.monitor)

    @admin.display(description="change")
    def change(self, transition: Transition) -> str:
        return f"{transition.from_status} → {transition.to_status}"

    @admin.display(description="round")
    def round_link(self, transition: Transition) -> SafeString:
        return show.link_to(Round, transition.round_id, transition.round_id)
