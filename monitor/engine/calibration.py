"""Thresholds from one's own history: how high a statistic gets in quiet hours, and how seldom it would be higher.

The excesses of hourly maxima over their 95 % quantile are taken for exponential (peaks over threshold with shape 0:
Pickands 1975; Coles 2001, chapter 4). What was reached while something was wrong is left out.
"""

import math

from msgspec import Struct

HOUR = 3600.0
KEPT_HOURS = 42 * 24
LEARNED_HOURS = 7 * 24
QUANTILE = 0.95
MONTH_HOURS = 720.0
LEAST_EXCESS = 0.5  # of the mean: a quiet month proves no quiet year


class Maxima(Struct):
    """The greatest value of each hour, oldest first, and that of the hour that runs."""

    hours: list[float] = []
    hour: int = 0
    greatest: float | None = None  # None: nothing was known in this hour, or something was wrong

    def note(self, value: float, at: float) -> None:
        """Take in a value of a quiet moment."""
        hour = int(at // HOUR)
        if hour != self.hour:
            self._close(hour)
        self.greatest = value if self.greatest is None else max(self.greatest, value)

    def leave_out(self, at: float) -> None:
        """Something is wrong: this hour teaches nothing."""
        self.hour, self.greatest = int(at // HOUR), None

    def _close(self, hour: int) -> None:
        if self.greatest is not None:
            self.hours.append(round(self.greatest, 3))
            del self.hours[:-KEPT_HOURS]
        self.hour, self.greatest = hour, None


def calibrated(maxima: Maxima, *, per_month: float) -> float | None:
    """The value that hourly maxima pass `per_month` times in 720 hours; None before a week is known."""
    hours = sorted(maxima.hours)
    if len(hours) < LEARNED_HOURS:
        return None
    above = hours[int(len(hours) * QUANTILE) :]
    start = above[0]
    excess = max(LEAST_EXCESS, math.fsum(value - start for value in above) / len(above))
    often = len(above) / len(hours) * MONTH_HOURS
    return round(start + excess * math.log(max(1.0, often / per_month)), 9)
