"""How many payments are usual now: the season times a level of the last hours, and how far off that may be.

The level is observed over seasonal with a half-life of an hour of what was told. The squared coefficient of variation
of a count over `t` minutes is 1/mean + 1/(k t) + sigma2(t): luck, payments that come in clusters, and a level that
drifts. k and sigma are told apart by the residuals of five minutes and of an hour. The season changes to another day at
midnight, and days are few: of the level before it little is kept.
"""

import math

import msgspec
from msgspec import Struct

from monitor.engine.detectors.outflow.season import DAY

HALF_LIFE_MINUTES = 50.0
PRIOR_MINUTES = 15.0
OVERNIGHT = 0.1  # of the level, that is kept at midnight
UNHEARD = 0.06  # squared: how far off the level is while nothing of it was heard
K = (0.2, 50.0)
SIGMA2 = (0.0064, 0.36)
USUAL_K = 3.0
USUAL_SIGMA2 = 0.015
PRIOR_FIVES = 60.0
PRIOR_HOURS = 48.0
AT_ONCE = 0.4  # of sigma2 of an hour, with which a level is wrong from the start
LONGEST_HOURS = 1.5  # from then on it drifts no further: a run of hours is to be found
MEMORY_FIVES = 8064.0  # four weeks
FIVES_AN_HOUR = 12
FIVE = (4.0, 6.0)  # minutes
HOUR_MINUTES = 58.0
LARGE = 9.0  # a squared residual counts no more than so many times what is usual


class Spread(Struct, frozen=True, array_like=True):
    k: float  # of a negative binomial, a minute
    sigma2: float  # of the logarithm of the level, over an hour

    def variation(self, minutes: float) -> float:
        """Squared coefficient of variation of a count over so many minutes, without its luck."""
        return 1 / (self.k * minutes) + self.sigma2 * _growth(minutes)


class Residuals(Struct, array_like=True):
    """Faded sums over spans of one length."""

    excess: float = 0.0  # (count - expected)^2 - expected
    square: float = 0.0  # expected^2
    spans: float = 0.0

    def add(self, count: float, expected: float, *, memory: float, usual: float) -> None:
        """`usual`: squared coefficient of variation, without luck."""
        most = LARGE * (expected + usual * expected * expected)
        fade = 1 - 1 / memory
        self.excess = self.excess * fade + min(most, (count - expected) ** 2) - expected
        self.square = self.square * fade + expected * expected
        self.spans = self.spans * fade + 1

    def variation(self, prior: float, *, spans: float) -> float:
        if self.spans <= 0 or self.square <= 0:
            return prior
        prior_square = spans * self.square / self.spans
        return max(0.0, (self.excess + prior * prior_square) / (self.square + prior_square))


class Pace(Struct, array_like=True):
    observed: float = 0.0
    seasonal: float = 0.0
    inflow_observed: float = 0.0
    hour: list[float] = []  # payments, expected, level at its beginning and minutes of the hour under way
    fives: Residuals = msgspec.field(default_factory=Residuals)
    hours: Residuals = msgspec.field(default_factory=Residuals)

    def level(self, rate: float) -> float:
        """Out, over what is in season. `rate`: payments of a usual minute."""
        return level_of(self.observed, self.seasonal, rate)

    def inflow_level(self, rate: float) -> float:
        return level_of(self.inflow_observed, self.seasonal, rate)

    def doubt(self, rate: float) -> float:
        """Squared coefficient of variation of the level, by how little it rests on."""
        prior = PRIOR_MINUTES * rate
        return UNHEARD * prior / (prior + self.seasonal) if prior > 0 else UNHEARD

    def fades(self, since: float, *, minutes: float) -> tuple[float, float]:
        """What so many minutes leave of what was heard before them, and their end of them too."""
        ends_a_day = since // DAY != (since + 60 * minutes) // DAY
        return math.exp2(-minutes / HALF_LIFE_MINUTES), OVERNIGHT if ends_a_day else 1.0

    def spread(self) -> Spread:
        short = self.fives.variation(1 / (5 * USUAL_K) + AT_ONCE * USUAL_SIGMA2, spans=PRIOR_FIVES)
        long = self.hours.variation(1 / (60 * USUAL_K) + USUAL_SIGMA2, spans=PRIOR_HOURS)
        sigma2 = _within((long - short / 12) / (1 - _growth(5.0) / 12), SIGMA2)
        return Spread(1 / _within(5 * (short - _growth(5.0) * sigma2), (1 / K[1], 1 / K[0])), sigma2)

    def hear(self, count: float, seasonal: float, *, inflow_count: float, since: float, minutes: float) -> None:
        """Minutes that are not suspicious move the level."""
        fade, after = self.fades(since, minutes=minutes)
        self.observed = (self.observed * fade + count) * after
        self.seasonal = (self.seasonal * fade + seasonal) * after
        self.inflow_observed = (self.inflow_observed * fade + inflow_count) * after

    def restart(self, count: float, seasonal: float) -> None:
        """Take this for the level: it has lasted."""
        self.observed, self.seasonal = count, seasonal

    def learn(self, count: float, seasonal: float, *, level: float, minutes: float, spread: Spread) -> None:
        """A bucket, and the level that was expected at its beginning. One of many minutes tells of the hour only."""
        expected = seasonal * level
        if expected > 0 and FIVE[0] <= minutes <= FIVE[1]:
            self.fives.add(count, expected, memory=MEMORY_FIVES, usual=spread.variation(5.0))
        if not self.hour:
            self.hour = [0.0, 0.0, level, 0.0]
        self.hour[0] += count
        self.hour[1] += seasonal * self.hour[2]
        self.hour[3] += minutes
        if self.hour[3] >= HOUR_MINUTES:
            if self.hour[1] > 0:
                memory = MEMORY_FIVES / FIVES_AN_HOUR
                self.hours.add(self.hour[0], self.hour[1], memory=memory, usual=spread.variation(60.0))
            self.hour = []


def level_of(observed: float, seasonal: float, rate: float) -> float:
    """Of what was observed over what is in season, both faded. `rate`: payments of a usual minute."""
    prior = PRIOR_MINUTES * rate
    return (observed + prior) / (seasonal + prior) if seasonal + prior > 0 else 1.0


def _growth(minutes: float) -> float:
    return AT_ONCE + (1 - AT_ONCE) * min(minutes / 60, LONGEST_HOURS)


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(bounds[1], max(bounds[0], value))
