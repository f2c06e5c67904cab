"""For everybody and every program: feeds, a read API in the shape of a Statuspage, and badges.

An operator's say only what was posted. All of it can be cached for a minute, and is the same until something changes.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from aiohttp import web
from msgspec import Struct

from monitor.clock import Clock
from monitor.model import Draft, ExchangeState, ExchangeView, Incident, Role, Severity, Stage, Transition
from monitor.web import feed_formats, statuspage
from monitor.web.badges import badge
from monitor.web.feed_formats import Feed
from monitor.web.statuspage import Standing, Watched
from monitor.web.updates import Case, Update, cases, observed, posted, recent
from monitor.web.verdict import verdict

TRANSITIONS = 2_000  # looked through for the newest updates: most are of no public kind
POSTED = 200
_HEADERS = {"Cache-Control": "public, max-age=60", "Access-Control-Allow-Origin": "*"}


class Public(Protocol):
    """What the answers are made of."""

    async def views(self) -> Sequence[ExchangeView]: ...
    async def incidents(self, *, open_only: bool = False, limit: int = 100) -> Sequence[Incident]: ...
    async def transitions(self, incident_id: str) -> Sequence[Transition]: ...
    async def incident(self, incident_id: str) -> Incident | None: ...
    async def latest_transitions(self, limit: int) -> Sequence[Transition]: ...
    async def posted(self, limit: int) -> Sequence[Draft]: ...


class Voice(Struct, frozen=True, kw_only=True):
    """Who speaks: an operator as `speaks_for`, an observer about all. `external_url` may be ""."""

    role: Role
    speaks_for: str
    external_url: str


class Feeds:
    """`alive` says that the pipeline turns: without it no state is known."""

    def __init__(self, store: Public, *, voice: Voice, clock: Clock, alive: Callable[[], bool]) -> None:
        self._store = store
        self._voice = voice
        self._clock = clock
        self._alive = alive

    def routes(self) -> list[web.RouteDef]:
        shapes = {
            "/api/v2/summary.json": self._shaped(statuspage.summary),
            "/api/v2/status.json": self._shaped(statuspage.status),
            "/api/v2/components.json": self._shaped(statuspage.components),
            "/api/v2/incidents.json": self._shaped(statuspage.incidents),
            "/api/v2/incidents/unresolved.json": self._shaped(statuspage.unresolved),
        }
        return [
            web.get("/feed.atom", self._fed(feed_formats.atom, "application/atom+xml")),
            web.get("/feed.rss", self._fed(feed_formats.rss, "application/rss+xml")),
            web.get("/feed.json", self._fed(feed_formats.json_feed, "application/feed+json")),
            *(web.get(path, answer) for path, answer in shapes.items()),
            web.get("/badge/{exchange}.svg", self._badge),
        ]

    def _fed(
        self, written: Callable[[Feed], bytes], content_type: str
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            views = await self._views()
            titles = {view.exchange: view.title for view in views}
            updates = recent(await self._updates(), now=self._clock.now())
            feed = Feed(title=self._title(views), page=self._page(request), updates=updates, titles=titles)
            return _cached(request, written(feed), content_type)

        return answer

    def _shaped(self, shape: Callable[[Standing], Struct]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            views, now = await self._views(), self._clock.now()
            known = cases(await self._updates())
            standing = Standing(
                title=self._title(views),
                url=self._page(request),
                watched=[self._watched(view, known, now) for view in views],
                cases=known,
                now=now,
            )
            return _cached(request, msgspec.json.encode(shape(standing)), "application/json")

        return answer

    async def _badge(self, request: web.Request) -> web.Response:
        views, now = await self._views(), self._clock.now()
        view = next((view for view in views if view.exchange == request.match_info["exchange"]), None)
        if view is None:
            return web.Response(text="this exchange is not watched\n", status=404)
        watched = self._watched(view, cases(await self._updates()), now)
        return _cached(request, badge(watched.title, watched.state), "image/svg+xml")

    async def _updates(self) -> list[Update]:
        if self._voice.role is Role.OBSERVER:
            return observed([*await self._store.latest_transitions(TRANSITIONS), *await self._of_open_incidents()])
        drafts = [draft for draft in await self._store.posted(POSTED) if draft.exchange == self._voice.speaks_for]
        found = [await self._store.incident(name) for name in dict.fromkeys(draft.incident for draft in drafts)]
        return posted(drafts, {each.id: each for each in found if each is not None})

    async def _of_open_incidents(self) -> list[Transition]:
        """However long ago they were opened."""
        opened = await self._store.incidents(open_only=True)
        return [each for incident in opened for each in await self._store.transitions(incident.id)]

    async def _views(self) -> list[ExchangeView]:
        """Of an operator only its own: what it watches beside that is nobody's business."""
        shown = [view for view in await self._store.views() if view.exchange and not view.retired]
        if self._voice.role is Role.OBSERVER:
            return shown
        return [view for view in shown if view.exchange == self._voice.speaks_for]

    def _watched(self, view: ExchangeView, known: Sequence[Case], now: datetime) -> Watched:
        title = view.title or view.exchange.capitalize()
        if self._voice.role is Role.OPERATOR:
            state, changed_at = _posted_state([case for case in known if case.exchange == view.exchange])
            return Watched(exchange=view.exchange, title=title, state=state, changed_at=changed_at)
        told = verdict(view, now)
        state = told.state if self._alive() else ExchangeState.UNKNOWN
        return Watched(exchange=view.exchange, title=title, state=state, changed_at=told.since, windows=view.windows)

    def _title(self, views: Sequence[ExchangeView]) -> str:
        if self._voice.role is Role.OBSERVER or not views:
            return "cexwatch"
        return f"{views[0].title or views[0].exchange.capitalize()} status"

    def _page(self, request: web.Request) -> str:
        return self._voice.external_url or f"{request.scheme}://{request.host}"


def _posted_state(known: Sequence[Case]) -> tuple[ExchangeState, datetime | None]:
    """What an operator's posts say: nothing is told that nobody posted."""
    changed_at = max((case.changed_at for case in known), default=None)
    open_cases = [case for case in known if case.stage is not Stage.RESOLVED]
    if any(case.severity is Severity.CRITICAL for case in open_cases):
        return ExchangeState.HALTED, changed_at
    return (ExchangeState.DEGRADED if open_cases else ExchangeState.OPERATIONAL), changed_at


def _cached(request: web.Request, body: bytes, content_type: str) -> web.Response:
    """The body, or 304 for who has exactly it."""
    etag = hashlib.sha256(body).hexdigest()[:32]
    wanted = request.if_none_match or ()
    is_known = any(each.value in (etag, "*") for each in wanted)
    if is_known:
        response = web.Response(status=304, headers=_HEADERS)
    else:
        response = web.Response(body=body, content_type=content_type, charset="utf-8", headers=_HEADERS)
    response.etag = etag
    return response
