"""Coins that came and left in the last five minutes to seven days, in constant time and a bounded memory.

Buckets of five minutes for an hour, of an hour for a day, of half a day for a week; the oldest counts by the part of it
that is still inside. A reading that ends at a border belongs to the bucket that ends there. What was not told is not
counted, and `covered` says how much was: less is known then, never more.
"""

import math
from typing import Literal

import msgspec
from msgspec import Struct

HOUR = 3600.0
DAY = 86_400.0
FIVE = 300.0
HALF = DAY / 2
Span = Literal["5m", "1h", "6h", "24h", "7d"]
SECONDS: dict[Span, float] = {"5m": FIVE, "1h": HOUR, "6h": 6 * HOUR, "24h": DAY, "7d": 7 * DAY}
FIVES = 12
HOURS = 24
HALVES = 14
FIVES_IN_HALF = 144


class Apart(Struct, array_like=True):
    """What seldom is anything."""

    known: float = 0.0  # of the outflow, to addresses on a list
    untold: float = 0.0  # of the outflow, in how many payments is not known
    cold_share: float = 0.0  # of all the exchange held, what cold wallets paid

    def add(self, other: "Apart", weight: float) -> None:
        self.known += other.known * weight
        self.untold += other.untold * weight
        self.cold_share += other.cold_share * weight


class Leaving(Struct, array_like=True):
    """What left in a span, and what is known of those who received it."""

    inflow: float = 0.0
    outflow: float = 0.0
    squares: float = 0.0  # sum of squared payments
    largest: float = 0.0
    asset_share: float = 0.0  # `unknown` in shares of the asset's reserve, as it was then
    total_share: float = 0.0  # and of all the exchange held, at the prices of then
    apart: Apart | None = None

    @property
    def unknown(self) -> float:
        """Of the outflow, to addresses on no list."""
        return self.outflow if self.apart is None else max(0.0, self.outflow - self.apart.known)

    @property
    def untold(self) -> float:
        return 0.0 if self.apart is None else self.apart.untold

    @property
    def cold_share(self) -> float:
        return 0.0 if self.apart is None else self.apart.cold_share

    def add(self, other: "Leaving", weight: float = 1.0) -> None:
        """`weight`: of the other, as if it had left evenly; its largest payment is in any part of it."""
        self.inflow += other.inflow * weight
        self.outflow += other.outflow * weight
        self.squares += other.squares * weight
        if other.largest > self.largest and weight > 0:
            self.largest = other.largest
        self.asset_share += other.asset_share * weight
        self.total_share += other.total_share * weight
        if other.apart is not None:
            if self.apart is None:
                self.apart = Apart()
            self.apart.add(other.apart, weight)


class Total(Struct, frozen=True):
    inflow: float
    outflow: float
    covered: float  # seconds

    @property
    def net(self) -> float:
        """What left on balance."""
        return self.outflow - self.inflow


class Fives(Struct, array_like=True):
    """The hour in buckets of five minutes, the newest last."""

    index: int = 0  # of the newest, counted from the epoch
    buckets: list[Leaving] = []
    covered: list[int] = []  # seconds, by bucket
    closed: Leaving = msgspec.field(default_factory=Leaving)  # all but the oldest and the newest, added up

    def add(self, told: Leaving, index: int, *, seconds: int) -> None:
        if index > self.index or not self.buckets:
            self._turn(index)
        self.buckets[-1].add(told)
        self.covered[-1] += seconds

    def take_back(self, index: int, *, inflow: float, outflow: float) -> None:
        place = len(self.buckets) - 1 - (self.index - index)
        if not 0 <= place < len(self.buckets):
            return
        old = self.buckets[place]
        new = Leaving()
        new.add(old, max(0.0, 1 - outflow / old.outflow) if old.outflow > 0 else 1.0)
        new.inflow = max(0.0, old.inflow - inflow)
        new.largest = min(old.largest, new.outflow)
        self.buckets[place] = new
        self._close()

    def hour(self, at: float) -> Leaving:
        total = Leaving()
        total.add(self.closed)
        total.add(self.buckets[-1])
        total.add(self.buckets[0], _rest(at, FIVE))
        return total

    def sixty(self, at: float) -> Total:
        """`hour`, without what is known of who received it."""
        closed, new, old, rest = self.closed, self.buckets[-1], self.buckets[0], _rest(at, FIVE)
        return Total(
            closed.inflow + new.inflow + old.inflow * rest,
            closed.outflow + new.outflow + old.outflow * rest,
            sum(self.covered) - self.covered[0] * (1 - rest),
        )

    def five(self, at: float) -> Total:
        """The five minutes up to `at`."""
        new, old, rest = self.buckets[-1], self.buckets[-2], _rest(at, FIVE)
        covered = self.covered[-1] + rest * self.covered[-2]
        return Total(new.inflow + rest * old.inflow, new.outflow + rest * old.outflow, covered)

    def _turn(self, index: int) -> None:
        steps = min(index - self.index, FIVES + 1) if self.buckets else FIVES + 1
        self.buckets = [*self.buckets, *(Leaving() for _ in range(steps))][-FIVES - 1 :]
        self.covered = [*self.covered, *[0] * steps][-FIVES - 1 :]
        self.index = index
        self._close()

    def _close(self) -> None:
        self.closed = Leaving()
        for closed in self.buckets[1:-1]:
            self.closed.add(closed)


class Ring(Struct, array_like=True):
    """Buckets of equal length, the newest last, one more than the span has."""

    index: int = 0
    inflow: list[float] = []
    outflow: list[float] = []
    covered: list[int] = []  # seconds

    def add(self, told: Leaving, index: int, *, seconds: int, size: int) -> None:
        if index > self.index or not self.inflow:
            steps = min(index - self.index, size + 1) if self.inflow else size + 1
            self.inflow = [*self.inflow, *[0.0] * steps][-size - 1 :]
            self.outflow = [*self.outflow, *[0.0] * steps][-size - 1 :]
            self.covered = [*self.covered, *[0] * steps][-size - 1 :]
            self.index = index
        self.inflow[-1] += told.inflow
        self.outflow[-1] += told.outflow
        self.covered[-1] += seconds

    def total(self, at: float, *, seconds: float, size: int) -> Total:
        """The last `size` buckets of `seconds` each, up to `at`."""
        rest = _rest(at, seconds)
        return Total(
            math.fsum(self.inflow[-size:]) + rest * self.inflow[-size - 1],
            math.fsum(self.outflow[-size:]) + rest * self.outflow[-size - 1],
            sum(self.covered[-size:]) + rest * self.covered[-size - 1],
        )

    def take_back(self, index: int, *, inflow: float, outflow: float) -> None:
        """Less in one bucket, where it is kept."""
        place = len(self.inflow) - 1 - (self.index - index)
        if 0 <= place < len(self.inflow):
            self.inflow[place] = max(0.0, self.inflow[place] - inflow)
            self.outflow[place] = max(0.0, self.outflow[place] - outflow)


class Sums(Struct, array_like=True):
    """Of one asset on one network."""

    fives: Fives = msgspec.field(default_factory=Fives)
    hours: Ring = msgspec.field(default_factory=Ring)
    halves: Ring = msgspec.field(default_factory=Ring)
    longest: float = 0.0  # seconds of the reading taken in last

    def add(self, told: Leaving, at: float, *, seconds: float) -> None:
        """A reading of `seconds` that ends at `at`."""
        whole, index = round(seconds), bucket(at, FIVE)
        self.fives.add(told, index, seconds=whole)
        self.hours.add(told, index // FIVES, seconds=whole, size=HOURS)
        self.halves.add(told, index // FIVES_IN_HALF, seconds=whole, size=HALVES)
        self.longest = seconds

    def take_back(self, at: float, *, inflow: float, outflow: float) -> None:
        self.fives.take_back(bucket(at, FIVE), inflow=inflow, outflow=outflow)
        self.hours.take_back(bucket(at, HOUR), inflow=inflow, outflow=outflow)
        self.halves.take_back(bucket(at, HALF), inflow=inflow, outflow=outflow)

    def total(self, window: Span, at: float) -> Total:
        match window:
            case "5m":
                return self.fives.five(at)
            case "1h":
                return self.fives.sixty(at)
            case "6h":
                return self.hours.total(at, seconds=HOUR, size=6)
            case "24h":
                return self.hours.total(at, seconds=HOUR, size=HOURS)
            case "7d":
                return self.halves.total(at, seconds=HALF, size=HALVES)


def bucket(at: float, seconds: float) -> int:
    """The bucket in which a reading ends at `at`."""
    return math.ceil(at / seconds) - 1


def _rest(at: float, seconds: float) -> float:
    """How much of the oldest bucket is still inside, where the newest is the one of `at`."""
    return math.ceil(at / seconds) - at / seconds
