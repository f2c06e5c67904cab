"""The polls at work: each in a task of its own, on the grid, with a seat for every look."""

import asyncio
from collections.abc import Sequence
from functools import partial

from monitor.clock import Clock
from monitor.life import Life
from monitor.metrics import Metrics
from monitor.pipeline import LOOK_SECONDS, Pipeline
from monitor.polls import Poll
from monitor.probes.control import ControlProbe
from monitor.schedule import Patience, Seats, every
from monitor.timekeeping import Timekeeping


class Watching:
    def __init__(
        self, pipeline: Pipeline, *, clock: Clock, metrics: Metrics, life: Life, timekeeping: Timekeeping
    ) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._metrics = metrics
        self._life = life
        self._timekeeping = timekeeping
        self._seats = Seats()
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, polls: Sequence[Poll], control: ControlProbe, group: asyncio.TaskGroup) -> None:
        """Let these look, and nobody who did before."""
        self.end()
        looking = partial(self._look_at_control, control)
        controlling = every(control.interval, phase=0.0, clock=self._clock, work=looking)
        self._tasks = [group.create_task(self._poll(poll), name=poll.probe.name) for poll in polls]
        self._tasks.append(group.create_task(controlling, name="control"))
        probes = [*(poll.probe for poll in polls), control]
        self._metrics.watch({(each.exchange, each.name): each.interval for each in probes}, self._clock.now())
        self._life.expect(self._tasks)

    def end(self) -> None:
        self._life.forget(self._tasks)
        for task in self._tasks:
            task.cancel()

    async def _poll(self, poll: Poll) -> None:
        if poll.history is not None:
            async with self._seats.of(poll.network):
                await self._pipeline.recall(poll.probe, poll.history)
        probe, patience = poll.probe, Patience()
        turn = partial(self._life.turn_of, probe.name, period=probe.interval / self._clock.speed, longest=LOOK_SECONDS)

        async def work() -> None:
            with turn():
                if patience.is_over():
                    async with self._seats.of(poll.network):
                        patience.tell(raised=await self._pipeline.observe(probe))

        overran = partial(self._metrics.overran, probe.exchange, probe.name)
        await every(probe.interval, phase=poll.phase, clock=self._clock, work=work, overran=overran)

    async def _look_at_control(self, control: ControlProbe) -> None:
        await self._pipeline.observe(control)
        self._timekeeping.follow(control)
