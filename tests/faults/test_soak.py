"""Two days of faults in virtual time (fault H10): memory, tasks, descriptors and threads stay what they were.

One look in ten meets a fault of the transport or of the body, and the machine has its own: the process is stopped, its
database is locked by a backup, its disk is full.
"""

import asyncio
import resource
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import cycle
from pathlib import Path
from statistics import median

import msgspec
import pytest

from monitor.store.connection import READERS
from tests import dialects
from tests.faults.soaking import Held, Plan
from tests.faults.weather import FAULTS, Weather
from tests.servers import RAILS

ROOT = Path(__file__).parents[2]
LAST_LINES = 100  # of what it said, where it ended as it should not
BADNESS = 0.1
SEED = 20260203
ADDRESSES = [f"127.0.1.{n}" for n in range(1, 101)]
LIST = msgspec.json.encode(dialects.gate_currencies(dict.fromkeys(RAILS, True)))
TRADES = msgspec.json.encode([])
# 150,000 looks a day: one object that each leaves behind would be a growth of a tenth. Objects are given out of pages,
# of which more and more are in use in part though nothing is kept, so pages tell less.
BLOCKS_A_DAY = 0.01
MEBIBYTES_A_DAY = 2.0


def answer(path: str) -> bytes:
    if path.startswith("/queue/"):
        row = {"asset": path.rpartition("/")[2], "network": "bitcoin", "requested": 9, "broadcast": 9}
        return msgspec.json.encode([row | {"pending": 3, "oldest": 40.0}])
    return TRADES if "trades" in path else LIST


async def _is_stopped(process: Process, _: Path, seconds: float) -> None:
    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    process.send_signal(signal.SIGCONT)


async def _is_locked_out(_: Process, database: Path, seconds: float) -> None:
    with sqlite3.connect(database, isolation_level=None, timeout=5) as backup:
        backup.execute("BEGIN EXCLUSIVE")
        await asyncio.sleep(seconds)
        backup.execute("ROLLBACK")
    backup.close()


async def _has_no_room(process: Process, _: Path, seconds: float) -> None:
    """No file may grow: what a full disk is to a process, without one for everybody else."""
    (_soft, hard) = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, hard))
    await asyncio.sleep(seconds)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


Trouble = Callable[[Process, Path, float], Awaitable[None]]
TROUBLES: tuple[Trouble, ...] = (_has_no_room, _is_stopped, _is_locked_out)


async def samples(plan: Plan, *, trouble_every: float, trouble_for: float) -> AsyncIterator[Held]:
    """What the process says until it has ended by itself, with exit code 0; seconds of trouble are real ones."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.soaking", msgspec.json.encode(plan).decode(),
        stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, cwd=ROOT,
    )  # fmt: skip
    database = Path(plan.folder) / "cexwatch.db"

    running = asyncio.Event()

    async def trouble() -> None:
        await running.wait()
        for befalls in cycle(TROUBLES):
            await asyncio.sleep(trouble_every)
            await befalls(process, database, trouble_for)

    assert process.stdout is not None
    troubling = asyncio.ensure_future(trouble())
    said: deque[bytes] = deque(maxlen=LAST_LINES)
    try:
        async for line in process.stdout:
            said.append(line)
            if line.startswith(b'{"hours"'):
                running.set()
                yield msgspec.json.decode(line, type=Held)
    finally:
        troubling.cancel()
    assert await process.wait() == 0, b"".join(said).decode()


def slope_a_day(held: list[Held], of: Callable[[Held], float]) -> float:
    """By Theil and Sen, which a single peak does not move; of the least of each two hours, which is what is kept,
    without what is under way."""
    spans: dict[int, Held] = {}
    for each in held:
        span = int(each.hours / 2)
        spans[span] = min(spans.get(span, each), each, key=of)
    floors = list(spans.values())
    pairs = [(a, b) for n, a in enumerate(floors) for b in floors[n + 1 :]]
    return median(24 * (of(b) - of(a)) / (b.hours - a.hours) for a, b in pairs)


def shown(held: Held) -> str:
    return (
        f"{held.hours:5.2f} h  {held.rss_mebibytes:6.1f} MiB  {held.blocks} blocks  "
        f"{held.judged_kibibytes} KiB judged  "
        f"{held.tasks} tasks  {held.descriptors} descriptors  "
        f"{held.threads} threads  {held.looks} looks  {held.queued} queued  {held.troubles} refused transactions"
    )


async def soaked(plan_of: Callable[[list[str]], Plan], *, trouble_every: float, trouble_for: float) -> list[Held]:
    async with Weather(ADDRESSES, answer, badness=BADNESS, seed=SEED) as weather:
        held = []
        async for each in samples(plan_of(weather.hosts), trouble_every=trouble_every, trouble_for=trouble_for):
            print(shown(each), flush=True)  # noqa: T201 - these are the figures
            held.append(each)
        print(f"{weather.requests} requests, {weather.faults} faults of {len(weather.met)} kinds")  # noqa: T201
        assert weather.met == set(range(len(FAULTS)))
        assert 0.08 < weather.faults / weather.requests < 0.12
    return held


def check_flat(first: Held, last: Held, held: list[Held]) -> None:
    """Every look has a task of its own that ends, so what is open differs by what is under way, and by no more."""
    assert last.tasks <= first.tasks + 64
    assert last.threads <= first.threads + READERS, "each connection that reads has one, from its first use on"
    assert last.descriptors <= first.descriptors + 64
    assert min(each.queued for each in held[-6:]) < 100, "what came while the database was locked is written by now"
    assert last.troubles > 0, "the disk was never full"
    assert last.looks > first.looks
    assert len(held) > 3


async def test_twenty_minutes_of_faults_leave_nothing_behind(tmp_path: Path) -> None:
    def plan(hosts: list[str]) -> Plan:
        return Plan(
            hosts=hosts, folder=str(tmp_path), speed=240.0, probes=200, interval=120.0, hours=1 / 3, sample_minutes=2.0
        )

    held = await soaked(plan, trouble_every=0.3, trouble_for=0.8)
    check_flat(held[2], held[-1], held)
    assert held[-1].rss_mebibytes - held[-4].rss_mebibytes < 16.0


@pytest.mark.soak
@pytest.mark.timeout(3000)
async def test_a_second_day_of_faults_leaves_nothing_behind(tmp_path: Path) -> None:
    def plan(hosts: list[str]) -> Plan:
        return Plan(
            hosts=hosts, folder=str(tmp_path), speed=200.0, probes=1000, interval=600.0, hours=48.0, sample_minutes=10.0
        )

    held = await soaked(plan, trouble_every=20.0, trouble_for=2.0)
    warm = [each for each in held if each.hours >= 24.0]  # a heap takes most of a day to find its size
    mebibytes = slope_a_day(warm, lambda held: held.rss_mebibytes)
    blocks = slope_a_day(warm, lambda held: held.blocks) / warm[0].blocks
    print(f"on the second day {mebibytes:+.2f} MiB, {blocks:+.2%} blocks")  # noqa: T201
    check_flat(warm[0], warm[-1], warm)
    assert blocks <= BLOCKS_A_DAY
    assert mebibytes <= MEBIBYTES_A_DAY
