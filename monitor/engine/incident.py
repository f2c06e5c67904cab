"""The life of an incident: findings that belong together in, transitions out.

One outage is one incident: findings of one family (withdrawals, reserves, ...) share it, and it only ever grows in
kind, severity and evidence until its signals clear. Then it is monitored, and resolved once the backlog is drained.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from monitor.engine.finding import NEVER, Finding, moment, told_by
from monitor.engine.handling import UNMEASURED, handled, stands
from monitor.engine.spans import are_other, followed, spoken
from monitor.model import (
    Change,
    Command,
    Incident,
    IncidentKind,
    Severity,
    Span,
    Stage,
    Transition,
)

MONITORING_SECONDS = 300.0
REOPEN_SECONDS = 1800.0
NOTHING_ENDED: Mapping[str, float] = MappingProxyType({})
SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
WITHDRAWALS = (
    IncidentKind.RAIL_SUSPENDED,
    IncidentKind.DRIP,
    IncidentKind.WITHDRAWALS_DEGRADED,
    IncidentKind.WITHDRAWAL_HALT,
)
FAMILIES: dict[str, tuple[IncidentKind, ...]] = {
    "withdrawals": WITHDRAWALS,
    "reserves": (IncidentKind.RUNWAY_LOW,),
    "outflow": (IncidentKind.UNCONFIRMED_MOVE, IncidentKind.SUSPECTED_EXPLOIT),
    "run": (IncidentKind.OUTFLOW_SPIKE, IncidentKind.SLOW_BLEED, IncidentKind.BANK_RUN),
    "terms": (IncidentKind.TERMS_TIGHTENED,),
    "campaign": (IncidentKind.CAMPAIGN,),
    "freezes": (IncidentKind.FREEZE_SURGE,),
    "maintenance": (IncidentKind.MAINTENANCE,),
    "exposure": (IncidentKind.EXPOSURE_STUCK,),
    "publishing": (IncidentKind.UPDATE_DUE, IncidentKind.DRAFT_WAITING, IncidentKind.POST_UNKNOWN),
    "sight": (IncidentKind.BLIND,),
    "network": (IncidentKind.NETWORK_INCIDENT,),
}
"""Kinds that share an incident, the weakest first. Of a family "network:bitcoin" several can be open at once."""


class CaseMemory(Struct):
    incidents: dict[str, Incident] = {}  # family -> its newest incident


class Cases:
    """The incidents of one engine."""

    def __init__(self, exchange: str, memory: CaseMemory) -> None:
        self.exchange = exchange
        self.memory = memory

    def current(self, family: str) -> Incident | None:
        """The newest incident of a family that is not resolved."""
        incident = self.memory.incidents.get(family)
        return incident if incident is not None and incident.stage is not Stage.RESOLVED else None

    def find(self, incident: str) -> Incident | None:
        return next((i for i in self.memory.incidents.values() if i.id == incident), None)

    def family_of(self, incident: str) -> str:
        """Whose newest incident it is; "" for one that is not."""
        return next((name for name, kept in self.memory.incidents.items() if kept.id == incident), "")

    def close(self, *, now: float, summary: str) -> list[Transition]:
        """Resolve whatever is open, because nobody looks any more."""
        return [
            self._record(
                family,
                replace(incident, stage=Stage.RESOLVED, resolved_at=moment(now)),
                Change.RESOLVED,
                now,
                summary=summary,
            )
            for family, incident in self.memory.incidents.items()
            if incident.stage is not Stage.RESOLVED
        ]

    def reconcile(
        self,
        family: str,
        findings: list[Finding],
        *,
        now: float,
        settled: bool,
        ended: Mapping[str, float] = NOTHING_ENDED,
        fresh: bool = True,
    ) -> list[Transition]:
        """Bring a family's incident in line with what holds now. `settled`: recovery is seen, not merely assumed.
        `ended`: source -> when what it says of it ended, where that is not `now`. `fresh`: it was read lately.
        """
        incident = self.memory.incidents.get(family)
        if not findings and (incident is None or incident.stage is Stage.RESOLVED):
            return []
        if incident is not None and _is_as_people_say(incident, findings, fresh=fresh):
            return []
        spans = followed(self._spans(incident, now), findings, ended=ended, now=now)
        if findings or incident is None:
            return self._rise(family, incident, _together(findings, _kinds(family)), spans, now)
        if incident.stage is not Stage.MONITORING:
            changed = replace(incident, stage=Stage.MONITORING, recovered_at=moment(now), spans=spans)
            return [self._record(family, changed, Change.MONITORING, now, summary="signals have cleared")]
        if settled and now >= self.due(family):
            changed = replace(incident, stage=Stage.RESOLVED, resolved_at=moment(now))
            return [self._record(family, changed, Change.RESOLVED, now, summary="back to normal")]
        return []

    def open_families(self, name: str) -> list[str]:
        """Families of a name of which several incidents can be open, that have one."""
        known = self.memory.incidents.items()
        return [f for f, incident in known if f.startswith(f"{name}:") and incident.stage is not Stage.RESOLVED]

    def next_due(self) -> float:
        """When the next monitored incident may be resolved."""
        return min((self.due(family) for family in self.memory.incidents), default=NEVER)

    def due(self, family: str) -> float:
        """When a monitored incident may be resolved."""
        incident = self.current(family)
        if incident is None or incident.recovered_at is None or incident.stage is not Stage.MONITORING:
            return NEVER
        return incident.recovered_at.timestamp() + MONITORING_SECONDS

    def latest(self, family: str, now: float) -> Incident | None:
        """The newest incident of a family that is open, or can still be reopened."""
        incident = self.memory.incidents.get(family)
        return None if incident is None or _is_over(incident, now) else incident

    def adopt(self, incident: Incident) -> Incident:
        """Take an incident as it is given, without a transition."""
        family = next(name for name, kinds in FAMILIES.items() if incident.kind in kinds)
        self.memory.incidents[f"{family}:{incident.subject}" if incident.subject else family] = incident
        return incident

    def change(self, incident: Incident, change: Change, *, now: float, summary: str) -> Transition:
        """Record what a person or an official statement did to an incident."""
        family = next(name for name, kept in self.memory.incidents.items() if kept.id == incident.id)
        return self._record(family, incident, change, now, summary=summary)

    def heed(self, command: Command, *, now: float, fresh: bool) -> Transition | str:
        """What a person's word does to an incident, or why not. `fresh`: what it is about was read lately."""
        incident = self.find(command.subject)
        if incident is None:
            of = f" of {self.exchange}" if self.exchange else ""
            return f"no incident {command.subject}{of} can be changed: only the newest of its kind can"
        is_measured = fresh and incident.kind not in UNMEASURED
        match handled(incident, command, at=moment(now), is_measured=is_measured):
            case str(why):
                return why
            case word:
                return self.change(word.incident, word.change, now=now, summary=word.summary)

    def _spans(self, incident: Incident | None, now: float) -> tuple[Span, ...]:
        return () if incident is None or _is_over(incident, now) else incident.spans

    def _rise(
        self, family: str, incident: Incident | None, finding: Finding, spans: tuple[Span, ...], now: float
    ) -> list[Transition]:
        if incident is None or _is_over(incident, now):
            opened = replace(self._opened(family, finding, now), spans=spans)
            return [self._record(family, opened, Change.OPENED, now, summary=finding.summary)]
        changed = _grown(incident, finding, _kinds(family), spans)
        if incident.stage in (Stage.MONITORING, Stage.RESOLVED):
            # One rail that is off once the halt is over is no halt, and wakes nobody.
            changed = replace(changed, stage=Stage.INVESTIGATING, severity=finding.severity)
            changed = replace(changed, recovered_at=None, resolved_at=None, resolved_by=None, retracted_by=None)
            return [self._record(family, changed, Change.REOPENED, now, summary=finding.summary)]
        if (changed.severity, changed.kind) != (incident.severity, incident.kind):
            return [self._record(family, changed, Change.ESCALATED, now, summary=finding.summary)]
        if _is_other(changed, incident):
            return [self._record(family, changed, Change.UPDATED, now, summary=finding.summary)]
        return []

    def _opened(self, family: str, finding: Finding, now: float) -> Incident:
        at, subject = moment(now), family.partition(":")[2]
        about = [self.exchange or "world", finding.kind, *(word for word in subject.split(":") if word)]
        return Incident(
            id=f"{'-'.join(about)}-{at:%Y%m%dT%H%M%SZ}",
            exchange=self.exchange,
            kind=finding.kind,
            severity=finding.severity,
            stage=Stage.INVESTIGATING,
            scope=finding.scope,
            summary=finding.summary,
            opened_at=at,
            since=moment(finding.since) if finding.since is not None else None,
            evidence=finding.evidence,
            updated_at=at,
            subject=subject,
            exchanges=finding.exchanges,
        )

    def _record(self, family: str, incident: Incident, change: Change, now: float, *, summary: str) -> Transition:
        incident = spoken(replace(incident, updated_at=moment(now)))
        self.memory.incidents[family] = incident
        return Transition(
            at=moment(now),
            incident=incident.id,
            transition=change,
            kind=incident.kind,
            severity=incident.severity,
            exchange=incident.exchange,
            scope=incident.scope,
            summary=summary,
            evidence=incident.evidence,
        )


def _kinds(family: str) -> tuple[IncidentKind, ...]:
    return FAMILIES[family.partition(":")[0]]


def _grown(incident: Incident, finding: Finding, kinds: tuple[IncidentKind, ...], spans: tuple[Span, ...]) -> Incident:
    """An incident with what holds of it now."""
    kind = max(incident.kind, finding.kind, key=kinds.index)
    known = {told_by(old) for old in incident.evidence}
    return replace(
        incident,
        kind=kind,
        stale_since=None,
        kept_open_by=None,  # evidence says so too, and will say when it is over
        severity=max(incident.severity, finding.severity, key=SEVERITIES.index),
        scope=finding.scope,
        holds=finding.kind if finding.kind is not kind else None,
        summary=finding.summary,
        exchanges=finding.exchanges,
        spans=spans,
        evidence=incident.evidence + tuple(e for e in finding.evidence if told_by(e) not in known),
    )


def _is_other(changed: Incident, incident: Incident) -> bool:
    """Something is new that a person is told of; a sentence in other words is not."""
    before = (incident.scope, incident.holds, incident.exchanges, incident.evidence)
    is_other = (changed.scope, changed.holds, changed.exchanges, changed.evidence) != before
    return is_other or are_other(changed.spans, incident.spans)


def _is_as_people_say(incident: Incident, findings: list[Finding], *, fresh: bool) -> bool:
    """A person resolved it, or keeps it open, and nothing that was read speaks against that."""
    if not findings:
        return incident.kept_open_by is not None
    is_worse = any(_is_worse(finding.kind, incident.kind) for finding in findings)
    return not is_worse and stands(incident, findings, is_measured=fresh and incident.kind not in UNMEASURED)


def _is_worse(kind: IncidentKind, than: IncidentKind) -> bool:
    kinds = next(kinds for kinds in FAMILIES.values() if than in kinds)
    return kinds.index(kind) > kinds.index(than)


def _is_over(incident: Incident, now: float) -> bool:
    return incident.resolved_at is not None and now - incident.resolved_at.timestamp() > REOPEN_SECONDS


def _together(findings: list[Finding], kinds: tuple[IncidentKind, ...]) -> Finding:
    strongest = max(findings, key=lambda f: (SEVERITIES.index(f.severity), kinds.index(f.kind)))
    scope: tuple[str, ...] = ()
    for finding in findings:
        scope = _wider(scope, finding.scope)
    return replace(
        strongest,
        scope=scope,
        summary="; ".join(finding.summary for finding in findings),
        since=min((f.since for f in findings if f.since is not None), default=None),
        evidence=tuple(sorted((e for f in findings for e in f.evidence), key=lambda e: e.at)),
    )


def _wider(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    if "*" in one or "*" in other:
        return ("*",)
    return tuple(sorted({*one, *other}))
