"""Slow scrapers (fault H12): two at a time are served, the others are told so at once, and nobody else notices."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from monitor.clock import Clock
from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.model import Control, Direction, ExchangeState, ExchangeView, RailVerdict, RailView
from monitor.probes.control import ControlProbe
from monitor.web.scraping import SEATS, Scraping
from monitor.web.server import application, serving
from tests.fault_server import FaultServer, http, says
from tests.faults.watching import watching
from tests.visitors import faces as faces_of

CONNECTIONS = 200
RAILS = 8000  # about eight megabytes of metrics: more than kernels keep for somebody who does not read
SMALLEST = 4096
NOW = datetime(2026, 2, 3, 14, 2, 30, tzinfo=UTC)
OK, REFUSED = HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE


def full() -> Metrics:
    rails = tuple(
        RailView(
            asset=f"COIN{number}",
            network="ethereum",
            direction=Direction.WITHDRAWAL,
            verdict=RailVerdict.OPEN,
            since=NOW,
            first_read_at=NOW,
            source="api",
            raw="enabled",
            read_at=NOW,
            weight=1.0,
        )
        for number in range(RAILS)
    )
    metrics = Metrics(version="0", intervals=Intervals(), max_series=1_000_000)
    state = ExchangeState.OPERATIONAL
    metrics.show(ExchangeView(exchange="kraken", at=NOW, withdrawals=state, since=None, reason="", rails=rails))
    return metrics


class SlowScrapers:
    """Connections on which hardly anything is read: the first bytes of an answer, to see what it is."""

    def __init__(self, address: str) -> None:
        self._port = int(address.rsplit(":", 1)[1])
        self._open = ExitStack()

    def __enter__(self) -> "SlowScrapers":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    async def connect(self, said: bytes) -> socket.socket:
        line = self._open.enter_context(socket.socket())
        line.setblocking(False)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(line, ("127.0.0.1", self._port))
        await loop.sock_sendall(line, said)
        return line

    async def scrape(self) -> HTTPStatus:
        line = await self.connect(b"GET /metrics HTTP/1.1\r\nHost: cexwatch\r\n\r\n")
        begun = await asyncio.get_running_loop().sock_recv(line, len("HTTP/1.1 200"))
        return HTTPStatus(int(begun.split()[1]))


async def status(session: aiohttp.ClientSession, path: str) -> int:
    """Read to the end, as a scraper does whose network is well."""
    async with session.get(path) as answer:
        await answer.read()
        return answer.status


@asynccontextmanager
async def scraped(metrics: Metrics, *, taking: float) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    app = web.Application()
    app.router.add_get("/metrics", Scraping(metrics, Clock(start=NOW), taking=taking).answer)
    async with serving(app, host="127.0.0.1", port=0) as address, aiohttp.ClientSession(address) as session:
        yield address, session


async def test_h12_of_200_slow_scrapers_two_are_served_and_probes_go_on(tmp_path: Path) -> None:
    metrics = full()
    async with (
        asyncio.timeout(60),
        watching(tmp_path, "kraken") as watch,
        FaultServer({"/time": says(http())}) as world,
    ):
        app = application(faces_of(watch.store, Clock(), metrics), version="0")
        control = ControlProbe(watch.http, watch.clock, targets=[world.url("/time")], allow_private=True)
        async with serving(app, host="127.0.0.1", port=0) as address, aiohttp.ClientSession(address) as session:
            with SlowScrapers(address) as slow:
                told = [await slow.scrape() for _ in range(CONNECTIONS)]

                assert told == [OK] * SEATS + [REFUSED] * (CONNECTIONS - SEATS)
                assert refused(metrics) == CONNECTIONS - SEATS
                assert await status(session, "/metrics") == REFUSED
                assert [await status(session, path) for path in ("/healthz", "/readyz", "/")] == [OK] * 3
                seen = [observed for _ in range(3) for observed in await control.observe()]
                assert [type(each) is Control and (each.ok, each.targets_ok) for each in seen] == [(True, 1)] * 3


async def test_who_never_finishes_a_request_holds_no_seat() -> None:
    async with asyncio.timeout(60), scraped(full(), taking=10.0) as (address, session):
        with SlowScrapers(address) as slow:
            for _ in range(CONNECTIONS):
                await slow.connect(b"GET /metrics HTTP/1.1\r\nHost: cexw")

            assert [await status(session, "/metrics") for _ in range(3)] == [OK] * 3


async def test_who_does_not_read_in_time_is_hung_up_on_and_the_seat_is_free() -> None:
    async with asyncio.timeout(60), scraped(full(), taking=0.2) as (address, session):
        with SlowScrapers(address) as slow:
            assert [await slow.scrape() for _ in range(SEATS + 1)] == [OK] * SEATS + [REFUSED]

            while await status(session, "/metrics") == REFUSED:  # each time a request of its own, until theirs is over
                pass

            assert await status(session, "/metrics") == OK


async def test_who_hangs_up_leaves_the_seat() -> None:
    async with asyncio.timeout(60), scraped(full(), taking=60.0) as (address, session):
        with SlowScrapers(address) as slow:
            assert [await slow.scrape() for _ in range(SEATS + 1)] == [OK] * SEATS + [REFUSED]

        while await status(session, "/metrics") == REFUSED:
            pass


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_who_reads_gets_all_of_it(encoding: str) -> None:
    metrics = full()
    async with (
        asyncio.timeout(60),
        scraped(metrics, taking=60.0) as (_, session),
        session.get("/metrics", headers={"Accept-Encoding": encoding}) as answer,
    ):
        body = await answer.text()
    assert answer.headers.get("Content-Encoding", "identity") == encoding
    rails = (f for f in text_string_to_metric_families(body) if f.name == "cexwatch_rail_state")
    assert [len(family.samples) for family in rails] == [RAILS * len(RailVerdict)]


async def test_who_asks_for_the_head_gets_no_body() -> None:
    async with asyncio.timeout(60), scraped(full(), taking=60.0) as (address, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rsplit(":", 1)[1]))
        writer.write(b"HEAD /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
        told = await reader.read()
        writer.close()
    assert told.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4")
    assert told.endswith(b"\r\n\r\n")


def refused(metrics: Metrics) -> float:
    body, _ = metrics.render("", now=NOW)
    named = {family.name: family.samples for family in text_string_to_metric_families(body.decode())}
    return named["cexwatch_scrapes_refused"][0].value
