"""The daemon's own rooms put together for very many probes, on a fast clock; it says again and again what it holds.

`python -m tests.faults.soaking PLAN`, the plan as JSON. Real probes, client, pipeline, engines, store and metrics; a
page and a command socket are left out.
"""

import asyncio
import gc
import os
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from monitor.app import TRIM_SECONDS
from monitor.clock import Clock
from monitor.engine.run import Engines
from monitor.exposition import Intervals
from monitor.http import Http
from monitor.memory import give_back, trim
from monitor.metrics import Metrics
from monitor.model import ConfigApplied, FailureReason, Judging, WatchedRail
from monitor.pipeline import Pipeline
from monitor.probes import EXCHANGES
from monitor.probes.control import ControlProbe
from monitor.probes.exchange import Own, probes_of
from monitor.probes.http_json import JsonQueueProbe, QueuePaths
from monitor.probes.probe import Probe
from monitor.schedule import Seats, every, measure_lag
from monitor.store import Store
from tests.servers import RAILS

START = datetime(2026, 2, 3, tzinfo=UTC)
EXCHANGES_WATCHED = 20
LISTS = 2  # of an exchange; its other probes read queues
PATHS = QueuePaths(
    asset="asset",
    network="network",
    requested="requested",
    broadcast="broadcast",
    pending="pending",
    oldest_seconds="oldest",
)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    hosts: list[str]
    folder: str
    speed: float
    probes: int
    interval: float
    hours: float
    sample_minutes: float


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What the process has at a time of its own clock."""

    hours: float
    rss_mebibytes: float
    blocks: int  # that Python's own allocator has given out
    tasks: int
    descriptors: int
    threads: int
    judged_kibibytes: int  # the engines' state as it is saved: what they are to remember
    looks: int
    queued: int
    troubles: int  # transactions that were refused


class Soak:
    def __init__(self, plan: Plan, store: Store, http: Http, clock: Clock) -> None:
        self._plan = plan
        self._http = http
        self._clock = clock
        self._metrics = Metrics(version="0", intervals=Intervals(rails=plan.interval))
        self._engines = Engines.fresh()
        self._pipeline = Pipeline(store=store, engines=self._engines, clock=clock, metrics=self._metrics, seq=0)
        self._seats = Seats()
        self._looks = 0

    async def run(self) -> None:
        """Until the hours of the plan are over."""
        probes = list(self._probes())
        self._count_all(probes)
        pipeline = asyncio.ensure_future(self._pipeline.run())
        try:
            async with asyncio.timeout(self._plan.hours * 3600 / self._plan.speed), asyncio.TaskGroup() as group:
                await self._pipeline.ask(self._judged_by(probes))
                for number, probe in enumerate(probes):
                    phase = number / len(probes) * self._plan.interval
                    work = partial(self._look, probe)
                    group.create_task(every(probe.interval, phase=phase, clock=self._clock, work=work))
                group.create_task(measure_lag(self._clock, self._metrics.lagged))
                seconds = self._plan.sample_minutes * 60
                gc.freeze()
                group.create_task(every(seconds, phase=seconds, clock=self._clock, work=self._sample))
                group.create_task(every(TRIM_SECONDS, phase=TRIM_SECONDS, clock=self._clock, work=trim))
        except TimeoutError:
            pass
        self._pipeline.stop()
        await pipeline

    def _count_all(self, probes: list[Probe]) -> None:
        """Every probe has failed in every way before: series that are born late would look like memory that leaks."""
        for probe in probes:
            for reason in FailureReason:
                self._metrics.failed(probe.exchange, probe.name, reason)
            self._metrics.violated(probe.exchange, probe.name)
            self._metrics.contaminated(probe.exchange, probe.name)

    def _probes(self) -> list[Probe]:
        interval, hosts = self._plan.interval, self._plan.hosts
        control = ControlProbe(
            self._http, self._clock, targets=[f"http://{host}/" for host in hosts[:2]], allow_private=True
        )
        probes: list[Probe] = [control]
        for number in range(self._plan.probes - 1):
            exchange, host = f"e{number % EXCHANGES_WATCHED}", hosts[number % len(hosts)]
            if number < LISTS * EXCHANGES_WATCHED:
                speaking = EXCHANGES["gate"].spoken_by(exchange, title=exchange)
                own = Own(url=f"http://{host}", status_page="", announcements="", interval=interval, allow_private=True)
                probes.append(probes_of(speaking, http=self._http, clock=self._clock, own=own)[number // 20])
            else:
                probes.append(self._queue(f"{exchange}-queue-{number}", exchange, f"http://{host}/queue/C{number}"))
        return probes

    def _queue(self, name: str, exchange: str, url: str) -> Probe:
        return JsonQueueProbe(
            self._http,
            self._clock,
            exchange=exchange,
            name=name,
            url=url,
            rows="@",
            paths=PATHS,
            window_seconds=300.0,
            interval=self._plan.interval,
            allow_private=True,
        )

    def _judged_by(self, probes: list[Probe]) -> ConfigApplied:
        watched = tuple(WatchedRail(asset=rail.asset, network=rail.network) for rail in RAILS)
        judging = Judging(
            watched={f"e{n}": watched for n in range(EXCHANGES_WATCHED)},
            intervals={probe.name: probe.interval for probe in probes},
        )
        return ConfigApplied(at=self._clock.now(), probe="config", config=judging, sha256="1")

    async def _look(self, probe: Probe) -> None:
        async with self._seats.of(""):
            await self._pipeline.observe(probe)
        self._looks += 1

    async def _sample(self) -> None:
        text = self._metrics.render("text/plain", now=self._clock.now())[0].decode()
        held = Held(
            hours=self._clock.monotonic() / 3600,
            rss_mebibytes=_rss_mebibytes(),
            blocks=sys.getallocatedblocks(),
            tasks=len(asyncio.all_tasks()),
            descriptors=len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - the folder changes while it is read
            threads=len(os.listdir("/proc/self/task")),  # noqa: PTH208
            judged_kibibytes=sum(len(self._engines.checkpoint(name)) for name in self._engines.names()) // 1024,
            looks=self._looks,
            queued=_value(text, "cexwatch_readings_queued"),
            troubles=_value(text, "cexwatch_persist_errors_total"),
        )
        sys.stdout.buffer.write(msgspec.json.encode(held) + b"\n")
        sys.stdout.buffer.flush()


def _rss_mebibytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _value(text: str, name: str) -> int:
    return next(int(float(line.split()[1])) for line in text.splitlines() if line.startswith(f"{name} "))


async def soak(plan: Plan) -> None:
    clock = Clock(start=START, speed=plan.speed)
    per_second = {host.partition(":")[0]: 1000.0 for host in plan.hosts}
    store = await Store.open(f"sqlite+aiosqlite:///{plan.folder}/cexwatch.db")
    try:
        async with Http(clock, per_second=per_second) as http:
            await Soak(plan, store, http, clock).run()
    finally:
        await store.close()


if __name__ == "__main__":
    give_back()
    asyncio.run(soak(msgspec.json.decode(sys.argv[1], type=Plan)))
