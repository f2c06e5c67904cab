"""A raw TCP server that misbehaves as told: each path has a script that writes whatever bytes it likes."""

import asyncio
import socket
import ssl
import struct
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

import pytest
from msgspec import Struct

from monitor.http import Http
from monitor.model import RemoteError

CANARY = "S3CR3T-xyz"
"""Stands for every secret of a request; no failure may show it."""


class Request(Struct, frozen=True, kw_only=True):
    connection: int  # 1 is the first connection that was made
    method: str
    path: str  # without the query
    headers: dict[str, str]  # names in lower case
    body: bytes


class Peer:
    """The server's end of a connection with one request on it, in the hands of a script."""

    def __init__(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> bool:
        """False once the client has hung up."""
        self._writer.write(data)
        try:
            await self._writer.drain()
        except ConnectionError:
            return False
        return True

    async def hang(self) -> None:
        """Say nothing more, until the client hangs up."""
        try:
            await self._reader.read()
        except ConnectionError:
            return

    async def drip(self, data: bytes, *, every_seconds: float) -> None:
        """One byte at a time, as long as the client listens."""
        for n in range(len(data)):
            await self.send(data[n : n + 1])
            try:
                async with asyncio.timeout(every_seconds):
                    await self.hang()
            except TimeoutError:
                continue
            return

    def close(self) -> None:
        self._writer.close()

    def reset(self) -> None:
        """Drop the connection with a TCP RST."""
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


class FaultServer:
    """Listens on a port of 127.0.0.1 and remembers every request. A path without a script ends the test."""

    def __init__(self, scripts: Mapping[str, Script], *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        """A free port where `port` is 0."""
        self._wanted = port
        self.requests: list[Request] = []
        self._scripts = scripts
        self._tls = tls
        self._tasks = asyncio.TaskGroup()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._wanted, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._tasks.__aexit__(kind, error, trace)
        await self._server.wait_closed()

    @property
    def connections(self) -> int:
        return len(self._writers)

    def url(self, path: str, *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._tasks.create_task(self._serve(reader, writer, connection=len(self._writers)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, connection: int) -> None:
        while not writer.is_closing():
            try:
                request = await _request(reader, connection=connection)
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            self.requests.append(request)
            await self._scripts[request.path](Peer(request, reader, writer))
        writer.close()


async def _request(reader: asyncio.StreamReader, *, connection: int) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    path = target.partition("?")[0]
    return Request(connection=connection, method=method, path=path, headers=headers, body=body)


def http(body: bytes = b"{}", *, status: str = "200 OK", headers: Mapping[str, str] = {}) -> bytes:
    """The bytes of a well-formed answer; `headers` may overrule the length."""
    fields = {"Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def chunked(*chunks: bytes, headers: Mapping[str, str] = {}) -> bytes:
    """The bytes of a well-formed answer in chunks, without the last empty one."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{lines}\r\n".encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)


def says(data: bytes) -> Script:
    """Sends `data` and keeps the connection for the next request."""

    async def script(peer: Peer) -> None:
        await peer.send(data)

    return script


def says_and_closes(data: bytes) -> Script:
    async def script(peer: Peer) -> None:
        await peer.send(data)
        peer.close()

    return script


def says_and_resets(data: bytes) -> Script:
    """Sends `data`, then a TCP RST."""

    async def script(peer: Peer) -> None:
        await peer.send(data)
        peer.reset()

    return script


def says_and_hangs(data: bytes) -> Script:
    async def script(peer: Peer) -> None:
        await peer.send(data)
        await peer.hang()

    return script


def drips(data: bytes, *, every_seconds: float) -> Script:
    async def script(peer: Peer) -> None:
        await peer.drip(data, every_seconds=every_seconds)

    return script


def never_ends(head: bytes, chunk: bytes) -> Script:
    """Sends `chunk` after `chunk` for as long as the client takes them."""

    async def script(peer: Peer) -> None:
        await peer.send(head)
        while await peer.send(chunk):
            pass

    return script


def in_turn(*scripts: Script) -> Script:
    """One after the other, a request each; the last one for all that follow."""
    left = list(scripts)

    async def script(peer: Peer) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(peer)

    return script


@contextmanager
def black_hole(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port whose queue of connections is full, so that nobody answers the next one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server((host, port), family=family, backlog=0))
        address = listening.getsockname()
        for _ in range(8):
            caller = stack.enter_context(socket.socket(family))
            caller.setblocking(False)
            caller.connect_ex(address)
        yield address[1]


async def failure(client: Http, url: str, *, timeout: float = 5.0, allow_private: bool = True) -> RemoteError:
    """What `url` fails with, after a look whether anything secret of the request shows in it."""
    secret = url.replace("//", f"//user:{CANARY}@", 1) + f"?apikey={CANARY}"
    with pytest.raises(RemoteError) as caught:
        await client.get(secret, headers={"X-Api-Key": CANARY}, allow_private=allow_private, timeout=timeout)
    told = "".join(traceback.format_exception(caught.value))
    assert CANARY not in told
    assert CANARY not in repr(caught.value)
    assert len(caught.value.detail) < 120
    return caught.value
