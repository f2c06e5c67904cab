"""Notifications, incidents and drafts as tests of what our own people are told need them."""

import hashlib
from datetime import UTC, datetime, timedelta

from monitor.model import (
    Change,
    Draft,
    DraftState,
    Evidence,
    Happened,
    IncidentKind,
    Notification,
    Role,
    Severity,
    Stage,
    Topic,
    Transition,
)

START = datetime(2026, 2, 3, 14, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def notification(
    seq: int,
    happened: Happened = Happened.OPENED,
    *,
    subject: str = "i-1",
    seconds: float | None = None,
    severity: Severity = Severity.CRITICAL,
    n: int = 0,
) -> Notification:
    topics = {Happened.WAITING: Topic.DRAFTS, Happened.DECIDED: Topic.OUTCOMES, Happened.SENT: Topic.OUTCOMES}
    return Notification(
        seq=seq,
        n=n,
        at=at(seq if seconds is None else seconds),
        topic=topics.get(happened, Topic.PAGES),
        subject=subject,
        happened=happened,
        severity=severity,
        title=f"{subject} {happened} {seq}",
        text=f"what there is to say of {subject}",
    )


def transition(
    change: Change,
    *,
    incident: str = "kraken-withdrawal_halt-20260203T140000Z",
    kind: IncidentKind = IncidentKind.WITHDRAWAL_HALT,
    severity: Severity = Severity.CRITICAL,
    seconds: float = 0,
    summary: str = "all nine watched rails are closed",
    source: str = "chain",
    exchange: str = "kraken",
) -> Transition:
    evidence = Evidence(at=at(seconds), probe="kraken-wallets", source=source, value="no payment for 4 min")
    return Transition(
        at=at(seconds),
        incident=incident,
        transition=change,
        kind=kind,
        severity=severity,
        exchange=exchange,
        scope=("BTC@bitcoin", "ETH@ethereum"),
        summary=summary,
        evidence=(evidence,),
    )


def draft(
    state: DraftState,
    *,
    name: str = "d-1",
    channel: str = "x",
    text: str = "We are aware of delays.",
    seconds: float = 0,
    incident: str = "kraken-withdrawal_halt-20260203T140000Z",
    stage: Stage = Stage.INVESTIGATING,
    decided_by: str | None = None,
    claims: str = "{}",
) -> Draft:
    return Draft(
        id=name,
        incident=incident,
        exchange="kraken",
        stage=stage,
        channel=channel,
        role=Role.OPERATOR,
        text=text,
        text_sha256=hashlib.sha256(text.encode()).hexdigest(),
        state=state,
        problems=(),
        created_at=at(seconds),
        expires_at=at(seconds + 1200),
        claims=claims,
        decided_by=decided_by,
        decided_at=at(seconds) if decided_by else None,
    )
