"""What a stream of outgoing transactions usually does: hour of week x lagged level, and how bursty it is.

The expected count of a window is `season(hour of week) * level * minutes`. The season is learned per hour of week and
shrunk towards the hour of day and the overall rate while it has little exposure. The level is a ratio of observed to
expected counts with a half-life of 2 h that ends 30 min ago, so that a silence does not teach itself to be normal.
Dispersion is the k of a negative binomial (variance m + m^2/k a minute), by moments of the residuals.
"""

import math

from msgspec import Struct

HOUR = 3600.0
WEEK_HOURS = 168
SHRINK_MINUTES = 120.0
MEMORY_WEEKS = 8.0
LEVEL_HALF_LIFE_MINUTES = 120.0
LEVEL_PRIOR_MINUTES = 30.0
LAG_SECONDS = 1800.0
BIN_SECONDS = 300.0
LEVEL_BOUNDS = (0.5, 2.0)
K_BOUNDS = (0.3, 50.0)
K_PRIOR = 3.0
K_PRIOR_MINUTES = 120.0
K_MEMORY_MINUTES = 7 * 1440.0


class Baseline(Struct):
    """Learned state of one stream, about 4 kB encoded."""

    minutes: float = 0.0  # exposure learned from, all in all
    hour_count: list[float] = []  # by hour of week
    hour_minutes: list[float] = []
    day_count: list[float] = []  # by hour of day
    day_minutes: list[float] = []
    total_count: float = 0.0
    total_minutes: float = 0.0
    bins: list[tuple[float, float, float, float]] = []  # (start, observed, seasonal, minutes), younger than the lag
    level_observed: float = 0.0
    level_expected: float = 0.0
    excess: float = 0.0  # sum of (x - m)^2 - m
    square: float = 0.0  # sum of m^2 / minutes

    def season(self, at: float) -> float:
        """Transactions a minute at this hour of the week, before the level."""
        hour = int(at // HOUR + 72) % WEEK_HOURS  # the epoch was a Thursday; hour 0 is Monday 00:00
        day = hour % 24
        overall = self.total_count / self.total_minutes if self.total_minutes else 0.0
        if not self.hour_count:
            return overall
        daily = (self.day_count[day] + SHRINK_MINUTES * overall) / (self.day_minutes[day] + SHRINK_MINUTES)
        return (self.hour_count[hour] + SHRINK_MINUTES * daily) / (self.hour_minutes[hour] + SHRINK_MINUTES)

    def level(self) -> float:
        prior = LEVEL_PRIOR_MINUTES * (self.total_count / self.total_minutes if self.total_minutes else 0.0)
        low, high = LEVEL_BOUNDS
        expected = self.level_expected + prior
        return min(high, max(low, (self.level_observed + prior) / expected)) if expected > 0 else 1.0

    def expected(self, at: float) -> float:
        """Transactions a minute now."""
        return self.season(at) * self.level()

    def k(self) -> float:
        prior = K_PRIOR_MINUTES * (self.square / self.minutes if self.minutes else 0.0)
        low, high = K_BOUNDS
        spread = (self.excess + prior / K_PRIOR) / (self.square + prior) if self.square + prior > 0 else 1 / K_PRIOR
        return min(high, max(low, 1 / spread)) if spread > 1 / high else high

    def learn(self, count: int, *, at: float, minutes: float, expected: float) -> None:
        """Take in a window that ended at `at`; `expected` is what was expected of it."""
        if not self.hour_count:
            self.hour_count, self.hour_minutes = [0.0] * WEEK_HOURS, [0.0] * WEEK_HOURS
            self.day_count, self.day_minutes = [0.0] * 24, [0.0] * 24
        seasonal = self.season(at) * minutes
        self._learn_season(count, at=at, minutes=minutes)
        if self.minutes >= K_PRIOR_MINUTES / 4:
            fade = max(0.0, 1 - minutes / K_MEMORY_MINUTES)
            self.excess = self.excess * fade + (count - expected) ** 2 - expected
            self.square = self.square * fade + expected * expected / minutes
        self._learn_level(count, at=at, seasonal=seasonal, minutes=minutes)
        self.minutes += minutes

    def _learn_season(self, count: int, *, at: float, minutes: float) -> None:
        hour = int(at // HOUR + 72) % WEEK_HOURS
        fade = 1 - minutes / (60 * MEMORY_WEEKS) if minutes < 60 * MEMORY_WEEKS else 0.0
        self.hour_count[hour] = self.hour_count[hour] * fade + count
        self.hour_minutes[hour] = self.hour_minutes[hour] * fade + minutes
        day = hour % 24
        fade = 1 - minutes / (7 * 60 * MEMORY_WEEKS) if minutes < 7 * 60 * MEMORY_WEEKS else 0.0
        self.day_count[day] = self.day_count[day] * fade + count
        self.day_minutes[day] = self.day_minutes[day] * fade + minutes
        fade = max(0.0, 1 - minutes / (WEEK_HOURS * 60 * MEMORY_WEEKS))
        self.total_count = self.total_count * fade + count
        self.total_minutes = self.total_minutes * fade + minutes

    def _learn_level(self, count: int, *, at: float, seasonal: float, minutes: float) -> None:
        start = at // BIN_SECONDS * BIN_SECONDS
        if self.bins and self.bins[-1][0] == start:
            _, observed, expected, spent = self.bins[-1]
            self.bins[-1] = (start, observed + count, expected + seasonal, spent + minutes)
        else:
            self.bins.append((start, float(count), seasonal, minutes))
        while self.bins and self.bins[0][0] <= at - LAG_SECONDS:
            _, observed, expected, spent = self.bins.pop(0)
            fade = math.exp2(-spent / LEVEL_HALF_LIFE_MINUTES)
            self.level_observed = self.level_observed * fade + observed
            self.level_expected = self.level_expected * fade + expected
