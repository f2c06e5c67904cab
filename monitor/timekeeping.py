"""Which time it is, where the machine's clock and the world disagree.

Our clock is monotonic and follows no step of the machine's by itself. What at least two control targets confirm is
taken over, but never so that the journal would go back by more than an engine forgives.
"""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from monitor.clock import Clock
from monitor.probes.control import ControlProbe

log = structlog.get_logger()

STEP_SECONDS = 2.0
BACK_SECONDS = 60.0  # an engine uses an entry that is so late

FAR = timedelta(hours=1)  # from the newest entry: a long pause, or a clock that is wrong
ASK_SECONDS = 2.0  # real ones


async def set_at_start(clock: Clock, control: ControlProbe, *, head: datetime | None) -> None:
    """Before anything is judged: where the journal's head says that our clock may be wrong, ask the world.

    A machine whose clock woke up years ahead would let all silences run out, and be ahead of itself once it is right.
    """
    if not clock.follows_wall or (head is not None and abs(clock.now() - head) < FAR):
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(ASK_SECONDS):
            await control.observe()
    told = control.clock_offset()
    if told is not None and abs(told) > BACK_SECONDS:
        clock.set(told)
        log.warning("clock_set", seconds=round(told, 1), confirmed_by="control targets", why="the machine's is wrong")


class Timekeeping:
    """`stepped` is called for each step that was taken, `off_by` with what the world is ahead of us, in seconds: NaN
    while it does not say."""

    def __init__(self, clock: Clock, *, stepped: Callable[[], None], off_by: Callable[[float], None]) -> None:
        self._clock = clock
        self._stepped = stepped
        self._off_by = off_by

    def follow(self, control: ControlProbe) -> None:
        """Take over a step of the machine's clock that the last look at the control targets confirms."""
        wall, told = self._clock.wall_offset(), control.clock_offset()
        self._off_by(math.nan if told is None else told)
        if told is None:
            return
        if wall < -BACK_SECONDS:
            return  # an engine's clock never turns back: better to run ahead than to be deaf for as long
        if abs(wall) > STEP_SECONDS and abs(told - wall) <= STEP_SECONDS:
            self._clock.step(wall)
            self._off_by(0.0)
            self._stepped()
            log.warning("clock_stepped", seconds=round(wall, 1), confirmed_by="control targets")
