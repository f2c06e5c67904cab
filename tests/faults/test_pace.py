"""Healthy probes stay on time whatever the others meet: lateness with and without a world of faults, in one run."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import RemoteError
from monitor.schedule import GRID_SECONDS, every
from tests.fault_server import (
    FaultServer,
    black_hole,
    drips,
    http,
    never_ends,
    says,
    says_and_hangs,
    says_and_resets,
)
from tests.name_server import SERVER_FAILURE, SILENCE, Reply, name_server

SECONDS = 3.0
ROUNDS = 4
INTERVAL = 0.2
FAULTY_INTERVAL = 1.0
HEALTHY = 20
EACH_FAULT = 3
LATE_SECONDS = 0.025  # what no probe may cost another, however punctual this machine is
NAME = "api.exchange.test"
COINS = http(b'{"coins":[1,2,3]}')
BOMB = gzip.compress(bytes(2**24))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
FAULTS = {
    "/hangs": says_and_hangs(b""),
    "/drips": drips(HEAD + bytes(100_000), every_seconds=0.05),
    "/resets": says_and_resets(COINS[:-5]),
    "/heads": says(http(headers={f"X-{n}": "a" for n in range(10_000)})),
    "/bomb": says(http(BOMB, headers={"Content-Encoding": "gzip"})),
    "/stop": says(http(status="429 Too Many Requests")),
    "/endless": never_ends(b"HTTP/1.1 200 OK\r\n", b"X-More: a\r\n" * 100),
}


class Turns:
    """A healthy probe: how late each of its turns began."""

    def __init__(self, clock: Clock, look: Callable[[], Awaitable[object]], *, phase: float) -> None:
        self._clock = clock
        self._look = look
        self._first = clock.monotonic() + phase
        self.late: list[float] = []

    async def __call__(self) -> None:
        elapsed = self._clock.monotonic() - self._first
        due = round((elapsed - INTERVAL / 4) / INTERVAL) * INTERVAL
        self.late.append(max(0.0, elapsed - due - GRID_SECONDS))
        await self._look()


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


@asynccontextmanager
async def world() -> AsyncIterator[list[str]]:
    """Addresses that fail, each in its way."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(FaultServer({path: fault})) for path, fault in FAULTS.items()]
        urls = [server.url(path) for server, path in zip(servers, FAULTS, strict=True)]
        hole = stack.enter_context(black_hole())
        stalled = await stack.enter_async_context(FaultServer({}))
        yield [
            *urls,
            f"http://127.0.0.1:{hole}/",
            stalled.url("/", scheme="https"),
            *[f"http://dead-{n}.test/" for n in range(16)],
            "http://broken.test/",
            "http://nowhere.test/",
        ]


async def lateness(client: Http, clock: Clock, *, healthy: str, faulty: list[str]) -> list[float]:
    """Of all turns of the healthy probes, in seconds."""
    probes: list[Turns] = []

    async def fail(url: str) -> None:
        with suppress(RemoteError):
            await client.get(url, allow_private=True, timeout=1.0)

    async with asyncio.TaskGroup() as group:
        running = []
        for n in range(HEALTHY):
            phase = INTERVAL * n / HEALTHY
            probe = Turns(clock, lambda: client.get(healthy, allow_private=True), phase=phase)
            probes.append(probe)
            running.append(group.create_task(every(INTERVAL, phase=phase, clock=clock, work=probe)))
        for n, url in enumerate(faulty * EACH_FAULT):
            work = lambda url=url: fail(url)  # noqa: E731 - each its own address
            running.append(group.create_task(every(FAULTY_INTERVAL, phase=n * GRID_SECONDS, clock=clock, work=work)))
        await clock.sleep(SECONDS)
        for task in running:
            task.cancel()
    return [late for probe in probes for late in probe.late]


async def test_healthy_probes_are_on_time_in_a_world_of_faults() -> None:
    clock = Clock()
    dead: dict[str, Reply] = {"broken.test": SERVER_FAILURE, NAME: Reply(addresses=["127.0.0.1"])}
    silent = {f"dead-{n}.test": SILENCE for n in range(16)}
    async with (
        FaultServer({"/": says(COINS)}) as well,
        name_server({**dead, **silent}) as names,
        Http(clock, nameservers=[names.address], per_second={NAME: 1000.0, "127.0.0.1": 1000.0}) as client,
        world() as faulty,
    ):
        healthy = well.url("/", host=NAME)
        excess = []
        for _ in range(ROUNDS):  # another process may take the machine in one of them, but not in all
            alone = await lateness(client, clock, healthy=healthy, faulty=[])
            among = await lateness(client, clock, healthy=healthy, faulty=faulty)
            assert len(among) > 0.9 * len(alone)
            excess.append(p99(among) - max(2 * p99(alone), LATE_SECONDS))
            if excess[-1] <= 0:
                break
    assert min(excess) <= 0
