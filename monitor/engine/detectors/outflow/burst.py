"""More payments than usual, and ever more of them from any time on: two stories told side by side for each beginning.

In one the level goes on. In the other payments grow, to 2 or 5 times within two hours. Both predict every five
minutes from those before; by how much better the other did, in nats, adds up (prequential likelihood ratio: Dawid,
1984), and the best beginning counts (as in the GLR of Willsky and Jones, 1976). The other story takes its own growth
out of the level it learns from, so a run that grows slowly does not teach itself to be normal. Payments out are left
out that come with as many more payments in as luck does not explain: a busy day is no run.
"""

import math

from msgspec import Struct

from monitor.engine.detectors import likelihood
from monitor.engine.detectors.outflow.pace import PRIOR_MINUTES, Pace, Spread

GROWTHS = ((2.0, 1.0), (5.0, 0.0))  # times as many payments; and the nats by which the rarer find must be better
RAMP_SECONDS = 7200.0
APART_SECONDS = 600  # one beginning in so many
RECENT_SECONDS = 3600
APART_LATER = 1800
OLD_SECONDS = 4 * 3600  # an older beginning is a bleed
HOPELESS = -1.5  # a later beginning is better
LOOK = 3.5  # less is not worth being worked out
SHORT_MINUTES = 10.0  # a crowd of so few minutes is no run yet
FEWEST = 30  # payments that make a burst


class Five(Struct, array_like=True):
    """The five minutes under way, or more where no less is told."""

    since: int
    rate: float  # payments of a usual minute
    in_season: float  # of a minute now, out as in
    level: float  # at its beginning, out and in
    inflow_level: float
    spread: Spread
    best: float  # of all beginnings before it, in nats
    count: int = 0  # payments out
    arrivals: int = 0  # and in
    seasonal: float = 0.0  # of them in season
    minutes: float = 0.0

    def add(self, count: int, arrivals: int, minutes: float) -> None:
        """A reading."""
        self.count += count
        self.arrivals += arrivals
        self.seasonal += self.in_season * minutes
        self.minutes += minutes


class Beginning(Struct, array_like=True):
    since: int
    inflow_level: float  # of before it
    count: int = 0
    arrivals: int = 0
    seasonal: float = 0.0
    ratios: list[float] = []  # by growth, in nats
    faded: list[float] = []  # by growth: `Pace.seasonal`, had payments grown like that


class Suspicion(Struct, frozen=True):
    """The best beginning of a burst, and how much more likely it is than none."""

    score: float = 0.0
    since: float = 0.0
    count: float = 0.0
    expected: float = 0.0
    level: float = 1.0


NOTHING = Suspicion()


class _Told(Struct):
    """Five minutes, and all that is the same for each story of them."""

    count: int
    mean: float  # where the level goes on
    shape: float
    seasonal: float
    middle: float
    observed: float  # `Pace.observed` and its prior
    prior: float

    def gain(self, grown: float, faded: float) -> float:
        """How much better these minutes are told if they are `grown` times as busy, in nats."""
        other = self.seasonal * grown * self.observed / (faded + self.prior)
        return likelihood.log_ratio(self.count, mean=self.mean, k=self.shape, other=other)


def opened(beginnings: list[Beginning], since: float, *, pace: Pace, rate: float, in_season: float) -> Five:
    best = 0.0
    for place, (_, price) in enumerate(GROWTHS):
        best = max(best, max([beginning.ratios[place] for beginning in beginnings], default=0.0) - price)
    level, inflow_level = pace.level(rate), pace.inflow_level(rate)
    return Five(int(since), rate, in_season, level, inflow_level, pace.spread(), best)


def closed(beginnings: list[Beginning], five: Five, pace: Pace) -> None:
    """Take in five minutes that are over; before `pace` hears of them."""
    told = _told(five, pace)
    if told is None:
        return
    if not beginnings or five.since // APART_SECONDS != beginnings[-1].since // APART_SECONDS:
        beginnings.append(_begun(five, pace))
    fade, after = pace.fades(five.since, minutes=five.minutes)
    for beginning in beginnings:
        ramp, ratios, faded = _ramp(beginning.since, told.middle), beginning.ratios, beginning.faded
        for place, (growth, _) in enumerate(GROWTHS):
            grown, seasonal = 1 + (growth - 1) * ramp, faded[place]
            ratios[place] += told.gain(grown, seasonal)
            faded[place] = (seasonal * fade + grown * five.seasonal) * after
        beginning.count += five.count
        beginning.arrivals += five.arrivals
        beginning.seasonal += five.seasonal
    beginnings[:] = [beginning for beginning in beginnings if _is_kept(beginning, five.since)]


def suspicion(beginnings: list[Beginning], five: Five, pace: Pace, *, now: float) -> Suspicion:
    """With the five minutes under way."""
    mean = five.seasonal * five.level
    if five.best < LOOK and five.count <= mean:
        return NOTHING
    variation = five.spread.variation(five.minutes) + pace.doubt(five.rate)
    if five.best + log_ratio(five.count, mean, variation=variation) < LOOK:  # no story gains more by them
        return NOTHING
    told, best = _told(five, pace), NOTHING
    if told is None:
        return best
    for beginning in [*beginnings, _begun(five, pace)] if five.minutes >= SHORT_MINUTES else beginnings:
        count, minutes = beginning.count + five.count, (now - beginning.since) / 60
        if count < FEWEST or minutes < SHORT_MINUTES:
            continue
        ramp = _ramp(beginning.since, told.middle)
        for (growth, price), ratio, faded in zip(GROWTHS, beginning.ratios, beginning.faded, strict=True):
            score = ratio - price + told.gain(1 + (growth - 1) * ramp, faded)
            if score > best.score:
                level = told.observed / (faded + told.prior)
                expected = (beginning.seasonal + five.seasonal) * level
                score = min(score, _unexplained(beginning, five, expected, variation=five.spread.variation(minutes)))
            if score > best.score:
                best = Suspicion(round(score, 6), beginning.since, count, expected, level)
    return best


def log_ratio(count: float, mean: float, *, variation: float) -> float:
    """log P(count | its own mean) / P(count | mean) of negative binomials of one shape; 0 where fewer came."""
    if count <= mean or mean <= 0:
        return 0.0
    return likelihood.log_ratio(count, mean=mean, k=1 / max(1e-6, variation), other=count)


def _begun(five: Five, pace: Pace) -> Beginning:
    ratios, faded = [0.0] * len(GROWTHS), [pace.seasonal] * len(GROWTHS)
    return Beginning(five.since, five.inflow_level, ratios=ratios, faded=faded)


def _told(five: Five, pace: Pace) -> _Told | None:
    """None where nothing is in season."""
    mean, prior = five.seasonal * five.level, PRIOR_MINUTES * five.rate
    if mean <= 0:
        return None
    shape = 1 / (five.spread.variation(five.minutes) + pace.doubt(five.rate))
    middle = five.since + 30 * five.minutes
    return _Told(five.count, mean, shape, five.seasonal, middle, pace.observed + prior, prior)


def _ramp(since: int, middle: float) -> float:
    """How much of its growth there is."""
    return min(1.0, (middle - since) / RAMP_SECONDS)


def _is_kept(beginning: Beginning, now: int) -> bool:
    age = now - beginning.since
    is_due = age <= RECENT_SECONDS or (age <= OLD_SECONDS and beginning.since % APART_LATER < APART_SECONDS)
    return is_due and max(beginning.ratios) > HOPELESS


def _unexplained(beginning: Beginning, five: Five, expected: float, *, variation: float) -> float:
    """What speaks for more payments out at all, without those that as many more in explain; unbounded where none do."""
    mean = (beginning.seasonal + five.seasonal) * beginning.inflow_level
    busy = _excess(beginning.arrivals + five.arrivals, mean, variation)
    if busy <= 0:
        return math.inf
    return log_ratio(beginning.count + five.count - busy * expected, expected, variation=variation)


def _excess(count: float, mean: float, variation: float) -> float:
    """By which share more came in than usual, beyond two standard deviations."""
    if count <= mean or mean <= 0:
        return 0.0
    return max(0.0, count / mean - 1 - 2 * math.sqrt(1 / mean + variation))
