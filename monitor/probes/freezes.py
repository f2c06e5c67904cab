"""How many users froze their own withdrawals: the summary of a freeze gate, which names nobody."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FreezeActivated, Reading
from monitor.probes.answer import decode, own_endpoint

Count = Annotated[int, Meta(ge=0, le=10**12)]


class _Summary(Struct, frozen=True):
    active: Count
    activations_total: Count
    latest_until: datetime | None


class FreezesProbe:
    """Reads the total; what was activated since is its growth, which the engine reckons."""

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        url: str,
        interval: float,
        allow_private: bool,
        token: str = "",
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._clock = clock
        self._total: int | None = None
        self._endpoint = own_endpoint(http, url, token=token, allow_private=allow_private, interval=interval)

    async def observe(self) -> Reading:
        answer = await self._endpoint.fetch()
        summary = await self._endpoint.read(answer, _summary)
        former, self._total = self._total, summary.activations_total
        at = self._clock.now()
        return (
            FreezeActivated(
                at=at,
                exchange=self.exchange,
                probe=self.name,
                count=0 if former is None else max(0, summary.activations_total - former),
                until=summary.latest_until or at,
                total=summary.activations_total,
                active=summary.active,
            ),
        )


def _summary(body: bytes) -> _Summary:
    return decode(body, _Summary)
