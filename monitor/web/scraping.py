"""`/metrics`. Two scrapes at a time, each with a time to take its answer: who reads slowly keeps nobody waiting."""

import asyncio
from collections.abc import Iterable, Iterator
from http import HTTPStatus

import structlog
from aiohttp import hdrs, web

from monitor.clock import Clock
from monitor.metrics import Metrics

log = structlog.get_logger()

SEATS = 2  # a pair of Prometheus servers
TAKING_SECONDS = 10.0  # real ones: a scrape that lasts longer is none to a Prometheus
CHUNK_BYTES = 65_536
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

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        accept = ",".join(request.headers.getall("Accept", []))
        for _ in self._metrics.pieces(now=self._clock.now()):
            await self._clock.sleep(0)
        parts, content_type = self._metrics.parts(accept, now=self._clock.now())
        if request.method == hdrs.METH_HEAD:
            return web.Response(headers={"Content-Type": content_type})
        response = web.StreamResponse(headers={"Content-Type": content_type})
        response.content_length = sum(map(len, parts))
        response.enable_compression()
        try:
            async with asyncio.timeout(self._taking):
                await response.prepare(request)
                for chunk in _chunks(parts):
                    await response.write(chunk)
                await response.write_eof()
        except (TimeoutError, ConnectionError):
            log.debug("scraper_dropped", remote=request.remote)
            if request.transport is not None:
                request.transport.abort()  # what it did not take is not kept for it
        return response


def _chunks(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are large enough for a thread to compress, and small enough to copy."""
    gathered: list[bytes] = []
    size = 0
    for part in parts:
        gathered.append(part)
        size += len(part)
        if size >= CHUNK_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    yield b"".join(gathered)
