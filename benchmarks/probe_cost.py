"""CPU microseconds a probe: ours against Debian's prometheus-blackbox-exporter, same server, same pace, same run.

Run from the top level: `PYTHONPATH=. python benchmarks/probe_cost.py`. A probe is a GET of 1 KB of JSON on loopback,
1,000 a second on a 20 ms grid; ours keeps its connections and decodes, the peer connects anew and renders its metrics.
"""

import asyncio
import multiprocessing
import os
import resource
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import msgspec

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import RemoteError

PEER = "prometheus-blackbox-exporter"
PER_SECOND = 1000
GRID_SECONDS = 0.02
ROUND_SECONDS = 4
ROUNDS = 3
PROBES = PER_SECOND * ROUND_SECONDS
AIM = 0.25
MODULE = "modules: {http_2xx: {prober: http, timeout: 5s}}\n"


class Coin(msgspec.Struct):
    asset: str
    network: str
    withdrawals: bool
    deposits: bool
    fee: str


COINS = [Coin(f"C{n:02d}", "ethereum", n % 7 > 0, True, f"0.000{n:02d}") for n in range(12)]
BODY = msgspec.json.encode(COINS)
ANSWER = (
    b"HTTP/1.1 200 OK\r\nDate: Tue, 03 Feb 2026 10:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


class Answering(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(ANSWER)
        if b"connection: close" in data.lower():
            self._transport.close()


def serve(port: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


async def paced(clock: Clock, ask: Callable[[], Coroutine[None, None, None]]) -> None:
    """The probes of a round. Who cannot keep up falls behind the grid instead of piling up."""
    began = clock.monotonic()
    for tick in range(round(ROUND_SECONDS / GRID_SECONDS)):
        await clock.sleep(began + tick * GRID_SECONDS - clock.monotonic())
        async with asyncio.TaskGroup() as group:
            for _ in range(round(PER_SECOND * GRID_SECONDS)):
                group.create_task(ask())


class Side(msgspec.Struct):
    """One of the two that are compared: how it probes, and the CPU seconds its process has used."""

    ask: Callable[[], Coroutine[None, None, None]]
    used: Callable[[], float]
    rounds: list[float] = []

    async def run(self, clock: Clock) -> None:
        before = self.used()
        await paced(clock, self.ask)
        self.rounds.append((self.used() - before) / PROBES * 1e6)

    def microseconds(self) -> float:
        return median(self.rounds)


def own_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process: fields 14 and 15 of proc(5) stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ours(http: Http, target: str) -> Side:
    decoder = msgspec.json.Decoder(list[Coin])

    async def ask() -> None:
        answer = await http.get(target, allow_private=True)
        assert decoder.decode(answer.body) == COINS

    return Side(ask, own_cpu_seconds)


def theirs(http: Http, target: str, *, exporter: str, pid: int) -> Side:
    async def ask() -> None:
        answer = await http.get(f"{exporter}/probe?module=http_2xx&target={target}", allow_private=True)
        assert b"\nprobe_success 1\n" in answer.body

    return Side(ask, lambda: cpu_seconds(pid))


@asynccontextmanager
async def peer(binary: str, http: Http, clock: Clock) -> AsyncIterator[tuple[str, int]]:
    """The exporter on a free port, ready: its address and process id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as config:
        config.write(MODULE)
        config.flush()
        process = await asyncio.create_subprocess_exec(
            binary, f"--config.file={config.name}", f"--web.listen-address={address}", "--log.level=error"
        )
        try:
            await ready(http, clock, f"http://{address}/-/healthy")
            yield f"http://{address}", process.pid
        finally:
            process.terminate()
            await process.wait()


async def ready(http: Http, clock: Clock, url: str) -> None:
    for _ in range(100):
        try:
            await http.get(url, allow_private=True)
        except RemoteError:
            await clock.sleep(0.1)
        else:
            return
    raise SystemExit(f"{PEER} did not become ready in 10 s")


async def compare(sides: Sequence[Side], clock: Clock) -> None:
    for side in sides:
        await side.ask()
    for _ in range(ROUNDS):
        for side in sides:  # in turn, so that a busy machine is busy for both
            await side.run(clock)


async def measure(target: str) -> None:
    clock = Clock()
    binary = shutil.which(PEER)
    # The budget of a host is not what is measured: 1,000 probes a second go to many hosts.
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(Http(clock, per_second={"127.0.0.1": 1e6}))
        sides = [ours(http, target)]
        if binary is not None:
            exporter, pid = await stack.enter_async_context(peer(binary, http, clock))
            sides.append(theirs(http, target, exporter=exporter, pid=pid))
        await compare(sides, clock)
    for name, side in zip(("cexwatch", PEER), sides, strict=False):
        print(f"{name:30}{side.microseconds():6.0f} us of CPU a probe, median of {ROUNDS} rounds")
    if binary is None:
        print(f"{PEER} is missing: nothing to compare with")
    else:
        print(f"{'ratio':30}{sides[0].microseconds() / sides[1].microseconds():6.3f} (aim: at most {AIM})")


def main() -> None:
    context = multiprocessing.get_context("spawn")
    port, port_of_server = context.Pipe(duplex=False)
    server = context.Process(target=serve, args=(port_of_server,), daemon=True)
    server.start()
    try:
        asyncio.run(measure(f"http://127.0.0.1:{port.recv()}/coins"))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
