"""From incidents to drafts: what would be said at each stage, and what deliveries make of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from monitor.engine import promises
from monitor.engine.finding import NEVER, Finding, moment
from monitor.engine.instants import next_of
from monitor.engine.money import Money
from monitor.engine.moved import moved, starts_at
from monitor.engine.noticing import noticed, says_enough
from monitor.engine.sending import channels_of, delivered
from monitor.engine.state import Decided
from monitor.model import (
    SUPPORT,
    Delivery,
    Draft,
    DraftState,
    Evidence,
    Incident,
    IncidentKind,
    Judging,
    Notice,
    Rail,
    Role,
    Severity,
    Stage,
)
from monitor.notices.approval import OPEN
from monitor.notices.draft import Facts, compose, speaks
from monitor.notices.preapproval import worded

WAITING_SECONDS = 300.0
RENEW_SECONDS = 86_400.0  # an incident older than this asks no more by itself
UPDATE_GRID_SECONDS = 300.0
FORGET_SECONDS = 86_400.0
X = "x"
URGENT = (
    Notice.INVESTIGATING,
    Notice.IDENTIFIED,
    Notice.MONITORING,
    Notice.RESOLVED,
    Notice.REOPENED,
    Notice.CORRECTION,
)
"""What an operator is woken for when it waits; maintenance and statements are not."""


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
        starts_at, ends_at = self._window(incident)
        return Facts(
            exchange=self.exchange,
            title=self.judging.titles.get(self.exchange, self.exchange.capitalize()),
            kind=incident.holds or incident.kind,
            stage=incident.stage,
            notice=Notice.MAINTENANCE if incident.kind is IncidentKind.MAINTENANCE else None,
            scope=incident.scope,
            since=incident.since,
            detected_at=incident.opened_at,
            recovered_at=incident.recovered_at,
            resolved_at=incident.resolved_at,
            # Who speaks as the exchange says nothing new because its own post was read.
            official_at=None if self.role() is Role.OPERATOR else incident.official_at,
            next_update_at=None if incident.stage is Stage.RESOLVED else moment(update),
            trading_unaffected=trading,
            deposits_unaffected=deposits,
            evidence=incident.evidence,
            disputed=tuple(str(rail) for rail in disputed if "*" in incident.scope or str(rail) in incident.scope),
            sources=tuple(dict.fromkeys(e.source for e in incident.evidence)),
            is_retracted=incident.retracted_by is not None,
            starts_at=starts_at,
            ends_at=ends_at,
            page=self.judging.page,
            posted=self._posted_on_x(now),
        )

    def follow(self, incident: Incident, facts: Facts, *, now: float) -> list[Draft]:
        """Keep one live draft a channel that says what holds now; what no longer holds is superseded.

        Only the newest counts: an older one that would hold again was taken back, or was said of another time.
        """
        if not speaks(incident.kind):
            return []
        written = [d for d in self._of(incident) if d.channel != SUPPORT]
        spoken_at = channels_of(written, self.judging)
        changed = self._supersede([d for d in written if d.state is DraftState.PENDING and d.channel not in spoken_at])
        for channel in spoken_at:
            changed += self._follow_on(channel, incident, facts, now)
        promised = [d.next_update_at for d in self._of(incident) if d.channel != SUPPORT]
        answered = replace(facts, next_update_at=promised[-1] if promised else facts.next_update_at)
        return changed + self._follow_on(SUPPORT, incident, answered, now)

    def brief(self, incident: Incident, facts: Facts, *, now: float) -> list[Draft]:
        """What those who answer the exchange's users say; nothing of it is public, and outside watchers need none."""
        if self.role() is not Role.OPERATOR:
            return []
        return self._follow_on(SUPPORT, incident, replace(facts, next_update_at=None), now)

    def account(self, incident: Incident | None, money: Money, *, now: float) -> list[Draft]:
        """Keep a statement of what moved while `incident` is open, where that is known whole."""
        changed = self._leave_accounts(incident)
        if incident is None or not self._asks_for_account(incident, money, now):
            return changed
        since = (incident.since or incident.opened_at).timestamp()
        told = moved(money, since=since, now=now)
        if told is None:
            return changed + self._supersede(self._of(incident))
        plain = self.facts(incident, now=now, trading=False, deposits=False)
        facts = replace(plain, notice=Notice.RESERVES_STATEMENT, money=told, next_update_at=None)
        return changed + self.follow(incident, facts, now=now)

    def tidy(self) -> list[Draft]:
        """What is about an incident that another one followed is said no more."""
        known = {incident.id for incident in self.decided.cases.incidents.values()}
        return self._supersede([d for d in self.decided.drafts.values() if d.incident not in known])

    def leave(self, incident: Incident) -> list[Draft]:
        """Nothing is to be said of this one any more."""
        return self._supersede(self._of(incident))

    def withdraw(self) -> list[Draft]:
        """Nothing is to be said any more."""
        return self._supersede(list(self.decided.drafts.values()))

    def expire(self, now: float) -> list[Draft]:
        if not self.decided.drafts:
            return []
        at = moment(now)
        due = [d for d in self.decided.drafts.values() if d.state in OPEN and d.expires_at <= at]
        return [self._keep(replace(d, state=DraftState.EXPIRED)) for d in due]

    def forget(self, now: float) -> None:
        """Drop what was decided a day ago and is about nothing open; the store keeps it."""
        old = moment(now) - timedelta(seconds=FORGET_SECONDS)
        still_open = {i.id for i in self.decided.cases.incidents.values() if i.stage is not Stage.RESOLVED}
        drafts = self.decided.drafts
        for draft in [d for d in drafts.values() if d.state not in OPEN and d.created_at < old]:
            if draft.state is not DraftState.POSTED or draft.incident not in still_open:
                del drafts[draft.id]

    def due(self, now: float) -> float:
        if not self.decided.drafts:
            return NEVER
        times = [d.expires_at.timestamp() for d in self._live()]
        times += promises.times(self.decided.drafts, self.decided.cases.incidents.values())
        times += [d.next_update_at.timestamp() for d in self._live() if d.channel == SUPPORT and d.next_update_at]
        if self.role() is Role.OPERATOR:
            times += [d.created_at.timestamp() + WAITING_SECONDS for d in self._live() if d.notice in URGENT]
        return next_of(times, now)

    def findings(self, now: float) -> list[Finding]:
        """What about our own speaking needs a person: a draft that waits, a promise, a post of unknown outcome."""
        if not self.decided.drafts:
            return []
        unknown = [d for d in self.decided.drafts.values() if d.state is DraftState.UNKNOWN_OUTCOME]
        found = [_finding(IncidentKind.POST_UNKNOWN, d, "outcome of a post is unknown") for d in unknown]
        is_operator = self.role() is Role.OPERATOR
        severity = Severity.CRITICAL if is_operator else Severity.WARNING
        incidents = self.decided.cases.incidents.values()
        found += promises.findings(self.decided.drafts, incidents, severity=severity, now=now)
        if is_operator:
            old = moment(now) - timedelta(seconds=WAITING_SECONDS)
            waiting = [d for d in self._live() if d.state is DraftState.PENDING and d.created_at <= old]
            urgent = [d for d in waiting if d.notice in URGENT]
            found += [_finding(IncidentKind.DRAFT_WAITING, d, "a draft waits for approval") for d in urgent]
        return found

    def deliver(self, delivery: Delivery, *, now: float) -> list[Draft]:
        """The outbox says what became of an approved draft; what was sent is sent, whatever we thought meanwhile."""
        draft = self.decided.drafts.get(delivery.draft)
        if draft is None:
            return []
        told = delivered(draft, delivery, at=moment(now))
        return [self._keep(told)] if told is not None else []

    def _follow_on(self, channel: str, incident: Incident, facts: Facts, now: float) -> list[Draft]:
        mine = [d for d in self._of(incident) if d.channel == channel]
        told, original = noticed(facts, mine, now=now)
        newest = mine[-1] if mine else None
        if told.is_retracted and original is None and not (channel == SUPPORT and self._was_posted(incident)):
            return self._supersede(mine)  # nothing of it was said, so there is nothing to take back
        if newest is not None and says_enough(newest, told) and not self._lapsed(newest, incident, now):
            return []
        if newest is not None and newest.state is DraftState.EXPIRED and says_enough(newest, told):
            told = replace(told, next_update_at=_still_promised(newest, told, now))
        gone = self._supersede(mine)
        return [*gone, self._keep(self._compose(incident, told, channel, now, original=original, before=newest))]

    def _lapsed(self, draft: Draft, incident: Incident, now: float) -> bool:
        if incident.stage is Stage.RESOLVED:
            return False
        if draft.channel == SUPPORT and draft.state in OPEN:
            return draft.next_update_at is not None and draft.next_update_at <= moment(now)
        young = now - incident.opened_at.timestamp() < RENEW_SECONDS
        return promises.is_due(draft, now) or (draft.state is DraftState.EXPIRED and young)

    def _compose(
        self,
        incident: Incident,
        facts: Facts,
        channel: str,
        now: float,
        *,
        original: Draft | None,
        before: Draft | None,
    ) -> Draft:
        judging = self.judging
        draft = compose(
            facts,
            incident=incident.id,
            channel=channel,
            role=self.role(),
            templates=judging.templates,
            now=moment(now),
            # An answer to users is good until the next one; nobody approves it, so nobody is asked again.
            expiry_seconds=RENEW_SECONDS if channel == SUPPORT else judging.draft_expiry_seconds,
            language=judging.language,
            sentences=judging.sentences,
            corrects=original.id if original is not None else None,
            replaces=before.id if before is not None and before.state is not DraftState.POSTED else None,
        )
        signed, required = self.decided.signed.values(), judging.approvals_required
        return worded(draft, facts, signed, now=moment(now), required=required)

    def _asks_for_account(self, incident: Incident, money: Money, now: float) -> bool:
        """Sums are added up only where a draft comes of them: this is looked at with every reading."""
        start = starts_at((incident.since or incident.opened_at).timestamp())
        if any(stream.since > start + promises.REMIND_SECONDS for stream in money.memory.flows.values()):
            return True  # what was stated is not known whole any more
        newest = {draft.channel: draft for draft in self._of(incident)}
        lapsed = (d for d in newest.values() if self._lapsed(d, incident, now))
        return len(newest) <= len(self.judging.channels) or any(True for _ in lapsed)

    def _leave_accounts(self, incident: Incident | None) -> list[Draft]:
        """What is said of money that no longer moves, or of less than moves now."""
        families = self.decided.cases.incidents
        told = [families[family] for family in ("run", "campaign") if family in families]
        others = [each for each in told if incident is None or each.id != incident.id]
        return self._supersede([draft for each in others for draft in self._of(each)])

    def _window(self, incident: Incident) -> tuple[datetime | None, datetime | None]:
        """From when to when the maintenance was announced that an incident is about."""
        if incident.kind is not IncidentKind.MAINTENANCE:
            return None, None
        own = [w for w in self.decided.windows if w.starts_at <= incident.opened_at <= w.ends_at]
        return (own[0].starts_at, own[0].ends_at) if own else (None, None)

    def _posted_on_x(self, now: float) -> tuple[str, ...]:
        recent = moment(now) - timedelta(days=1)
        drafts = self.decided.drafts.values()
        up = [d for d in drafts if d.channel == X and d.state is DraftState.POSTED]
        return tuple(d.text for d in up if d.decided_at is not None and d.decided_at > recent)

    def role(self) -> Role:
        return Role.OPERATOR if self.judging.speaks_for == self.exchange else Role.OBSERVER

    def _live(self) -> list[Draft]:
        return [d for d in self.decided.drafts.values() if d.state in OPEN]

    def _of(self, incident: Incident) -> list[Draft]:
        return [d for d in self.decided.drafts.values() if d.incident == incident.id]

    def _was_posted(self, incident: Incident) -> bool:
        return any(draft.state is DraftState.POSTED for draft in self._of(incident))

    def _supersede(self, drafts: Sequence[Draft]) -> list[Draft]:
        return [self._keep(replace(d, state=DraftState.SUPERSEDED)) for d in drafts if d.state in OPEN]

    def _keep(self, draft: Draft) -> Draft:
        self.decided.drafts[draft.id] = draft
        return draft


def _still_promised(before: Draft, facts: Facts, now: float) -> datetime | None:
    """Where nothing changed the text is the same, as long as what it promises is some minutes off."""
    kept = before.next_update_at
    if kept is None or kept.timestamp() - promises.REMIND_SECONDS <= now:
        return facts.next_update_at
    return kept


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
