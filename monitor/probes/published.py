"""What an exchange says it holds, as the address book has it with source and day."""

from collections.abc import Sequence
from datetime import UTC, datetime, time

from monitor.clock import Clock
from monitor.model import PublishedReserve, Reading
from monitor.probes.exposure import RETOLD_SECONDS
from monitor.reserves.book import Published


class PublishedProbe:
    """Told at once and every hour."""

    interval = RETOLD_SECONDS

    def __init__(self, clock: Clock, *, exchange: str, name: str, totals: Sequence[Published]) -> None:
        self.exchange = exchange
        self.name = name
        self._clock = clock
        self._totals = tuple(totals)

    async def observe(self) -> Reading:
        at = self._clock.now()
        return tuple(
            PublishedReserve(
                at=at,
                exchange=self.exchange,
                probe=self.name,
                asset=total.asset,
                amount=total.amount,
                as_of=datetime.combine(total.as_of, time(), UTC),
                source=total.source,
            )
            for total in self._totals
        )
