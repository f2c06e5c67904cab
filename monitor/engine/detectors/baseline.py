"""What a stream of outgoing transactions usually does: hour of week x lagged level, and how bursty it is.

The expected count of a window is `season(hour of week) * level * minutes`. The season is learned per hour of week and
shrunk towards the hour of day and the overall rate while it has little exposure. The level is a ratio of observed to
expected counts with a half-life of 2 h that ends 30 min ago, so that a silence does not teach itself to be normal.
A wallet that sends in batches (k below 1) is judged by its batches: minutes in which it sent anything.
"""

import math

import msgspec
from msgspec import Struct

from monitor.engine.detectors import dispersion
from monitor.engine.detectors.dispersion import Dispersion

HOUR = 3600.0
WEEK_HOURS = 168
SHRINK_MINUTES = 120.0
MEMORY_WEEKS = 8
LEVEL_HALF_LIFE_MINUTES = 120.0
LEVEL_PRIOR_MINUTES = 30.0
LAG_SECONDS = 1800.0
BIN_SECONDS = 300.0
LEVEL_BOUNDS = (0.5, 2.0)
K_AFTER_MINUTES = 30.0  # before that nothing is expected that a residual could be reckoned from
BATCH_K = 1.0
BATCH_SHARE = 0.5  # of the minutes: who sends in more of them sends no batches
BATCH_MINUTES = 360.0  # of batches seen before they are judged by


class Slots(Struct, array_like=True):
    """Counts and exposure by hour, in whole transactions and seconds: small to write down, the same on any machine."""

    counts: list[int]
    seconds: list[int]
    memory: int  # seconds of exposure that are remembered

    def rate(self, slot: int, towards: float) -> float:
        """Transactions a minute, shrunk towards another rate while there is little exposure."""
        return (self.counts[slot] + SHRINK_MINUTES * towards) / (self.seconds[slot] / 60 + SHRINK_MINUTES)

    def learn(self, slot: int, count: int, seconds: int) -> None:
        if self.seconds[slot] + seconds > self.memory:  # an eighth is forgotten at a time
            self.counts[slot] -= self.counts[slot] // MEMORY_WEEKS
            self.seconds[slot] -= self.seconds[slot] // MEMORY_WEEKS
        self.counts[slot] += count
        self.seconds[slot] += seconds


class Baseline(Struct):
    """Learned state of one stream, below 4 kB encoded."""

    minutes: float = 0.0  # exposure learned from, all in all
    hours: Slots | None = None  # by hour of week
    days: Slots | None = None  # by hour of day
    total_count: float = 0.0
    total_minutes: float = 0.0
    bins: list[tuple[float, float, float, float]] = []  # (start, observed, seasonal, minutes), younger than the lag
    level_observed: float = 0.0
    level_expected: float = 0.0
    counts: Dispersion = msgspec.field(default_factory=dispersion.fresh)
    batches: Dispersion = msgspec.field(default_factory=dispersion.fresh)
    batch_count: float = 0.0

    def season(self, at: float) -> float:
        """Transactions a minute at this hour of the week, before the level."""
        overall = self.rate()
        if self.hours is None or self.days is None:
            return overall
        hour = _hour(at)
        return self.hours.rate(hour, self.days.rate(hour % 24, overall))

    def rate(self) -> float:
        """Transactions a minute, all hours together."""
        return self.total_count / self.total_minutes if self.total_minutes else 0.0

    def level(self) -> float:
        prior = LEVEL_PRIOR_MINUTES * self.rate()
        low, high = LEVEL_BOUNDS
        expected = self.level_expected + prior
        level = (self.level_observed + prior) / expected if expected > 0 else 1.0
        return low if level < low else min(high, level)

    def expected(self, at: float) -> float:
        """Transactions a minute now."""
        return self.season(at) * self.level()

    def is_batcher(self) -> bool:
        """It sends seldom, and much at a time. One that sends in most minutes is none, however wild."""
        if self.minutes < BATCH_MINUTES or self.counts.k >= BATCH_K:
            return False
        return self.batch_count < BATCH_SHARE * self.total_minutes

    def batch_share(self) -> float:
        """Batches in a transaction."""
        return self.batch_count / self.total_count if self.total_count else 1.0

    def learn(self, count: int, *, at: float, minutes: float, seasonal: float, expected: float) -> None:
        """Take in a window that ended at `at`; `expected` is what was expected of it, `seasonal` before the level."""
        self._learn_season(count, at=at, minutes=minutes)
        if self.minutes >= K_AFTER_MINUTES:
            self.counts.learn(count, expected, minutes)
            if self.counts.k < 2 * BATCH_K:
                sent = batches(count, self.batch_share(), minutes)
                self.batches.learn(sent, expected * self.batch_share(), minutes)
        self._learn_level(count, at=at, seasonal=seasonal, minutes=minutes)
        self.minutes += minutes

    def _learn_season(self, count: int, *, at: float, minutes: float) -> None:
        if self.hours is None or self.days is None:
            self.hours = Slots([0] * WEEK_HOURS, [0] * WEEK_HOURS, MEMORY_WEEKS * 3600)
            self.days = Slots([0] * 24, [0] * 24, 7 * MEMORY_WEEKS * 3600)
        hour, seconds = _hour(at), round(minutes * 60)
        self.hours.learn(hour, count, seconds)
        self.days.learn(hour % 24, count, seconds)
        fade = max(0.0, 1 - minutes / (WEEK_HOURS * 60 * MEMORY_WEEKS))
        self.batch_count = self.batch_count * fade + batches(count, self.batch_share(), minutes)
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


def batches(count: int, share: float, minutes: float) -> int:
    """How many batches a window holds: one at most in a minute; of a longer one as many as its count stands for."""
    return min(count, max(1, round(min(minutes, count * share)))) if count else 0


def _hour(at: float) -> int:
    """Hour of the week; the epoch was a Thursday, and hour 0 is Monday 00:00."""
    return int(at // HOUR + 72) % WEEK_HOURS
