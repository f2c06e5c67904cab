"""What is queued for the pipeline: a reading stays whole, and whoever stops waiting for an answer takes nobody down."""

import asyncio
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import tests.journals as j
from monitor.clock import Clock
from monitor.engine.run import Engines
from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.model import Command, ListRead, Mentions, RailState, RailStatus, Reading, Verb
from monitor.pipeline import QUEUE_READINGS, Pipeline
from monitor.store import Store
from tests.server.store_samples import opened, read


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[tuple[Pipeline, Store]]:
    clock = Clock(start=j.at(2))
    metrics = Metrics(version="0", intervals=Intervals(wallets=60.0))
    async with opened(path) as store, asyncio.timeout(30), asyncio.TaskGroup() as group:
        pipeline = Pipeline(store=store, engines=Engines.fresh(), clock=clock, metrics=metrics, seq=0)
        group.create_task(pipeline.run())
        yield pipeline, store
        pipeline.stop()


def hold(verb: Verb) -> Command:
    return Command(at=j.at(2), probe="socket", verb=verb, actor="dana")


async def test_somebody_who_stops_waiting_is_still_obeyed(tmp_path: Path) -> None:
    async with running(tmp_path / "cexwatch.db") as (pipeline, store), asyncio.TaskGroup() as group:
        impatient = group.create_task(pipeline.ask(hold(Verb.HOLD)))
        patient = group.create_task(pipeline.ask(hold(Verb.HOLD)))
        # Both are queued once they had their turn; the answers come after the commit, which takes longer.
        await asyncio.sleep(0)
        impatient.cancel()
        assert (await patient).ok
        assert [entry.observation for entry in await read(store)] == [hold(Verb.HOLD)] * 2
        assert (await pipeline.ask(hold(Verb.RELEASE))).ok


@pytest.mark.parametrize(
    ("minutes", "latest"),
    [
        pytest.param(1.0, 1.0, id="a minute ago"),
        pytest.param(2.05, 2.05, id="3 s ahead"),
        pytest.param(9.0, 3.0, id="7 minutes ahead"),
    ],
)
async def test_a_reading_stays_one_reading_whenever_it_says_it_was(
    minutes: float, latest: float, tmp_path: Path
) -> None:
    reading: Reading = (*j.rail(minutes, RailState.OPEN), j.read(minutes, changed=len(j.MAJORS)))
    async with running(tmp_path / "cexwatch.db") as (pipeline, store):
        await pipeline.take(reading)
        assert (await pipeline.ask(hold(Verb.HOLD))).ok
        entries = [entry.observation for entry in await read(store)]
    told = [entry for entry in entries if type(entry) in (RailStatus, ListRead)]
    assert [type(entry) for entry in told] == [type(entry) for entry in reading]
    assert len({entry.at for entry in told}) == 1
    assert told[0].at <= j.at(latest)


async def test_h11_polls_wait_while_the_journal_does_not_take_readings_and_none_is_lost(tmp_path: Path) -> None:
    clock = Clock(start=j.at(2))
    metrics = Metrics(version="0", intervals=Intervals(wallets=60.0))
    readings = [
        (Mentions(at=j.at(1), exchange="kraken", probe="x", query="kraken", count=n, window_seconds=300.0),)
        for n in range(QUEUE_READINGS + 1)
    ]
    async with opened(tmp_path / "cexwatch.db") as store, asyncio.timeout(60):
        pipeline = Pipeline(store=store, engines=Engines.fresh(), clock=clock, metrics=metrics, seq=0)
        for reading in readings[:-1]:
            await pipeline.take(reading)
        async with asyncio.TaskGroup() as group:
            one_more = group.create_task(pipeline.take(readings[-1]))
            await asyncio.sleep(0)
            assert not one_more.done()
            assert depth(metrics, "readings_queued") == QUEUE_READINGS
            asking = group.create_task(pipeline.ask(hold(Verb.HOLD)))
            await asyncio.sleep(0)
            assert depth(metrics, "commands_queued") == 1
            running = group.create_task(pipeline.run())
            assert (await asking).ok
            await one_more
            while depth(metrics, "readings_queued"):
                assert (await pipeline.ask(hold(Verb.HOLD))).ok  # when it is answered, one more group is committed
            pipeline.stop()
            await running
        taken = [entry.observation for entry in await read(store)]
    assert [entry for entry in taken if type(entry) is Mentions] == [reading[0] for reading in readings]
    assert [depth(metrics, name) for name in ("readings_queued", "commands_queued")] == [0, 0]


async def test_a_checkpoint_is_told_when_it_is_committed(tmp_path: Path) -> None:
    clock = Clock(start=j.at(2))
    metrics = Metrics(version="0", intervals=Intervals(wallets=60.0))
    async with opened(tmp_path / "cexwatch.db") as store:
        pipeline = Pipeline(store=store, engines=Engines.fresh(), clock=clock, metrics=metrics, seq=0)
        assert math.isnan(depth(metrics, "checkpoint_timestamp_seconds"))
        await pipeline.take((Mentions(at=j.at(1), probe="x", query="kraken", count=1, window_seconds=300.0),))
        pipeline.stop()
        await pipeline.run()
        saved = await store.checkpoint()
    assert saved is not None
    assert depth(metrics, "checkpoint_timestamp_seconds") == pytest.approx(saved.at.timestamp())


def depth(metrics: Metrics, name: str) -> float:
    body, _ = metrics.render("", now=j.at(2))
    found = re.search(rf"^cexwatch_{name} (\S+)$", body.decode(), re.MULTILINE)
    assert found is not None
    return float(found[1])
