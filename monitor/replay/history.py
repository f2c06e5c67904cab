"""What the staged exchange paid in the weeks before the story, as the readings of a daemon that had been watching."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import numpy as np

from monitor.model import Observation, WalletActivity
from monitor.replay.payments import MINUTE, NETWORKS, WEEK_MINUTES, Payments, newest
from monitor.replay.script import Script


def history(script: Script, *, exchange: str, probes: Mapping[str, str], weeks: int = 4) -> Iterator[Observation]:
    """Wallet activity, one reading a minute and network, the last at the start of the story.

    `probes` maps network -> probe name; a network that it does not name is left out. Read at whole minutes, when every
    staged chain has just made a block. Raises ValueError for more weeks than are generated.
    """
    payments = Payments(script)
    first = -weeks * WEEK_MINUTES
    columns = [
        _readings(payments, script, network=network.name, probe=probes[network.name], exchange=exchange, first=first)
        for network in NETWORKS
        if network.name in probes
    ]
    for minute in zip(*columns, strict=True):
        yield from minute


def _readings(
    payments: Payments, script: Script, *, network: str, probe: str, exchange: str, first: int
) -> Iterator[WalletActivity]:
    counts = payments.counts(network, first=first, last=0)
    sent = counts.sum(axis=0).tolist()
    seconds = 60.0 * np.arange(first, 0) + newest(counts)
    for minute, outgoing, last in zip(range(first, 0), sent, np.maximum.accumulate(seconds).tolist(), strict=True):
        yield WalletActivity(
            at=script.start + (minute + 1) * MINUTE,
            exchange=exchange,
            probe=probe,
            network=network,
            outgoing=outgoing,
            last_at=_moment(script, last),
            window_seconds=60.0,
            coverage=1.0,
            head_age_seconds=0.0,
        )


def _moment(script: Script, seconds: float) -> datetime | None:
    return script.start + seconds / 60 * MINUTE if np.isfinite(seconds) else None
