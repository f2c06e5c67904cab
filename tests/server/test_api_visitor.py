"""Who counts as sitting at the machine, seen from the real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from monitor.web.api.visitor import by_machine
from monitor.web.server import serving


async def who(request: web.Request) -> web.Response:
    return web.Response(text=str((await by_machine(request)).is_insider))


@asynccontextmanager
async def line(host: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    app = web.Application()
    app.router.add_get("/", who)
    async with serving(app, host=host, port=0) as url:
        reader, writer = await asyncio.open_connection(host, int(url.rpartition(":")[2]))
        try:
            yield reader, writer
        finally:
            writer.close()


@pytest.mark.parametrize(
    ("version", "headers", "is_insider"),
    [
        pytest.param("1.1", "Host: 127.0.0.1:9877", True, id="by its address"),
        pytest.param("1.1", "Host: localhost", True, id="by its name"),
        pytest.param("1.1", "Host: [::1]:9877", True, id="by its other address"),
        pytest.param("1.1", "Host: rebound.example", False, id="a page of another site that names it as its own"),
        pytest.param("1.1", "Host: 127.0.0.1.example", False, id="a name that begins like the address"),
        pytest.param("1.1", "Host: [", False, id="no name at all"),
        pytest.param("1.1", "Host: localhost\r\nX-Forwarded-For: 203.0.113.9", False, id="a proxy that says for whom"),
        pytest.param("1.1", "Host: localhost\r\nForwarded: for=203.0.113.9", False, id="a proxy by the standard"),
        pytest.param("1.1", "Host: localhost\r\nVia: 1.1 proxy", False, id="a proxy that names itself"),
        pytest.param("1.0", "Host: 127.0.0.1:9877", False, id="nginx as it comes"),
    ],
)
async def test_who_sits_at_the_machine(version: str, headers: str, is_insider: bool) -> None:
    async with line("127.0.0.1") as (reader, writer):
        writer.write(f"GET / HTTP/{version}\r\n{headers}\r\nConnection: close\r\n\r\n".encode())
        answer = (await reader.read()).decode()
    assert answer.startswith(f"HTTP/{version} 200")
    assert answer.endswith(f"\r\n\r\n{is_insider}")
