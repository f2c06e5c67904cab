"""From incidents to drafts: what would be said at each stage, and what deliveries make of it."""

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from monitor.engine.decisions import LIVE
from monitor.engine.finding import NEVER, Finding, moment
from monitor.engine.instants import next_of
from monitor.engine.sending import channels_of, delivered
from monitor.engine.state import Decided
from monitor.model import (
    Delivery,
    Draft,
    DraftState,
    Evidence,
    Incident,
    IncidentKind,
    Judging,
    Rail,
    Role,
    Severity,
    Stage,
)
from monitor.notices.draft import Facts, compose, holds, speaks

WAITING_SECONDS = 300.0
RENEW_SECONDS = 86_400.0  # an incident older than this asks no more by itself
UPDATE_GRID_SECONDS = 300.0
FORGET_SECONDS = 86_400.0


class Speech:
    def __init__(self, exchange: str, decided: Decided) -> None:
        self.exchange = exchange
        self.decided = decided
        self.judging = Judging()

    def facts(
        self, incident: Incident, *, now: float, trading: bool, deposits: bool, disputed: Sequence[Rail] = ()
    ) -> Facts:
        """What a draft on `incident` may rest on now. `disputed`: all rails on which lists contradict each other."""
        update = (now + self.judging.next_update_seconds) // UPDATE_GRID_SECONDS * UPDATE_GRID_SECONDS
        return Facts(
            exchange=self.exchange,
            title=self.judging.titles.get(self.exchange, self.exchange.capitalize()),
            kind=incident.holds or incident.kind,
            stage=incident.stage,
            scope=incident.scope,
            since=incident.since,
            detected_at=incident.opened_at,
            recovered_at=incident.recovered_at,
            resolved_at=incident.resolved_at,
            official_at=incident.official_at,
            next_update_at=None if incident.stage is Stage.RESOLVED else moment(update),
            trading_unaffected=trading,
            deposits_unaffected=deposits,
            evidence=incident.evidence,
            disputed=tuple(str(rail) for rail in disputed if "*" in incident.scope or str(rail) in incident.scope),
            sources=tuple(dict.fromkeys(e.source for e in incident.evidence)),
        )

    def follow(self, incident: Incident, facts: Facts, *, now: float) -> list[Draft]:
        """Keep one live draft a channel that says what holds now; what no longer holds is superseded.

        Only the newest counts: an older one that would hold again was taken back, or was said of another time.
        """
        if not speaks(incident.kind):
            return []
        others = [d for d in self._live() if d.incident != incident.id]
        changed = [self._keep(replace(d, state=DraftState.SUPERSEDED)) for d in others]
        written = [d for d in self.decided.drafts.values() if d.incident == incident.id]
        spoken_at = channels_of(written, self.judging)
        moot = [d for d in written if d.state is DraftState.PENDING and d.channel not in spoken_at]
        changed += [self._keep(replace(d, state=DraftState.SUPERSEDED)) for d in moot]
        for channel in spoken_at:
            mine = [d for d in self.decided.drafts.values() if d.incident == incident.id and d.channel == channel]
            if any(holds(d.claims, facts) and not self._lapsed(d, incident, now) for d in mine[-1:]):
                continue
            changed += [self._keep(replace(d, state=DraftState.SUPERSEDED)) for d in mine if d.state in LIVE]
            changed.append(self._keep(self._compose(incident, facts, channel, now)))
        return changed

    def withdraw(self) -> list[Draft]:
        """Nothing is to be said any more."""
        return [self._keep(replace(d, state=DraftState.SUPERSEDED)) for d in self._live()]

    def expire(self, now: float) -> list[Draft]:
        if not self.decided.drafts:
            return []
        at = moment(now)
        due = [d for d in self.decided.drafts.values() if d.state in LIVE and d.expires_at <= at]
        return [self._keep(replace(d, state=DraftState.EXPIRED)) for d in due]

    def forget(self, now: float) -> None:
        """Drop what was decided a day ago; the store keeps it."""
        old = moment(now) - timedelta(seconds=FORGET_SECONDS)
        drafts = self.decided.drafts
        for draft in [d for d in drafts.values() if d.state not in LIVE and d.created_at < old]:
            del drafts[draft.id]

    def due(self, now: float) -> float:
        if not self.decided.drafts:
            return NEVER
        times = [d.expires_at.timestamp() for d in self._live()]
        if self._role() is Role.OPERATOR:
            times += [d.created_at.timestamp() + WAITING_SECONDS for d in self._live()]
        return next_of(times, now)

    def findings(self, now: float) -> list[Finding]:
        """What about our own speaking needs a person: an operator's draft that waits, a post of unknown outcome."""
        if not self.decided.drafts:
            return []
        unknown = [d for d in self.decided.drafts.values() if d.state is DraftState.UNKNOWN_OUTCOME]
        found = [_finding(IncidentKind.POST_UNKNOWN, d, "outcome of a post is unknown") for d in unknown]
        if self._role() is Role.OPERATOR:
            old = moment(now) - timedelta(seconds=WAITING_SECONDS)
            waiting = [d for d in self._live() if d.state is DraftState.PENDING and d.created_at <= old]
            found += [_finding(IncidentKind.DRAFT_WAITING, d, "a draft waits for approval") for d in waiting]
        return found

    def deliver(self, delivery: Delivery, *, now: float) -> list[Draft]:
        """The outbox says what became of an approved draft; what was sent is sent, whatever we thought meanwhile."""
        draft = self.decided.drafts.get(delivery.draft)
        if draft is None:
            return []
        told = delivered(draft, delivery, at=moment(now))
        return [self._keep(told)] if told is not None else []

    def _role(self) -> Role:
        return Role.OPERATOR if self.judging.speaks_for == self.exchange else Role.OBSERVER

    def _live(self) -> list[Draft]:
        return [d for d in self.decided.drafts.values() if d.state in LIVE]

    def _lapsed(self, draft: Draft, incident: Incident, now: float) -> bool:
        young = now - incident.opened_at.timestamp() < RENEW_SECONDS
        return draft.state is DraftState.EXPIRED and young and incident.stage is not Stage.RESOLVED

    def _compose(self, incident: Incident, facts: Facts, channel: str, now: float) -> Draft:
        return compose(
            facts,
            incident=incident.id,
            channel=channel,
            role=self._role(),
            templates=self.judging.templates,
            now=moment(now),
            expiry_seconds=self.judging.draft_expiry_seconds,
        )

    def _keep(self, draft: Draft) -> Draft:
        self.decided.drafts[draft.id] = draft
        return draft


def _finding(kind: IncidentKind, draft: Draft, summary: str) -> Finding:
    evidence = Evidence(at=draft.created_at, probe="outbox", source="draft", rail=draft.id, value=draft.state)
    return Finding(
        kind=kind,
        severity=Severity.CRITICAL,
        scope=("*",),
        summary=f"{summary}: {draft.id} for {draft.channel}",
        since=draft.created_at.timestamp(),
        evidence=(evidence,),
    )
