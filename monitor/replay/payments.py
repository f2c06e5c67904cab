"""How often the staged exchange pays on each network: one generator for the weeks before the story and for the story.

Counts a minute are negative binomial around hour-of-week season times the script's factor. Everything follows from the
script and fixed seeds, so history and stage agree without knowing each other.
"""

from datetime import datetime, timedelta

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from monitor.replay.script import Script
from monitor.replay.season import WEEK_HOURS, minute_of_week, weekly

SEED = 20260203
WEEKS_BEFORE = 8
WEEKS_AFTER = 1
WEEK_MINUTES = 7 * 1440
MINUTE = timedelta(minutes=1)

SHAPE = 8.0  # k of the negative binomial: variance m + m^2/k
SENDERS = 2
FIRST_SENDER_SHARE = 0.7
FIRST_NONCE = 100_000  # of a sender when the generated weeks begin

Counts = NDArray[np.int64]


class Network(Struct, frozen=True, kw_only=True):
    name: str
    chain_id: int
    block_seconds: int
    height: int  # at the start of the story
    payments_per_minute: float  # mean over a week
    reserve: int  # native coins over all wallets


NETWORKS = (
    Network(
        name="ethereum", chain_id=1, block_seconds=12, height=24_370_000, payments_per_minute=30.0, reserve=180_000
    ),
    Network(name="bsc", chain_id=56, block_seconds=3, height=79_100_000, payments_per_minute=10.0, reserve=350_000),
    Network(
        name="polygon", chain_id=137, block_seconds=2, height=82_500_000, payments_per_minute=5.0, reserve=40_000_000
    ),
    Network(
        name="arbitrum", chain_id=42_161, block_seconds=1, height=428_000_000, payments_per_minute=6.0, reserve=25_000
    ),
    Network(name="base", chain_id=8453, block_seconds=2, height=41_600_000, payments_per_minute=4.0, reserve=12_000),
)


class Payments:
    """Every payment of the two sending wallets of each network, from eight weeks before the story to a week after."""

    def __init__(self, script: Script) -> None:
        self._start = script.start
        self._first = -WEEKS_BEFORE * WEEK_MINUTES
        weight = _season(script, first=self._first) * _factors(script, first=self._first)
        self._counts = {network.name: _counts(network, weight) for network in NETWORKS}
        self._before = {name: np.cumsum(counts, axis=1) - counts for name, counts in self._counts.items()}

    def counts(self, network: str, *, first: int, last: int) -> Counts:
        """Payments of minutes `first` to `last` (not included) after the start of the story: senders x minutes.

        Raises ValueError outside of the generated weeks.
        """
        if first < self._first or last - self._first > self._counts[network].shape[1]:
            raise ValueError(f"only {WEEKS_BEFORE} weeks before the story and {WEEKS_AFTER} after it are generated")
        return self._counts[network][:, first - self._first : last - self._first]

    def nonce(self, network: str, *, sender: int, at: datetime) -> int:
        """Transactions a sender has sent until `at`; it stands still outside of the generated weeks.

        The payments of a minute are spread evenly over it.
        """
        counts = self._counts[network][sender]
        minute, within = divmod((at - self._start) / MINUTE - self._first, 1.0)
        if minute < 0:
            return FIRST_NONCE
        if minute >= counts.size:
            return FIRST_NONCE + int(self._before[network][sender, -1] + counts[-1])
        index = int(minute)
        return FIRST_NONCE + int(self._before[network][sender, index]) + int(counts[index] * within + 0.5)


def newest(counts: Counts) -> NDArray[np.float64]:
    """Seconds into each minute at which its last payment was sent, -inf where there was none; by minute."""
    with np.errstate(divide="ignore"):
        seconds: NDArray[np.float64] = np.max(60.0 * (counts - 0.5) / counts, axis=0)
    return seconds


def _counts(network: Network, weight: NDArray[np.float64]) -> Counts:
    generator = np.random.default_rng((SEED, network.chain_id))
    burst = generator.gamma(SHAPE, 1 / SHAPE, weight.size)
    total = generator.poisson(network.payments_per_minute * weight * burst)
    first = generator.binomial(total, FIRST_SENDER_SHARE)
    return np.stack([first, total - first])


def _season(script: Script, *, first: int) -> NDArray[np.float64]:
    """The rate of every generated minute by its hour of the week; 1 on average."""
    minutes = np.arange(first, WEEKS_AFTER * WEEK_MINUTES) + minute_of_week(script.start)
    season: NDArray[np.float64] = np.array(weekly())[minutes // 60 % WEEK_HOURS]
    return season


def _factors(script: Script, *, first: int) -> NDArray[np.float64]:
    """The script's factor of every generated minute."""
    story = [script.payment_factor(script.start + minute * MINUTE) for minute in range(WEEKS_AFTER * WEEK_MINUTES)]
    return np.concatenate([np.ones(-first), np.array(story)])
