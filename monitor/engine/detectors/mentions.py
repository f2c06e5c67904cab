"""A stream of mention counts as heights above its own day: five minutes, and the last four hours.

Counts are taken as 2 sqrt(count + 3/8) (Anscombe 1948), in which chance has the same size at ten mentions and at ten
thousand, in whole thousandths, so that sums over a day stay exact. The mean of the last day of bins is the drift that
is taken away. A count of many minutes is so many equal bins: it is never a burst.
"""

import math

from msgspec import Struct, field

from monitor.engine.detectors.tail import BINS_A_DAY, Tail
from monitor.model import Mentions

BIN_SECONDS = 300.0
SPAN_BINS = 48  # four hours: a campaign that swells slowly shows in their mean
CALM_BINS = 48  # below both thresholds: four hours end an episode
APART_BINS = 144  # half a day between two heaps: the next morning's talk of the same thing is no second one
LEARN_BINS = 3 * BINS_A_DAY
SLACK = 0.1  # of a window, by which the next may overlap it, or leave a hole
UNIT = 1000
POISSON = float(UNIT)  # the standard deviation of a count that only chance moves
LARGEST = 10**12  # mentions: what is more is no count


class Height(Struct, frozen=True, array_like=True):
    """One scale as it stands: mentions in a window of it, what is usual, and how rare that is."""

    mentions: float
    usual: float
    days: float


class Stream(Struct, array_like=True):
    """What is known of one (probe, query): below 4 kB encoded."""

    end: float = 0.0  # of the newest window
    count: int = 0
    seconds: float = 0.0
    learned: int = 0  # bins, all in all
    total: int = 0
    day: list[int] = []  # the last day of bins that taught, oldest first
    recent: list[int] = []  # of the last four hours, oldest first
    short: Tail = field(default_factory=lambda: Tail(POISSON))
    long: Tail = field(default_factory=lambda: Tail(round(POISSON / math.sqrt(SPAN_BINS), 6)))

    def is_judged(self) -> bool:
        """Three days are known, and the last day and the last four hours of them without a hole that matters."""
        return self.learned >= LEARN_BINS and len(self.day) == BINS_A_DAY

    def is_calm(self) -> bool:
        return min(self.short.quiet, self.long.quiet) >= CALM_BINS

    def is_apart(self) -> bool:
        """What comes now belongs to nothing that was."""
        return min(self.short.quiet, self.long.quiet) >= APART_BINS

    def hear(self, seen: Mentions, at: float) -> int:
        """Take in a window that ended at `at`; answers how many bins it filled. What overlaps is told already."""
        begun, window = at - seen.window_seconds, seen.window_seconds
        if not 0 < window <= BINS_A_DAY * BIN_SECONDS or not 0 <= seen.count <= LARGEST:
            return 0
        if begun < self.end - SLACK * window:
            return 0
        self._cross(begun - self.end, slack=SLACK * window)
        self.end, self.count, self.seconds = at, self.count + seen.count, self.seconds + window
        return round(self.seconds / BIN_SECONDS) if self.seconds >= BIN_SECONDS * (1 - SLACK) else 0

    def height(self) -> int:
        """That of each of the bins that were filled; the next one is begun."""
        mentions = self.count * BIN_SECONDS / self.seconds
        self.count, self.seconds = 0, 0.0
        return _height(mentions)

    def take(self, height: int, *, learning: bool) -> tuple[Height | None, Height | None]:
        """A bin; answers how it stands in five minutes and in four hours, as far as that is known."""
        self.recent.append(height)
        if len(self.recent) > SPAN_BINS:
            del self.recent[0]
        if len(self.day) < BINS_A_DAY:
            self._learn(height)
            if len(self.day) == BINS_A_DAY and not self.short.bins:
                self._begin()
            return None, None
        found = self._found(height)
        above = height - self.total / BINS_A_DAY
        self.short.take(round(above), apart=APART_BINS, learning=learning)
        if len(self.recent) == SPAN_BINS:
            lasting = sum(self.recent) / SPAN_BINS - self.total / BINS_A_DAY
            self.long.take(round(lasting), apart=APART_BINS, learning=learning)
        if learning:
            self._learn(height)
        return found

    def _found(self, height: int) -> tuple[Height, Height | None]:
        usual = self.total / BINS_A_DAY
        short = Height(_mentions(height), _mentions(usual), self.short.days(height - usual))
        if len(self.recent) < SPAN_BINS:
            return short, None
        mean = sum(self.recent) / SPAN_BINS
        hours = Height(SPAN_BINS * _mentions(mean), SPAN_BINS * _mentions(usual), self.long.days(mean - usual))
        return short, hours

    def _cross(self, hole: float, *, slack: float) -> None:
        """A hole between two windows. What came before it is no part of these four hours, or of this day."""
        if hole > slack:
            self.count, self.seconds = 0, 0.0
        if hole > SPAN_BINS * BIN_SECONDS:
            self.recent = []
        if hole > BINS_A_DAY * BIN_SECONDS:
            self.day, self.total = [], 0

    def _learn(self, height: int) -> None:
        self.learned += 1
        self.day.append(height)
        self.total += height
        if len(self.day) > BINS_A_DAY:
            self.total -= self.day.pop(0)

    def _begin(self) -> None:
        """From the first day on, measured against itself."""
        usual = self.total / BINS_A_DAY
        self.short.begin([round(height - usual) for height in self.day], apart=APART_BINS)
        spans = [sum(self.day[place - SPAN_BINS : place]) / SPAN_BINS for place in range(SPAN_BINS, BINS_A_DAY + 1)]
        self.long.begin([round(span - usual) for span in spans], apart=APART_BINS)


def _height(mentions: float) -> int:
    return round(UNIT * 2 * math.sqrt(mentions + 0.375))


def _mentions(height: float) -> float:
    return round(max(0.0, (height / UNIT / 2) ** 2 - 0.375), 6)
