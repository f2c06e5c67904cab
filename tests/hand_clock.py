"""Time that passes only while somebody sleeps, and then at once; or when a test sets the hand."""

from datetime import UTC, datetime

from monitor.clock import Clock

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


class HandClock(Clock):
    def __init__(self, start: datetime = NOON) -> None:
        super().__init__(start=start)
        self.hand = 0.0

    def monotonic(self) -> float:
        return self.hand

    async def sleep(self, seconds: float) -> None:
        self.hand += seconds


class StillClock(HandClock):
    """No time passes, as for many callers at one moment."""

    async def sleep(self, seconds: float) -> None:
        pass


def never() -> float:
    """The least of all chances: waits are exactly as short as they may be."""
    return 0.0


def nearly_always() -> float:
    """The most of all chances."""
    return 1.0 - 2.0**-32
