"""How many payments are usual now: the season times a level of the last hours, and how far off that may be.

The level is observed over seasonal with a half-life of an hour of what was told. The squared coefficient of variation
of a count over `t` minutes is 1/mean + 1/(k t) + sigma2(t): luck, payments that come in clusters, and a level that
drifts. k and sigma are told apart by the residuals of five minutes and of an hour. The season changes to another day at
midnight, and days are few: a span on one side of it that is compared with the other is less sure.
"""

import math

import msgspec
from msgspec import Struct

from monitor.engine.detectors.outflow.season import DAY

HALF_LIFE_MINUTES = 60.0
PRIOR_MINUTES = 30.0
LEVELS = (0.2, 5.0)
K = (0.2, 50.0)
SIGMA2 = (0.0064, 0.36)
USUAL_K = 3.0
USUAL_SIGMA2 = 0.015
PRIOR_FIVES = 60.0
PRIOR_HOURS = 48.0
AT_ONCE = 0.4  # of sigma2 of an hour, with which a level is wrong from the start
LONGEST_HOURS = 1.5  # from then on it drifts no further: a run of hours is to be found
SEAM = 0.03  # squared: how far a day is off the one before it, season taken away
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


def seam(since: float, now: float) -> float:
    """Squared coefficient of variation that a span has on top, as its level was learned before the last midnight."""
    midnight = now // DAY * DAY
    if since < midnight:
        return SEAM * ((now - midnight) / (now - since)) ** 2
    return SEAM * math.exp2(-2 * (since - midnight) / 60 / HALF_LIFE_MINUTES)


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
    inflow_seasonal: float = 0.0
    hour: list[float] = []  # payments, expected, level at its beginning and minutes of the hour under way
    fives: Residuals = msgspec.field(default_factory=Residuals)
    hours: Residuals = msgspec.field(default_factory=Residuals)

    def level(self, rate: float) -> float:
        """Out, over what is in season. `rate`: payments of a usual minute."""
        return _level(self.observed, self.seasonal, rate)

    def inflow_level(self, rate: float) -> float:
        return _level(self.inflow_observed, self.inflow_seasonal, rate)

    def spread(self) -> Spread:
        short = self.fives.variation(1 / (5 * USUAL_K) + AT_ONCE * USUAL_SIGMA2, spans=PRIOR_FIVES)
        long = self.hours.variation(1 / (60 * USUAL_K) + USUAL_SIGMA2, spans=PRIOR_HOURS)
        sigma2 = _within((long - short / 12) / (1 - _growth(5.0) / 12), SIGMA2)
        return Spread(1 / _within(5 * (short - _growth(5.0) * sigma2), (1 / K[1], 1 / K[0])), sigma2)

    def hear(self, count: float, seasonal: float, *, inflow_count: float, minutes: float) -> None:
        """A reading that is not suspicious moves the level."""
        fade = math.exp2(-minutes / HALF_LIFE_MINUTES)
        self.observed = self.observed * fade + count
        self.seasonal = self.seasonal * fade + seasonal
        self.inflow_observed = self.inflow_observed * fade + inflow_count
        self.inflow_seasonal = self.inflow_seasonal * fade + seasonal

    def restart(self, count: float, seasonal: float) -> None:
        """Take this for the level: it has lasted."""
        self.observed, self.seasonal = count, seasonal

    def learn(self, count: float, seasonal: float, *, level: float, minutes: float) -> None:
        """A bucket, and the level that was expected at its beginning. One of many minutes tells of the hour only."""
        spread = self.spread()
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


def _level(observed: float, seasonal: float, rate: float) -> float:
    prior = PRIOR_MINUTES * rate
    return _within((observed + prior) / (seasonal + prior), LEVELS) if seasonal + prior > 0 else 1.0


def _growth(minutes: float) -> float:
    return AT_ONCE + (1 - AT_ONCE) * min(minutes / 60, LONGEST_HOURS)


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(bounds[1], max(bounds[0], value))
