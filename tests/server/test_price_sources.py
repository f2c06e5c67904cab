"""Every source of prices, asked over a socket, and what becomes of feeds that go wrong (E15)."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import Price, RemoteError
from monitor.probes.answer import Endpoint
from monitor.probes.prices import PRICE_SOURCES, PricesProbe
from tests import price_servers
from tests.loopback import Answer
from tests.price_servers import PriceServer

SERVERS: dict[str, Callable[[Clock], PriceServer]] = {
    "kraken": price_servers.kraken,
    "coinbase": price_servers.coinbase,
    "bitstamp": price_servers.bitstamp,
    "bitfinex": price_servers.bitfinex,
    "gemini": price_servers.gemini,
    "coinpaprika": price_servers.coinpaprika,
}
ASSETS = ("BTC", "ETH", "USDT", "SOL", "XRP")


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(Clock(), per_second={"127.0.0.1": 10_000.0}) as opened:
        yield opened


@pytest.fixture(params=list(PRICE_SOURCES))
async def server(request: pytest.FixtureRequest) -> AsyncIterator[PriceServer]:
    async with AsyncExitStack() as stack:
        server = SERVERS[request.param](Clock())
        await stack.enter_async_context(server)
        yield server


def probe(http: Http, server: PriceServer, name: str) -> PricesProbe:
    source = PRICE_SOURCES[name]
    url = f"{server.url}{source.path}"
    endpoint = Endpoint(partial(http.get, url, allow_private=True), partial(http.heed, url), interval=60.0)
    return PricesProbe(
        endpoint, Clock(), name=f"prices-{name}", source=name, interval=60.0, assets=ASSETS, read=source.decode
    )


def test_every_source_has_a_server_here() -> None:
    assert SERVERS.keys() == PRICE_SOURCES.keys()


async def test_reads_what_the_source_tells(http: Http, server: PriceServer, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["server"]
    told = {price.asset: price for price in await probe(http, server, name).observe() if type(price) is Price}
    expected = {asset: Decimal(str(server.prices[asset])) for asset in ASSETS if asset in server.prices}
    assert told.keys() == expected.keys()
    for asset, usd in expected.items():
        assert abs(told[asset].usd - usd) <= usd / 10**6
        assert told[asset].source == name


@pytest.mark.parametrize("spoiled", [None, 0, "", "n/a", -1], ids=["null", "zero", "empty", "words", "below zero"])
async def test_e15_what_is_no_price_is_left_out(
    http: Http, server: PriceServer, request: pytest.FixtureRequest, spoiled: object
) -> None:
    server.spoiled["ETH"] = spoiled
    name = request.node.callspec.params["server"]
    told = [price.asset for price in await probe(http, server, name).observe() if type(price) is Price]
    assert "ETH" not in told
    assert "BTC" in told


@pytest.mark.parametrize("name", ["bitstamp", "coinpaprika"])
async def test_e15_a_feed_that_stands_still_for_hours_is_no_price(http: Http, name: str) -> None:
    async with SERVERS[name](Clock()) as server:
        server.frozen_at = Clock().now() - timedelta(hours=5)
        with pytest.raises(RemoteError, match="none of the last 15 min"):
            await probe(http, server, name).observe()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        pytest.param("kraken", price_servers.KRAKEN_LIMIT, id="kraken, in a 200"),
        pytest.param("bitfinex", price_servers.BITFINEX_LIMIT_200, id="bitfinex, in a 200"),
        pytest.param("bitfinex", price_servers.BITFINEX_MAINTENANCE, id="bitfinex, maintenance"),
        pytest.param("gemini", price_servers.GEMINI_LIMIT, id="gemini"),
        pytest.param("coinbase", price_servers.COINBASE_LIMIT, id="coinbase"),
        pytest.param("bitstamp", price_servers.BITSTAMP_LIMIT, id="bitstamp"),
        pytest.param("coinpaprika", price_servers.COINPAPRIKA_LIMIT, id="coinpaprika"),
    ],
)
async def test_a_refusal_is_a_failure_to_look(http: Http, name: str, answer: Answer) -> None:
    async with SERVERS[name](Clock()) as server:
        server.door.fail(answer)
        with pytest.raises(RemoteError):
            await probe(http, server, name).observe()
