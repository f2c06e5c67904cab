"""Time that passes when a test lets it pass."""

import asyncio
from datetime import datetime

from monitor.clock import Clock

TURNS = 20  # of the event loop, so that whoever was woken gets to where it waits again


class VirtualClock(Clock):
    def __init__(self, start: datetime) -> None:
        super().__init__(start=start)
        self._elapsed = 0.0
        self._asleep: dict[asyncio.Future[None], float] = {}
        self.dozed = asyncio.Event()  # somebody fell asleep since it was last cleared

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asleep[waking] = self._elapsed + max(0.0, seconds)
        self.dozed.set()
        try:
            await waking
        finally:
            self._asleep.pop(waking, None)

    def leap(self, seconds: float) -> None:
        """Let time pass without waking anybody."""
        self._elapsed += seconds

    async def let_pass(self, seconds: float) -> None:
        """Let time pass, and everybody wake in their order at exactly their time."""
        end = self._elapsed + seconds
        await _settle()
        while self._asleep and (due := min(self._asleep.values())) <= end:
            self._elapsed = max(self._elapsed, due)
            for waking in [waking for waking, at in self._asleep.items() if at == due]:
                del self._asleep[waking]
                waking.set_result(None)
            await _settle()
        self._elapsed = end


async def _settle() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
