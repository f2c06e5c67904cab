"""How much more likely a count is if payments have stopped than if they go on as usual.

Counts are negative binomial with mean m and shape k (variance m + m^2/k); a tenth of the rate, or none, is the other
hypothesis. The ratio falls with the count, so more silence is never less evidence.
"""

import math


def log_ratio(count: float, *, mean: float, k: float, other: float) -> float:
    """log P(count | mean `other`) / P(count | `mean`), both of shape k; 0 where nothing is expected."""
    if mean <= 0:
        return 0.0
    return count * math.log(other / mean) + (count + k) * math.log((mean + k) / (other + k))


def none_sent(mean: float, k: float) -> float:
    """-log P(0): how surprising it is that nothing was sent where `mean` is expected, in nats."""
    return k * math.log1p(mean / k)
