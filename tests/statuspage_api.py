"""The part of Statuspage's management API v1 that makes and updates incidents, on loopback.

As https://developer.statuspage.io has it: an update adds to `incident_updates`, newest first; metadata is kept as it
was given; a resolved incident is in no list of unresolved ones; more than one request a second is refused with 420.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import Self

import msgspec
from aiohttp import web
from msgspec import Struct

from tests.steps import Step, go_on

PAGE = "abc123def456"
KEY = "statuspage-key-canary"
COMPONENTS = ("cmp0withdraw", "cmp1deposits")
STATUSES = ("operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance")
Json = dict[str, object]


class Way(Enum):
    WELL = auto()
    CALM_DOWN = auto()
    TOO_MANY = auto()
    UNAUTHORIZED = auto()
    UNPROCESSABLE = auto()
    HTML = auto()
    EMPTY = auto()
    HANG_AFTER = auto()
    DROP_AFTER = auto()
    DROP_BEFORE = auto()
    NO_JSON_AFTER = auto()


class Kept(Struct):
    id: str
    name: str
    status: str
    metadata: Json
    bodies: list[str]
    components: dict[str, str]
    impact: str | None = None


class StatuspageApi:
    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        self.incidents: list[Kept] = []
        self.writes = 0
        self.ways: list[Way] = []  # of the next writes
        self.list_ways: list[Way] = []  # of the next looks
        self.on_step: Callable[[Step], None] = go_on
        self.too_fast = 0
        self.url = ""
        self._monotonic = monotonic
        self._asked_at = float("-inf")
        self._released = asyncio.Event()
        app = web.Application()
        base = f"/v1/pages/{PAGE}/incidents"
        app.router.add_post(base, self._make)
        app.router.add_get(base, self._all)
        app.router.add_get(f"{base}/unresolved", self._unresolved)
        app.router.add_get(f"{base}/{{id}}", self._one)
        app.router.add_patch(f"{base}/{{id}}", self._update)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._released.set()
        await self._runner.cleanup()

    def texts(self) -> list[str]:
        """Everything that was said, oldest first."""
        return [body for incident in self.incidents for body in incident.bodies]

    async def _make(self, request: web.Request) -> web.StreamResponse:
        refusal = await self._before(request, self.ways, writes=True)
        way, refused = refusal
        if refused is not None:
            return refused
        told = (await request.json())["incident"]
        if not told.get("name") or len(told["name"]) > 255:
            return web.json_response({"error": ["name"]}, status=422)
        kept = Kept(
            id=f"inc{len(self.incidents):09d}", name=told["name"], status="", metadata={}, bodies=[], components={}
        )
        self.incidents.append(kept)
        return await self._applied(request, kept, told, way=way, status=201)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        way, refused = await self._before(request, self.ways, writes=True)
        kept = self._found(request)
        if refused is not None:
            return refused
        if kept is None:
            return web.json_response({"error": "not found"}, status=404)
        return await self._applied(request, kept, (await request.json())["incident"], way=way, status=200)

    async def _applied(
        self, request: web.Request, kept: Kept, told: Json, *, way: Way, status: int
    ) -> web.StreamResponse:
        change = msgspec.convert(told, _Change)
        assert change.status in ("investigating", "identified", "monitoring", "resolved")
        assert set(change.components) == set(change.component_ids) <= set(COMPONENTS)
        assert set(change.components.values()) <= set(STATUSES)
        assert all(type(value) is dict for value in change.metadata.values()), "top-level values are objects"
        kept.status, kept.metadata = change.status, change.metadata
        kept.components |= change.components
        kept.impact = change.impact_override
        kept.bodies.append(change.body)
        self.on_step(Step.TAKEN)
        match way:
            case Way.HANG_AFTER:
                await self._released.wait()
            case Way.DROP_AFTER:
                _drop(request)
            case Way.NO_JSON_AFTER:
                return web.Response(status=status, text="<html>created</html>", content_type="text/html")
            case _:
                pass
        response = web.json_response(_shown(kept), status=status)
        await response.prepare(request)
        await response.write_eof()
        self.on_step(Step.ANSWERED)
        return response

    async def _all(self, request: web.Request) -> web.StreamResponse:
        _, refused = await self._before(request, self.list_ways)
        return refused or web.json_response([_shown(kept) for kept in reversed(self.incidents)])

    async def _unresolved(self, request: web.Request) -> web.StreamResponse:
        _, refused = await self._before(request, self.list_ways)
        shown = [_shown(kept) for kept in reversed(self.incidents) if kept.status != "resolved"]
        return refused or web.json_response(shown)

    async def _one(self, request: web.Request) -> web.StreamResponse:
        _, refused = await self._before(request, self.list_ways)
        kept = self._found(request)
        return refused or (web.json_response(_shown(kept)) if kept else web.json_response({}, status=404))

    def _found(self, request: web.Request) -> Kept | None:
        return next((kept for kept in self.incidents if kept.id == request.match_info["id"]), None)

    async def _before(
        self, request: web.Request, ways: list[Way], *, writes: bool = False
    ) -> tuple[Way, web.StreamResponse | None]:
        self.writes += writes
        if writes:
            self.on_step(Step.RECEIVED)
        now, before = self._monotonic(), self._asked_at
        self._asked_at = now
        if now - before < 0.7:
            self.too_fast += 1
        if request.headers.get("Authorization") != f"OAuth {KEY}":
            return Way.UNAUTHORIZED, web.json_response({"error": "Could not authenticate"}, status=401)
        way = ways.pop(0) if ways else Way.WELL
        match way:
            case Way.CALM_DOWN | Way.TOO_MANY:
                status = 420 if way is Way.CALM_DOWN else 429
                headers = {"Retry-After": "30"} if way is Way.TOO_MANY else {}
                return way, web.json_response({"error": "slow down"}, status=status, headers=headers)
            case Way.UNAUTHORIZED:
                return way, web.json_response({"error": "Could not authenticate"}, status=401)
            case Way.UNPROCESSABLE:
                return way, web.json_response({"error": ["Components are unknown"]}, status=422)
            case Way.HTML:
                return way, web.Response(status=502, text="<html>bad gateway</html>", content_type="text/html")
            case Way.EMPTY:
                return way, web.Response(status=503)
            case Way.DROP_BEFORE:
                _drop(request)
                return way, web.Response(status=503)
            case _:
                return way, None


class _Change(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str = ""
    status: str
    body: str
    deliver_notifications: bool
    metadata: Json
    component_ids: list[str] = []
    components: dict[str, str] = {}
    impact_override: str | None = None


def _shown(kept: Kept) -> Json:
    updates = [{"id": f"upd{n}", "body": body, "status": kept.status} for n, body in enumerate(kept.bodies)]
    return {
        "id": kept.id,
        "name": kept.name,
        "status": kept.status,
        "metadata": kept.metadata,
        "incident_updates": updates[::-1],
    }


def _drop(request: web.Request) -> None:
    transport = request.transport
    assert transport is not None
    transport.abort()
