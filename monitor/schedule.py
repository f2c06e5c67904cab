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

LOOK_SECONDS = 60.0
GRID_SECONDS = 0.02  # due times share wake-ups of the event loop
MOST_LEFT_OUT = 7  # turns
SEATS = 64  # probes that may be looking at the same time
SEATS_OF_A_CHAIN = 32  # as many as a host gets connections


class Seats:
    """Who may look at the same time: each chain has seats of its own, so that one that hangs keeps nobody else waiting.

    A look at a chain waits for what others read of it, and one that hangs lasts as long as all its endpoints together.
    """

    def __init__(self) -> None:
        self._of_others = asyncio.Semaphore(SEATS)
        self._of_chains: dict[str, asyncio.Semaphore] = {}

    def of(self, network: str) -> asyncio.Semaphore:
        """Those of a chain; "" is everything that looks at none."""
        if not network:
            return self._of_others
        return self._of_chains.setdefault(network, asyncio.Semaphore(SEATS_OF_A_CHAIN))


class Patience:
    """Work that raised again and again is left out for ever more turns: one after the second time, then three."""

    def __init__(self) -> None:
        self._raised = 0
        self._left = 0

    def is_over(self) -> bool:
        """Whether this turn is to be taken."""
        self._left -= 1
        return self._left < 0

    def tell(self, *, raised: bool) -> None:
        self._raised = self._raised + 1 if raised else 0
        self._left = min(2 ** max(0, self._raised - 1) - 1, MOST_LEFT_OUT)


def next_turn(turn: int, *, interval: float, elapsed: float) -> int:
    """The turn after `turn` that is not yet past `elapsed` seconds after turn 0; those missed are left out."""
    return max(turn + 1, math.ceil(elapsed / interval))


def _unnoticed(_: int) -> None:
    """For work of which nobody counts the turns."""


async def every(
    interval: float,
    *,
    phase: float,
    clock: Clock,
    work: Callable[[], Awaitable[None]],
    overran: Callable[[int], None] = _unnoticed,
) -> None:
    """Do `work` after `phase` and then every `interval` clock seconds, for ever, never two at a time.

    Turns missed while it worked count once, and a late one shifts no other; `overran` is told how many were left out
    for it. Who overslept by a whole turn keeps its place in the next one.
    """
    first = clock.monotonic() + phase
    turn = 0
    overslept = False
    while True:
        due = math.ceil((first + turn * interval) / GRID_SECONDS) * GRID_SECONDS
        await clock.sleep(due - clock.monotonic())
        # After the process was stopped all wake at one moment; those who are late at every turn must work late.
        overslept = clock.monotonic() - due >= interval and not overslept
        if not overslept:
            await work()
        following = next_turn(turn, interval=interval, elapsed=clock.monotonic() - first)
        if not overslept and following > turn + 1:
            overran(following - turn - 1)
        turn = following


async def at_times(cron: str, *, clock: Clock, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` at the times of a crontab line, in UTC, for ever."""
    trigger = CronTrigger.from_crontab(cron, timezone=UTC)
    while True:
        now = clock.now()
        due = trigger.get_next_fire_time(None, now + timedelta(microseconds=1))
        while (wait := (due - clock.now()).total_seconds()) > 0:
            await clock.sleep(min(wait, LOOK_SECONDS))  # a confirmed step of the clock moves what is due
        await work()


async def measure_lag(clock: Clock, lagged: Callable[[float], None], *, every_seconds: float = 0.5) -> None:
    """How late the event loop is, in real seconds, again and again."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await clock.sleep(every_seconds * clock.speed)
        lagged(max(0.0, loop.time() - before - every_seconds))
