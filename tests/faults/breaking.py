"""The daemon on a clock that breaks: again and again in the midst of a request, and for good when a file appears.

`python -m tests.faults.breaking CONFIG SPEED START CRASH`: what raises there has keys in its frames.
"""

import asyncio
import os
import sys
import traceback
from datetime import datetime
from pathlib import Path
from types import FrameType

from monitor.app import run
from monitor.clock import Clock

BREAKS_EVERY = 5  # readings of the clock while a request is in somebody's hands
WITH_SECRETS = ("monitor.http", "monitor.probes.account")
BORDER = "monitor.pipeline"
"""Where what a probe raises is caught."""


class BrokenClockError(Exception):
    """No fault of the world, and none that anybody expects."""


class BreakingClock(Clock):
    def __init__(self, *, start: datetime, speed: float, crash: Path) -> None:
        super().__init__(start=start, speed=speed)
        self._crash = crash
        self._read = 0

    def monotonic(self) -> float:
        caller = sys._getframe(1)  # noqa: SLF001 - a traceback would show its variables
        if caller.f_globals["__name__"] in WITH_SECRETS and _is_below(BORDER, caller):
            self._read += 1
            if self._read % BREAKS_EVERY == 0:
                raise BrokenClockError("the hand fell off")
        return super().monotonic()

    async def sleep(self, seconds: float) -> None:
        if self._crash.exists():
            raise BrokenClockError("the spring broke")
        await super().sleep(seconds)


def _is_below(room: str, frame: FrameType) -> bool:
    return any(each.f_globals["__name__"] == room for each, _ in traceback.walk_stack(frame))


async def live(config: Path, *, speed: float, start: datetime, crash: Path) -> None:
    def told(address: str) -> None:
        sys.stdout.write(f"page {address}\n")
        sys.stdout.flush()

    clock = BreakingClock(start=start, speed=speed, crash=crash)
    await run(config, clock=clock, environ=os.environ, stop=asyncio.Event(), told=told)


if __name__ == "__main__":
    file, times, at, flag = sys.argv[1:]
    asyncio.run(live(Path(file), speed=float(times), start=datetime.fromisoformat(at), crash=Path(flag)))
