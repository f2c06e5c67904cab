"""`/metrics`. Two scrapes at a time, each with a time to take its answer: who reads slowly keeps nobody waiting."""

import asyncio
from http import HTTPStatus
from io import BytesIO

import structlog
from aiohttp import web

from monitor.clock import Clock
from monitor.metrics import Metrics

log = structlog.get_logger()

SEATS = 2  # a pair of Prometheus servers
TAKING_SECONDS = 10.0  # real ones: a scrape that lasts longer is none to a Prometheus
COMPRESS_ELSEWHERE_BYTES = 4096
RETRY_SECONDS = "5"


class Scraping:
    def __init__(self, metrics: Metrics, clock: Clock, *, taking: float = TAKING_SECONDS) -> None:
        """`taking`: seconds that a scraper has to take its answer, before it is hung up on."""
        self._metrics = metrics
        self._clock = clock
        self._taking = taking
        self._taken = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """503, and nothing is written for it, while both seats are taken."""
        if self._taken >= SEATS:
            self._metrics.turned_away()
            retry = {"Retry-After": RETRY_SECONDS}
            return web.Response(text="both seats are taken\n", status=HTTPStatus.SERVICE_UNAVAILABLE, headers=retry)
        self._taken += 1
        try:
            return await self._serve(request)
        finally:
            self._taken -= 1

    async def _serve(self, request: web.Request) -> web.Response:
        response = await self._written(request)
        try:
            async with asyncio.timeout(self._taking):
                await response.prepare(request)
                await response.write_eof()
        except (TimeoutError, ConnectionError):
            log.debug("scraper_dropped", remote=request.remote)
            if request.transport is not None:
                request.transport.abort()  # what it did not take is not kept for it
        return response

    async def _written(self, request: web.Request) -> web.Response:
        accept = ",".join(request.headers.getall("Accept", []))
        for _ in self._metrics.pieces(now=self._clock.now()):
            await self._clock.sleep(0)
        body, content_type = self._metrics.render(accept, now=self._clock.now())
        # In pieces: a body that is written at once is copied at once.
        response = web.Response(body=BytesIO(body), headers={"Content-Type": content_type})
        response.enable_compression()
        return response
