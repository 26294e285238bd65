"""What a heartbeat means: a ping that changes something, a failure that a job reports, and overdue silence.

Everything here locks the monitor's state first and its heartbeat second; see `monitors.heartbeats`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from incidents import records
from incidents.case import Ballot, Case, Decision, Round
from incidents.deciding import pronounce
from incidents.verdict import HEARTBEAT, Verdict
from monitors.evidence import record_evidence
from monitors.heartbeats import TYPE, Ping
from monitors.models import Heartbeat, MonitorState
from monitors.rhythm import Rhythm
from monitors.status import Status
from probes.errors import ErrorClass, Fault
from probes.instants import rfc3339, unix_ms
from probes.messages import ProbeResult


@dataclass(frozen=True, slots=True)
class Watch:
    """A monitor's record and its heartbeat, both locked.

    The heartbeat's `monitor` is the one to ask: it was read when the state was locked already, and the
    record's maybe while another edited it.
    """

    record: records.Record
    heartbeat: Heartbeat

    @property
    def rhythm(self) -> Rhythm:
        monitor = self.heartbeat.monitor
        return Rhythm.of(monitor.interval_seconds, monitor.options)

    @property
    def deadline(self) -> datetime | None:
        """Until when the next ping must come."""
        return self.rhythm.deadline(self.heartbeat.last_ping_at, self.heartbeat.run_started_at)


@transaction.atomic
def settle_ping(ping: Ping) -> None:
    """Let a stored ping change what is believed. A newer one has the last word, whoever is settled first."""
    watch = _lock(ping.monitor_id, ping.at)
    if watch is None or not watch.heartbeat.monitor.enabled or _is_outrun(ping, watch.heartbeat):
        return
    case = replace(watch.record.case, last_check_at=ping.at)
    result = _result(watch.record.state, ping.at, ping.fault, ping.run_ms)
    decision = heed_report(case, result, ping.at)
    records.save(watch.record, decision, ping.at)
    _await(watch, watch.deadline if decision.case.status is Status.UP else None)


@transaction.atomic
def settle_alarm(monitor_id: int, awake_since: datetime, now: datetime) -> None:
    """See whether a ping is overdue; if it is not yet, the alarm moves to when it will be.

    Since `awake_since` pings could be received: whoever tried before is given time to try again.
    """
    watch = _lock(monitor_id, now)
    if watch is None or watch.heartbeat.alarm_at is None or watch.heartbeat.alarm_at > now:
        return
    deadline = watch.deadline
    if deadline is None or watch.record.case.status is Status.DOWN:
        _await(watch, None)
    elif (deadline := max(deadline, awake_since + watch.rhythm.patience)) > now:
        _await(watch, deadline)
    else:
        _pronounce_overdue(watch, now)


def heed_report(case: Case, result: ProbeResult, now: datetime) -> Decision:
    """What a monitor's own word changes. Pure. There is no other region to ask, so it is believed at once."""
    verdict = Verdict(result.outcome)
    if case.status == verdict.value:
        fails = case.consecutive_fails + 1 if verdict is Verdict.DOWN else 0
        return Decision(replace(case, consecutive_fails=fails))
    closed = Round(
        scheduled_at=now,
        mode=HEARTBEAT,
        opened_at=now,
        deadline_at=now,
        ballots=(Ballot(region=TYPE, ask_at=now, asked_at=now, result=result),),
        verdict=verdict,
        closed_at=now,
    )
    return pronounce(replace(case, confirmation_count=1), closed, now)


def _lock(monitor_id: int, now: datetime) -> Watch | None:
    record = records.lock(monitor_id, now)
    if record is None:
        return None
    heartbeats = Heartbeat.objects.select_for_update(of=("self",)).select_related("monitor")
    return Watch(record, heartbeats.get(pk=monitor_id))


def _is_outrun(ping: Ping, heartbeat: Heartbeat) -> bool:
    return heartbeat.last_ping_at is not None and heartbeat.last_ping_at > ping.at


def _await(watch: Watch, alarm_at: datetime | None) -> None:
    """Set the alarm; while there is one and the monitor is up, a good ping changes nothing."""
    heartbeat = watch.heartbeat
    heartbeat.alarm_at = alarm_at
    heartbeat.is_quiet = alarm_at is not None and watch.record.state.status == Status.UP
    heartbeat.save(update_fields=["alarm_at", "is_quiet"])


def _pronounce_overdue(watch: Watch, now: datetime) -> None:
    result = _result(watch.record.state, now, Fault(ErrorClass.OVERDUE, _silence(watch.heartbeat)))
    record_evidence([result])
    records.save(watch.record, heed_report(watch.record.case, result, now), now)
    _await(watch, None)


def _silence(heartbeat: Heartbeat) -> str:
    if heartbeat.run_started_at is not None:
        return f"the run that began at {rfc3339(heartbeat.run_started_at)} has not ended"
    return f"no ping since {rfc3339(heartbeat.last_ping_at)}" if heartbeat.last_ping_at else "no ping"


def _result(state: MonitorState, at: datetime, fault: Fault | None, run_ms: float = 0) -> ProbeResult:
    """A heartbeat's word in the form of a probe's result, as evidence and receipts keep it."""
    return ProbeResult(
        monitor_id=state.pk,
        config_version=state.config_version,
        scheduled_at_ms=unix_ms(at),
        region=TYPE,
        outcome=fault.error_class.outcome if fault else "up",
        started_at_ms=unix_ms(at),
        total_ms=run_ms,
        error_class=fault.error_class if fault else "",
        error=fault.error if fault else "",
    )
