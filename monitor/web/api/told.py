"""How incidents and drafts are told. What the model gains is not told by itself."""

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from monitor.model import (
    Change,
    DraftState,
    Evidence,
    Incident,
    IncidentKind,
    Market,
    Problem,
    Role,
    Severity,
    Span,
    Stage,
    Transition,
)
from monitor.model import Draft as KeptDraft


class IncidentRow(Struct, frozen=True, kw_only=True):
    """An incident in a list. `acknowledged_by` is for insiders."""

    id: str
    exchange: str
    exchanges: tuple[str, ...]
    kind: IncidentKind
    severity: Severity
    stage: Stage
    open: bool
    scope: tuple[str, ...]
    summary: str
    opened_at: datetime
    since: datetime | None
    updated_at: datetime
    official_at: datetime | None
    recovered_at: datetime | None
    resolved_at: datetime | None
    retracted: bool  # it was a false alarm
    acknowledged: bool
    acknowledged_by: str | UnsetType = UNSET


class IncidentTold(Struct, frozen=True, kw_only=True):
    """An incident with what it rests on. `notes` are for insiders."""

    incident: IncidentRow
    evidence: tuple[Evidence, ...]
    spans: tuple[Span, ...]
    market: tuple[Market, ...]
    notes: tuple[str, ...] | UnsetType = UNSET


class Step(Struct, frozen=True, kw_only=True):
    """A transition, with the evidence that was new in it. A `summary` that may name people is for insiders."""

    at: datetime
    transition: Change
    kind: IncidentKind
    severity: Severity
    scope: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    summary: str | UnsetType = UNSET


class DraftTold(Struct, frozen=True, kw_only=True):
    """A draft. `decided_by` and what the linter has against it are for insiders, as is each that was not posted."""

    id: str
    incident: str
    exchange: str
    stage: Stage
    channel: str
    role: Role
    text: str
    text_sha256: str
    state: DraftState
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    remote_id: str | None
    decided_by: str | UnsetType | None = UNSET
    problems: tuple[Problem, ...] | UnsetType = UNSET


def incident_row(kept: Incident) -> IncidentRow:
    return IncidentRow(
        id=kept.id,
        exchange=kept.exchange,
        exchanges=kept.exchanges,
        kind=kept.kind,
        severity=kept.severity,
        stage=kept.stage,
        open=kept.stage is not Stage.RESOLVED,
        scope=kept.scope,
        summary=kept.summary,
        opened_at=kept.opened_at,
        since=kept.since,
        updated_at=kept.updated_at,
        official_at=kept.official_at,
        recovered_at=kept.recovered_at,
        resolved_at=kept.resolved_at,
        retracted=kept.retracted_by is not None,
        acknowledged=kept.acknowledged_by is not None,
        acknowledged_by=UNSET if kept.acknowledged_by is None else kept.acknowledged_by,
    )


def incident_told(kept: Incident) -> IncidentTold:
    return IncidentTold(
        incident=incident_row(kept), evidence=kept.evidence, spans=kept.spans, market=kept.market, notes=kept.notes
    )


def step(kept: Transition, before: Transition | None) -> Step:
    known = before.evidence if before is not None else ()
    return Step(
        at=kept.at,
        transition=kept.transition,
        kind=kept.kind,
        severity=kept.severity,
        scope=kept.scope,
        evidence=tuple(each for each in kept.evidence if each not in known),
        summary=kept.summary,
    )


def draft_told(kept: KeptDraft) -> DraftTold:
    return DraftTold(
        id=kept.id,
        incident=kept.incident,
        exchange=kept.exchange,
        stage=kept.stage,
        channel=kept.channel,
        role=kept.role,
        text=kept.text,
        text_sha256=kept.text_sha256,
        state=kept.state,
        created_at=kept.created_at,
        expires_at=kept.expires_at,
        decided_at=kept.decided_at,
        remote_id=kept.remote_id,
        decided_by=kept.decided_by,
        problems=kept.problems,
    )
