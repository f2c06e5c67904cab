"""The exchange's end of the reports: it checks signatures by RFC 2104 alone, acts once per id, fails as it is told."""

import asyncio
import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Self

from aiohttp import web

PATIENCE_SECONDS = 30.0
KEY = b"a key of thirty-two bytes or so."
HANG, DROP, DROP_AFTER, ENDLESS = "hang", "drop", "drop after", "endless"
"""Say nothing; hang up at once; hang up after it was acted on; 200, and a body without end."""

Way = int | str
"""A status, or one of the above."""


def is_signed(headers: Mapping[str, str], body: bytes, *, key: bytes) -> bool:
    """Whether one of the signatures is over these bytes, as Standard Webhooks has it."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(_hmac(key, signed)).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split(" ")


def _hmac(key: bytes, text: bytes) -> bytes:
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(each ^ 0x36 for each in block) + text).digest()
    return hashlib.sha256(bytes(each ^ 0x5C for each in block) + inner).digest()


class ExchangeReceiver:
    """`acted` counts by id what was acted on, `heard` every request that was signed as it should be."""

    def __init__(self, *, port: int = 0) -> None:
        self.acted: Counter[str] = Counter()
        self.heard: Counter[str] = Counter()
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []
        self.unsigned = 0
        self.busy = 0
        self.busiest = 0
        self.ways: dict[str, list[Way]] = {}  # by id: of the next requests
        self.always: dict[str, Way] = {}
        self.url = ""
        self._port = port
        self._goes_on = asyncio.Event()
        self._goes_on.set()
        self._changed = asyncio.Condition()
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook?key=url-canary"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def hold(self) -> None:
        """Take requests and answer none until `go_on`."""
        self._goes_on.clear()

    def go_on(self) -> None:
        self._goes_on.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(holds)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            return await self._answered(request, await request.read())
        finally:
            self.busy -= 1

    async def _answered(self, request: web.Request, body: bytes) -> web.StreamResponse:
        if not is_signed(request.headers, body, key=KEY):
            self.unsigned += 1
            return web.Response(status=401)
        key = request.headers["webhook-id"]
        await self._note(key, request, body)
        await self._goes_on.wait()
        ways = self.ways.get(key, [])
        way = ways.pop(0) if ways else self.always.get(key, 200)
        if way in (200, 202, 204, DROP_AFTER, ENDLESS):
            self.acted[key] = 1  # once, however often it comes
            await self._tell()
        return await self._in_this_way(way, request)

    async def _note(self, key: str, request: web.Request, body: bytes) -> None:
        self.heard[key] += 1
        self.bodies.append(body)
        self.headers.append(request.headers.copy())
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _in_this_way(self, way: Way, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        match way:
            case "hang":
                await asyncio.Event().wait()
            case "drop" | "drop after":
                request.transport.abort()
            case "endless":
                return await _endless(request)
            case 302:
                return web.Response(status=302, headers={"Location": "/hook"})
            case int(status):
                return web.Response(status=status)
        return web.Response()


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while request.transport is not None and not request.transport.is_closing():
        await response.write(bytes(65536))
    return response
