"""How a look came to its states: what each probe asked and got, and which word of which answer decided each rail.

Pure: made of the registry, the configuration, the views and the lines that the probes journaled.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from monitor.config import ExchangeSettings
from monitor.model import Direction, ExchangeView, ProbeView, RailState, RailStatus, RailVerdict, RailView, Source
from monitor.probes.exchange import Exchange, Listing
from monitor.probes.networks import our_network
from monitor.probes.status_page import SUMMARY_PATH

NO_KEY = "it needs a read-only key and none is configured"
ANY = "*"
PAGE_PATH = "components[name={word}].status"
PAGE_RULE = (
    "major_outage is suspended, under_maintenance maintenance, degraded_performance and partial_outage are delayed"
)
RANKS = (Source.API, Source.SYSTEM_STATUS, Source.STATUS_PAGE, Source.ANNOUNCEMENT)
VERDICTS = (
    RailVerdict.SUSPENDED,
    RailVerdict.MAINTENANCE,
    RailVerdict.DISPUTED,
    RailVerdict.DELAYED,
    RailVerdict.UNKNOWN,
    RailVerdict.UNLISTED,
    RailVerdict.OPEN,
)


class Result(StrEnum):
    FAILED = "failed"
    IN_PART = "in part"
    NOT_ASKED = "not asked"
    OK = "ok"


class Asked(Struct, frozen=True, kw_only=True):
    """A probe: what it asks, with which key, and what came of it."""

    probe: str
    endpoint: str = ""  # method and URL without what signs it; "" for probes that read a chain or your own systems
    key: Literal["not needed", "configured", "missing"] = "not needed"
    rule: str = ""
    result: Result
    read_at: datetime | None = None
    detail: str = ""  # why not


class Word(Struct, frozen=True, kw_only=True):
    """What one source says of a rail."""

    probe: str
    source: Source
    says_of: str  # the rail, or the asset as a whole: "USDT@*"
    state: RailState
    raw: str
    path: str  # in its answer, "" where that is not known
    decides: bool
    why: str


class Explained(Struct, frozen=True, kw_only=True):
    asset: str
    network: str
    direction: Direction
    verdict: RailVerdict
    reason: str  # why it is unknown
    words: tuple[Word, ...]  # the one that decides first


class Explanation(Struct, frozen=True, kw_only=True):
    exchange: str
    probes: tuple[Asked, ...]  # those that fail first
    rails: tuple[Explained, ...]  # the worst first


def explain(
    view: ExchangeView, *, exchange: Exchange, settings: ExchangeSettings, statuses: Sequence[RailStatus]
) -> Explanation:
    """`statuses`: what the exchange's lists told in this look, all rails of them."""
    listings = {listing.probe: listing for listing in exchange.lists}
    mine = [status for status in statuses if status.exchange == view.exchange]
    rails = (_explained(rail, mine, listings) for rail in view.rails)
    return Explanation(
        exchange=view.exchange,
        probes=tuple(sorted(_asked(view, exchange, settings), key=lambda asked: list(Result).index(asked.result))),
        rails=tuple(
            sorted(rails, key=lambda rail: (VERDICTS.index(rail.verdict), rail.direction is Direction.DEPOSIT))
        ),
    )


def network_word(status: RailStatus) -> str:
    """The exchange's own word for the network, which its raw word begins with: `TRX` of `TRX withdraw_disabled`."""
    if status.source is Source.STATUS_PAGE:
        return status.raw if status.state is RailState.OPEN else status.raw.rpartition(": ")[0]
    parts = status.raw.split(" ")
    beginnings = (" ".join(parts[:number]) for number in range(len(parts), 0, -1))
    return next((word for word in beginnings if our_network(word) == status.network), parts[0])


def planned(exchange: Exchange, settings: ExchangeSettings) -> list[Asked]:
    """What the exchange would be asked, as it is configured; nothing was asked yet."""
    base = (settings.url or exchange.url).rstrip("/")
    has_key = settings.api_key is not None and exchange.sign is not None
    return [
        *_lists(exchange, base=base, has_key=has_key),
        *_trades(exchange, settings, base=base),
        *_said(exchange, settings, base=base),
        *_history(exchange, settings, base=base, has_key=has_key),
    ]


def _lists(exchange: Exchange, *, base: str, has_key: bool) -> Iterator[Asked]:
    for listing in exchange.lists:
        yield Asked(
            probe=listing.probe,
            endpoint=f"{listing.method} {base}{listing.path}",
            key=_key(needed=listing.signed, has_key=has_key),
            rule=listing.rule,
            result=Result.NOT_ASKED,
            detail=NO_KEY if listing.signed and not has_key else "",
        )


def _trades(exchange: Exchange, settings: ExchangeSettings, *, base: str) -> Iterator[Asked]:
    for trades in exchange.trades:
        elsewhere = settings.perpetual_url or (trades.url if settings.url is None else "")
        host = elsewhere.rstrip("/") if trades.url else base
        detail = "" if host else "with `url` set, only that host is asked: set `perpetual_url` too"
        endpoint = f"GET {host or trades.url}{trades.path}"
        yield Asked(probe=trades.probe, endpoint=endpoint, result=Result.NOT_ASKED, detail=detail)


def _said(exchange: Exchange, settings: ExchangeSettings, *, base: str) -> Iterator[Asked]:
    system, feed = exchange.system, exchange.feed
    page = exchange.status_page if settings.status_page is None else settings.status_page
    if system is not None:
        yield Asked(probe=system.probe, endpoint=f"GET {base}{system.path}", result=Result.NOT_ASKED)
    if page:
        endpoint = f"GET {page.rstrip('/')}{SUMMARY_PATH}"
        probe = f"{exchange.name}-status-page"
        yield Asked(probe=probe, endpoint=endpoint, rule=PAGE_RULE, result=Result.NOT_ASKED)
    if feed is not None and settings.announcements != "":
        own = settings.announcements or ""
        url = own.partition("?")[0] or feed.url  # a feed of one's own may have its token in the query
        yield Asked(probe=feed.probe, endpoint=f"GET {url}", result=Result.NOT_ASKED)


def _history(exchange: Exchange, settings: ExchangeSettings, *, base: str, has_key: bool) -> Iterator[Asked]:
    history = exchange.history
    if history is None:
        return
    off = "" if settings.withdrawal_history else "`withdrawal_history: true` reads it"
    yield Asked(
        probe=history.probe,
        endpoint=f"{history.method} {base}{history.path}",
        key=_key(needed=True, has_key=has_key),
        result=Result.NOT_ASKED,
        detail=off or ("" if has_key else NO_KEY),
    )


def _key(*, needed: bool, has_key: bool) -> Literal["not needed", "configured", "missing"]:
    if not needed:
        return "not needed"
    return "configured" if has_key else "missing"


def _asked(view: ExchangeView, exchange: Exchange, settings: ExchangeSettings) -> Iterator[Asked]:
    seen = {probe.probe: probe for probe in view.probes}
    for asked in planned(exchange, settings):
        probe = seen.pop(asked.probe, None)
        yield asked if probe is None else _with(asked, probe)
    for probe in seen.values():
        yield _with(Asked(probe=probe.probe, result=Result.OK), probe)


def _with(asked: Asked, probe: ProbeView) -> Asked:
    if probe.failing_since is not None:
        detail = f"{probe.reason}: {probe.detail}"
        return replace(asked, result=Result.FAILED, read_at=probe.last_success_at, detail=detail)
    if probe.unread:
        detail = f"{probe.unread} unreadable: {probe.unread_detail}"
        return replace(asked, result=Result.IN_PART, read_at=probe.last_success_at, detail=detail)
    return replace(asked, result=Result.OK, read_at=probe.last_success_at, detail="")


def _explained(rail: RailView, statuses: Iterable[RailStatus], listings: Mapping[str, Listing]) -> Explained:
    told = list(_about(rail, statuses))
    deciding = _deciding(rail, told)
    words = [_word(rail, status, deciding, told, listings) for status in told]
    return Explained(
        asset=rail.asset,
        network=rail.network,
        direction=rail.direction,
        verdict=rail.verdict,
        reason=rail.reason,
        words=tuple(sorted(words, key=lambda word: (not word.decides, RANKS.index(word.source), word.probe))),
    )


def _about(rail: RailView, statuses: Iterable[RailStatus]) -> Iterator[RailStatus]:
    """The words on a rail; one on its asset only from a list that names no network of it."""
    mine = [s for s in statuses if s.asset == rail.asset and s.direction is rail.direction]
    networked = {status.probe: None for status in mine if status.network != ANY}
    for status in mine:
        if status.network == rail.network or (status.network == ANY and status.probe not in networked):
            yield status


def _deciding(rail: RailView, told: Iterable[RailStatus]) -> RailStatus | None:
    if rail.verdict is RailVerdict.UNKNOWN:
        return None
    return next((status for status in told if status.probe == rail.probe), None)


def _word(
    rail: RailView,
    status: RailStatus,
    deciding: RailStatus | None,
    told: Sequence[RailStatus],
    listings: Mapping[str, Listing],
) -> Word:
    return Word(
        probe=status.probe,
        source=status.source,
        says_of=f"{status.asset}@{status.network}",
        state=status.state,
        raw=status.raw,
        path=_path(status, listings),
        decides=status is deciding,
        why=_why(rail, status, deciding, told),
    )


def _path(status: RailStatus, listings: Mapping[str, Listing]) -> str:
    listing = listings.get(status.probe)
    if listing is not None:
        where = listing.where
    elif status.source is Source.STATUS_PAGE:
        where = PAGE_PATH
    else:
        return ""
    path = where.replace("{asset}", status.asset).replace("{word}", network_word(status))
    # A listing tells where the way out is; the way in has a field of its own there, or the same.
    return path if status.direction is Direction.WITHDRAWAL else f"in the same row as {path}"


def _why(rail: RailView, status: RailStatus, deciding: RailStatus | None, told: Sequence[RailStatus]) -> str:
    """Why a word decides or does not: rank among those that speak of the same, then the worse of rail and asset."""
    if deciding is None:
        return rail.reason
    is_alike = (status.network == ANY) == (deciding.network == ANY)
    rank, best = RANKS.index(status.source), RANKS.index(deciding.source)
    if status is not deciding:
        if is_alike and rank > best:
            return f"{status.source} ranks below {deciding.source}"
        if status.state == deciding.state:
            return "says the same"
        return "less bad" if is_alike else "less bad, and the worse of network and asset holds"
    if len(told) == 1:
        return "the only source"
    others = [other for other in told if other is not deciding]
    if all((other.network == ANY) == (deciding.network == ANY) for other in others):
        return f"the best rank, {deciding.source}"
    return "the worse of what is said of the network and of the asset"
