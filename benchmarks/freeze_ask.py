"""How long an answer of the gate takes at 2,000 questions a second, asked by another process over sockets.

Beside a handler of the same server that answers a constant: the price of HTTP alone. Questions are sent when they are
due, whether or not earlier ones were answered, and a latency counts from when it was due.

Run: PYTHONPATH=. python benchmarks/freeze_ask.py [QUESTIONS A SECOND]
"""

import asyncio
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import aiohttp

from tests.freeze.process import SECRETS, gate_process

RATE = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
SECONDS = 10
CONNECTIONS = 32
FROZEN = 2_000
TURN_SECONDS = 0.001


class Asking(asyncio.Protocol):
    """One connection that pipelines; answers come in the order of the questions."""

    def __init__(self, latencies: list[float]) -> None:
        self._latencies = latencies
        self._due: deque[float] = deque()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def ask(self, question: bytes, due: float) -> None:
        self._due.append(due)
        self.transport.write(question)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        now, self._rest = time.perf_counter(), self._rest + data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            head = self._rest[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self._rest) < end + 4 + length:
                return
            assert head.startswith(b"http/1.1 200"), head
            self._rest = self._rest[end + 4 + length :]
            self._latencies.append(now - self._due.popleft())


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        async with gate_process(Path(name)) as gate, aiohttp.ClientSession() as session:
            await gate.start()
            for number in range(0, FROZEN, 100):
                await asyncio.gather(*(gate.freeze(session, f"account-{n}") for n in range(number, number + 100)))
            host, port = gate.url.removeprefix("http://").split(":")
            for what in ("/healthz", "/api/v1/freezes/account-{}"):
                print(_told(what, await _latencies(host, int(port), what)))


async def _latencies(host: str, port: int, path: str) -> list[float]:
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    asking = [(await loop.create_connection(lambda: Asking(latencies), host, port))[1] for _ in range(CONNECTIONS)]
    started, sent = time.perf_counter(), 0
    while sent < RATE * SECONDS:
        due = int((time.perf_counter() - started) * RATE)
        while sent < min(due, RATE * SECONDS):
            question = (
                f"GET {path.format(sent % (2 * FROZEN))} HTTP/1.1\r\nHost: {host}\r\n"
                f"Authorization: Bearer {SECRETS['reader_token']}\r\n\r\n"
            )
            asking[sent % CONNECTIONS].ask(question.encode(), started + sent / RATE)
            sent += 1
        await asyncio.sleep(TURN_SECONDS)
    async with asyncio.timeout(30):
        while len(latencies) < sent:  # noqa: ASYNC110 - nothing rings when the last answer is there
            await asyncio.sleep(0.05)
    for each in asking:
        each.transport.close()
    return latencies


def _told(what: str, latencies: list[float]) -> str:
    ordered = sorted(latencies)
    shown = [f"p{part} {ordered[int(len(ordered) * part / 100)] * 1e3:.2f} ms" for part in (50, 99)]
    return f"{what}: {len(ordered):,} answers at {RATE:,}/s: {', '.join(shown)}, longest {ordered[-1] * 1e3:.1f} ms"


if __name__ == "__main__":
    asyncio.run(main())
