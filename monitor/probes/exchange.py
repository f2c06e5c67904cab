"""What we know of an exchange, as data, and the probes that follow from it."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.http import Answer, Http
from monitor.http.limits import REQUESTS_PER_SECOND, Weight
from monitor.model import Rail
from monitor.probes import feeds
from monitor.probes.account import Account, Call, Credentials, Method, Rights, ServerTime, Sign
from monitor.probes.announcements import AnnouncementsProbe, Feed
from monitor.probes.answer import Endpoint, Heed
from monitor.probes.exposure import FUNDS_SECONDS, Funds, FundsProbe
from monitor.probes.history import HistoryProbe, Withdrawal
from monitor.probes.listing import ListProbe
from monitor.probes.probe import Probe
from monitor.probes.rails import Decode
from monitor.probes.status_page import INCIDENTS_PATH, SUMMARY_PATH, StatusPageProbe
from monitor.probes.system_status import SystemProbe, SystemReading
from monitor.probes.trades import NewestTrade, TradesProbe

TRADES_SECONDS = 30.0
SYSTEM_SECONDS = 60.0
STATUS_PAGE_SECONDS = 60.0
ANNOUNCEMENTS_SECONDS = 60.0
HISTORY_SECONDS = 60.0


class Listing(Struct, frozen=True, kw_only=True):
    """A list of rails. `where` and `rule` tell a person how a state comes about."""

    path: str
    probe: str
    interval: float  # seconds
    decode: Decode
    where: str  # where a rail's flag is in the answer, with {asset} and {word} of the network
    rule: str  # as `withdrawEnable == false is suspended`
    signed: bool = False
    method: Method = "GET"


class Trades(Struct, frozen=True, kw_only=True):
    path: str
    probe: str
    market: str
    decode: Callable[[bytes], NewestTrade]
    url: str = ""  # base, where it is not the exchange's: perpetuals often have a host of their own


class System(Struct, frozen=True, kw_only=True):
    path: str
    probe: str
    decode: Callable[[bytes], SystemReading]


class History(Struct, frozen=True, kw_only=True):
    """The holder's own withdrawals, signed."""

    path: str
    probe: str
    decode: Callable[[bytes], list[Withdrawal]]
    method: Method = "GET"


class Exchange(Struct, frozen=True, kw_only=True):
    name: str
    title: str
    url: str  # base of its API
    lists: tuple[Listing, ...] = ()
    trades: tuple[Trades, ...] = ()
    system: System | None = None
    status_page: str | None = None  # base
    feed: Feed | None = None
    history: History | None = None
    funds: Funds | None = None
    sign: Sign | None = None
    rights: Rights | None = None
    server_time: ServerTime | None = None
    passphrase: bool = False  # its keys have a third part
    per_second: float = REQUESTS_PER_SECOND  # at most half of what it allows
    weight: Weight | None = None  # what it says of our use in its headers
    own_tokens: tuple[str, ...] = ()  # that it issued itself
    live_addresses: str = ""  # where it publishes the addresses of its reserves
    account_lock: str = ""  # what it offers a user to lock withdrawals with
    traps: tuple[str, ...] = ()  # what its answers do not mean

    def spoken_by(self, name: str, *, title: str) -> "Exchange":
        """Another exchange with this one's API: its probes carry its own name."""

        def named(probe: str) -> str:
            return f"{name}{probe.removeprefix(self.name)}"

        return replace(
            self,
            name=name,
            title=title,
            lists=tuple(replace(listing, probe=named(listing.probe)) for listing in self.lists),
            trades=tuple(replace(trades, probe=named(trades.probe)) for trades in self.trades),
            system=None if self.system is None else replace(self.system, probe=named(self.system.probe)),
            history=None if self.history is None else replace(self.history, probe=named(self.history.probe)),
            funds=None if self.funds is None else replace(self.funds, probe=named(self.funds.probe)),
            feed=None,
        )

    @property
    def hosts(self) -> list[str]:
        """Those that are asked with its budget."""
        urls = [self.url, *(trades.url for trades in self.trades)]
        return sorted({host for url in urls if (host := urlsplit(url).hostname)})

    @property
    def needs_key(self) -> str:
        """What a person is told when flags need a key and none is configured."""
        if not self.lists or any(not listing.signed for listing in self.lists):
            return ""
        page = ", trades and status page" if self.status_page is not None else " and trades"
        return f"flags need a read-only key; using chain{page}"


class Own(Struct, frozen=True, kw_only=True):
    """What a person sets of an exchange: `url`, `perpetual_url`, `status_page` replace its own bases, `announcements`
    (an RSS or Atom feed) its own list.

    With `url` alone, what is on another host is not asked; "" reads no status page or list. `interval` is in seconds.
    """

    url: str | None = None
    perpetual_url: str | None = None
    status_page: str | None = None
    announcements: str | None = None
    interval: float | None = None
    allow_private: bool = False
    credentials: Credentials | None = None
    history: bool = False
    funds: bool = False
    frozen_until: datetime | None = None
    watched: Collection[Rail] = ()


AS_IT_COMES = Own()


def probes_of(exchange: Exchange, *, http: Http, clock: Clock, own: Own = AS_IT_COMES) -> list[Probe]:
    """The probes that can look; without credentials nothing signed is among them."""
    site = _Site(exchange, http=http, clock=clock, own=own)
    page = exchange.status_page if own.status_page is None else own.status_page
    probes: list[Probe] = []
    for listing in exchange.lists:
        ask = site.asking(Call(path=listing.path, method=listing.method), signed=listing.signed)
        if ask is not None:
            probes.append(site.list_probe(listing, ask))
    for trades in exchange.trades:
        base = site.base_of(trades)
        if base is not None:
            probes.append(site.trades_probe(trades, base + trades.path))
    if exchange.system is not None:
        probes.append(site.system_probe(exchange.system))
    if page:
        probes.append(site.status_page_probe(page.rstrip("/")))
    feed = _feed_of(exchange, own)
    if feed is not None:
        probes.append(site.announcements_probe(feed))
    history = exchange.history
    if own.history and history is not None:
        ask = site.asking(Call(path=history.path, method=history.method), signed=True)
        if ask is not None:
            probes.append(site.history_probe(history, ask))
    funds = exchange.funds
    if own.funds and funds is not None:
        ask = site.asking(Call(path=funds.path, method=funds.method), signed=True)
        if ask is not None:
            probes.append(site.funds_probe(funds, ask))
    return probes


def _feed_of(exchange: Exchange, own: Own) -> Feed | None:
    if own.announcements is None:
        return exchange.feed if own.url is None else None
    name, url = f"{exchange.name}-announcements", own.announcements
    return Feed(url=url, probe=name, decode=partial(feeds.posts, base=url)) if url else None


Ask = Callable[[], Awaitable[Answer]]


class _Site:
    """One exchange as we reach it."""

    def __init__(self, exchange: Exchange, *, http: Http, clock: Clock, own: Own) -> None:
        self._exchange = exchange
        self._http = http
        self._clock = clock
        self._own = own
        self._base = (exchange.url if own.url is None else own.url).rstrip("/")
        self._account = self._opened()

    def _opened(self) -> Account | None:
        exchange, own = self._exchange, self._own
        if exchange.sign is None or own.credentials is None:
            return None
        return Account(
            self._http,
            self._clock,
            base=self._base,
            allow_private=own.allow_private,
            credentials=own.credentials,
            sign=exchange.sign,
            rights=exchange.rights,
            server_time=exchange.server_time,
        )

    def asking(self, call: Call, *, signed: bool) -> Ask | None:
        """None where it needs a key that we do not have."""
        if not signed:
            return self._getting(self._base + call.path)
        return None if self._account is None else partial(self._account.ask, call)

    def base_of(self, trades: Trades) -> str | None:
        if not trades.url:
            return self._base
        if self._own.perpetual_url is not None:
            return self._own.perpetual_url.rstrip("/")
        return trades.url if self._own.url is None else None

    def list_probe(self, listing: Listing, ask: Ask) -> ListProbe:
        interval = listing.interval if self._own.interval is None else self._own.interval
        return ListProbe(
            Endpoint(ask, self._heeding(signed=listing.signed), interval=interval),
            self._clock,
            exchange=self._exchange.name,
            name=listing.probe,
            interval=interval,
            decode=listing.decode,
            watched=self._own.watched,
        )

    def trades_probe(self, trades: Trades, url: str) -> TradesProbe:
        return TradesProbe(
            self._endpoint(self._getting(url), url, interval=TRADES_SECONDS),
            self._clock,
            exchange=self._exchange.name,
            name=trades.probe,
            interval=TRADES_SECONDS,
            market=trades.market,
            decode=trades.decode,
        )

    def system_probe(self, system: System) -> SystemProbe:
        url = self._base + system.path
        return SystemProbe(
            self._endpoint(self._getting(url), url, interval=SYSTEM_SECONDS),
            self._clock,
            exchange=self._exchange.name,
            name=system.probe,
            interval=SYSTEM_SECONDS,
            decode=system.decode,
        )

    def status_page_probe(self, page: str) -> StatusPageProbe:
        summary, incidents = page + SUMMARY_PATH, page + INCIDENTS_PATH
        return StatusPageProbe(
            self._endpoint(self._getting(summary), summary, interval=STATUS_PAGE_SECONDS),
            self._endpoint(self._getting(incidents), incidents, interval=STATUS_PAGE_SECONDS),
            self._clock,
            exchange=self._exchange.name,
            name=f"{self._exchange.name}-status-page",
            interval=STATUS_PAGE_SECONDS,
        )

    def announcements_probe(self, feed: Feed) -> AnnouncementsProbe:
        return AnnouncementsProbe(
            self._endpoint(self._getting(feed.url), feed.url, interval=ANNOUNCEMENTS_SECONDS),
            self._clock,
            exchange=self._exchange.name,
            name=feed.probe,
            interval=ANNOUNCEMENTS_SECONDS,
            decode=feed.decode,
        )

    def history_probe(self, history: History, ask: Ask) -> HistoryProbe:
        return HistoryProbe(
            Endpoint(ask, self._heeding(signed=True), interval=HISTORY_SECONDS),
            self._clock,
            exchange=self._exchange.name,
            name=history.probe,
            interval=HISTORY_SECONDS,
            decode=history.decode,
            frozen_until=self._own.frozen_until,
        )

    def funds_probe(self, funds: Funds, ask: Ask) -> FundsProbe:
        return FundsProbe(
            Endpoint(ask, self._heeding(signed=True), interval=FUNDS_SECONDS),
            self._clock,
            exchange=self._exchange.name,
            name=funds.probe,
            interval=FUNDS_SECONDS,
            decode=funds.decode,
        )

    def _heeding(self, *, signed: bool) -> Heed:
        if signed and self._account is not None:
            return self._account.heed
        return partial(self._http.heed, self._base)

    def _getting(self, url: str) -> Ask:
        return partial(self._http.get, url, allow_private=self._own.allow_private)

    def _endpoint(self, ask: Ask, url: str, *, interval: float) -> Endpoint:
        return Endpoint(ask, partial(self._http.heed, url), interval=interval)
