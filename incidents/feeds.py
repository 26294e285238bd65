"""An account's newest incidents, and their Atom feed (RFC 4287)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils.feedgenerator import Atom1Feed, get_tag_uri
from django.utils.html import escape

from accounts.models import Account
from incidents.case import Resolution
from incidents.models import Incident
from incidents.verdict import HEARTBEAT

AUTHOR = "Upquorum"
LONGEST_FEED = 50
# What XML cannot hold, and what reorders the text around it: a name shall not rewrite the words beside it.
UNSAFE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)
ENDINGS: dict[str, str] = {
    Resolution.RECOVERED: "recovered",
    Resolution.STABLE: "is stable again",
    Resolution.PAUSED: "was paused",
}


class AtomFeed(Atom1Feed):
    """Atom whose `updated` does not move while nothing happens: an empty one has that of its `born`."""

    def latest_post_date(self) -> datetime:
        """When what it tells last changed."""
        born: datetime = self.feed["born"]
        return super().latest_post_date() if self.items else born


def plain(text: str) -> str:
    """The text, fit for XML and for standing beside other text."""
    return UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


def recent_incidents(account: Account, now: datetime) -> QuerySet[Incident]:
    """The incidents that last, then those that ended latest, within the retention; with their monitors."""
    lasting = Q(resolved_at=None) | Q(resolved_at__gte=now - settings.INCIDENT_RETENTION)
    found = account.incidents.filter(lasting).select_related("monitor")
    # By start, fifty short outages would hide one that has lasted for a week.
    return found.order_by(F("resolved_at").desc(nulls_first=True), "-started_at", "-pk")[:LONGEST_FEED]


def incident_feed(account: Account, incidents: Iterable[Incident], *, url: str, links: str) -> AtomFeed:
    """The feed that is at `url`; an incident is at `links` and its id, for those with a key.

    No link holds a token: readers show links to others. Nor does an id, for it must outlast a rotation.
    """
    feed = AtomFeed(
        title=f"Incidents of {plain(account.name)}",
        link=links,
        description=None,
        author_name=AUTHOR,
        feed_url=url,
        feed_guid=get_tag_uri(f"{links}#account-{account.pk}", account.created_at),
        born=account.created_at,
    )
    for incident in incidents:
        add_entry(feed, incident, f"{links}/{incident.pk}")
    return feed


def add_entry(feed: AtomFeed, incident: Incident, link: str) -> None:
    """One entry an incident, which changes once: when it ends."""
    feed.add_item(
        title=headline(incident),
        link=link,
        description=escape(summary(incident)),
        author_name=AUTHOR,
        pubdate=incident.started_at,
        updateddate=incident.resolved_at or incident.started_at,
        unique_id=get_tag_uri(link, incident.started_at),
        categories=[incident.type],
    )


def headline(incident: Incident) -> str:
    """What a reader shows in its list."""
    name = plain(incident.monitor.name)
    if incident.resolved_at is None:
        return f"{name} is {incident.type}: {incident.reason}"
    return f"{name} {ENDINGS.get(incident.resolution, 'recovered')}"


def summary(incident: Incident) -> str:
    """The incident in two sentences, as plain text."""
    until = "and lasts"
    if incident.resolved_at:
        lasted = spelled(incident.resolved_at - incident.started_at)
        until = f"until {incident.resolved_at:%Y-%m-%d %H:%M:%S} UTC ({lasted})"
    regions = ", ".join(sorted({result["region"].upper() for result in incident.evidence}))
    is_confirmed = regions and incident.mode != HEARTBEAT.name
    said = f" Confirmed {incident.mode} by {regions}." if is_confirmed else ""
    began = f"{incident.started_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{incident.type} ({incident.reason}) since {began} {until}.{said}"


def spelled(duration: timedelta) -> str:
    """The duration in its two largest units, such as `1 h 5 min`."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join([f"{count} {unit}" for count, unit in units if count][:2]) or "0 s"
