"""The scripted sources of prices against plain requests."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from msgspec import Struct

from monitor.clock import Clock
from tests.hand_clock import HandClock
from tests.loopback import Answer
from tests.price_servers import (
    BITFINEX_LIMIT,
    BITFINEX_LIMIT_200,
    BITSTAMP_LIMIT,
    COINBASE_LIMIT,
    COINPAPRIKA_LIMIT,
    GEMINI_LIMIT,
    KRAKEN_LIMIT,
    PriceServer,
    bitfinex,
    bitstamp,
    coinbase,
    coinpaprika,
    gemini,
    kraken,
)


class Source(Struct, frozen=True, kw_only=True):
    """How a source is asked for bitcoin, and where the price is in what it says."""

    make: Callable[[Clock], PriceServer]
    path: str
    price: Callable[[Any], Any]
    time: Callable[[Any], Any] | None = None
    limit: Answer
    limit_status: int = 429


SOURCES = {
    "kraken": Source(
        make=kraken,
        path="/0/public/Ticker?pair=XBTUSD",
        price=lambda body: body["result"]["XXBTZUSD"]["c"][0],
        limit=KRAKEN_LIMIT,
        limit_status=200,
    ),
    "coinbase": Source(
        make=coinbase,
        path="/products/BTC-USD/ticker",
        price=lambda body: body["price"],
        time=lambda body: body["time"],
        limit=COINBASE_LIMIT,
    ),
    "coinbase spot": Source(
        make=coinbase,
        path="/v2/prices/BTC-USD/spot",
        price=lambda body: body["data"]["amount"],
        limit=COINBASE_LIMIT,
    ),
    "bitstamp": Source(
        make=bitstamp,
        path="/api/v2/ticker/btcusd/",
        price=lambda body: body["last"],
        time=lambda body: body["timestamp"],
        limit=BITSTAMP_LIMIT,
    ),
    "bitstamp, all": Source(
        make=bitstamp,
        path="/api/v2/ticker/",
        price=lambda body: next(row["last"] for row in body if row["pair"] == "BTC/USD"),
        time=lambda body: body[0]["timestamp"],
        limit=BITSTAMP_LIMIT,
    ),
    "bitfinex": Source(
        make=bitfinex,
        path="/v2/tickers?symbols=tBTCUSD,tNONEUSD",
        price=lambda body: body[0][7],
        limit=BITFINEX_LIMIT,
    ),
    "gemini": Source(
        make=gemini,
        path="/v1/pricefeed",
        price=lambda body: next(row["price"] for row in body if row["pair"] == "BTCUSD"),
        limit=GEMINI_LIMIT,
    ),
    "coinpaprika": Source(
        make=coinpaprika,
        path="/v1/tickers?quotes=USD",
        price=lambda body: next(row["quotes"]["USD"]["price"] for row in body if row["id"] == "btc-bitcoin"),
        time=lambda body: body[0]["last_updated"],
        limit=COINPAPRIKA_LIMIT,
    ),
}
DATED = {name: source for name, source in SOURCES.items() if source.time is not None}


async def ask(server: PriceServer, path: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession(server.url) as session, session.get(path) as response:
        return response.status, await response.json(content_type=None) if "json" in response.content_type else None


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
async def test_a_source_tells_what_it_was_told(source: Source) -> None:
    async with source.make(HandClock()) as server:
        _, first = await ask(server, source.path)
        server.prices["BTC"] *= 100
        _, wild = await ask(server, source.path)

        assert float(source.price(first)) == 97250.5
        assert float(source.price(wild)) == 9725050.0
        assert server.door.requests == {source.path.partition("?")[0]: 2}


@pytest.mark.parametrize("spoiled", [None, 0, "", "n/a", -1])
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
async def test_a_spoiled_price_is_told_as_it_is(source: Source, spoiled: object) -> None:
    async with source.make(HandClock()) as server:
        server.spoiled = {"BTC": spoiled}
        status, body = await ask(server, source.path)

        assert (status, source.price(body)) == (200, spoiled)


@pytest.mark.parametrize("source", DATED.values(), ids=DATED)
async def test_the_time_of_frozen_prices_stands_still(source: Source) -> None:
    assert source.time is not None
    clock = HandClock()
    async with source.make(clock) as server:
        _, before = await ask(server, source.path)
        server.frozen_at = clock.now()
        clock.hand += timedelta(hours=5).total_seconds()
        _, frozen = await ask(server, source.path)
        server.frozen_at = None
        _, after = await ask(server, source.path)

        assert source.time(before) == source.time(frozen)
        assert source.time(before) != source.time(after)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
async def test_a_limit_is_in_the_words_of_its_source(source: Source) -> None:
    async with source.make(HandClock()) as server:
        server.door.fail(source.limit, times=1)

        assert (await ask(server, source.path))[0] == source.limit_status
        assert (await ask(server, source.path))[0] == 200


@pytest.mark.parametrize(
    ("make", "path", "expected"),
    [
        pytest.param(
            kraken, "/0/public/Ticker?pair=ETHUSD,XBTUSD", (200, {"error": ["EQuery:Unknown asset pair"]}), id="kraken"
        ),
        pytest.param(coinbase, "/products/BTC-USD/ticker", (404, {"message": "NotFound"}), id="coinbase"),
        pytest.param(bitstamp, "/api/v2/ticker/btcusd/", (404, {"message": "Not found."}), id="bitstamp"),
        pytest.param(bitfinex, "/v2/tickers?symbols=tBTCUSD", (200, []), id="bitfinex"),
        pytest.param(coinpaprika, "/v1/tickers/btc-bitcoin", (404, {"error": "id not found"}), id="coinpaprika"),
    ],
)
async def test_an_asset_that_is_not_listed(
    make: Callable[[Clock], PriceServer], path: str, expected: tuple[int, object]
) -> None:
    async with make(HandClock()) as server:
        del server.prices["BTC"]

        assert await ask(server, path) == expected


async def test_names_are_those_of_the_source() -> None:
    clock = HandClock()
    async with (
        kraken(clock) as first,
        bitfinex(clock) as second,
        bitstamp(clock) as third,
        coinpaprika(clock) as fourth,
    ):
        _, pairs = await ask(first, "/0/public/Ticker")
        _, symbols = await ask(second, "/v2/tickers?symbols=ALL")
        _, markets = await ask(third, "/api/v2/ticker/")
        _, coins = await ask(fourth, "/v1/tickers")

        assert {"XXBTZUSD", "XETHZUSD", "XDGUSD", "USDTZUSD", "USDCUSD", "SOLUSD"} <= set(pairs["result"])
        assert {"tBTCUSD", "tUSTUSD", "tUDCUSD", "tDOGE:USD", "fUSD"} <= {row[0] for row in symbols}
        assert {"BTC/USD", "BTC/USD-PERP"} <= {row["pair"] for row in markets}
        assert [row["id"] for row in coins if row["symbol"] == "BTC"] == ["btc-bitcoin", "btc-batcat"]


async def test_a_limit_of_bitfinex_may_come_in_a_200() -> None:
    async with bitfinex(HandClock()) as server:
        server.door.fail(BITFINEX_LIMIT_200)

        assert await ask(server, "/v2/tickers?symbols=ALL") == (200, ["error", 11010, "ratelimit: error"])


async def test_exchange_rates_are_upside_down() -> None:
    async with coinbase(HandClock()) as server:
        _, body = await ask(server, "/v2/exchange-rates?currency=USD")

        assert 1 / float(body["data"]["rates"]["BTC"]) == pytest.approx(97250.5)
