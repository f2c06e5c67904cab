"""How bursty counts are: k of a negative binomial, by moments of the residuals on several scales.

k is told per minute: the sum of n independent minutes has shape n k. Where bursts or pauses last longer than a minute
the sums of 5 and of 15 minutes spread more than that, so the smallest k of the scales is used. What the level cannot
follow within its lag is no burst: on the longer scales its share is taken off first.
"""

from msgspec import Struct

SCALES = (5.0, 15.0)  # minutes
DRIFT = 0.15  # log standard deviation of what the lagged level cannot follow
WEEK_MINUTES = 7 * 1440.0
HALF_DAY_MINUTES = 720.0  # a second, shorter memory, for wallets that have just changed their ways
PRIOR_K = 3.0
PRIOR_MINUTES = 120.0
BOUNDS = (0.3, 50.0)
LARGE = 9.0  # a squared residual counts for so many times its usual size at most: a run on an exchange is no new habit


class Moments(Struct, array_like=True):
    """Sums over windows: `excess` of (x - m)^2 - m, `square` of m^2 / minutes; their ratio is 1 / k."""

    excess: float = 0.0
    square: float = 0.0

    def add(self, excess: float, square: float, *, fade: float) -> None:
        self.excess = self.excess * fade + excess
        self.square = self.square * fade + square

    def k(self, prior: float) -> float:
        """`prior` is the square of as many minutes as count for `PRIOR_K`."""
        low, high = BOUNDS
        weight = self.square + prior
        if weight <= 0:
            return PRIOR_K
        spread = (self.excess + prior / PRIOR_K) / weight
        return max(low, 1 / spread) if spread > 1 / high else high


class Sum(Struct, array_like=True):
    """An open sum of windows on one scale."""

    count: float = 0.0
    expected: float = 0.0
    minutes: float = 0.0


class Dispersion(Struct, array_like=True):
    week: Moments
    half_day: Moments
    longer: list[Moments]
    sums: list[Sum]
    minutes: float = 0.0
    k: float = PRIOR_K  # of one minute: the smallest over the memories and scales, as of the last closed quarter

    def learn(self, count: float, expected: float, minutes: float) -> None:
        """Take in a window of which `expected` was expected."""
        square = expected * expected / minutes
        usual = expected + square / self.k
        excess = min(LARGE * usual, (count - expected) ** 2) - expected
        self.week.add(excess, square, fade=1 - minutes / WEEK_MINUTES if minutes < WEEK_MINUTES else 0.0)
        self.half_day.add(excess, square, fade=1 - minutes / HALF_DAY_MINUTES if minutes < HALF_DAY_MINUTES else 0.0)
        if self.minutes < WEEK_MINUTES:
            self.minutes = min(WEEK_MINUTES, self.minutes + minutes)
        for scale, moments, total in zip(SCALES, self.longer, self.sums, strict=True):
            total.count += count
            total.expected += expected
            total.minutes += minutes
            if total.minutes >= scale:
                _close(moments, total)
                if scale == SCALES[-1]:
                    self.k = self._smallest()

    def _smallest(self) -> float:
        prior = PRIOR_MINUTES * self.week.square / self.minutes
        return min(moments.k(prior) for moments in (self.week, self.half_day, *self.longer))


def fresh() -> Dispersion:
    return Dispersion(Moments(), Moments(), [Moments() for _ in SCALES], [Sum() for _ in SCALES])


def _close(moments: Moments, total: Sum) -> None:
    drift = (DRIFT * total.expected) ** 2
    excess = (total.count - total.expected) ** 2 - total.expected - drift
    square = total.expected * total.expected / total.minutes
    moments.add(excess, square, fade=max(0.0, 1 - total.minutes / WEEK_MINUTES))
    total.count = total.expected = total.minutes = 0.0
