"""When things are due: polls on a monotonic grid, calendar work by APScheduler's triggers asked for their next time.

APScheduler's own scheduler follows the wall clock and calls the clock itself; its triggers know time zones and DST and
follow any clock that asks them, the accelerated one of the demo too. A schedule rings a bell and does nothing else.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta

from apscheduler.triggers.cron import CronTrigger

from monitor.clock import Clock

GRID_SECONDS = 0.02  # due times share wake-ups of the event loop


def due_times(*, interval: float, phase: float, now: float) -> float:
    """The first due time after `now`: `phase` plus a whole number of intervals, so that a late poll shifts no other."""
    turns = math.floor((now - phase) / interval) + 1
    due = phase + max(0, turns) * interval
    return math.ceil(due / GRID_SECONDS) * GRID_SECONDS


async def every(interval: float, *, phase: float, clock: Clock, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` on a grid of clock seconds for ever. Turns missed while it worked count once; never two at a time."""
    started = clock.monotonic()
    while True:
        due = due_times(interval=interval, phase=started + phase, now=clock.monotonic())
        await clock.sleep(due - clock.monotonic())
        await work()


async def at_times(cron: str, *, clock: Clock, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` at the times of a crontab line, in UTC, for ever."""
    trigger = CronTrigger.from_crontab(cron, timezone=UTC)
    while True:
        now = clock.now()
        due = trigger.get_next_fire_time(None, now + timedelta(microseconds=1))
        await clock.sleep((due - now).total_seconds())
        await work()


async def measure_lag(clock: Clock, lagged: Callable[[float], None], *, every_seconds: float = 0.5) -> None:
    """How late the event loop is, in real seconds, again and again."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await clock.sleep(every_seconds * clock.speed)
        lagged(max(0.0, loop.time() - before - every_seconds))
