"""A world in which a share of all requests meets a fault of the transport or of the body, each kind in its turn."""

import asyncio
import gzip
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import count
from types import TracebackType
from typing import Self

from tests.fault_server import Peer, Request, http

WALL = b"<html><title>Attention Required!</title></html>"
HTML = {"Content-Type": "text/html"}
BOMB = gzip.compress(bytes(64 * 2**20), 9)
HUGE = b"[" + b'"x",' * 3_000_000 + b'"x"]'


Answer = Callable[[str], bytes]
"""The good body of a path."""


async def _hangs(peer: Peer, _: bytes) -> None:
    await peer.hang()


async def _drips(peer: Peer, body: bytes) -> None:
    await peer.drip(http(body), every_seconds=0.2)


async def _resets(peer: Peer, _: bytes) -> None:
    peer.reset()


async def _resets_in_the_midst(peer: Peer, body: bytes) -> None:
    await peer.send(http(body)[: len(http(body)) // 2])
    peer.reset()


async def _hangs_up(peer: Peer, _: bytes) -> None:
    peer.close()


async def _is_cut_off(peer: Peer, body: bytes) -> None:
    await peer.send(http(body)[:-7])
    peer.close()


def _answers(answer: bytes) -> Callable[[Peer, bytes], Awaitable[None]]:
    async def script(peer: Peer, _: bytes) -> None:
        await peer.send(answer)

    return script


FAULTS: tuple[Callable[[Peer, bytes], Awaitable[None]], ...] = (
    _hangs,
    _drips,
    _resets,
    _resets_in_the_midst,
    _hangs_up,
    _is_cut_off,
    _answers(http(b"", status="500 Internal Server Error")),
    _answers(http(b"", status="502 Bad Gateway")),
    _answers(http(b"", status="404 Not Found")),
    _answers(http(b"", status="301 Moved Permanently", headers={"Location": "http://127.0.0.1/"})),
    _answers(http(WALL, headers=HTML)),
    _answers(http(b"")),
    _answers(http(b"null")),
    _answers(http(b'[{"asset": NaN, "pending": 1e400}]')),
    _answers(http(b"[" * 100_000)),
    _answers(http(b'[{"asset": "\xff\xfe", "network": 7}]')),
    _answers(http(b"\x1f\x8b not packed", headers={"Content-Encoding": "gzip"})),
    _answers(http(BOMB, headers={"Content-Encoding": "gzip"})),
    _answers(http(HUGE)),
    _answers(http(b"{}", headers={f"X-{n}": "y" * 1000 for n in range(1000)})),
    _answers(http(b"{}", headers={"Age": "86400"})),
    _answers(http(b'{"code":-1003}', status="429 Too Many Requests", headers={"Retry-After": "7"})),
    _answers(http(b"", status="429 Too Many Requests")),
    _answers(http(WALL, status="403 Forbidden", headers=HTML)),
    _answers(http(b"", status="418 I'm a teapot", headers={"Retry-After": "120"})),
)


class Weather:
    """Listens at `addresses` of loopback; the share `badness` of all requests meets one of `FAULTS`."""

    def __init__(self, addresses: Sequence[str], answer: Answer, *, badness: float, seed: int) -> None:
        self.requests = 0
        self.faults = 0
        self.met: set[int] = set()
        self._numbers = count()
        self._addresses = addresses
        self._answer = answer
        self._badness = badness
        self._rng = random.Random(seed)
        self._running = AsyncExitStack()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._tasks = await self._running.enter_async_context(asyncio.TaskGroup())
        self.hosts: list[str] = []
        for address in self._addresses:
            server = await asyncio.start_server(self._accept, address, 0)
            self._running.callback(server.close)
            self.hosts.append(f"{address}:{server.sockets[0].getsockname()[1]}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in list(self._writers):
            writer.transport.abort()
        await self._running.aclose()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.create_task(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while not writer.is_closing():
                path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
                await self._meet(path, reader, writer)
        self._writers.discard(writer)
        writer.close()

    async def _meet(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = self._answer(path)
        self.requests += 1
        if self._rng.random() >= self._badness:
            writer.write(http(body))
            await writer.drain()
            return
        number = next(self._numbers) % len(FAULTS)
        self.faults += 1
        self.met.add(number)
        request = Request(connection=0, method="GET", path=path, headers={}, body=b"")
        await FAULTS[number](Peer(request, reader, writer), body)
