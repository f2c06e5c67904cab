"""What is usual of a stream's money: a centre and a spread for the logarithm of each window, robust and forgetful.

The centre follows each look by no more than two spreads, the spread is the 68 % quantile of the distances, so one
large move teaches little. Both learn fast at first and forget in two months.
"""

import math

import msgspec
from msgspec import Struct

from monitor.engine.detectors.outflow.pace import Pace
from monitor.engine.detectors.outflow.season import Season
from monitor.engine.detectors.outflow.sums import DAY, SECONDS, Span
from monitor.engine.detectors.outflow.tail import Tail, model_threshold

MEMORY_SECONDS = 60 * DAY
SIGMA_SHARE = 0.6827
CLIPPED = 2.0
BUDGET_SHARE = 0.9  # of the pages a month that the user allows, for all streams together
BURST_MINUTES = 2 * 1440.0  # from then on a burst is one
WEEK_MINUTES = 7 * 1440.0
CAUTION = 1.5  # times the threshold of a burst
LEARNED: dict[Span, float] = {"5m": 2 * DAY, "1h": 2 * DAY, "6h": 4 * DAY, "24h": 14 * DAY, "7d": 35 * DAY}
"""From when on a window knows what is usual."""


class Scale(Struct, array_like=True):
    centre: float = 0.0
    spread: float = 1.0
    looks: int = 0
    since: float = 0.0
    at: float = 0.0

    def z(self, value: float, *, floor: float) -> float:
        return (value - self.centre) / max(self.spread, floor)

    def learn(self, value: float, at: float) -> None:
        if not self.looks:
            self.centre, self.since = value, at
        gain = max(1 / (self.looks + 1), min(1.0, (at - self.at) / MEMORY_SECONDS))
        distance = value - self.centre
        most = CLIPPED * self.spread
        self.centre += min(most, max(-most, distance)) * gain
        step = max(1 / (self.looks + 3), gain)
        self.spread *= math.exp(2 * step * ((abs(distance) > self.spread) - (1 - SIGMA_SHARE)))
        self.looks += 1
        self.at = at

    def is_known(self, window: Span) -> bool:
        return self.looks > 0 and self.at - self.since >= LEARNED[window]


class Usual(Struct, array_like=True):
    """What was learned of one asset on one network."""

    season: Season = msgspec.field(default_factory=Season)
    pace: Pace = msgspec.field(default_factory=Pace)
    tail: Tail = msgspec.field(default_factory=Tail)
    gross: dict[Span, Scale] = {}  # log coins over the season's factor
    net: dict[Span, Scale] = {}  # coins out on balance, over the usual outflow of the window
    factors: dict[Span, float] = {}  # the season's, of the windows that ended last
    factors_hour: int = 0
    threshold: float = model_threshold(BUDGET_SHARE)  # of a burst

    def burst_threshold(self) -> float:
        """Before each day of the week was seen once it takes more to be sure."""
        return self.threshold if self.season.minutes >= WEEK_MINUTES else round(CAUTION * self.threshold, 6)

    def factor(self, window: Span, at: float, hour: int) -> float:
        if hour != self.factors_hour:
            self.factors_hour = hour
            end = (hour + 1) * 3600.0
            self.factors = {"6h": self.season.mean_factor(end, 6), "24h": self.season.mean_factor(end, 24)}
        match window:
            case "5m" | "1h":
                return self.season.factor(at - SECONDS[window] / 2)
            case "7d":
                return 1.0
            case _:
                return self.factors[window]

    def usual(self, window: Span, factor: float) -> float:
        """Coins that usually leave in the window."""
        scale = self.gross.get(window)
        return math.exp(scale.centre) * factor if scale is not None and scale.looks else 0.0
