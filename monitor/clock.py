"""The only place that reads time. Everything else gets a `Clock` or the time of an observation."""

import asyncio
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Monotonic time plus an offset to UTC, so that a step of the wall clock moves nothing until it is confirmed.

    `speed` > 1 runs clock time faster than real time (the demo); `start` sets what it shows first.
    All durations are clock seconds.
    """

    def __init__(self, *, start: datetime | None = None, speed: float = 1.0) -> None:
        self.speed = speed
        self._origin = time.monotonic()
        self._start = start if start is not None else datetime.now(UTC)
        self.follows_wall = start is None and speed == 1
        self._latest = self._start

    def monotonic(self) -> float:
        """Clock seconds since the clock was made."""
        return (time.monotonic() - self._origin) * self.speed

    def now(self) -> datetime:
        """Never earlier than it was before: after a step back it waits."""
        self._latest = max(self._latest, self._told())
        return self._latest

    def _told(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def wall_offset(self) -> float:
        """Seconds that the machine's wall clock has stepped ahead of this one; 0 for one that tells its own time."""
        return (datetime.now(UTC) - self._told()).total_seconds() if self.follows_wall else 0.0

    def step(self, seconds: float) -> None:
        """Take a step of the wall clock that control targets have confirmed."""
        self._start += timedelta(seconds=seconds)

    def set(self, seconds: float) -> None:
        """As `step`, before anybody has used the time: back too."""
        self.step(seconds)
        self._latest = self._told()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.speed)
