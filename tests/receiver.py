"""Who is told: a server that takes messages as apprise's `json://` sends them, and misbehaves when asked to."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web

from monitor.clock import Clock
from monitor.replay.stage import listening

PATIENCE_SECONDS = 60.0


class Heard(msgspec.Struct, frozen=True):
    """A message as it came."""

    title: str
    message: str
    type: str

    @property
    def ref(self) -> str:
        """The key by which a message is recognised that came twice."""
        return self.message.rpartition("ref ")[2]


class Receiver:
    """Takes what comes. `behave` sets what it does with the next ones: a status, "hang", or "drop" after taking it."""

    url: str
    base: str

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._behaviours: list[int | str] = []
        self._always: int | str = 200
        self.heard: list[Heard] = []
        self.asked: list[tuple[str, str]] = []  # path and body of everything that came
        self._changed = asyncio.Condition()
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._take)
        self.base = await self._running.enter_async_context(listening(application, self._clock))
        self.url = f"{self.base.replace('http://', 'json://')}/?rto=1&cto=1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._running.aclose()

    def behave(self, *behaviours: int | str, then: int | str = 200) -> None:
        self._behaviours, self._always = list(behaviours), then

    async def until(self, holds: Callable[[], bool], *, within: float = PATIENCE_SECONDS) -> None:
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(holds)

    async def hears(self, count: int) -> list[Heard]:
        """All that came, as soon as it is as many."""
        await self.until(lambda: len(self.heard) >= count)
        return self.heard

    async def _take(self, request: web.Request) -> web.StreamResponse:
        behaviour = self._behaviours.pop(0) if self._behaviours else self._always
        body = await request.text()
        self.asked.append((request.path, body))
        if behaviour in (200, "drop") and request.path == "/":
            self.heard.append(msgspec.json.decode(body, type=Heard))
        async with self._changed:
            self._changed.notify_all()
        match behaviour:
            case "hang":
                await asyncio.Event().wait()
            case "drop":
                assert request.transport is not None
                request.transport.abort()
            case 429:
                return web.Response(status=429, headers={"Retry-After": "17"})
            case int(status):
                return web.Response(status=status)
        return web.Response(status=200)
