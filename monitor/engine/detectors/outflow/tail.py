"""How high the score of bursts climbs in quiet hours, and from where on it is one: the stream's own history decides.

Hourly maxima above a level fall off exponentially; the scale of that tail is their mean excess (peaks over threshold:
Pickands, 1975). Where a stream is wilder than its model the threshold rises to what comes as rarely as a page may; it
is never below that of the model.
"""

import math

from msgspec import Struct

from monitor.engine.detectors.outflow.burst import LOOK

USUAL_SCALE = 1.2  # nats, where the model fits
ONCE_A_MONTH = 6.95  # where the model fits, the score is above this as often
PRIOR = 30.0  # exceedances
MONTH_HOURS = 720.0
MEMORY_HOURS = 1344.0  # eight weeks
HIGHEST = 2.0  # times the threshold of the model


class Tail(Struct, array_like=True):
    peak: float = 0.0  # of the hour under way
    hours: float = 0.0  # faded, as are the sums
    exceeded: float = 0.0
    excess: float = 0.0

    def close(self) -> None:
        """The hour is over, and was quiet."""
        fade = 1 - 1 / MEMORY_HOURS
        is_above = self.peak > LOOK
        self.hours = self.hours * fade + 1
        self.exceeded = self.exceeded * fade + is_above
        self.excess = self.excess * fade + (min(self.peak, HIGHEST * ONCE_A_MONTH) - LOOK if is_above else 0.0)
        self.peak = 0.0

    def threshold(self, per_month: float) -> float:
        """Passed so often by quiet hours; two standard errors nearer to the model's, so that luck raises it little."""
        modelled = model_threshold(per_month)
        number = self.exceeded + PRIOR
        scale = (self.excess + PRIOR * USUAL_SCALE) / number * (1 - 2 / math.sqrt(number))
        if self.hours <= 0 or self.exceeded <= 0:
            return modelled
        found = LOOK + scale * math.log(max(1.0, self.exceeded / self.hours * MONTH_HOURS / per_month))
        return round(min(HIGHEST * modelled, max(modelled, found)), 6)


def model_threshold(per_month: float) -> float:
    """Fitted to eight quiet years of simulated payments that are as the model has them."""
    return round(max(LOOK, ONCE_A_MONTH - USUAL_SCALE * math.log(per_month)), 6)
