"""A drip: as many payments as ever and hardly any money in them. At its end FTX still sent crumbs.

Per stream the coins and the payments of a quarter of an hour are compared with what a payment usually carries: the
running median of earlier quarters, in logarithms, moved by a fixed step (frugal streaming; Ma, Muthukrishnan and
Sandler 2013). A twentieth of it, with payments at half of the usual rate or more, is a drip.
"""

import math

from msgspec import Struct

WINDOW_SECONDS = 900.0
SHARE = 0.05
COUNT_SHARE = 0.5  # of the usual payments: with fewer it is silence's to judge
LEAST_COUNT = 20  # payments in a quarter of an hour, or an average says nothing
LEARNED = 24  # quarters
STEP = 0.05


class Typical(Struct, array_like=True):
    """What a payment usually carries: learned."""

    median: float = 0.0  # of the logarithm of coins a payment
    quarters: int = 0

    def learn(self, carried: float) -> None:
        """Take in the coins a payment of a quarter of an hour."""
        gap = math.log(carried) - self.median
        step = STEP if self.quarters >= LEARNED else 1 / (self.quarters + 1)
        self.median += math.copysign(min(step, abs(gap)), gap) if self.quarters else gap
        self.quarters += 1


class Drip(Struct, array_like=True):
    """The last quarter of an hour of a stream whose amounts are told."""

    windows: list[tuple[float, int, float, float]] = []  # (at, count, expected, coins)
    learned_at: float = 0.0
    since: float | None = None
    carried: float = 0.0  # coins a payment, as of the last judgement

    def observe(self, typical: Typical, *, at: float, count: int, expected: float, coins: float) -> None:
        self.windows.append((at, count, expected, coins))
        while self.windows[0][0] <= at - WINDOW_SECONDS:
            self.windows.pop(0)
        self._judge(typical, at)

    def _judge(self, typical: Typical, at: float) -> None:
        count = sum(window[1] for window in self.windows)
        expected = sum(window[2] for window in self.windows)
        spans = at - self.windows[0][0] >= WINDOW_SECONDS - 120
        if not spans or count < LEAST_COUNT or count < COUNT_SHARE * expected:
            return
        self.carried = sum(window[3] for window in self.windows) / count
        is_dripping = typical.quarters >= LEARNED and self.carried < SHARE * math.exp(typical.median)
        if is_dripping:
            self.since = self.windows[0][0] if self.since is None else self.since
            return
        self.since = None
        if self.carried > 0 and at - self.learned_at >= WINDOW_SECONDS:
            typical.learn(self.carried)
            self.learned_at = at
