"""Exchanges as they stand now. Past its time a view says nothing of now, and what hangs on it is unknown."""

from datetime import datetime
from http import HTTPStatus

from msgspec import Struct
from msgspec.structs import replace

from monitor.model import (
    BalanceView,
    ExchangeState,
    ExchangeView,
    ExposureView,
    NetworkView,
    RailVerdict,
    RailView,
)
from monitor.model.view import FlowView, StatisticView
from monitor.web import pages
from monitor.web.api.discretion import without_own
from monitor.web.api.maintenance import Window, windows
from monitor.web.api.operation import Asked, Desk, NoQuery
from monitor.web.api.problem import RefusedError
from monitor.web.statistics import ordered
from monitor.web.verdict import SourceNow, VerdictNow, is_stale, verdict


class ExchangeRow(Struct, frozen=True, kw_only=True):
    """An exchange in short. `last_paid_at`: the newest outgoing transaction of its wallets on any network."""

    exchange: str
    title: str
    state: ExchangeState
    since: datetime | None
    stale: bool
    reason: str
    valid_until: datetime | None
    last_paid_at: datetime | None
    last_paid_network: str | None
    paid_5m: int | None
    weight_off: float
    newly_off_24h: int


class Exchanges(Struct, frozen=True, kw_only=True):
    generated_at: datetime
    exchanges: tuple[ExchangeRow, ...]


class ExchangeNow(Struct, frozen=True, kw_only=True):
    """Everything but money. `rails` are the watched ones, `counts` is direction, verdict, rails of the whole list."""

    generated_at: datetime
    at: datetime
    exchange: ExchangeRow
    rails: tuple[RailView, ...]
    counts: dict[str, dict[str, int]]
    networks: tuple[NetworkView, ...]
    stalled_networks: tuple[str, ...]
    statistics: tuple[StatisticView, ...]
    windows: tuple[Window, ...]
    sources: tuple[SourceNow, ...]
    last_trade_at: datetime | None
    statement: str
    statement_at: datetime | None


class Detectors(Struct, frozen=True, kw_only=True):
    """What fires first. `stale`: nothing was read lately, so all of it is as of `at`."""

    exchange: str
    generated_at: datetime
    at: datetime
    stale: bool
    statistics: list[StatisticView]


class Flows(Struct, frozen=True, kw_only=True):
    """Coins at the addresses we know and what came and left; `totals` count from when each asset is watched."""

    exchange: str
    generated_at: datetime
    at: datetime
    stale: bool
    balances: tuple[BalanceView, ...]
    totals: tuple[FlowView, ...]


class Exits(Struct, frozen=True, kw_only=True):
    """What of the user's own can leave now."""

    exchange: str
    generated_at: datetime
    at: datetime
    stale: bool
    exits: tuple[ExposureView, ...]
    exits_in_words: tuple[str, ...]


async def listed(desk: Desk, _: Asked[NoQuery, None]) -> Exchanges:
    now = desk.clock.now()
    rows = tuple(_row(view, now) for view in pages.exchanges(await desk.records.views()))
    return Exchanges(generated_at=now, exchanges=rows)


async def one(desk: Desk, asked: Asked[NoQuery, None]) -> ExchangeNow:
    view, now = await watched(desk, asked.path["name"]), desk.clock.now()
    told = verdict(view, now)
    return ExchangeNow(
        generated_at=now,
        at=view.at,
        exchange=_row(view, now),
        rails=_rails(view, told),
        counts=view.counts,
        networks=view.networks,
        stalled_networks=view.stalled,
        statistics=tuple(ordered(view.statistics)),
        windows=windows(view, now),
        sources=told.sources,
        last_trade_at=view.last_trade_at,
        statement=view.statement,
        statement_at=view.statement_at,
    )


async def verdict_now(desk: Desk, asked: Asked[NoQuery, None]) -> VerdictNow:
    view = without_own(await watched(desk, asked.path["name"]), asked.visitor)
    return verdict(view, desk.clock.now())


async def detectors(desk: Desk, asked: Asked[NoQuery, None]) -> Detectors:
    view, now = await watched(desk, asked.path["name"]), desk.clock.now()
    return Detectors(
        exchange=view.exchange,
        generated_at=now,
        at=view.at,
        stale=is_stale(view, now),
        statistics=ordered(view.statistics),
    )


async def flows(desk: Desk, asked: Asked[NoQuery, None]) -> Flows:
    view, now = await watched(desk, asked.path["name"]), desk.clock.now()
    return Flows(
        exchange=view.exchange,
        generated_at=now,
        at=view.at,
        stale=is_stale(view, now),
        balances=view.balances,
        totals=view.flows,
    )


async def exits(desk: Desk, asked: Asked[NoQuery, None]) -> Exits:
    now, view = desk.clock.now(), without_own(await watched(desk, asked.path["name"]), asked.visitor)
    told = verdict(view, now)
    return Exits(
        exchange=view.exchange,
        generated_at=now,
        at=view.at,
        stale=told.stale,
        exits=told.exits,
        exits_in_words=told.exits_in_words,
    )


async def watched(desk: Desk, name: str) -> ExchangeView:
    """Raises RefusedError for one that is not watched."""
    view = await desk.records.view(name)
    if view is None or view.retired:
        raise RefusedError(HTTPStatus.NOT_FOUND, "this exchange is not watched")
    return view


def _row(view: ExchangeView, now: datetime) -> ExchangeRow:
    told = verdict(view, now)
    paid = [(each.last_outgoing_at, each.network) for each in view.networks if each.last_outgoing_at is not None]
    last_paid_at, network = max(paid, default=(None, None))
    return ExchangeRow(
        exchange=view.exchange,
        title=view.title or view.exchange,
        state=told.state,
        since=told.since,
        stale=told.stale,
        reason=told.reason,
        valid_until=told.valid_until,
        last_paid_at=last_paid_at,
        last_paid_network=network,
        paid_5m=view.paid_5m,
        weight_off=view.weight_off,
        newly_off_24h=view.newly_off_24h,
    )


def _rails(view: ExchangeView, told: VerdictNow) -> tuple[RailView, ...]:
    if not told.stale:
        return view.rails
    return tuple(replace(rail, verdict=RailVerdict.UNKNOWN, since=None, reason=told.reason) for rail in view.rails)
