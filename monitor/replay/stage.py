"""The stage of `cexwatch demo`: an exchange, its status page, two control targets and five chains on real sockets.

Everything is served on loopback and moves with a `Clock`, whatever its speed; the Date header too.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from email.utils import format_datetime
from types import TracebackType
from typing import Self

from aiohttp import web

from monitor.clock import Clock
from monitor.replay import staged_status_page
from monitor.replay.payments import NETWORKS, Payments
from monitor.replay.script import Script
from monitor.replay.staged_chain import StagedChain
from monitor.replay.staged_exchange import StagedExchange

LOOPBACK = "127.0.0.1"
SHUTDOWN_SECONDS = 1.0
STATUS_PAGE = "Staged Exchange"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def listening(application: web.Application, clock: Clock) -> AsyncIterator[str]:
    """Serve on a free port of loopback; the base URL. Answers are dated by the clock."""

    async def date(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = format_datetime(clock.now(), usegmt=True)

    application.on_response_prepare.append(date)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class Stage:
    """The staged world of a script; `async with` starts and stops it. The URLs are there from then on.

    `chain_urls` and `wallets` go by network; addresses are lower-case, and the first two wallets of a network send.
    """

    exchange_url: str
    status_url: str  # base of a Statuspage: `/api/v2/summary.json` is below it
    control_urls: tuple[str, str]
    chain_urls: dict[str, str]
    wallets: dict[str, tuple[str, ...]]

    def __init__(self, script: Script, clock: Clock) -> None:
        payments = Payments(script)
        self._script = script
        self._clock = clock
        self._exchange = StagedExchange(script)
        self._chains = {network.name: StagedChain(network, script=script, payments=payments) for network in NETWORKS}
        self.wallets = {name: chain.wallets for name, chain in self._chains.items()}
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            self.exchange_url = await starting.enter_async_context(listening(self._exchange_application(), self._clock))
            self.status_url = f"{self.exchange_url}/status"
            self.control_urls = (f"{self.exchange_url}/up/1", f"{self.exchange_url}/up/2")
            self.chain_urls = {
                name: await starting.enter_async_context(listening(self._chain_application(chain), self._clock))
                for name, chain in self._chains.items()
            }
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._running.aclose()

    def _exchange_application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.get("/api/v3/currencies", self._currencies),
                web.get("/api/v1/market/histories", self._trades),
                web.get("/api/v1/status", _open_for_trading),
                web.get("/api/v1/timestamp", self._timestamp),
                web.get("/status/api/v2/summary.json", self._summary),
                web.get("/status/api/v2/incidents.json", self._incidents),
                web.get("/up/1", _up),
                web.get("/up/2", _up),
            ]
        )
        return application

    def _chain_application(self, chain: StagedChain) -> web.Application:
        application = web.Application()
        application.add_routes([web.post("/", self._answering(chain))])
        return application

    async def _currencies(self, _request: web.Request) -> web.StreamResponse:
        response = _json(self._exchange.currencies(self._clock.now()))
        response.enable_compression()
        return response

    async def _trades(self, request: web.Request) -> web.StreamResponse:
        return _json(self._exchange.trades(request.query.get("symbol", ""), self._clock.now()))

    async def _timestamp(self, _request: web.Request) -> web.StreamResponse:
        return _json(self._exchange.timestamp(self._clock.now()))

    async def _summary(self, _request: web.Request) -> web.StreamResponse:
        updates = self._script.updates(self._clock.now())
        return _json(staged_status_page.summary(STATUS_PAGE, self.status_url, updates))

    async def _incidents(self, _request: web.Request) -> web.StreamResponse:
        updates = self._script.updates(self._clock.now())
        return _json(staged_status_page.incidents(STATUS_PAGE, self.status_url, updates))

    def _answering(self, chain: StagedChain) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            body = chain.answer(await request.read(), self._clock.now())
            return _json(body) if body is not None else web.Response(status=204)

        return answer


async def _up(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


async def _open_for_trading(_request: web.Request) -> web.Response:
    return _json(b'{"code":"200000","data":{"status":"open","msg":""}}')


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")
