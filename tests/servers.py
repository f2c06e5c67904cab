"""Small servers with behaviour for end-to-end tests, on free ports of loopback, written from the public documentation.

`ExchangeServer` tells one set of rails in the public dialects of Kraken, KuCoin, Gate, HTX and Bitget at once.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiohttp import web

from monitor.clock import Clock
from monitor.model import Rail, Stage
from monitor.replay.script import IncidentUpdate
from monitor.replay.stage import listening
from monitor.replay.staged_status_page import incidents, summary
from tests import dialects

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

RAILS = (
    Rail("BTC", "bitcoin"),
    Rail("ETH", "ethereum"),
    Rail("USDT", "ethereum"),
    Rail("USDT", "tron"),
    Rail("USDC", "ethereum"),
    Rail("SOL", "solana"),
    Rail("XRP", "xrp"),
    Rail("TRX", "tron"),
    Rail("BNB", "bsc"),
)
MARKETS = {
    "/0/public/Trades": ("pair", tuple(dialects.KRAKEN_PAIRS)),
    "/api/v1/market/histories": ("symbol", ("BTC-USDT",)),
    "/api/v4/spot/trades": ("currency_pair", ("BTC_USDT",)),
    "/market/history/trade": ("symbol", ("btcusdt",)),
    "/market/trade": ("symbol", ("btcusdt",)),
    "/api/v2/spot/market/fills": ("symbol", ("BTCUSDT",)),
}


class ExchangeServer:
    """An exchange whose rails a test opens and closes. Only withdrawals are ever suspended."""

    url: str

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open = dict.fromkeys(RAILS, True)
        self._dark = False
        self._lists_read = 0
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.add_routes([web.get(path, self._answering(answer)) for path, answer in self._answers().items()])
        self.url = await self._running.enter_async_context(listening(application, self._clock))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._running.aclose()

    def suspend(self, asset: str, network: str) -> None:
        """Close a rail. Raises KeyError for one that is not listed."""
        self._set(Rail(asset, network), is_open=False)

    def reopen(self, asset: str, network: str) -> None:
        self._set(Rail(asset, network), is_open=True)

    def suspend_all(self) -> None:
        self._open = dict.fromkeys(self._open, False)

    def reopen_all(self) -> None:
        self._open = dict.fromkeys(self._open, True)

    def go_dark(self) -> None:
        """Answer every request with 500 until `come_back`."""
        self._dark = True

    def come_back(self) -> None:
        self._dark = False

    def _set(self, rail: Rail, *, is_open: bool) -> None:
        if rail not in self._open:
            raise KeyError(f"{rail} is not listed")
        self._open[rail] = is_open

    def _answers(self) -> dict[str, Callable[[web.Request], object]]:
        return {
            "/0/public/Assets": lambda _: dialects.kraken_assets(self._open),
            "/0/public/Trades": lambda request: dialects.kraken_trades(self._trades(request), request.query["pair"]),
            "/api/v3/currencies": lambda _: dialects.kucoin_currencies(self._open),
            "/api/v1/market/histories": lambda request: dialects.kucoin_trades(self._trades(request)),
            "/api/v4/spot/currencies": lambda _: self._shuffled(dialects.gate_currencies(self._open)),
            "/api/v4/spot/trades": lambda request: dialects.gate_trades(self._trades(request)),
            "/v2/reference/currencies": lambda _: dialects.htx_currencies(self._open),
            "/market/history/trade": lambda request: dialects.htx_trades(
                self._trades(request), size=int(request.query.get("size", "1"))
            ),
            "/market/trade": lambda request: dialects.htx_last_trade(self._trades(request)),
            "/api/v2/spot/public/coins": lambda _: dialects.bitget_coins(self._open, self._clock.now()),
            "/api/v2/spot/market/fills": lambda request: dialects.bitget_fills(
                self._trades(request), self._clock.now()
            ),
        }

    def _trades(self, request: web.Request) -> list[dialects.Trade]:
        parameter, names = MARKETS[request.path]
        if request.query.get(parameter) not in names:
            raise web.HTTPBadRequest(text=f"{parameter} must be one of {names}")
        return dialects.recent_trades(self._clock.now())

    def _answering(self, answer: Callable[[web.Request], object]) -> Handler:
        async def respond(request: web.Request) -> web.StreamResponse:
            if self._dark:
                return web.Response(status=500, text="Internal Server Error")
            return web.json_response(answer(request))

        return respond

    def _shuffled(self, rows: list[dict[str, object]]) -> list[dict[str, object]]:
        """Gate gives its list in another order every time."""
        self._lists_read += 1
        cut = self._lists_read % len(rows)
        return rows[cut:] + rows[:cut]


class StatusPageServer:
    """An Atlassian Statuspage with at most one incident. `url` is its base: `/api/v2/summary.json` is below it."""

    url: str

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._updates: list[IncidentUpdate] = []
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.add_routes(
            [
                web.get("/api/v2/summary.json", self._summary),
                web.get("/api/v2/incidents.json", self._incidents),
            ]
        )
        self.url = await self._running.enter_async_context(listening(application, self._clock))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._running.aclose()

    def post(self, stage: Stage, text: str) -> None:
        """Write an update now. A resolved incident leaves the summary, as it does on real pages."""
        self._updates.insert(0, IncidentUpdate(at=self._clock.now(), stage=stage, text=text))

    async def _summary(self, _request: web.Request) -> web.StreamResponse:
        body = summary("Exchange", self.url, self._updates)
        return web.Response(body=body, content_type="application/json")

    async def _incidents(self, _request: web.Request) -> web.StreamResponse:
        body = incidents("Exchange", self.url, self._updates)
        return web.Response(body=body, content_type="application/json")


class ControlServer:
    """A control target that answers 204, or, switched off, hangs up on everybody who asks."""

    url: str

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._is_on = True
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.add_routes([web.get("/", self._answer)])
        self.url = await self._running.enter_async_context(listening(application, self._clock))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._running.aclose()

    def switch_off(self) -> None:
        self._is_on = False

    def switch_on(self) -> None:
        self._is_on = True

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if not self._is_on and request.transport is not None:
            request.transport.abort()
        return web.Response(status=204)
