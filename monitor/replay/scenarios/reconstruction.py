"""A scenario as journal entries: the readings of a daemon that watched for four weeks before, and through the story.

Every line has `vantage` "reconstruction", and the first is a `config_applied` that says so too. Heights are made up:
they count readings.
"""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from monitor.model import (
    ConfigApplied,
    Direction,
    Flow,
    Judging,
    ListRead,
    Mentions,
    Observation,
    Rail,
    RailState,
    RailStatus,
    ReserveBalance,
    Source,
    Statement,
    WalletActivity,
)
from monitor.replay import chance
from monitor.replay.chance import Floats
from monitor.replay.scenarios.movements import (
    BURSTS,
    MINUTE,
    Movements,
    Way,
    Window,
    movements,
    origin,
    windows,
)
from monitor.replay.scenarios.scenario import Chain, Flags, Scenario, Talk, Words

VANTAGE = "reconstruction"
LABEL = "reconstruction from published times"
LISTED_BEFORE = timedelta(days=1)
BALANCE_MINUTES = 10
BIN = timedelta(minutes=5)
HEAD_AGE_SECONDS = 12.0


def entries(scenario: Scenario) -> Iterator[Observation]:
    """All lines of the journal in order of time; the same lines at every call."""
    yield ConfigApplied(at=origin(scenario), probe=LABEL, vantage=VANTAGE, config=Judging(), sha256="")
    streams = [_chain(scenario, chain) for chain in scenario.chains]
    yield from heapq.merge(*streams, _list(scenario), _mentions(scenario), _words(scenario), key=lambda e: e.at)


def _chain(scenario: Scenario, chain: Chain) -> Iterator[Observation]:
    seen = movements(scenario, chain)
    covered = windows(scenario, chain)
    starts = [window.first for window in covered]
    out, into = _summed(seen.out, starts), _summed(seen.into, starts)
    told = Movements(
        out=out, into=into, cold=np.add.reduceat(seen.cold, starts), internal=np.add.reduceat(seen.internal, starts)
    )
    held = _held(scenario, chain, told, covered)
    read = 0
    for place, window in enumerate(covered):
        yield _activity(scenario, chain, told, place, window)
        if held is None:
            continue
        yield _flow(scenario, chain, told, place, window)
        if window.last >= read + BALANCE_MINUTES:
            read = window.last
            yield _balance(scenario, chain, _coins(held[place]), height=place, window=window)


def _summed(way: Way, starts: list[int]) -> Way:
    return Way(
        count=np.add.reduceat(way.count, starts),
        coins=np.add.reduceat(way.coins, starts),
        squares=np.add.reduceat(way.squares, starts),
        largest=np.maximum.reduceat(way.largest, starts),
    )


def _held(scenario: Scenario, chain: Chain, told: Movements, covered: list[Window]) -> Floats | None:
    """Coins after each window, such that the reserve of the chain is what is held when the story begins."""
    if chain.reserve is None:
        return None
    balance: Floats = np.cumsum(told.into.coins - told.out.coins)
    begins = (scenario.begins - origin(scenario)) // MINUTE
    before = max(place for place, window in enumerate(covered) if window.last <= begins)
    shifted: Floats = balance - balance[before] + float(chain.reserve)
    return shifted


def _activity(scenario: Scenario, chain: Chain, told: Movements, place: int, window: Window) -> WalletActivity:
    return WalletActivity(
        at=_at(scenario, window.last),
        exchange=scenario.exchange,
        probe=f"{scenario.exchange}-{chain.network}-wallets",
        vantage=VANTAGE,
        network=chain.network,
        outgoing=int(told.out.count[place]),
        amount=_coins(told.out.coins[place]),
        window_seconds=60.0 * (window.last - window.first),
        coverage=1.0,
        head_age_seconds=HEAD_AGE_SECONDS,
    )


def _flow(scenario: Scenario, chain: Chain, told: Movements, place: int, window: Window) -> Flow:
    out = _coins(told.out.coins[place])
    return Flow(
        at=_at(scenario, window.last),
        exchange=scenario.exchange,
        probe=f"{scenario.exchange}-{chain.network}-flows",
        vantage=VANTAGE,
        asset=chain.asset,
        network=chain.network,
        window_seconds=60.0 * (window.last - window.first),
        inflow=_coins(told.into.coins[place]),
        outflow=out,
        inflow_count=int(told.into.count[place]),
        outflow_count=int(told.out.count[place]),
        outflow_sum_of_squares=_coins(told.out.squares[place]),
        outflow_max=_coins(told.out.largest[place]),
        internal=_coins(told.internal[place]),
        cold_outflow=_coins(told.cold[place]),
        unlabelled_outflow=out,
    )


def _balance(scenario: Scenario, chain: Chain, amount: Decimal, *, height: int, window: Window) -> ReserveBalance:
    return ReserveBalance(
        at=_at(scenario, window.last),
        exchange=scenario.exchange,
        probe=f"{scenario.exchange}-{chain.network}-reserves",
        vantage=VANTAGE,
        asset=chain.asset,
        network=chain.network,
        amount=amount,
        height=height,
        wallets=1,
        wallets_read=1,
    )


def _list(scenario: Scenario) -> Iterator[Observation]:
    """The exchange's own list, read once a minute from a day before the story."""
    if not scenario.rails:
        return
    turns = [event for event in scenario.events if type(event) is Flags]
    states = dict.fromkeys(scenario.rails, RailState.OPEN)
    changed = list(scenario.rails)
    at = scenario.begins - LISTED_BEFORE
    while at <= scenario.ends:
        for turn in turns:
            if turn.at == at:
                changed = list(turn.rails or scenario.rails)
                states |= dict.fromkeys(changed, turn.state)
        for rail in changed:
            yield _status(scenario, rail, states[rail], at=at)
        yield ListRead(
            at=at,
            exchange=scenario.exchange,
            probe=f"{scenario.exchange}-api",
            vantage=VANTAGE,
            rails=len(states),
            changed=len(changed),
        )
        changed = []
        at += MINUTE


def _status(scenario: Scenario, rail: Rail, state: RailState, *, at: datetime) -> RailStatus:
    return RailStatus(
        at=at,
        exchange=scenario.exchange,
        probe=f"{scenario.exchange}-api",
        vantage=VANTAGE,
        asset=rail.asset,
        network=rail.network,
        direction=Direction.WITHDRAWAL,
        state=state,
        raw=state.value,
    )


def _mentions(scenario: Scenario) -> Iterator[Observation]:
    if scenario.mentions is None:
        return
    bins = (scenario.ends - origin(scenario)) // BIN
    mean = np.full(bins, scenario.mentions)
    for event in scenario.events:
        if type(event) is Talk:
            mean[(event.start - origin(scenario)) // BIN : (event.end - origin(scenario)) // BIN] *= event.factor
    drawn = chance.uniform(chance.key(scenario.name, "mentions"), bins)
    for place, count in enumerate(chance.negative_binomial(drawn, mean=mean, shape=BURSTS).tolist(), start=1):
        yield Mentions(
            at=origin(scenario) + place * BIN,
            exchange=scenario.exchange,
            probe=f"{scenario.exchange}-mentions",
            vantage=VANTAGE,
            query=f"{scenario.exchange} withdraw",
            count=count,
            window_seconds=BIN.total_seconds(),
        )


def _words(scenario: Scenario) -> Iterator[Observation]:
    for event in scenario.events:
        if type(event) is Words:
            yield Statement(
                at=event.at,
                exchange=scenario.exchange,
                probe=f"{scenario.exchange}-announcements",
                vantage=VANTAGE,
                text=event.text,
                url=event.url,
                published_at=event.at,
                source=Source.ANNOUNCEMENT,
                topic=event.topic,
            )


def _at(scenario: Scenario, minute: int) -> datetime:
    return origin(scenario) + minute * MINUTE


def _coins(amount: float) -> Decimal:
    return Decimal(f"{amount:.8f}")
