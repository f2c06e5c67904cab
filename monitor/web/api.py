"""JSON for programs: the verdict on an exchange, its detectors, and the ranking by reserves. docs/api.md tells it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

import msgspec
from aiohttp import web
from msgspec import Struct

from monitor.clock import Clock
from monitor.model import ExchangeView
from monitor.model.view import StatisticView
from monitor.reserves.ranking import Ranked, ranking
from monitor.web.statistics import ordered
from monitor.web.verdict import VerdictNow, is_stale, verdict


class Views(Protocol):
    """What the answers are made of."""

    async def views(self) -> Sequence[ExchangeView]: ...
    async def view(self, exchange: str) -> ExchangeView | None: ...


class Reserves(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    of: str = "the addresses we know"
    exchanges: list[Ranked]


class Detectors(Struct, frozen=True, kw_only=True):
    """What fires first. `stale`: nothing was read lately, so all of it is as of `at`."""

    exchange: str
    generated_at: datetime
    at: datetime
    stale: bool
    statistics: list[StatisticView]


class Refusal(Struct, frozen=True, kw_only=True):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Api:
    """`alive` says that the loop and the pipeline turn: without them nothing here is of now, and nothing is told."""

    def __init__(self, store: Views, *, clock: Clock, alive: Callable[[], bool]) -> None:
        self._store = store
        self._clock = clock
        self._alive = alive

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/exchanges/{name}/verdict", self.verdict),
            web.get("/api/v1/exchanges/{name}/detectors", self.detectors),
            web.get("/api/v1/reserves", self.reserves),
        ]

    async def verdict(self, request: web.Request) -> web.Response:
        if not self._alive():
            return _not_alive()
        view = await self._watched(request)
        return _answer(verdict(view, self._clock.now())) if view is not None else _not_watched()

    async def detectors(self, request: web.Request) -> web.Response:
        if not self._alive():
            return _not_alive()
        view = await self._watched(request)
        if view is None:
            return _not_watched()
        now = self._clock.now()
        return _answer(
            Detectors(
                exchange=view.exchange,
                generated_at=now,
                at=view.at,
                stale=is_stale(view, now),
                statistics=ordered(view.statistics),
            )
        )

    async def reserves(self, _: web.Request) -> web.Response:
        if not self._alive():
            return _not_alive()
        return _answer(Reserves(generated_at=self._clock.now(), exchanges=ranking(await self._store.views())))

    async def _watched(self, request: web.Request) -> ExchangeView | None:
        name = request.match_info["name"]
        view = await self._store.view(name) if name else None
        return None if view is None or view.retired else view


def _not_watched() -> web.Response:
    return _refused(HTTPStatus.NOT_FOUND, "this exchange is not watched")


def _not_alive() -> web.Response:
    return _refused(HTTPStatus.SERVICE_UNAVAILABLE, "the pipeline does not turn: nothing is known of now")


def _refused(status: HTTPStatus, detail: str) -> web.Response:
    refusal = Refusal(title=status.phrase, status=status.value, detail=detail)
    return _answer(refusal, status=status, content_type="application/problem+json")


def _answer(
    value: VerdictNow | Detectors | Reserves | Refusal,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    content_type: str = "application/json",
) -> web.Response:
    body = msgspec.json.encode(value)
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=body, status=status, content_type=content_type, headers=headers)
