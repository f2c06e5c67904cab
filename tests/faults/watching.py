"""An exchange under real probes, a real pipeline and a real store, in time that passes when a test says so."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from monitor.engine.run import Engines
from monitor.exposition import Intervals
from monitor.http import Http
from monitor.metrics import Metrics
from monitor.model import (
    Command,
    ConfigApplied,
    Entry,
    ExchangeView,
    Judging,
    Observation,
    ProbeFailure,
    Rail,
    Reply,
    Tick,
    Verb,
    Verdict,
    WatchedRail,
)
from monitor.pipeline import Asked, Pipeline
from monitor.probes.probe import Probe
from monitor.store import Store
from tests.hand_clock import HandClock
from tests.server.store_samples import opened, read

INTERVAL = 60.0


class Watch:
    """What a daemon would know of one exchange. Each `poll` is judged and committed before it returns."""

    def __init__(self, store: Store, clock: HandClock, http: Http, *, exchange: str) -> None:
        self.store = store
        self.clock = clock
        self.http = http
        self.metrics = Metrics(version="0", intervals=Intervals(), max_series=500)
        self.exchange = exchange
        self._engines = Engines.fresh()
        self._seq = 0

    async def judge_by(self, rails: Sequence[Rail], *probes: Probe) -> None:
        """Apply a configuration that watches `rails`."""
        watched = tuple(WatchedRail(asset=rail.asset, network=rail.network) for rail in rails)
        intervals = {probe.name: probe.interval for probe in probes}
        judging = Judging(watched={self.exchange: watched}, intervals=intervals, draft_expiry_seconds=86_400.0)
        await self.tell(ConfigApplied(at=self.clock.now(), probe="config", config=judging, sha256="1"))

    async def poll(self, *probes: Probe, times: int = 1, seconds: float = INTERVAL) -> ExchangeView:
        """Let each probe look once in so many seconds, and show what is made of it."""
        pipeline = self._pipeline()
        for _ in range(times):
            self.clock.hand += seconds
            for probe in probes:
                await pipeline.observe(probe)
        self.clock.hand += 1.0  # an instant is judged when the clock leaves it
        await pipeline.take((Tick(at=self.clock.now(), probe="tick"),))
        await self._commit(pipeline)
        return await self.view()

    async def tell(self, asked: Asked) -> Reply:
        """What somebody who waits for an answer is told."""
        pipeline = self._pipeline()
        asking = asyncio.ensure_future(pipeline.ask(asked))
        await asyncio.sleep(0)  # now it is queued
        await self._commit(pipeline)
        return await asking

    async def approve(self, draft: str, *, text_sha256: str) -> Reply:
        word = Command(
            at=self.clock.now(),
            probe="socket",
            verb=Verb.APPROVE,
            actor="dana",
            subject=draft,
            text_sha256=text_sha256,
            exchange=self.exchange,
        )
        return await self.tell(word)

    async def view(self) -> ExchangeView:
        view = await self.store.view(self.exchange)
        assert view is not None
        return view

    async def journal(self, *, after: int = 0) -> list[Observation]:
        return [entry.observation for entry in await self.entries(after=after)]

    async def entries(self, *, after: int = 0) -> list[Entry]:
        return await read(self.store, after=after)

    async def failures(self) -> list[ProbeFailure]:
        return [entry for entry in await self.journal() if type(entry) is ProbeFailure]

    async def verdicts(self) -> list[Verdict]:
        return [entry for entry in await self.journal() if type(entry) is Verdict and entry.exchange == self.exchange]

    def scrape(self) -> str:
        return self.metrics.render("text/plain", now=self.clock.now())[0].decode()

    def _pipeline(self) -> Pipeline:
        return Pipeline(store=self.store, engines=self._engines, clock=self.clock, metrics=self.metrics, seq=self._seq)

    async def _commit(self, pipeline: Pipeline) -> None:
        pipeline.stop()
        await pipeline.run()
        head = await self.store.head()
        self._seq = head.seq if head is not None else 0


@asynccontextmanager
async def watching(folder: Path, exchange: str) -> AsyncIterator[Watch]:
    clock = HandClock()
    async with opened(folder / "cexwatch.db") as store, Http(clock, per_second={"127.0.0.1": 1000.0}) as http:
        yield Watch(store, clock, http, exchange=exchange)
