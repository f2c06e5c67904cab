"""How rare a height is, by the peaks above a threshold that follows its stream: the tail of a DSPOT.

Siffer et al., "Anomaly Detection in Streams with Extreme Value Theory", KDD 2017. What is above the threshold comes in
heaps, so a heap counts once, by its highest point: rates are of episodes and not of bins. The highest points beyond the
threshold follow a generalized Pareto law; its shape is never negative, because nothing bounds how much can be said.
"""

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

LEVEL = 0.98  # this share of the bins is below the threshold
STEP = 0.02  # of the scale, by which the threshold follows: a quiet day lowers it by 0.1
MOST_PEAKS = 100
HEAVIEST = 0.5  # shape; with a heavier one the spread of the peaks, and so the fit, would be infinite
NEVER_SEEN_DAYS = 999_999.0
BINS_A_DAY = 288


class Tail(Struct, array_like=True):
    """Heights are whole thousandths of whatever they are measured in."""

    floor: float  # the scale is never taken for less: what mere chance does
    threshold: float = 0.0
    shape: float = 0.0
    scale: float = 0.0
    bins: float = 0.0  # that the peaks are the peaks of
    quiet: int = 0  # bins in a row that were not above the threshold
    highest: int = 0  # of the heap that is not over yet; 0 where there is none
    peaks: list[int] = []  # the highest points of the heaps, oldest first

    def begin(self, heights: Sequence[int], *, apart: int) -> None:
        """Take the threshold from the first heights; `apart` quiet bins end a heap."""
        self.threshold = float(sorted(heights)[int(LEVEL * len(heights))])
        self._fit()
        for height in heights:
            self.take(height, apart=apart, learning=False)

    def days(self, height: float) -> float:
        """The days from one episode that gets so high to the next; 0.0 for what is not above the threshold."""
        excess = height - self.threshold
        if excess <= 0 or self.bins <= 0:
            return 0.0
        episodes_a_day = (len(self.peaks) + 1) / self.bins * BINS_A_DAY
        return round(min(NEVER_SEEN_DAYS, 1 / (episodes_a_day * self._beyond(excess))), 6)

    def height(self, days: float) -> float:
        """What an episode reaches once in so many days."""
        heaps = days * (len(self.peaks) + 1) / max(self.bins, 1.0) * BINS_A_DAY
        if heaps <= 1:
            return self.threshold
        grown = (math.pow(heaps, self.shape) - 1) / self.shape if self.shape > 0 else math.log(heaps)
        return self.threshold + self.scale * grown

    def take(self, height: int, *, apart: int, learning: bool) -> None:
        """Take in a bin. Where it is not `learning`, the threshold stays."""
        self.bins += 1
        is_above = height > self.threshold
        if is_above:
            self.quiet, self.highest = 0, max(self.highest, height)
        else:
            self.quiet += 1
        if self.highest and self.quiet >= apart:
            self._remember(self.highest)
            self.highest = 0
        if learning:
            self.threshold += STEP * self.scale * (LEVEL if is_above else LEVEL - 1)

    def _remember(self, peak: int) -> None:
        self.peaks.append(peak)
        if len(self.peaks) > MOST_PEAKS:
            self.bins -= self.bins / len(self.peaks)
            del self.peaks[0]
        self._fit()

    def _fit(self) -> None:
        excesses = [peak - self.threshold for peak in self.peaks if peak > self.threshold]
        shape, scale = pareto(excesses)
        # What n peaks of an exponential foretell of the next is a Pareto law of shape 1/n: few prove no thin tail.
        self.shape = max(shape, min(HEAVIEST, 1 / max(1, len(excesses))))
        self.scale = max(scale, self.floor)

    def _beyond(self, excess: float) -> float:
        """The share of the peaks that exceed the threshold by more. It underflows for what is never seen."""
        if self.shape > 0:
            return max(1e-300, math.pow(1 + self.shape * excess / self.scale, -1 / self.shape))
        return max(1e-300, math.exp(-excess / self.scale))


def pareto(excesses: Iterable[float]) -> tuple[float, float]:
    """Shape (0 to `HEAVIEST`) and scale by probability-weighted moments, (0, 0) of nothing.

    Hosking and Wallis, "Parameter and Quantile Estimation for the Generalized Pareto Distribution", Technometrics 1987:
    of few peaks they are steadier than the greatest likelihood.
    """
    ordered = sorted(excesses)
    count = len(ordered)
    if not count:
        return 0.0, 0.0
    mean = sum(ordered) / count
    if count == 1:
        return 0.0, mean
    weighted = sum((count - 1 - place) * excess for place, excess in enumerate(ordered)) / (count * (count - 1))
    spread = mean - 2 * weighted
    shape = min(HEAVIEST, max(0.0, 2 - mean / spread)) if spread > 0 else 0.0
    return round(shape, 9), round(mean * (1 - shape), 9)
