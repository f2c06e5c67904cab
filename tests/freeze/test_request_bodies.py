"""A body that is too long or too slow holds nobody's place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.freeze import bodies

LONGEST = 10


@asynccontextmanager
async def _reading(seconds: float) -> AsyncIterator[TestServer]:
    async def read(request: web.Request) -> web.Response:
        try:
            body = await bodies.read(request, longest=LONGEST, seconds=seconds)
        except (bodies.TooLargeError, bodies.TooSlowError) as error:
            return web.Response(text=type(error).__name__)
        return web.Response(body=body)

    app = web.Application()
    app.router.add_post("/", read)
    server = TestServer(app)
    async with server:
        yield server


async def _answered(server: TestServer, head: str, body: bytes) -> bytes:
    """To a request that sends no more than that and keeps the connection open."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(f"POST / HTTP/1.1\r\nHost: gate\r\n{head}\r\n\r\n".encode() + body)
    async with asyncio.timeout(10):
        await reader.readuntil(b"\r\n\r\n")
        answer = await reader.read(100)
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("head", "body", "answer"),
    [
        pytest.param("Content-Length: 4", b"four", b"four", id="all of it"),
        pytest.param("Content-Length: 9", b"four", b"TooSlowError", id="half of what was announced"),
        pytest.param("Transfer-Encoding: chunked", b"4\r\nfour\r\n", b"TooSlowError", id="a chunk and no end"),
        pytest.param("Content-Length: 99", b"", b"TooLargeError", id="more is announced than there is reason for"),
        pytest.param("Transfer-Encoding: chunked", b"b\r\n" + b"x" * 11 + b"\r\n", b"TooLargeError", id="more comes"),
    ],
)
async def test_what_arrives(head: str, body: bytes, answer: bytes) -> None:
    async with _reading(0.2) as server:
        assert await _answered(server, head, body) == answer
