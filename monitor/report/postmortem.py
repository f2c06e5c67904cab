"""A post-mortem as a value: what is known of an incident, from the first sign to what is left for people to answer.

docs/postmortem.md tells its JSON, docs/postmortem.schema.json is made of these types. Null is "not known".
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from monitor.model import (
    Change,
    Draft,
    DraftState,
    Incident,
    IncidentKind,
    Market,
    Severity,
    Span,
    Stage,
    Transition,
)
from monitor.report.case import Case
from monitor.report.figures import Change as Balance
from monitor.report.figures import figures
from monitor.report.period import Period
from monitor.report.recorder import Recorder
from monitor.report.series import Left
from monitor.report.wording import who_first

FORMAT = 1
QUESTIONS = (
    "What was the root cause?",
    "What went well?",
    "What went badly, or was luck?",
    "Which actions follow, by whom and until when?",
)


class Instants(Struct, frozen=True, kw_only=True):
    """When what happened first. `first_evidence`: null where it was so before we looked."""

    first_evidence: datetime | None
    detected: datetime
    official_word: datetime | None
    acknowledged: datetime | None
    first_post: datetime | None  # of ours
    recovered: datetime | None
    resolved: datetime | None


class Knew(Struct, frozen=True, kw_only=True):
    """A source, and when it first told."""

    source: str
    at: datetime
    after_seconds: float  # since the first of all
    evidence: int


class Lasted(Struct, frozen=True, kw_only=True):
    """How long it lasted by one source."""

    source: str
    began_at: datetime | None
    ended_at: datetime | None
    seconds: float | None


class Step(Struct, frozen=True, kw_only=True):
    at: datetime
    change: Change
    severity: Severity
    summary: str


class Moved(Struct, frozen=True, kw_only=True):
    """Coins of the addresses we know, between `from` and `to` of `money`."""

    asset: str
    network: str
    held_before: Decimal | None
    held_after: Decimal | None
    came: Decimal | None
    left: Decimal | None
    left_cold: Decimal | None
    usd: Decimal | None  # worth of the change, or of the net flow


class LeftCold(Struct, frozen=True, kw_only=True):
    at: datetime
    asset: str
    network: str
    amount: Decimal
    blocks: str
    probe: str


class Money(Struct, frozen=True, kw_only=True):
    """`moved` from `begin` to `end`; cold wallets also before and after it, for that belongs to the question."""

    begin: datetime
    end: datetime
    cold_from: datetime
    cold_to: datetime
    moved: Sequence[Moved]
    left_cold_wallets: Sequence[LeftCold] | None  # null: no reading tells it


class Written(Struct, frozen=True, kw_only=True):
    """A draft, and what became of it."""

    id: str
    stage: Stage
    channel: str
    state: DraftState
    text: str
    text_sha256: str
    written_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    remote_id: str | None


class Question(Struct, frozen=True, kw_only=True):
    question: str
    answer: str = ""


class Postmortem(Struct, frozen=True, kw_only=True):
    format: int = FORMAT
    generated_at: datetime
    id: str
    exchange: str
    kind: IncidentKind
    severity: Severity
    stage: Stage
    summary: str
    scope: Sequence[str]  # at the end
    affected_rails: Sequence[str]  # at any time
    instants: Instants
    seconds_to_detect: float | None
    seconds_to_official_word: float | None  # from the first sign
    seconds_to_acknowledge: float | None  # from detection
    seconds_to_first_post: float | None  # from detection
    seconds_in_all: float | None
    knew_first: Sequence[Knew]
    durations: Sequence[Lasted]
    timeline: Sequence[Step]
    notes: Sequence[str]
    money: Money
    market: Sequence[Market]
    drafts: Sequence[Written]
    resolved_by: str | None  # a person; null where readings told that it was over, or it is not
    retracted_by: str | None = None  # who said that it was a false alarm
    questions: Sequence[Question] = tuple(Question(question=each) for each in QUESTIONS)


def postmortem(case: Case, recorder: Recorder, *, at: datetime) -> Postmortem:
    """What is known of a case at a time."""
    incident, times = case.incident, _instants(case)
    begin = times.first_evidence or times.detected
    end = incident.resolved_at
    return Postmortem(
        generated_at=at,
        id=incident.id,
        exchange=incident.exchange,
        kind=incident.kind,
        severity=incident.severity,
        stage=incident.stage,
        summary=incident.summary,
        scope=incident.scope,
        affected_rails=_affected(case),
        instants=times,
        seconds_to_detect=_seconds(times.first_evidence, times.detected),
        seconds_to_official_word=_seconds(begin, times.official_word),
        seconds_to_acknowledge=_seconds(times.detected, times.acknowledged),
        seconds_to_first_post=_seconds(times.detected, times.first_post),
        seconds_in_all=_seconds(begin, end),
        knew_first=[
            Knew(source=each.who, at=each.at, after_seconds=each.after_seconds, evidence=each.pieces)
            for each in who_first(incident)
        ],
        durations=[_lasted(span) for span in incident.spans],
        timeline=[_step(each) for each in case.transitions],
        notes=incident.notes,
        money=_money(recorder, incident, Period(begin, end or max(at, begin))),
        market=incident.market,
        drafts=[_written(draft) for draft in sorted(case.drafts, key=lambda draft: (draft.created_at, draft.id))],
        resolved_by=incident.resolved_by,
        retracted_by=incident.retracted_by,
    )


def _instants(case: Case) -> Instants:
    incident = case.incident
    posted = [d.decided_at for d in case.drafts if d.state is DraftState.POSTED and d.decided_at is not None]
    return Instants(
        first_evidence=incident.since,
        detected=incident.opened_at,
        official_word=incident.official_at,
        acknowledged=_first(case.transitions, Change.ACKNOWLEDGED),
        first_post=min(posted, default=None),
        recovered=incident.recovered_at,
        resolved=incident.resolved_at,
    )


def _first(transitions: Iterable[Transition], change: Change) -> datetime | None:
    return next((each.at for each in transitions if each.transition is change), None)


def _affected(case: Case) -> list[str]:
    told = (item for each in case.transitions for item in each.scope)
    evident = (each.rail for each in case.incident.evidence if each.rail is not None and "@" in each.rail)
    return sorted({*told, *evident, *case.incident.scope})


def _seconds(begin: datetime | None, end: datetime | None) -> float | None:
    """Less than nothing where the end came first: they spoke before we saw anything."""
    return (end - begin).total_seconds() if begin is not None and end is not None else None


def _lasted(span: Span) -> Lasted:
    return Lasted(
        source=span.source,
        began_at=span.began_at,
        ended_at=span.ended_at,
        seconds=_seconds(span.began_at, span.ended_at),
    )


def _step(transition: Transition) -> Step:
    return Step(
        at=transition.at, change=transition.transition, severity=transition.severity, summary=transition.summary
    )


def _money(recorder: Recorder, incident: Incident, period: Period) -> Money:
    shown = recorder.period.whole
    tracks = [track for name, track in sorted(recorder.tracks.items()) if name == incident.exchange]
    changes = [change for track in tracks for change in figures(track, _gridded(recorder, period)).changes]
    is_told = any(track.cold_is_told for track in tracks)
    left = [_left(each) for track in tracks for each in track.left_cold if shown.covers(each.at)]
    return Money(
        begin=period.begin,
        end=period.end,
        cold_from=shown.begin,
        cold_to=shown.end,
        moved=[_moved(each) for each in changes],
        left_cold_wallets=left if is_told else None,
    )


def _moved(change: Balance) -> Moved:
    return Moved(
        asset=change.asset,
        network=change.network,
        held_before=change.begin,
        held_after=change.end,
        came=change.inflow,
        left=change.outflow,
        left_cold=change.cold,
        usd=change.worth,
    )


def _left(left: Left) -> LeftCold:
    return LeftCold(
        at=left.at,
        asset=left.asset,
        network=left.network,
        amount=left.amount,
        blocks=left.blocks,
        probe=left.probe,
    )


def _gridded(recorder: Recorder, period: Period) -> Period:
    """The incident itself, on the grid on which it was recorded."""
    shown = recorder.period
    return Period(
        period.begin,
        period.end,
        before=period.begin - shown.shown_from,
        after=max(shown.shown_to - period.end, timedelta(0)),
    )


def _written(draft: Draft) -> Written:
    return Written(
        id=draft.id,
        stage=draft.stage,
        channel=draft.channel,
        state=draft.state,
        text=draft.text,
        text_sha256=draft.text_sha256,
        written_at=draft.created_at,
        decided_by=draft.decided_by,
        decided_at=draft.decided_at,
        remote_id=draft.remote_id,
    )
