"""Pages, metrics and health over HTTP. What acts has routes of its own: people who are signed in, and the operator's
software, which signs what it sends.

Pages read the store's projections, never an engine's memory, and need no script and nothing from elsewhere.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import aiohttp_jinja2
import jinja2
from aiohttp import web
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.metrics import Metrics
from monitor.model import SUPPORT, Draft, DraftState, Incident, IncidentKind, Transition
from monitor.people.signing_in import Person
from monitor.reserves.ranking import ranking
from monitor.web import cases, chart, days, money, pages, phrases, rollup, scorecard, spans, statistics
from monitor.web.api.answering import Api
from monitor.web.api.discretion import nameless, readable, without_own, wordless
from monitor.web.api.operation import Decide, Drills, Records, Say
from monitor.web.api.problem import problems
from monitor.web.api.visitor import Visitors, by_machine
from monitor.web.reading import ReadingPages
from monitor.web.scraping import Scraping

HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # without any, browsers say "null" for the Origin of our own forms
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
PAST_INCIDENTS = 8
SHUTDOWN_SECONDS = 2.0


class Projections(Records, Protocol):
    """What the pages ask of the store, beside what the API does."""

    async def incidents(self, *, open_only: bool = False, limit: int = 100) -> Sequence[Incident]: ...
    async def transitions(self, incident_id: str) -> Sequence[Transition]: ...
    async def drafts(self, *, pending_only: bool = False, limit: int = 100) -> Sequence[Draft]: ...
    async def history(self, kinds: Sequence[IncidentKind], *, since: datetime) -> Sequence[Incident]: ...
    async def began(self) -> datetime | None: ...


class Faces:
    """The handlers. `alive` says that the loop and the pipeline turn, `ready` why the daemon is not ready yet.

    `doubt` tells why what is shown may be old, "" where it is not.
    `config_sha256` is of what the engines judge by; None where nothing was applied yet. `person`
    and, for the API, `callers` tell who asks, `decide` what becomes of a word on a draft, `say` of any other.
    """

    def __init__(
        self,
        store: Projections,
        *,
        drills: Drills,
        metrics: Metrics,
        clock: Clock,
        alive: Callable[[], bool],
        silent: Callable[[], list[str]],
        ready: Callable[[], str | None],
        doubt: Callable[[], str],
        config_sha256: Callable[[], str | None],
        person: Callable[[web.Request], Awaitable[Person | None]],
        callers: Visitors,
        decide: Decide,
        say: Say,
    ) -> None:
        self._store = store
        self.scraping = Scraping(metrics, clock)
        self._drills = drills
        self._clock = clock
        self._alive = alive
        self._ready = ready
        self._doubt = doubt
        self._silent = silent
        self._person = person
        self._callers = callers
        self.api = Api(
            store,
            drills=drills,
            clock=clock,
            alive=alive,
            ready=ready,
            config_sha256=config_sha256,
            visitors=callers,
            decide=decide,
            say=say,
        )
        self.reading = ReadingPages(store, clock=clock, show=self.page)

    async def health(self, _: web.Request) -> web.Response:
        if not self._alive():
            return web.Response(text="the pipeline does not turn\n", status=503)
        if silent := self._silent():
            return web.Response(text=f"silent: {', '.join(silent)}\n", status=503)
        return web.Response(text="alive\n")

    async def readiness(self, _: web.Request) -> web.Response:
        reason = self._ready()
        return web.Response(text="ready\n") if reason is None else web.Response(text=f"{reason}\n", status=503)

    async def status(self, request: web.Request) -> web.Response:
        incidents = await self._shown_to(request, await self._store.incidents())
        views = pages.exchanges(await self._store.views())
        context = {
            "views": views,
            "incidents": cases.open_incidents(incidents),
            "past": [incident for incident in incidents if incident.resolved_at is not None][:PAST_INCIDENTS],
            "drafts": readable(await self._waiting(), await self._callers(request)),
            "planned": pages.planned(views),
            "reserves": chart.lines(ranking(views)),
            "bars": days.bars(views, await self._past(), began=await self._store.began(), now=self._clock.now()),
        }
        return await self.page(request, "status.html", context)

    async def _waiting(self) -> list[Draft]:
        """The texts that a person is asked about; answers of support are copied, and wait for nobody."""
        return [draft for draft in await self._store.drafts(pending_only=True) if draft.channel != SUPPORT]

    async def exchange(self, request: web.Request) -> web.Response:
        view = await self._store.view(request.match_info["name"])
        if view is None:
            return await self._missing(request, "exchange")
        view = without_own(view, await self._callers(request))
        opened = await self._shown_to(request, await self._store.incidents(open_only=True))
        incidents = cases.open_incidents(each for each in opened if each.exchange == view.exchange)
        began, now = await self._store.began(), self._clock.now()
        bars = days.rail_bars(view, await self._past(), began=began, now=now)
        context = {"view": view, "incidents": incidents, "opened": opened, "bars": bars}
        return await self.page(request, "exchange.html", context)

    async def incident(self, request: web.Request) -> web.Response:
        incident = await self._store.incident(request.match_info["id"])
        if incident is None:
            return await self._drill(request)
        drafts = [draft for draft in await self._store.drafts() if draft.incident == incident.id]
        transitions = await self._store.transitions(incident.id)
        if not await self._is_insider(request):
            incident, transitions = nameless(incident), [wordless(each) for each in transitions]
        context = {
            "incident": incident,
            "opened": await self._store.incidents(open_only=True),
            "steps": cases.steps(transitions),
            "posted": [draft for draft in reversed(drafts) if draft.state is DraftState.POSTED],
            "drafts": readable(drafts, await self._callers(request)),
        }
        return await self.page(request, "incident.html", context)

    async def _drill(self, request: web.Request) -> web.Response:
        """A drill by its name, for insiders; nobody else learns that there is one."""
        drill = await self._drills.one(request.match_info["id"])
        if drill is None or not await self._is_insider(request):
            return await self._missing(request, "incident")
        steps = cases.steps(await self._drills.steps(drill.incident.id))
        return await self.page(request, "drill.html", {"drill": drill, "incident": drill.incident, "steps": steps})

    async def reserves(self, request: web.Request) -> web.Response:
        views = await self._store.views()
        ranked = ranking(views)
        context = {"ranked": ranked, "lines": chart.lines(ranked), "unread": money.unread_exchanges(views)}
        return await self.page(request, "reserves.html", context)

    async def _shown_to(self, request: web.Request, incidents: Sequence[Incident]) -> Sequence[Incident]:
        return incidents if await self._is_insider(request) else [nameless(each) for each in incidents]

    async def _is_insider(self, request: web.Request) -> bool:
        return await self._person(request) is not None or (await by_machine(request)).is_insider

    async def _past(self) -> Sequence[Incident]:
        return await self._store.history(list(days.KINDS), since=self._clock.now() - timedelta(days=days.DAYS))

    async def _missing(self, request: web.Request, what: str) -> web.Response:
        return await self.page(request, "missing.html", {"what": what}, status=404)

    async def page(
        self, request: web.Request, template: str, context: Mapping[str, object], *, status: int = 200
    ) -> web.Response:
        """A template in the frame that all pages have: who is named how, what casts doubt, and the time."""
        now = self._clock.now()
        views = await self._store.views()
        titles = {view.exchange: view.title for view in views}
        world = next((view for view in views if not view.exchange), None)
        if world is not None and not await self._is_insider(request):
            world = replace(world, hold=None, silences=())  # why and by whom is not for everybody
        held = await self._store.held()
        not_ready = (self._ready() or self._doubt() or None) if self._alive() else "the pipeline does not turn"
        banners = pages.banners(world, not_ready=not_ready, held=held, now=now)
        person = await self._person(request)
        shown = {**context, "now": now, "titles": titles, "banners": banners, "person": person, "here": request.path}
        response = aiohttp_jinja2.render_template(template, request, shown, status=status)
        response.headers["Cache-Control"] = "no-store"
        return response


class _Compiled(jinja2.BytecodeCache):
    """Templates compiled once in a process, however many applications serve them."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        kept = self._kept.get(bucket.key + bucket.checksum)
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self._kept[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def application(faces: Faces, *, version: str, routes: Iterable[web.RouteDef] = ()) -> web.Application:
    """The routes of the pages, and those that others bring."""
    app = web.Application(middlewares=[problems])
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_COMPILED,
    )
    rooms = {
        "cases": cases,
        "scorecard": scorecard,
        "pages": pages,
        "phrases": phrases,
        "money": money,
        "rollup": rollup,
        "spans": spans,
        "statistics": statistics,
    }
    environment.globals.update(rooms, version=version)
    app.router.add_get("/", faces.status)
    app.router.add_get("/exchanges/{name}", faces.exchange)
    app.router.add_get("/incidents/{id}", faces.incident)
    app.router.add_get("/reserves", faces.reserves)
    app.router.add_get("/metrics", faces.scraping.answer)
    for path in ("/healthz", "/-/healthy"):
        app.router.add_get(path, faces.health)
    for path in ("/readyz", "/-/ready"):
        app.router.add_get(path, faces.readiness)
    app.router.add_static("/static/", HERE / "static")
    app.add_routes([*faces.api.routes(), *faces.reading.routes(), *routes])
    served = {resource.canonical for resource in app.router.resources()}
    environment.globals.update(served=served)  # a page links only to what there is
    app.on_response_prepare.append(_secure)
    return app


@asynccontextmanager
async def serving(app: web.Application, *, host: str, port: int) -> AsyncIterator[str]:
    """Serve while the context is open; yields the address, with the port that was free if `port` is 0.

    Raises OSError where the address cannot be taken.
    """
    # Bodies stay as they were sent: a few packed bytes unpack to gigabytes before any handler could refuse them.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, auto_decompress=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        taken = runner.addresses[0][1]
        yield f"http://{host}:{taken}"
    finally:
        await runner.cleanup()


async def _secure(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
