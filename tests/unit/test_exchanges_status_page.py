"""A status page's words: each once, in order, and the last ones even when the page has dropped the incident."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, Reading, RemoteError, Source, Stage, Statement, SystemStatus
from monitor.probes import EXCHANGES
from monitor.probes.exchange import probes_of
from monitor.probes.probe import Probe

SUMMARY = Path(__file__).parents[1] / "data" / "exchanges" / "kraken_summary.json"
Json = dict[str, object]


class Page:
    """A status page on loopback that shows what the test puts on it; `history` None is a page without one."""

    def __init__(self) -> None:
        self.indicator = "none"
        self.incidents: list[Json] = []
        self.history: list[Json] | None = []
        self.is_history_down = False
        app = web.Application()
        app.router.add_get("/api/v2/summary.json", self._summary)
        app.router.add_get("/api/v2/incidents.json", self._incidents)
        self.server = TestServer(app)

    async def _summary(self, _: web.Request) -> web.Response:
        status = {"indicator": self.indicator, "description": f"{self.indicator} it is"}
        return web.json_response({"page": {}, "components": [], "incidents": self.incidents, "status": status})

    async def _incidents(self, _: web.Request) -> web.Response:
        if self.is_history_down:
            raise web.HTTPBadGateway
        if self.history is None:
            raise web.HTTPNotFound
        return web.json_response({"page": {}, "incidents": self.history})


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    page = Page()
    async with page.server:
        yield page


@pytest.fixture
async def probe(page: Page) -> AsyncIterator[Probe]:
    clock = Clock(start=datetime(2026, 2, 3, 12, 10, tzinfo=UTC))
    async with Http(clock, per_second={"127.0.0.1": 1000.0}) as http:
        base = str(page.server.make_url("/"))
        probes = probes_of(EXCHANGES["kraken"], http=http, clock=clock, status_page=base, allow_private=True)
        yield next(probe for probe in probes if probe.name == "kraken-status-page")


def incident(*stages: str, name: str = "inc1") -> Json:
    """An incident that has gone through `stages`, one a minute, newest first as the page shows it."""
    updates = [
        {
            "id": f"{name}-{minute}",
            "status": stage,
            "body": f"{name} {stage}",
            "created_at": f"2026-02-03T12:0{minute}:00Z",
        }
        for minute, stage in enumerate(stages)
    ]
    return {"id": name, "status": stages[-1], "shortlink": None, "incident_updates": updates[::-1]}


def words(reading: Reading) -> list[str]:
    return [line.text for line in reading if isinstance(line, Statement)]


async def test_a_documented_page_reads_in_order_and_in_utc(page: Page, probe: Probe) -> None:
    body = json.loads(SUMMARY.read_bytes())
    page.indicator, page.incidents = body["status"]["indicator"], body["incidents"]
    status, first, second = await probe.observe()
    assert status == SystemStatus(
        at=status.at,
        exchange="kraken",
        probe="kraken-status-page",
        component="all",
        state="degraded",
        raw="minor it is",
        source=Source.STATUS_PAGE,
    )
    assert first == Statement(
        at=status.at,
        exchange="kraken",
        probe="kraken-status-page",
        stage=Stage.INVESTIGATING,
        text="Withdrawals of ETH are slow.",
        url="https://stspg.example.org/inc1",
        published_at=datetime(2026, 2, 3, 12, 1, tzinfo=UTC),
    )
    assert isinstance(second, Statement)
    assert (second.stage, second.published_at) == (Stage.IDENTIFIED, datetime(2026, 2, 3, 12, 8, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("indicator", "state"),
    [
        ("none", "operational"),
        ("minor", "degraded"),
        ("major", "degraded"),
        ("critical", "outage"),
        ("maintenance", "maintenance"),
    ],
)
async def test_the_indicator_is_reported_on_every_reading(page: Page, probe: Probe, indicator: str, state: str) -> None:
    page.indicator = indicator
    for _ in range(2):
        [status] = await probe.observe()
        assert isinstance(status, SystemStatus)
        assert (status.component, status.state) == ("all", state)


async def test_each_update_is_reported_once(page: Page, probe: Probe) -> None:
    page.incidents = [incident("investigating")]
    assert words(await probe.observe()) == ["inc1 investigating"]
    assert words(await probe.observe()) == []
    page.incidents = [incident("investigating", "identified", "monitoring")]
    assert words(await probe.observe()) == ["inc1 identified", "inc1 monitoring"]
    assert words(await probe.observe()) == []


async def test_what_was_over_before_the_first_reading_is_not_news(page: Page, probe: Probe) -> None:
    page.incidents = [incident("investigating", "resolved", name="old"), incident("investigating", name="new")]
    assert words(await probe.observe()) == ["new investigating"]
    page.incidents += [incident("investigating", "resolved", name="brief")]
    assert words(await probe.observe()) == ["brief investigating", "brief resolved"]
    assert words(await probe.observe()) == []


async def test_last_words_come_from_the_history_when_the_summary_drops_the_incident(page: Page, probe: Probe) -> None:
    page.incidents = [incident("investigating")]
    await probe.observe()
    page.incidents, page.history = [], [incident("investigating", "resolved"), incident("resolved", name="other")]
    [_, last] = await probe.observe()
    assert isinstance(last, Statement)
    assert (last.text, last.stage) == ("inc1 resolved", Stage.RESOLVED)
    assert words(await probe.observe()) == []


async def test_an_incident_resolved_on_the_summary_needs_no_history(page: Page, probe: Probe) -> None:
    page.incidents = [incident("investigating")]
    await probe.observe()
    page.incidents, page.is_history_down = [incident("investigating", "resolved")], True
    assert words(await probe.observe()) == ["inc1 resolved"]
    page.incidents = []
    assert words(await probe.observe()) == []


async def test_a_history_that_is_down_is_asked_again(page: Page, probe: Probe) -> None:
    page.incidents = [incident("investigating")]
    await probe.observe()
    page.incidents, page.history, page.is_history_down = [], [incident("investigating", "resolved")], True
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is FailureReason.HTTP_5XX
    page.is_history_down = False
    assert words(await probe.observe()) == ["inc1 resolved"]


async def test_a_page_without_a_history_still_reads(page: Page, probe: Probe) -> None:
    page.incidents = [incident("investigating")]
    await probe.observe()
    page.incidents, page.history = [], None
    assert words(await probe.observe()) == []


@pytest.mark.parametrize("stage", ["postmortem", "scheduled"], ids=["after the end", "a word of another kind"])
async def test_words_of_no_stage_are_reported_without_one(page: Page, probe: Probe, stage: str) -> None:
    page.incidents = [incident("investigating")]
    await probe.observe()
    page.incidents = [incident("investigating", stage)]
    [_, said] = await probe.observe()
    assert isinstance(said, Statement)
    assert said.stage is None


@pytest.mark.parametrize(
    "update",
    [
        pytest.param({"created_at": "2026-02-03T12:00:00"}, id="a time without a zone"),
        pytest.param({"body": None}, id="no text"),
    ],
)
async def test_a_page_of_another_shape_is_a_failure(page: Page, probe: Probe, update: Json) -> None:
    page.incidents = [
        {
            "id": "x",
            "status": "investigating",
            "incident_updates": [
                {"id": "y", "status": "investigating", "body": "b", "created_at": "2026-02-03T12:00:00Z"} | update
            ],
        }
    ]
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is FailureReason.SCHEMA
