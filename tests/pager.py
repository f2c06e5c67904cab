"""A pager behind an Alertmanager: takes what its webhooks bring, and notes when each alert came."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web

from monitor.clock import Clock
from monitor.replay.stage import listening


class Alert(msgspec.Struct, frozen=True):
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


class _Hook(msgspec.Struct):
    alerts: list[Alert]


class Rung(msgspec.Struct, frozen=True):
    """An alert as it came: at which receiver of the routes, and when by the loop's clock."""

    receiver: str
    alert: Alert
    at: float


class Pager:
    base: str

    def __init__(self) -> None:
        self.rung: list[Rung] = []
        self._changed = asyncio.Condition()
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_post("/{receiver}", self._take)
        self.base = await self._running.enter_async_context(listening(application, Clock()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._running.aclose()

    def first(self, receiver: str, status: str, **labels: str) -> Rung | None:
        """The first alert there with this status and at least these labels."""
        found = (
            each
            for each in self.rung
            if (each.receiver, each.alert.status) == (receiver, status) and labels.items() <= each.alert.labels.items()
        )
        return next(found, None)

    async def until(self, holds: Callable[[], bool], *, within: float) -> None:
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(holds)

    async def _take(self, request: web.Request) -> web.Response:
        hook = msgspec.json.decode(await request.read(), type=_Hook)
        at = asyncio.get_running_loop().time()
        self.rung += [Rung(request.match_info["receiver"], alert, at) for alert in hook.alerts]
        async with self._changed:
            self._changed.notify_all()
        return web.Response()
