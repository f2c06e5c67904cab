"""How high the score of bursts climbs in quiet hours, and from where on it is one: the stream's own history decides.

Hourly maxima above a level fall off exponentially; the scale of that tail is their mean excess. Where a stream is
wilder than its model the threshold rises to what comes as rarely as a page may; it is never below that of the model.
"""

import math

from msgspec import Struct

from monitor.engine.detectors.outflow.burst import ARL_MINUTES, THRESHOLD

LEVEL = 6.0
USUAL_SCALE = 1.17  # where the model fits
PRIOR = 30.0  # exceedances
MEMORY_HOURS = 1344.0  # eight weeks
HIGHEST = 2 * THRESHOLD


class Tail(Struct, array_like=True):
    peak: float = 0.0  # of the hour under way
    hours: float = 0.0  # faded, as are the sums
    exceeded: float = 0.0
    excess: float = 0.0

    def close(self) -> None:
        """The hour is over, and was quiet."""
        fade = 1 - 1 / MEMORY_HOURS
        is_above = self.peak > LEVEL
        self.hours = self.hours * fade + 1
        self.exceeded = self.exceeded * fade + is_above
        self.excess = self.excess * fade + (min(self.peak, HIGHEST) - LEVEL if is_above else 0.0)
        self.peak = 0.0

    def threshold(self) -> float:
        """Drawn towards the model's by two standard errors, so that luck alone raises it little."""
        number = self.exceeded + PRIOR
        scale = (self.excess + PRIOR * USUAL_SCALE) / number * (1 - 2 / math.sqrt(number))
        if self.hours <= 0 or self.exceeded <= 0:
            return THRESHOLD
        found = LEVEL + scale * math.log(max(1.0, self.exceeded / self.hours * ARL_MINUTES / 60))
        return round(min(HIGHEST, max(THRESHOLD, found)), 6)
