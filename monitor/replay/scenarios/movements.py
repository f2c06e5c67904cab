"""What moved on one chain of a scenario, minute by minute from the beginning of the learning time."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
from msgspec import Struct

from monitor.replay import chance
from monitor.replay.chance import Counts, Floats
from monitor.replay.scenarios.scenario import LEARNING, Chain, Move, Pace, Rush, Scenario
from monitor.replay.season import WEEK_HOURS, minute_of_week, weekly

MINUTE = timedelta(minutes=1)
BURSTS = 8.0  # k of the negative binomial: variance m + m^2/k a minute
TAIL = 1.6  # shape of the sizes: their mean is 2.1 medians, and the largest of a day are hundreds
MOST_MEDIANS = 1_000.0  # of one payment: hot wallets pay no more at once


class Way(Struct, frozen=True, kw_only=True):
    """Transactions of each minute in one direction, in whole coins where it is coins."""

    count: Counts
    coins: Floats
    squares: Floats  # sum of squared sizes
    largest: Floats


class Movements(Struct, frozen=True, kw_only=True):
    """`cold` is a part of `out`; `internal` is in neither way."""

    out: Way
    into: Way
    cold: Floats
    internal: Floats


class Window(Struct, frozen=True, array_like=True):
    """What one reading covers: minutes `first` to `last`, the last not included."""

    first: int
    last: int


def origin(scenario: Scenario) -> datetime:
    return scenario.begins - LEARNING


def minutes(scenario: Scenario) -> int:
    return (scenario.ends - origin(scenario)) // MINUTE


def movements(scenario: Scenario, chain: Chain) -> Movements:
    """Everything a chain saw, events included."""
    usual = chain.payments * _season(scenario)
    out = _way(scenario, chain, "out", mean=usual * _pace(scenario, chain), largest=_largest(scenario, chain))
    into = _way(scenario, chain, "in", mean=usual, largest=_usual_largest(scenario, chain))
    cold, internal = np.zeros(minutes(scenario)), np.zeros(minutes(scenario))
    for event in scenario.events:
        match event:
            case Rush() if event.network == chain.network:
                _add_rush(out if event.way == "out" else into, event, _span(scenario, event.start, event.end))
            case Move() if event.network == chain.network:
                minute, coins = (event.at - origin(scenario)) // MINUTE, float(event.coins)
                if event.internal:
                    internal[minute] += coins
                    continue
                _add(out, slice(minute, minute + 1), count=np.ones(1, np.int64), size=coins)
                cold[minute] += coins if event.cold else 0.0
            case _:
                pass
    return Movements(out=out, into=into, cold=cold, internal=internal)


def windows(scenario: Scenario, chain: Chain) -> list[Window]:
    """One after the other: a minute each, or from block to block. Blocks of one minute are read together."""
    end = minutes(scenario)
    if chain.block_seconds is None:
        return [Window(minute, minute + 1) for minute in range(end)]
    expected = int(end * 60 / chain.block_seconds)
    drawn = chance.uniform(chance.key(scenario.name, chain.network, "blocks"), expected + expected // 5 + 100)
    waits = chance.exponential(drawn, mean=chain.block_seconds / 60)
    lasts = np.unique(np.ceil(np.cumsum(waits)).astype(np.int64))
    edges = [0, *lasts[lasts <= end].tolist()]
    return [Window(first, last) for first, last in pairwise(edges) if last > first]


def _season(scenario: Scenario) -> Floats:
    hour = (np.arange(minutes(scenario)) + minute_of_week(origin(scenario))) // 60 % WEEK_HOURS
    season: Floats = np.array(weekly())[hour]
    return season


def _span(scenario: Scenario, start: datetime, end: datetime) -> slice:
    return slice((start - origin(scenario)) // MINUTE, (end - origin(scenario)) // MINUTE)


def _pace(scenario: Scenario, chain: Chain) -> Floats:
    factor = np.ones(minutes(scenario))
    for event in scenario.events:
        match event:
            case Pace(networks=networks) if not networks or chain.network in networks:
                factor[_span(scenario, event.start, event.end)] = event.factor
            case _:
                pass
    return factor


def _largest(scenario: Scenario, chain: Chain) -> Floats:
    """The largest payment there can be in each minute."""
    largest = _usual_largest(scenario, chain)
    for event in scenario.events:
        match event:
            case Pace(networks=networks, largest=Decimal() as cap) if not networks or chain.network in networks:
                largest[_span(scenario, event.start, event.end)] = float(cap)
            case _:
                pass
    return largest


def _usual_largest(scenario: Scenario, chain: Chain) -> Floats:
    return np.full(minutes(scenario), MOST_MEDIANS * float(chain.typical))


def _way(scenario: Scenario, chain: Chain, way: str, *, mean: Floats, largest: Floats) -> Way:
    names = (scenario.name, chain.network, way)
    drawn = chance.uniform(chance.key(*names, "count"), mean.size)
    count = chance.negative_binomial(drawn, mean=mean, shape=BURSTS)
    minute = np.repeat(np.arange(mean.size), count)
    drawn = chance.uniform(chance.key(*names, "size"), minute.size)
    size = np.minimum(chance.log_logistic(drawn, median=float(chain.typical), shape=TAIL), largest[minute])
    seen = np.zeros(mean.size)
    np.maximum.at(seen, minute, size)
    return Way(
        count=count,
        coins=_summed(minute, size, length=mean.size),
        squares=_summed(minute, size * size, length=mean.size),
        largest=seen,
    )


def _summed(minute: Counts, sizes: Floats, *, length: int) -> Floats:
    return np.bincount(minute, weights=sizes, minlength=length).astype(np.float64)


def _add_rush(way: Way, rush: Rush, span: slice) -> None:
    length = span.stop - span.start
    edges = np.arange(length + 1) * rush.transactions // length
    _add(way, span, count=np.diff(edges), size=float(rush.coins) / rush.transactions)


def _add(way: Way, span: slice, *, count: Counts, size: float) -> None:
    """Transactions of one size, `count` in each minute of the span."""
    way.count[span] += count
    way.coins[span] += count * size
    way.squares[span] += count * size * size
    way.largest[span] = np.maximum(way.largest[span], np.where(count > 0, size, 0.0))
