"""What we know of an exchange, as data, and the probes that follow from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from msgspec import Struct

from monitor.clock import Clock
from monitor.http import Answer, Http
from monitor.probes.answer import Fetch
from monitor.probes.probe import Probe
from monitor.probes.rails import ListProbe, RailReading
from monitor.probes.status_page import INCIDENTS_PATH, SUMMARY_PATH, StatusPageProbe
from monitor.probes.system_status import SystemProbe, SystemReading
from monitor.probes.trades import NewestTrade, TradesProbe

TRADES_SECONDS = 30.0
SYSTEM_SECONDS = 60.0
STATUS_PAGE_SECONDS = 60.0

NEEDS_KEY = "flags need a read-only key; using chain and trades"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A read-only key. Neither part shows in `repr`."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)


Sign = Callable[[str, Credentials, datetime], tuple[str, Mapping[str, str]]]
"""From a path, the credentials and the time: the path with its signed query, and the headers."""


class Listing(Struct, frozen=True, kw_only=True):
    path: str
    probe: str
    interval: float  # seconds
    decode: Callable[[bytes], list[RailReading]]
    sign: Sign | None = None

    @property
    def signed(self) -> bool:
        return self.sign is not None


class Trades(Struct, frozen=True, kw_only=True):
    path: str
    probe: str
    market: str
    decode: Callable[[bytes], NewestTrade]


class System(Struct, frozen=True, kw_only=True):
    path: str
    probe: str
    decode: Callable[[bytes], SystemReading]


class Exchange(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    url: str  # base of its API
    listing: Listing | None
    trades: Trades | None
    system: System | None
    status_page: str | None  # base
    needs_key: str = ""  # what a person is told when flags need a key and none is configured


class _Site(Struct, frozen=True):
    """One exchange as we reach it."""

    exchange: str
    http: Http
    clock: Clock
    allow_private: bool

    def fetch(self, url: str) -> Fetch:
        return partial(self.http.get, url, allow_private=self.allow_private)


def probes_of(
    exchange: Exchange,
    *,
    http: Http,
    clock: Clock,
    url: str | None = None,
    status_page: str | None = None,
    allow_private: bool = False,
    credentials: Credentials | None = None,
    interval: float | None = None,
) -> list[Probe]:
    """The probes that can look; without credentials no signed list is among them.

    `url` and `status_page` replace the exchange's own bases; `status_page=""` reads none. `interval` (seconds) replaces
    the one that suits the size of its list.
    """
    site = _Site(exchange.name, http, clock, allow_private)
    base = (exchange.url if url is None else url).rstrip("/")
    page = exchange.status_page if status_page is None else status_page
    probes: list[Probe] = []
    if exchange.listing is not None and (fetch := _list_fetch(site, base, exchange.listing, credentials)) is not None:
        probes.append(_list_probe(site, fetch, exchange.listing, interval=interval))
    if exchange.trades is not None:
        probes.append(_trades_probe(site, base, exchange.trades))
    if exchange.system is not None:
        probes.append(_system_probe(site, base, exchange.system))
    if page:
        probes.append(_status_page_probe(site, page.rstrip("/")))
    return probes


def _list_fetch(site: _Site, base: str, listing: Listing, credentials: Credentials | None) -> Fetch | None:
    """None where the list needs a key that we do not have."""
    sign = listing.sign
    if sign is None:
        return site.fetch(base + listing.path)
    if credentials is None:
        return None

    async def signed() -> Answer:
        path, headers = sign(listing.path, credentials, site.clock.now())
        return await site.http.get(base + path, headers=headers, allow_private=site.allow_private)

    return signed


def _list_probe(site: _Site, fetch: Fetch, listing: Listing, *, interval: float | None) -> ListProbe:
    return ListProbe(
        fetch,
        site.clock,
        exchange=site.exchange,
        name=listing.probe,
        interval=listing.interval if interval is None else interval,
        decode=listing.decode,
    )


def _trades_probe(site: _Site, base: str, trades: Trades) -> TradesProbe:
    return TradesProbe(
        site.fetch(base + trades.path),
        site.clock,
        exchange=site.exchange,
        name=trades.probe,
        interval=TRADES_SECONDS,
        market=trades.market,
        decode=trades.decode,
    )


def _system_probe(site: _Site, base: str, system: System) -> SystemProbe:
    return SystemProbe(
        site.fetch(base + system.path),
        site.clock,
        exchange=site.exchange,
        name=system.probe,
        interval=SYSTEM_SECONDS,
        decode=system.decode,
    )


def _status_page_probe(site: _Site, base: str) -> StatusPageProbe:
    return StatusPageProbe(
        site.fetch(base + SUMMARY_PATH),
        site.fetch(base + INCIDENTS_PATH),
        site.clock,
        exchange=site.exchange,
        name=f"{site.exchange}-status-page",
        interval=STATUS_PAGE_SECONDS,
    )
