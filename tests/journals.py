"""Journals for tests: small builders of observations, and random but lawful histories for property tests."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
from hypothesis import strategies as st

from monitor.engine.run import Engines, judge
from monitor.model import (
    Command,
    Control,
    Direction,
    FailureReason,
    ListRead,
    MaintenanceWindow,
    Observation,
    Output,
    ProbeFailure,
    Rail,
    RailState,
    RailStatus,
    RailTerms,
    Source,
    Stage,
    Statement,
    Tick,
    TradeActivity,
    Transition,
    Verb,
    WalletActivity,
)

START = datetime(2026, 1, 5, tzinfo=UTC)
MAJORS = (
    Rail("BTC", "bitcoin"),
    Rail("ETH", "ethereum"),
    Rail("USDT", "ethereum"),
    Rail("USDT", "tron"),
    Rail("SOL", "solana"),
)
ALTS = tuple(Rail(f"ALT{n}", "ethereum") for n in range(50))
RATES = {"ethereum": 30, "bsc": 10, "solana": 5, "tron": 3}


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def rail(
    minutes: float,
    state: RailState,
    *,
    rails: Iterable[Rail] = MAJORS,
    exchange: str = "examplex",
    direction: Direction = Direction.WITHDRAWAL,
) -> list[Observation]:
    return [
        RailStatus(
            at=at(minutes),
            exchange=exchange,
            probe=f"{exchange}-api",
            asset=r.asset,
            network=r.network,
            direction=direction,
            state=state,
            raw=state.value,
        )
        for r in rails
    ]


def read(minutes: float, *, changed: int = 0, exchange: str = "examplex") -> ListRead:
    return ListRead(at=at(minutes), exchange=exchange, probe=f"{exchange}-api", rails=len(MAJORS), changed=changed)


def polled(*changes: tuple[float, RailState, Iterable[Rail]], until: int) -> list[Observation]:
    """One poll a minute of a list that is open at first and then changes as told."""
    entries: list[Observation] = [*rail(0, RailState.OPEN, rails=[*MAJORS, *ALTS]), read(0)]
    for minute in range(1, until):
        for changed_at, state, rails in changes:
            if changed_at == minute:
                entries += rail(minute, state, rails=rails)
        entries.append(read(minute))
    return [*entries, tick(until)]


def paid(
    minutes: float, network: str, count: int, *, exchange: str = "examplex", window: float = 60.0
) -> WalletActivity:
    return WalletActivity(
        at=at(minutes),
        exchange=exchange,
        probe=f"{exchange}-{network}-hot",
        network=network,
        outgoing=count,
        window_seconds=window,
        coverage=1.0,
        head_age_seconds=12.0,
    )


def failed(minutes: float, probe: str, *, exchange: str = "examplex") -> ProbeFailure:
    return ProbeFailure(
        at=at(minutes), exchange=exchange, probe=probe, reason=FailureReason.TIMEOUT, detail="no answer in 10 s"
    )


def control(minutes: float, *, ok: bool) -> Control:
    return Control(at=at(minutes), probe="control", ok=ok, targets=3, targets_ok=3 if ok else 0)


def tick(minutes: float) -> Tick:
    return Tick(at=at(minutes), probe="tick")


def traded(minutes: float, *, exchange: str = "examplex", age: float = 2.0) -> TradeActivity:
    return TradeActivity(
        at=at(minutes),
        exchange=exchange,
        probe=f"{exchange}-trades",
        market="BTC-USDT",
        newest_trade_at=at(minutes) - timedelta(seconds=age),
        price=Decimal(70_000),
    )


def said(minutes: float, text: str, stage: Stage | None, *, exchange: str = "examplex") -> Statement:
    return Statement(
        at=at(minutes),
        exchange=exchange,
        probe=f"{exchange}-status",
        stage=stage,
        text=text,
        published_at=at(minutes),
        source=Source.STATUS_PAGE,
    )


def limited(minutes: float, cut: int, *, exchange: str = "examplex") -> list[Observation]:
    """The terms of all watched rails, their maximum of 100 coins divided."""
    return [
        RailTerms(
            at=at(minutes),
            exchange=exchange,
            probe=f"{exchange}-api",
            asset=r.asset,
            network=r.network,
            minimum=Decimal(1),
            maximum=Decimal(100) / cut,
        )
        for r in MAJORS
    ]


def planned(
    minutes: float, start: float, end: float, *, scope: tuple[str, ...] = ("*",), exchange: str = "examplex"
) -> MaintenanceWindow:
    """Maintenance announced at `minutes`."""
    return MaintenanceWindow(
        at=at(minutes),
        exchange=exchange,
        probe=f"{exchange}-page",
        starts_at=at(start),
        ends_at=at(end),
        scope=scope,
    )


def word(
    minutes: float,
    verb: Verb,
    subject: str = "",
    text: str = "",
    *,
    actor: str = "dana",
    exchange: str = "examplex",
    arguments: dict[str, str] | None = None,
) -> Command:
    """A person's."""
    said = {"text": text} if text else {}
    return Command(
        at=at(minutes),
        exchange=exchange,
        probe="socket",
        verb=verb,
        actor=actor,
        subject=subject,
        arguments=said | (arguments or {}),
    )


def usual(minutes: range, *, factor: float = 1.0, exchange: str = "examplex") -> list[Observation]:
    """Minutes in which every network pays at its usual rate times `factor`, without noise."""
    return [
        paid(minute, network, int(rate * factor), exchange=exchange)
        for minute in minutes
        for network, rate in RATES.items()
    ]


def outputs(entries: Iterable[Observation]) -> list[Output]:
    engines = Engines.fresh()
    return [output for entry in entries for output in judge(engines, entry, engines.apply)]


def transitions(entries: Iterable[Observation]) -> list[Transition]:
    return [output for output in outputs(entries) if type(output) is Transition]


def told(entries: Iterable[Observation]) -> list[str]:
    """Transitions as "opened withdrawal_halt", for tables."""
    return [f"{t.transition} {t.kind}" for t in transitions(entries)]


def encoded(found: Iterable[Output]) -> bytes:
    return b"\n".join(msgspec.json.encode(output) for output in found)


@st.composite
def histories(draw: st.DrawFn, *, exchange: str = "examplex", minutes: int = 40) -> list[Observation]:
    """A lawful history of one exchange: lists with flips, payments with silences, failures, words, in order of time."""
    entries: list[Observation] = rail(0, RailState.OPEN, exchange=exchange)
    entries.append(read(0, exchange=exchange))
    for minute in range(1, minutes):
        entries += draw(_minute(float(minute), exchange))
    return entries


def _minute(minute: float, exchange: str) -> st.SearchStrategy[list[Observation]]:
    flips = st.lists(st.sampled_from(MAJORS), max_size=5, unique=True)
    states = st.sampled_from([RailState.OPEN, RailState.SUSPENDED, RailState.MAINTENANCE, RailState.DELAYED])

    def listed(chosen: list[Rail], state: RailState) -> list[Observation]:
        changed = rail(minute, state, rails=chosen, exchange=exchange)
        return [*changed, read(minute, changed=len(changed), exchange=exchange)]

    def pay(counts: list[int]) -> list[Observation]:
        return [paid(minute, network, count, exchange=exchange) for network, count in zip(RATES, counts, strict=True)]

    return st.one_of(
        st.builds(listed, flips, states),
        st.builds(pay, st.lists(st.integers(0, 60), min_size=len(RATES), max_size=len(RATES))),
        st.just([failed(minute, f"{exchange}-api", exchange=exchange)]),
        st.just([traded(minute, exchange=exchange)]),
        st.builds(
            lambda stage: [said(minute, "Withdrawals are delayed", stage, exchange=exchange)], st.sampled_from(Stage)
        ),
        st.builds(lambda cut: limited(minute, cut, exchange=exchange), st.sampled_from([1, 4, 20])),
        st.builds(
            lambda start, lasts: [planned(minute, minute + start, minute + start + lasts, exchange=exchange)],
            st.integers(-5, 10),
            st.integers(1, 15),
        ),
        st.just([]),
    )
