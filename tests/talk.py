"""Counts of mentions for tests: talk as it is every day, and talk that is not."""

import math
import random
from collections.abc import Iterable, Sequence
from functools import cache

import tests.journals as j
from monitor.engine.engine import Engine
from monitor.model import Mentions, Observation

EXCHANGE = "examplex"
QUERY = "examplex withdrawal"
PROBE = "examplex-mentions"
DAY = 288  # bins
LEARNED = 4 * DAY


def mention(
    place: float, count: int, *, minutes: float = 5.0, query: str = QUERY, probe: str = PROBE, exchange: str = EXCHANGE
) -> Mentions:
    """The count of the minutes that end with the five minutes of that place."""
    return Mentions(
        at=j.at(5 * (place + 1)),
        exchange=exchange,
        probe=probe,
        query=query,
        count=count,
        window_seconds=60.0 * minutes,
    )


def counts(bins: Iterable[int], *, mean: float = 40.0, seed: int = 0) -> list[int]:
    """Of five minutes each: half as much by night, and chance."""
    return [
        _poisson(mean * (1 + 0.5 * math.sin(place * math.tau / DAY)), random.Random(f"{seed} {place}"))
        for place in bins
    ]


def talk(bins: Sequence[int], *, mean: float = 40.0, seed: int = 0, times: float = 1.0) -> list[Observation]:
    return [
        mention(place, round(times * count))
        for place, count in zip(bins, counts(bins, mean=mean, seed=seed), strict=True)
    ]


@cache
def learned() -> bytes:
    """The checkpoint of an engine that knows four days of talk."""
    return listening(Engine.fresh(EXCHANGE), talk(range(LEARNED))).checkpoint()


def listening(engine: Engine, entries: Iterable[Observation]) -> Engine:
    for entry in entries:
        engine.apply(entry)
    return engine


def _poisson(mean: float, chance: random.Random) -> int:
    limit, count, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        count, product = count + 1, product * chance.random()
    return count
