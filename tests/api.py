"""The real server over a real store with something in it, for tests of the API."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.model import (
    Change,
    Draft,
    DraftState,
    Evidence,
    ExchangeState,
    ExchangeView,
    Incident,
    Output,
    Severity,
    Stage,
    Transition,
)
from monitor.model.view import WindowView
from monitor.store import Step, Store
from monitor.web.api.answering import Api
from monitor.web.api.operation import Operation
from monitor.web.api.operations import OPERATIONS
from monitor.web.api.problem import problems
from monitor.web.api.visitor import Visitor, Visitors
from monitor.web.server import serving
from tests.server.store_samples import at, draft, incident, opened, reading, transition
from tests.visitors import undecided, unheard

HALT = "kraken-withdrawal_halt-20260203T140000Z"


async def insider(_: web.Request) -> Visitor:
    return Visitor(name="dana", is_insider=True)


async def outsider(_: web.Request) -> Visitor:
    return Visitor()


@asynccontextmanager
async def served(
    store: Store,
    clock: Clock,
    *,
    visitors: Visitors = insider,
    operations: Sequence[Operation[Any, Any, Any]] = OPERATIONS,
) -> AsyncIterator[aiohttp.ClientSession]:
    api = Api(
        store,
        drills=store.drills,
        clock=clock,
        alive=lambda: True,
        ready=lambda: None,
        config_sha256=lambda: "ab" * 32,
        visitors=visitors,
        decide=undecided,
        say=unheard,
        operations=operations,
    )
    app = web.Application(middlewares=[problems])
    app.add_routes(api.routes())
    async with serving(app, host="127.0.0.1", port=0) as url, aiohttp.ClientSession(url) as session:
        yield session


@asynccontextmanager
async def filled(path: Path, view: ExchangeView) -> AsyncIterator[Store]:
    """A store with an exchange, one halt told in several steps with drafts in every state, and older incidents."""
    told: tuple[Output, ...] = (*cases(), *steps(), *drafts())
    async with opened(path) as store:
        await store.commit([Step(reading(1), told)], views=[view, replace(view, exchange="okx", title="OKX")])
        yield store


def cases() -> list[Incident]:
    halt = replace(
        incident(HALT, Stage.IDENTIFIED),
        acknowledged_by="dana",
        notes=("14:02 UTC dana: call treasury",),
        since=at(-60),
    )
    older = [replace(incident(f"old-{n}", Stage.RESOLVED, opened=-100 * n), severity=Severity.WARNING) for n in (1, 2)]
    return [halt, *older]


def steps() -> list[Transition]:
    first, second = (
        Evidence(at=at(n), probe="kraken-assets", source="api", rail="BTC@bitcoin", value=f"suspended {n}")
        for n in (1, 2)
    )
    begun = replace(transition(HALT, Change.OPENED), evidence=(first,))
    grown = replace(transition(HALT, Change.UPDATED, seconds=2), evidence=(first, second), summary="note by dana: hush")
    seen = replace(transition(HALT, Change.ACKNOWLEDGED, seconds=3), evidence=(first, second), summary="by dana")
    return [begun, grown, seen]


def drafts() -> list[Draft]:
    return [replace(draft(f"d-{state}", state), incident=HALT, decided_by="dana") for state in DraftState]


WINDOW = WindowView(starts_at=at(3600), ends_at=at(7200), scope=("*",), source="operator", actor="dana", name="hush")
VIEW = ExchangeView(
    exchange="kraken",
    at=at(0),
    withdrawals=ExchangeState.HALTED,
    since=at(-60),
    reason="nothing left",
    windows=(WINDOW,),
)
