"""What coins are worth in US dollars, as several independent places say. Each is a claim: the median is made elsewhere.

What is null, zero, no number or older than a quarter of an hour is left out: no price is better than a wrong one.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Annotated

import msgspec
from msgspec import Struct

from monitor.clock import Clock
from monitor.model import FailureReason, Price, Reading, RemoteError
from monitor.probes.answer import Endpoint, decode

MARKET = ("BTC", "ETH")
"""Told at every look: the market around an incident is made of their minutes."""
MOVED = Decimal("0.001")
RETOLD = timedelta(minutes=5)
STALE = timedelta(minutes=15)
_HIGHEST = Decimal(10) ** 12
_LOWEST = Decimal(10) ** -18
_PRICE = re.compile(r"[0-9]{1,13}(\.[0-9]{1,80})?([eE][-+]?[0-9]{1,3})?", re.ASCII)
_DIGITS = Context(prec=10)
_KRAKEN = re.compile(r"X(?P<old>[A-Z]{3})ZUSD|(?P<tether>USDT)ZUSD|(?P<new>[A-Z0-9]+)USD")
_KRAKEN_WORDS = {"XBT": "BTC", "XDG": "DOGE"}
_BITFINEX_WORDS = {"UST": "USDT", "UDC": "USDC"}


_Told = str | float | None
"""A price as it comes: one that is none costs itself, never the whole answer."""


class Quoted(Struct, frozen=True):
    """A price in US dollars as a source writes it, and its time where it tells one."""

    usd: Decimal
    at: datetime | None = None


class PriceSource(Struct, frozen=True, kw_only=True):
    """A place that tells prices without a key. `decode` gives what can be read of an answer, by asset."""

    url: str
    path: str
    decode: Callable[[bytes], Mapping[str, Quoted]]


class _KrakenAnswer(Struct):
    error: list[str] = []
    result: dict[str, msgspec.Raw] = {}


class _KrakenTicker(Struct):
    c: tuple[_Told, _Told]  # last trade: price, volume


class _Rates(Struct):
    rates: dict[str, _Told]


class _Coinbase(Struct):
    data: _Rates


class _Bitstamp(Struct):
    pair: str
    last: _Told = None
    timestamp: str | None = None


class _Gemini(Struct):
    pair: str
    price: _Told = None


class _Usd(Struct):
    price: _Told = None


class _Quotes(Struct):
    usd: _Usd | None = msgspec.field(default=None, name="USD")


class _Paprika(Struct):
    symbol: str
    rank: Annotated[int, msgspec.Meta(ge=0)]
    quotes: _Quotes
    last_updated: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


def kraken(body: bytes) -> dict[str, Quoted]:
    """`GET /0/public/Ticker`: `XXBTZUSD`, `SOLUSD`; assets of the first days have an X before them and USD a Z."""
    answer = decode(body, _KrakenAnswer)
    if answer.error:
        raise RemoteError(FailureReason.SCHEMA, f"it says {answer.error[0][:100]}")
    told: dict[str, _Told] = {}
    for pair, raw in answer.result.items():
        found = _KRAKEN.fullmatch(pair)
        if found is not None:
            word = found["old"] or found["tether"] or found["new"]
            told[_KRAKEN_WORDS.get(word, word)] = decode(bytes(raw), _KrakenTicker).c[0]
    return _read(told)


def coinbase(body: bytes) -> dict[str, Quoted]:
    """`GET /v2/exchange-rates?currency=USD`: how much of each asset one dollar is."""
    rates = _read(decode(body, _Coinbase).data.rates)
    return {
        asset: Quoted(usd)
        for asset, quoted in rates.items()
        if _LOWEST < (usd := _DIGITS.divide(Decimal(1), quoted.usd)) < _HIGHEST
    }


def bitstamp(body: bytes) -> dict[str, Quoted]:
    """`GET /api/v2/ticker/`: every pair."""
    told = {}
    for row in decode(body, list[_Bitstamp]):
        asset, _, quote = row.pair.partition("/")
        if quote == "USD":
            told[asset] = (row.last, _seconds(row.timestamp))
    prices = _read({asset: last for asset, (last, _) in told.items()})
    return {asset: Quoted(quoted.usd, told[asset][1]) for asset, quoted in prices.items()}


def bitfinex(body: bytes) -> dict[str, Quoted]:
    """`GET /v2/tickers?symbols=ALL`: arrays of a symbol, bid, its size, ask, its size, two of change, last price ..."""
    told: dict[str, _Told] = {}
    for row in decode(body, list[list[_Told]]):
        match row:
            case [str(symbol), _, _, _, _, _, _, last, _, _, _] if symbol.startswith("t") and symbol.endswith("USD"):
                word = symbol[1:-3].rstrip(":")
                told[_BITFINEX_WORDS.get(word, word)] = last
            case _:
                pass
    return _read(told)


def gemini(body: bytes) -> dict[str, Quoted]:
    """`GET /v1/pricefeed`: every pair, without a separator."""
    rows = decode(body, list[_Gemini])
    return _read({row.pair[:-3]: row.price for row in rows if row.pair.endswith("USD")})


def coinpaprika(body: bytes) -> dict[str, Quoted]:
    """`GET /v1/tickers`: every coin. Several share a symbol: the best ranked one is meant."""
    told: dict[str, tuple[_Told, datetime | None]] = {}
    for row in sorted((row for row in decode(body, list[_Paprika]) if row.rank > 0), key=lambda row: row.rank):
        price = row.quotes.usd.price if row.quotes.usd is not None else None
        told.setdefault(row.symbol, (price, row.last_updated))
    prices = _read({asset: price for asset, (price, _) in told.items()})
    return {asset: Quoted(quoted.usd, told[asset][1]) for asset, quoted in prices.items()}


PRICE_SOURCES: dict[str, PriceSource] = {
    "kraken": PriceSource(url="https://api.kraken.com", path="/0/public/Ticker", decode=kraken),
    "coinbase": PriceSource(url="https://api.coinbase.com", path="/v2/exchange-rates?currency=USD", decode=coinbase),
    "bitstamp": PriceSource(url="https://www.bitstamp.net", path="/api/v2/ticker/", decode=bitstamp),
    "bitfinex": PriceSource(url="https://api-pub.bitfinex.com", path="/v2/tickers?symbols=ALL", decode=bitfinex),
    "gemini": PriceSource(url="https://api.gemini.com", path="/v1/pricefeed", decode=gemini),
    "coinpaprika": PriceSource(url="https://api.coinpaprika.com", path="/v1/tickers", decode=coinpaprika),
}


class PricesProbe:
    """One `Price` for each of `assets` that moved by a thousandth, or was not told for five minutes."""

    exchange = ""

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        name: str,
        source: str,
        interval: float,
        assets: Collection[str],
        read: Callable[[bytes], Mapping[str, Quoted]],
    ) -> None:
        self.name = name
        self.interval = interval
        self._endpoint = endpoint
        self._clock = clock
        self._source = source
        self._assets = tuple(assets)
        self._read = read
        self._told: dict[str, Price] = {}

    async def observe(self) -> Reading:
        """Raises `RemoteError` where it tells none of the assets."""
        answer = await self._endpoint.fetch()
        at = self._clock.now()
        quotes = await self._endpoint.read(answer, self._read)
        prices = [
            Price(at=at, probe=self.name, asset=asset, usd=quotes[asset].usd, source=self._source)
            for asset in self._assets
            if asset in quotes and not _is_old(quotes[asset], at)
        ]
        if not prices:
            raise RemoteError(FailureReason.SHAPE, "no price of what we look for, or none of the last 15 min")
        news = [price for price in prices if self._is_news(price)]
        self._told.update({price.asset: price for price in news})
        return tuple(news)

    def _is_news(self, price: Price) -> bool:
        told = self._told.get(price.asset)
        if told is None or price.asset in MARKET or price.at - told.at >= RETOLD:
            return True
        return abs(price.usd - told.usd) > MOVED * told.usd


def _is_old(quoted: Quoted, now: datetime) -> bool:
    """From as far in the future it is no better."""
    return quoted.at is not None and abs(now - quoted.at) > STALE


def _read(told: Mapping[str, _Told]) -> dict[str, Quoted]:
    """Those that are prices."""
    read: dict[str, Quoted] = {}
    for asset, price in told.items():
        text = str(price)
        if _PRICE.fullmatch(text) and _LOWEST < (usd := Decimal(text)) < _HIGHEST:
            read[asset] = Quoted(usd)
    return read


def _seconds(text: str | None) -> datetime | None:
    if text is None or not (text.isascii() and text.isdecimal()) or len(text) > 11:
        return None
    return datetime.fromtimestamp(int(text), UTC)
