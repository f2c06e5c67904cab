"""What an exchange says of its systems: trading and maintenance. It never proves that withdrawals work."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from monitor.clock import Clock
from monitor.model import Reading, SystemStatus
from monitor.probes.answer import Endpoint

Component = Literal["withdrawals", "deposits", "trading", "all"]
SystemState = Literal["operational", "degraded", "maintenance", "outage"]


class SystemReading(Struct, frozen=True):
    component: Component
    state: SystemState
    raw: str


class SystemProbe:
    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        exchange: str,
        name: str,
        interval: float,
        decode: Callable[[bytes], SystemReading],
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.interval = interval
        self._endpoint = endpoint
        self._clock = clock
        self._decode = decode

    async def observe(self) -> Reading:
        answer = await self._endpoint.fetch()
        at = self._clock.now()
        said = await self._endpoint.read(answer, self._decode)
        return (
            SystemStatus(
                at=at,
                exchange=self.exchange,
                probe=self.name,
                component=said.component,
                state=said.state,
                raw=said.raw,
            ),
        )
