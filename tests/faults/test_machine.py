"""Troubles of our own machine (faults F2, F7, F9, H3, H4, H6) under the real daemon: nobody is reported for them."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from monitor.clock import Clock
from monitor.model import Change, Control, Entry, FailureReason, IncidentKind, ProbeFailure, Verb
from tests.end_to_end.daemon import Daemon, eventually, started
from tests.end_to_end.world import World, world
from tests.faults.machine import full, locked, no_file_may_grow, order, small_disk, stopped, troubled

SPEED = 60.0
WATCHED = ("gate", "kraken")
CONTROL = timedelta(seconds=15)
HERE = Path(__file__).parent


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[tuple[World, Daemon]]:
    """The daemon on a troubled machine, which sees that all is well."""
    async with world(WATCHED, speed=SPEED) as around, troubled(around.configure(folder), around.clock) as running:
        for name in WATCHED:
            await running.state_is(name, "operational")
        yield around, running


async def value(running: Daemon, name: str, **labels: str) -> float:
    return (await running.metrics()).value(name, **labels) or 0.0


async def long_lags(running: Daemon) -> float:
    """How often the event loop was half a second late."""
    lags = "loop_lag_seconds"
    return await value(running, f"{lags}_count") - await value(running, f"{lags}_bucket", le="0.5")


async def looks(running: Daemon) -> float:
    return await value(running, "probes_total", exchange="", probe="control")


async def more_looks(running: Daemon, count: int) -> None:
    wanted = await looks(running) + count

    async def are_taken() -> bool:
        return await looks(running) >= wanted

    await eventually(are_taken)


async def failures(running: Daemon) -> list[ProbeFailure]:
    """Of looks, but for what these servers do not know."""
    found = [entry.observation for entry in await running.journal()]
    return [each for each in found if type(each) is ProbeFailure and each.reason is not FailureReason.HTTP_4XX]


def check_whole(journal: list[Entry]) -> None:
    """Nothing is missing, and time goes on."""
    assert [entry.seq for entry in journal] == list(range(1, len(journal) + 1))
    controls = [entry.observation.at for entry in journal if type(entry.observation) is Control]
    assert controls == sorted(controls)


async def check_without_a_restart(running: Daemon) -> None:
    assert len(running.events("watching")) == 1
    assert running.events("probe_raised") == []
    assert await running.get("/healthz") == (200, "alive\n")


@pytest.mark.parametrize("kind", ["disk", pytest.param("quota", marks=pytest.mark.soak)])
async def test_h3_a_full_disk_stops_neither_looks_nor_metrics(kind: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        folder = tmp_path / "disk"
        if kind == "disk" and not stack.enter_context(small_disk(folder, mebibytes=4)):
            pytest.skip("this user may not make a file system")
        folder.mkdir(exist_ok=True)
        async with watching(folder) as (around, running):
            trouble = full(folder) if kind == "disk" else no_file_may_grow(running.pid)
            await check_a_full_disk(around, running, trouble)


async def check_a_full_disk(around: World, running: Daemon, trouble: AbstractContextManager[None]) -> None:
    with trouble:

        async def is_refused() -> bool:
            return await value(running, "persist_errors_total") > 0

        await eventually(is_refused)
        await more_looks(running, 5)
        metrics = await running.metrics()
        assert [metrics.states(name) for name in WATCHED] == [{"operational"}, {"operational"}]
        assert metrics.value("blind") == 0
        assert metrics.value("entries_unwritten") != 0

        around.exchanges["gate"].suspend_all()
        await running.state_is("gate", "halted")
        assert (
            await value(running, "incident_active", exchange="gate", kind="withdrawal_halt", severity="critical") == 1
        )
        assert (await running.metrics()).states("kraken") == {"operational"}
        refused = await running.order(Verb.HOLD)
        assert not refused.ok
        assert "say it again" in refused.message
        status, page = await running.get("/")
        assert (status, "What is below may be old" in page) == (200, True)
        await check_without_a_restart(running)

    halt = await running.incident(IncidentKind.WITHDRAWAL_HALT, exchange="gate")

    async def is_written() -> bool:
        return await value(running, "entries_unwritten") == 0

    await eventually(is_written)
    assert (await running.order(Verb.HOLD)).ok
    assert next(t.transition for t in await running.store.transitions(halt.id)) is Change.OPENED
    assert {i.exchange for i in await running.store.incidents() if i.exchange} == {"gate"}
    assert await running.store.incidents(open_only=True) != []
    check_whole(await running.journal())
    assert await failures(running) == []
    await check_without_a_restart(running)


@pytest.mark.parametrize(
    "seconds", [pytest.param(2.0, id="2 s"), pytest.param(30.0, id="30 s", marks=pytest.mark.soak)]
)
async def test_h4_a_backup_that_locks_the_database_costs_nothing(seconds: float, tmp_path: Path) -> None:
    async with watching(tmp_path) as (_, running):
        with locked(tmp_path / "cexwatch.db"):
            before = await looks(running)
            for _ in range(int(seconds)):
                await asyncio.sleep(1)
                assert await running.get("/healthz") == (200, "alive\n")
            assert await looks(running) >= before + 0.5 * seconds * SPEED / CONTROL.total_seconds()
            metrics = await running.metrics()
            assert [metrics.states(name) for name in WATCHED] == [{"operational"}, {"operational"}]
        await more_looks(running, 3)

        async def is_caught_up() -> bool:
            return (await running.metrics()).value("readings_queued") == 0

        await eventually(is_caught_up)
        journal = await running.journal()
        check_whole(journal)
        controls = [entry.observation.at for entry in journal if type(entry.observation) is Control]
        assert max(b - a for a, b in pairwise(controls)) < 4 * CONTROL, "looks waited for the lock"
        assert await value(running, "persist_errors_total") == 0
        assert await running.store.incidents() == []
        await check_without_a_restart(running)


async def test_h6_a_slow_disk_holds_up_commits_and_nobody_else(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library, flag = tmp_path / "slow_fsync.so", tmp_path / "slow"
    arguments = ["-shared", "-fPIC", "-o", str(library), str(HERE / "slow_fsync.c"), "-ldl"]
    assert await (await asyncio.create_subprocess_exec(compiler, *arguments)).wait() == 0
    async with world(WATCHED, speed=SPEED) as around:
        environ = {**os.environ, "LD_PRELOAD": str(library), "SLOW_WHILE": str(flag)}
        wall, shown = Clock().now().isoformat(), around.clock.now().isoformat()
        arguments = ["-m", "tests.end_to_end.start", str(around.configure(tmp_path)), str(SPEED), wall, shown]
        async with started(arguments, tmp_path, environ=environ) as running:
            for name in WATCHED:
                await running.state_is(name, "operational")
            flag.touch()
            before = await long_lags(running)
            await more_looks(running, 10)
            assert await long_lags(running) == before, "the event loop waited for the disk"
            assert await running.get("/healthz") == (200, "alive\n")
            flag.unlink()

            async def is_measured() -> bool:
                return await value(running, "commit_duration_seconds_sum") > 2

            await eventually(is_measured)
            await more_looks(running, 2)
            check_whole(await running.journal())
            assert await running.store.incidents() == []


async def test_f7_a_process_that_was_stopped_looks_once_and_accuses_nobody(tmp_path: Path) -> None:
    async with watching(tmp_path) as (_, running):
        with stopped(running.pid):
            await asyncio.sleep(300.0 / SPEED)
            stopped_at = (await running.journal())[-1].observation.at
        await more_looks(running, 4)
        assert await running.get("/healthz") == (200, "alive\n")
        for name in WATCHED:
            await running.state_is(name, "operational")
        journal = await running.journal()
        check_whole(journal)
        controls = [e.observation.at for e in journal if type(e.observation) is Control]
        gaps = [b - a for a, b in pairwise(controls)]
        assert max(gaps) > timedelta(minutes=4), "it was not stopped"
        after = [at for at in controls if at > stopped_at + timedelta(minutes=4)]
        assert after[-1] - after[0] > (len(after) - 3) * CONTROL, "it made up for lost turns"
        assert await running.store.incidents() == []


async def test_f2_a_loop_that_stands_still_is_told_with_its_stack_and_taints_no_source(tmp_path: Path) -> None:
    async with watching(tmp_path) as (_, running):
        order(tmp_path, "block 3")
        await more_looks(running, 3)
        log = (tmp_path / "log.jsonl").read_text()
        assert "Timeout (0:00:02)!" in log
        assert "in obey" in log
        assert max(float(str(stall["seconds"])) for stall in running.events("loop_stood_still")) >= 2.5
        assert await value(running, "loop_lag_seconds_count") > await value(
            running, "loop_lag_seconds_bucket", le="1.0"
        )
        assert await failures(running) == []
        assert await running.store.incidents() == []
        for name in WATCHED:
            await running.state_is(name, "operational")


async def test_f9_a_task_that_died_in_silence_makes_us_unwell(tmp_path: Path) -> None:
    async with watching(tmp_path) as (_, running):
        assert await running.get("/healthz") == (200, "alive\n")
        order(tmp_path, "cancel kraken-assets")

        async def is_told() -> bool:
            status, said = await running.get("/healthz")
            return status == 503 and "kraken-assets" in said

        await eventually(is_told)
        assert [event["tasks"] for event in running.events("tasks_are_silent")] == [["kraken-assets"]]
        assert (await running.metrics()).states("gate") == {"operational"}
