"""Pages that are read at leisure: the scorecard, maintenance, the detectors, the configuration, and what this is."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from aiohttp import web

from monitor.clock import Clock
from monitor.model import ExchangeView, Incident, IncidentKind
from monitor.web import detectors, pages, scorecard

YEAR = max(scorecard.WINDOWS)
PAST_MAINTENANCE = 30

Show = Callable[[web.Request, str, Mapping[str, object]], Awaitable[web.Response]]
"""Renders a template with the page's frame."""


class History(Protocol):
    """What these pages ask of the store."""

    async def views(self) -> Sequence[ExchangeView]: ...
    async def history(self, kinds: Sequence[IncidentKind], *, since: datetime) -> Sequence[Incident]: ...
    async def began(self) -> datetime | None: ...


class ReadingPages:
    def __init__(self, store: History, *, clock: Clock, show: Show) -> None:
        self._store = store
        self._clock = clock
        self._show = show

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/scorecard", self.scorecard),
            web.get("/maintenance", self.maintenance),
            web.get("/detectors", self.detectors),
            web.get("/about", self.about),
        ]

    async def scorecard(self, request: web.Request) -> web.Response:
        now = self._clock.now()
        halts = await self._store.history([IncidentKind.WITHDRAWAL_HALT], since=now - YEAR)
        began = await self._store.began()
        views = sorted(pages.exchanges(await self._store.views()), key=lambda view: view.title or view.exchange)
        windows = [
            (window, [scorecard.score(view, halts, window=window, began=began, now=now) for view in views])
            for window in scorecard.WINDOWS
        ]
        return await self._show(request, "scorecard.html", {"windows": windows})

    async def maintenance(self, request: web.Request) -> web.Response:
        now = self._clock.now()
        past = await self._store.history([IncidentKind.MAINTENANCE], since=now - YEAR)
        windows = pages.planned(await self._store.views())
        return await self._show(request, "maintenance.html", {"windows": windows, "past": past[:PAST_MAINTENANCE]})

    async def detectors(self, request: web.Request) -> web.Response:
        views = await self._store.views()
        told = [(each, detectors.standing(views, each.name)) for each in detectors.DETECTORS]
        return await self._show(request, "detectors.html", {"told": told})

    async def about(self, request: web.Request) -> web.Response:
        return await self._show(request, "about.html", {})
