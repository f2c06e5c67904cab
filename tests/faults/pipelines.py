"""Lives of a pipeline on a real store, without a world around it: entries are given, and time stands still."""

import asyncio
from collections.abc import Sequence

import tests.journals as j
from monitor.committing import GROUP_ENTRIES
from monitor.engine.run import Engines
from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.model import Command, Observation, Reply, Verb
from monitor.pipeline import Asked, Pipeline
from monitor.store import Store
from tests.faults.virtual_clock import VirtualClock

LATEST = j.at(7 * 24 * 60)  # after every journal of these tests
NOTHING = Command(at=j.at(0), probe="socket", verb=Verb.NOTE, actor="dana", subject="no incident")


def pipeline_of(store: Store, engines: Engines, *, seq: int) -> Pipeline:
    metrics = Metrics(version="0", intervals=Intervals(wallets=60.0))
    return Pipeline(store=store, engines=engines, clock=VirtualClock(LATEST), metrics=metrics, seq=seq)


async def live(store: Store, engines: Engines, entries: Sequence[Observation], *, seq: int) -> None:
    """A life that ends in order, with a checkpoint."""
    pipeline = await _fed(store, engines, entries, seq=seq)
    pipeline.stop()
    await pipeline.run()


async def live_until_killed(store: Store, engines: Engines, entries: Sequence[Observation], *, seq: int) -> None:
    """One that ends when all is committed, without a checkpoint. It begins with a command that changes nothing."""
    pipeline = await _fed(store, engines, entries, seq=seq)
    async with asyncio.TaskGroup() as group:
        # It is answered when it is committed, and all that was queued is in the same group.
        asked = group.create_task(pipeline.ask(NOTHING))
        running = group.create_task(pipeline.run())
        await asked
        running.cancel()


async def answer(store: Store, engines: Engines, asked: Asked, *, seq: int) -> Reply:
    """A life for one entry that somebody waits for."""
    pipeline = pipeline_of(store, engines, seq=seq)
    asking = asyncio.ensure_future(pipeline.ask(asked))
    await asyncio.sleep(0)  # now it is queued
    pipeline.stop()
    await pipeline.run()
    return await asking


async def _fed(store: Store, engines: Engines, entries: Sequence[Observation], *, seq: int) -> Pipeline:
    assert len(entries) < GROUP_ENTRIES, "more than it commits at once"
    pipeline = pipeline_of(store, engines, seq=seq)
    for entry in entries:
        await pipeline.take((entry,))
    return pipeline


def states(engines: Engines) -> dict[str, bytes]:
    return {name: engines.checkpoint(name) for name in engines.names()}
