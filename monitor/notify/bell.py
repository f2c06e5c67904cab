"""Waiting for a ring, but not for ever."""

import asyncio

from monitor.clock import Clock


async def rung(bell: asyncio.Event, clock: Clock, *, within: float) -> None:
    """Until `bell` is set, or so many clock seconds have passed."""

    async def ring() -> None:
        await clock.sleep(within)
        bell.set()

    async with asyncio.TaskGroup() as tasks:
        alarm = tasks.create_task(ring(), name="alarm")
        await bell.wait()
        alarm.cancel()
