"""Prices as their sources write them: what is null, zero, nonsense or old is no price (E15)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from monitor.http import Answer
from monitor.model import FailureReason, Price, Reading, RemoteError
from monitor.probes.answer import Endpoint
from monitor.probes.prices import PricesProbe, Quoted, bitfinex, bitstamp, coinbase, coinpaprika, gemini, kraken
from tests.hand_clock import NOON, HandClock

NOON_SECONDS = int(NOON.timestamp())


def _kraken(**pairs: str) -> object:
    return {"error": [], "result": {pair: {"a": ["1", "1", "1"], "c": [last, "0.1"]} for pair, last in pairs.items()}}


def _paprika(symbol: str, rank: int, price: float | None) -> object:
    quotes = {"USD": {"price": price, "volume_24h": 1.0}}
    return {"id": "x", "symbol": symbol, "rank": rank, "last_updated": "2026-02-03T11:59:00Z", "quotes": quotes}


@pytest.mark.parametrize(
    ("decode", "body", "read"),
    [
        pytest.param(
            kraken,
            _kraken(
                XXBTZUSD="97000.1",
                SOLUSD="200",
                USDTZUSD="0.9998",
                XXRPZUSD="2.5",
                XDGUSD="0.2",
                XTZUSD="1.1",
                XBTUSDT="9",
            ),
            {"BTC": "97000.1", "SOL": "200", "USDT": "0.9998", "XRP": "2.5", "DOGE": "0.2", "XTZ": "1.1"},
            id="kraken has X and Z around what it listed first",
        ),
        pytest.param(
            coinbase,
            {"data": {"currency": "USD", "rates": {"BTC": "0.00001", "USDT": "1.0002", "EUR": "0", "ETH": None}}},
            {"BTC": "1E+5", "USDT": "0.9998000400"},
            id="coinbase tells how much a dollar is",
        ),
        pytest.param(
            bitstamp,
            [
                {"pair": "BTC/USD", "last": "97000", "timestamp": str(NOON_SECONDS)},
                {"pair": "BTC/EUR", "last": "90000", "timestamp": str(NOON_SECONDS)},
                {"pair": "ETH/USD", "last": None, "timestamp": str(NOON_SECONDS)},
            ],
            {"BTC": "97000"},
            id="bitstamp has pairs of other currencies beside",
        ),
        pytest.param(
            bitfinex,
            [
                ["tBTCUSD", 1, 2, 3, 4, 5, 0.01, 97000.5, 10, 11, 12],
                ["tUSTUSD", 1, 2, 3, 4, 5, 0.01, 1.0001, 10, 11, 12],
                ["tAVAX:USD", 1, 2, 3, 4, 5, 0.01, 30, 10, 11, 12],
                ["fUSD", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, None, None, 15],
                ["tETHUSD", 1, 2, 3, 4, 5, 0.01, None, 10, 11, 12],
            ],
            {"BTC": "97000.5", "USDT": "1.0001", "AVAX": "30.0"},
            id="bitfinex has a word of its own for Tether",
        ),
        pytest.param(
            gemini,
            [
                {"pair": "BTCUSD", "price": "97000.00", "percentChange24h": "0.01"},
                {"pair": "BTCEUR", "price": "90000"},
                {"pair": "ETHUSD", "price": "0"},
            ],
            {"BTC": "97000.00"},
            id="gemini: zero is no price",
        ),
        pytest.param(
            coinpaprika,
            [_paprika("BTC", 900, 0.00001), _paprika("BTC", 1, 97000.5), _paprika("ETH", 2, None), _paprika("X", 0, 5)],
            {"BTC": "97000.5"},
            id="coinpaprika: of those that share a symbol the best ranked",
        ),
    ],
)
def test_reads_prices(decode: Callable[[bytes], Mapping[str, Quoted]], body: object, read: dict[str, str]) -> None:
    quotes = decode(msgspec.json.encode(body))
    assert {asset: str(quoted.usd) for asset, quoted in quotes.items()} == read


@pytest.mark.parametrize("text", ["", "NaN", "-1", "Infinity", "abc", "0.0", "1e13"])
def test_e15_what_is_no_price_is_none(text: str) -> None:
    assert kraken(msgspec.json.encode(_kraken(XXBTZUSD=text, SOLUSD="200"))).keys() == {"SOL"}


def test_an_error_in_a_good_answer_is_one() -> None:
    with pytest.raises(RemoteError, match="EService:Unavailable"):
        kraken(b'{"error":["EService:Unavailable"]}')


class Source:
    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.quotes: dict[str, Quoted] = {}
        endpoint = Endpoint(self._fetch, self._heed, interval=60.0)
        self.probe = PricesProbe(
            endpoint,
            clock,
            name="prices-kraken",
            source="kraken",
            interval=60.0,
            assets=["BTC", "SOL", "BNB"],
            read=lambda _: self.quotes,
        )

    def tells(self, *, at: datetime | None = None, **prices: str) -> None:
        self.quotes = {asset: Quoted(Decimal(usd), at) for asset, usd in prices.items()}

    async def _fetch(self) -> Answer:
        return Answer(
            status=200,
            body=b"{}",
            date=None,
            elapsed_seconds=0.1,
            age_seconds=0.0,
            read_at=self.clock.monotonic(),
        )

    async def _heed(self, error: RemoteError) -> None:
        raise AssertionError(error)


def told(reading: Reading) -> dict[str, str]:
    return {price.asset: str(price.usd) for price in reading if type(price) is Price}


@pytest.fixture
def source() -> Source:
    return Source(HandClock())


async def test_tells_what_it_looks_for(source: Source) -> None:
    source.tells(BTC="97000", SOL="200", PEPE="0.1")
    reading = await source.probe.observe()
    assert told(reading) == {"BTC": "97000", "SOL": "200"}
    assert {(seen.exchange, seen.probe, seen.at) for seen in reading} == {("", "prices-kraken", NOON)}


async def test_tells_again_what_moved_by_a_thousandth_and_the_market_always(source: Source) -> None:
    source.tells(BTC="97000", SOL="200", BNB="600")
    await source.probe.observe()
    source.tells(BTC="97000", SOL="200.1", BNB="601")
    assert told(await source.probe.observe()) == {"BTC": "97000", "BNB": "601"}


async def test_tells_everything_again_after_five_minutes(source: Source) -> None:
    source.tells(SOL="200")
    await source.probe.observe()
    source.clock.hand = 300
    assert told(await source.probe.observe()) == {"SOL": "200"}


async def test_e15_a_feed_that_stopped_is_no_price(source: Source) -> None:
    source.tells(at=NOON - timedelta(minutes=16), BTC="97000", SOL="200")
    with pytest.raises(RemoteError) as raised:
        await source.probe.observe()
    assert raised.value.reason is FailureReason.SHAPE


def test_the_time_of_a_price_is_read_where_it_is_told() -> None:
    body = msgspec.json.encode([{"pair": "BTC/USD", "last": "97000", "timestamp": str(NOON_SECONDS)}])
    assert bitstamp(body)["BTC"].at == datetime.fromtimestamp(NOON_SECONDS, UTC)
