"""The servers of the end-to-end tests: five dialects of one exchange, a status page, a control target."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from monitor.clock import Clock
from monitor.model import Stage
from tests.servers import RAILS, ControlServer, ExchangeServer, StatusPageServer

LISTS: dict[str, tuple[str, Callable[[Any], set[str]]]] = {
    "kraken": (
        "/0/public/Assets",
        lambda body: {asset["altname"] for asset in body["result"].values() if asset["status"] == "deposit_only"},
    ),
    "kucoin": (
        "/api/v3/currencies",
        lambda body: {
            f"{coin['currency']}/{chain['chainId']}"
            for coin in body["data"]
            for chain in coin["chains"] or ()
            if chain["isWithdrawEnabled"] is False
        },
    ),
    "gate": (
        "/api/v4/spot/currencies",
        lambda body: {
            f"{coin['currency']}/{chain['name']}"
            for coin in body
            for chain in coin["chains"]
            if chain["withdraw_disabled"] is True
        },
    ),
    "htx": (
        "/v2/reference/currencies",
        lambda body: {
            f"{coin['currency']}/{chain['chain']}"
            for coin in body["data"]
            for chain in coin["chains"]
            if chain["withdrawStatus"] == "prohibited"
        },
    ),
    "bitget": (
        "/api/v2/spot/public/coins",
        lambda body: {
            f"{coin['coin']}/{chain['chain']}"
            for coin in body["data"]
            for chain in coin["chains"]
            if chain["withdrawable"] == "false"
        },
    ),
}
TRADES: dict[str, tuple[str, Callable[[Any], float]]] = {
    "kraken": ("/0/public/Trades?pair=XBTUSDT", lambda body: float(body["result"]["XBTUSDT"][-1][2])),
    "kucoin": ("/api/v1/market/histories?symbol=BTC-USDT", lambda body: body["data"][-1]["time"] / 1e9),
    "gate": ("/api/v4/spot/trades?currency_pair=BTC_USDT", lambda body: float(body[0]["create_time_ms"]) / 1e3),
    "htx": ("/market/history/trade?symbol=btcusdt", lambda body: body["data"][0]["data"][0]["ts"] / 1e3),
    "bitget": ("/api/v2/spot/market/fills?symbol=BTCUSDT", lambda body: int(body["data"][0]["ts"]) / 1e3),
}


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    async with ExchangeServer(Clock()) as server:
        yield server


@pytest.mark.parametrize(
    ("dialect", "closed"),
    [
        pytest.param("kraken", {"XBT"}, id="kraken knows assets only, and one open network keeps an asset open"),
        pytest.param("kucoin", {"BTC/btc", "USDT/trx"}, id="kucoin"),
        pytest.param("gate", {"BTC/BTC", "USDT/TRX"}, id="gate"),
        pytest.param("htx", {"btc/btc", "usdt/trc20usdt"}, id="htx"),
        pytest.param("bitget", {"BTC/BTC", "USDT/TRC20"}, id="bitget"),
    ],
)
async def test_suspended_rails_in_each_dialect(
    exchange: ExchangeServer, client: aiohttp.ClientSession, dialect: str, closed: set[str]
) -> None:
    path, closed_of = LISTS[dialect]

    async def read() -> set[str]:
        return closed_of(await (await client.get(exchange.url + path)).json())

    assert await read() == set()
    exchange.suspend("BTC", "bitcoin")
    exchange.suspend("USDT", "tron")
    assert await read() == closed
    exchange.reopen("BTC", "bitcoin")
    exchange.reopen("USDT", "tron")
    assert await read() == set()
    exchange.suspend_all()
    assert len(await read()) == len({rail.asset for rail in RAILS} if dialect == "kraken" else RAILS)
    exchange.reopen_all()
    assert await read() == set()


@pytest.mark.parametrize("dialect", TRADES)
async def test_newest_trade_is_seconds_old(
    exchange: ExchangeServer, client: aiohttp.ClientSession, dialect: str
) -> None:
    path, newest_of = TRADES[dialect]
    exchange.suspend_all()
    newest = newest_of(await (await client.get(exchange.url + path)).json())
    assert 0 < datetime.now(UTC).timestamp() - newest < 10


async def test_gate_gives_its_list_in_another_order_every_time(
    exchange: ExchangeServer, client: aiohttp.ClientSession
) -> None:
    bodies = [await (await client.get(f"{exchange.url}/api/v4/spot/currencies")).json() for _ in range(2)]
    orders = [[coin["currency"] for coin in body] for body in bodies]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


async def test_a_dark_exchange_answers_500_until_it_comes_back(
    exchange: ExchangeServer, client: aiohttp.ClientSession
) -> None:
    paths = [path for path, _ in (*LISTS.values(), *TRADES.values())]
    exchange.go_dark()
    assert {(await client.get(exchange.url + path)).status for path in paths} == {500}
    exchange.come_back()
    assert {(await client.get(exchange.url + path)).status for path in paths} == {200}


async def test_another_market_is_refused(exchange: ExchangeServer, client: aiohttp.ClientSession) -> None:
    response = await client.get(f"{exchange.url}/api/v1/market/histories?symbol=BTCUSDT")
    assert response.status == 400


def test_suspending_what_is_not_listed_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="DOGE@dogecoin"):
        ExchangeServer(Clock()).suspend("DOGE", "dogecoin")


async def test_status_page_shows_an_incident_until_it_is_resolved(client: aiohttp.ClientSession) -> None:
    async with StatusPageServer(Clock()) as page:

        async def stages() -> list[str]:
            body = await (await client.get(f"{page.url}/api/v2/summary.json")).json()
            return [update["status"] for incident in body["incidents"] for update in incident["incident_updates"]]

        assert await stages() == []
        page.post(Stage.INVESTIGATING, "Withdrawals are delayed.")
        page.post(Stage.MONITORING, "Withdrawals are being sent.")
        assert await stages() == ["monitoring", "investigating"]
        page.post(Stage.RESOLVED, "Withdrawals work.")
        assert await stages() == []
        body = await (await client.get(f"{page.url}/api/v2/incidents.json")).json()
    assert body["incidents"][0]["status"] == "resolved"
    assert body["incidents"][0]["incident_updates"][0]["body"] == "Withdrawals work."


async def test_a_control_target_that_is_off_hangs_up(client: aiohttp.ClientSession) -> None:
    clock = Clock(start=datetime(2026, 2, 3, tzinfo=UTC))
    async with ControlServer(clock) as control:
        response = await client.get(control.url)
        assert (response.status, response.headers["Date"][:16]) == (204, "Tue, 03 Feb 2026")
        control.switch_off()
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.get(control.url)
        control.switch_on()
        assert (await client.get(control.url)).status == 204
