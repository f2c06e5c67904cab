"""Values that the store tests commit, and the example lines of docs/journal.md."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec

from monitor.model import (
    Change,
    Command,
    Delivery,
    DeliveryOutcome,
    Draft,
    DraftState,
    Entry,
    ExchangeState,
    ExchangeView,
    Incident,
    IncidentKind,
    Observation,
    Output,
    Reply,
    Role,
    Severity,
    Stage,
    TradeActivity,
    Transition,
    Verb,
)
from monitor.store import Step, Store

START = datetime(2026, 2, 3, 14, tzinfo=UTC)
_JOURNAL_PAGE = Path(__file__).parents[2] / "docs" / "journal.md"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    store = await Store.open(url(path))
    try:
        yield store
    finally:
        await store.close()


async def read(store: Store, *, after: int = 0) -> list[Entry]:
    return [entry async for entry in store.entries(after=after)]


def reading(seq: int, *, seconds: float | None = None, probe: str = "kraken-trades") -> Entry:
    when = at(seq if seconds is None else seconds)
    trade = TradeActivity(
        at=when, exchange="kraken", probe=probe, market="BTC/USDT", newest_trade_at=when, price=Decimal("78211.4")
    )
    return Entry(seq, trade)


def command(seq: int, verb: Verb, *, subject: str = "") -> Entry:
    return Entry(seq, Command(at=at(seq), probe="command", verb=verb, actor="dana", subject=subject))


def delivery(seq: int, draft_id: str, outcome: DeliveryOutcome, *, until: datetime | None = None) -> Entry:
    told = Delivery(at=at(seq), probe="outbox", draft=draft_id, channel="file", outcome=outcome, until=until)
    return Entry(seq, told)


def draft(draft_id: str, state: DraftState, *, text: str = "We observe that withdrawals are suspended.") -> Draft:
    return Draft(
        id=draft_id,
        incident="kraken-withdrawal_halt-1",
        exchange="kraken",
        stage=Stage.INVESTIGATING,
        channel="file",
        role=Role.OBSERVER,
        text=text,
        text_sha256=hashlib.sha256(text.encode()).hexdigest(),
        state=state,
        problems=(),
        created_at=START,
        expires_at=at(1200),
        claims="halted",
    )


def incident(incident_id: str, stage: Stage, *, opened: float = 0) -> Incident:
    return Incident(
        id=incident_id,
        exchange="kraken",
        kind=IncidentKind.WITHDRAWAL_HALT,
        severity=Severity.CRITICAL,
        stage=stage,
        scope=("*",),
        summary="kraken: nothing left",
        opened_at=at(opened),
        since=None,
        updated_at=at(opened),
    )


def transition(incident_id: str, change: Change, *, seconds: float = 0) -> Transition:
    return Transition(
        at=at(seconds),
        incident=incident_id,
        transition=change,
        kind=IncidentKind.WITHDRAWAL_HALT,
        severity=Severity.CRITICAL,
        exchange="kraken",
        scope=("*",),
        summary="kraken: nothing left",
        evidence=(),
    )


def view(exchange: str, *, seconds: float = 0) -> ExchangeView:
    return ExchangeView(
        exchange=exchange, at=at(seconds), withdrawals=ExchangeState.UNKNOWN, since=None, reason="not read yet"
    )


def granted(entry: Entry, *outputs: Output) -> Step:
    """A command that was answered with yes."""
    return Step(entry, (*outputs, Reply(ok=True, message="done")))


def example_lines() -> dict[str, str]:
    """The lines of docs/journal.md by kind."""
    lines = [line for line in _JOURNAL_PAGE.read_text().splitlines() if line.startswith('{"kind"')]
    return {msgspec.json.decode(line)["kind"]: line for line in lines}


def examples() -> list[Observation]:
    decoder: msgspec.json.Decoder[Observation] = msgspec.json.Decoder(Observation)
    return [decoder.decode(line) for line in example_lines().values()]
