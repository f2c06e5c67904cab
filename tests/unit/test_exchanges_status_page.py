"""A status page: its rails, its maintenances, and its words, the last ones even when it has dropped the incident."""

import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import (
    Direction,
    FailureReason,
    ListRead,
    MaintenanceWindow,
    ProbeFailure,
    RailState,
    RailStatus,
    Reading,
    RemoteError,
    Source,
    Stage,
    Statement,
    SystemStatus,
)
from monitor.probes.answer import Endpoint
from monitor.probes.status_page import INCIDENTS_PATH, SUMMARY_PATH, StatusPageProbe
from monitor.probes.status_rails import rail_of

SUMMARY = Path(__file__).parents[1] / "data" / "exchanges" / "kraken_summary.json"
DATA = os.environ.get("CEXWATCH_EVAL_DATA")
Json = dict[str, object]
NOW = datetime(2026, 2, 3, 12, 10, tzinfo=UTC)


class Page:
    """A status page on loopback that shows what the test puts on it; `history` None is a page without one."""

    def __init__(self) -> None:
        self.indicator = "none"
        self.incidents: list[Json] = []
        self.history: list[Json] | None = []
        self.is_history_down = False
        self.components: list[Json] = []
        self.maintenances: list[Json] = []
        app = web.Application()
        app.router.add_get("/api/v2/summary.json", self._summary)
        app.router.add_get("/api/v2/incidents.json", self._incidents)
        self.server = TestServer(app)

    async def _summary(self, _: web.Request) -> web.Response:
        status = {"indicator": self.indicator, "description": f"{self.indicator} it is"}
        return web.json_response(
            {
                "page": {},
                "components": self.components,
                "incidents": self.incidents,
                "scheduled_maintenances": self.maintenances,
                "status": status,
            }
        )

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
def clock() -> Clock:
    return Clock(start=NOW)


@pytest.fixture
async def probe(page: Page, clock: Clock) -> AsyncIterator[StatusPageProbe]:
    async with Http(clock, per_second={"127.0.0.1": 1000.0}) as http:

        def endpoint(path: str) -> Endpoint:
            url = str(page.server.make_url(path))
            return Endpoint(partial(http.get, url, allow_private=True), partial(http.heed, url), interval=60.0)

        summary, history = endpoint(SUMMARY_PATH), endpoint(INCIDENTS_PATH)
        yield StatusPageProbe(summary, history, clock, exchange="kraken", name="kraken-status-page", interval=60.0)


def incident(*stages: str, name: str = "inc1", odd: Json | None = None) -> Json:
    """An incident that has gone through `stages`, one a minute, newest first as the page shows it.

    `odd` is what its second update has in place of its own.
    """
    updates: list[Json] = [
        {
            "id": f"{name}-{minute}",
            "status": stage,
            "body": f"{name} {stage}",
            "created_at": f"2026-02-03T12:0{minute}:00Z",
        }
        for minute, stage in enumerate(stages)
    ]
    if odd is not None:
        updates[1] |= odd
    return {"id": name, "status": stages[-1], "shortlink": None, "incident_updates": updates[::-1]}


def words(reading: Reading) -> list[str]:
    return [line.text for line in reading if isinstance(line, Statement)]


async def test_a_documented_page_reads_in_order_and_in_utc(page: Page, probe: StatusPageProbe) -> None:
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
        topic="delayed",
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
async def test_the_indicator_is_reported_on_every_reading(
    page: Page, probe: StatusPageProbe, indicator: str, state: str
) -> None:
    page.indicator = indicator
    for _ in range(2):
        [status] = await probe.observe()
        assert isinstance(status, SystemStatus)
        assert (status.component, status.state) == ("all", state)


async def test_each_update_is_reported_once(page: Page, probe: StatusPageProbe) -> None:
    page.incidents = [incident("investigating")]
    assert words(await probe.observe()) == ["inc1 investigating"]
    assert words(await probe.observe()) == []
    page.incidents = [incident("investigating", "identified", "monitoring")]
    assert words(await probe.observe()) == ["inc1 identified", "inc1 monitoring"]
    assert words(await probe.observe()) == []


async def test_what_was_over_before_the_first_reading_is_not_news(page: Page, probe: StatusPageProbe) -> None:
    page.incidents = [incident("investigating", "resolved", name="old"), incident("investigating", name="new")]
    assert words(await probe.observe()) == ["new investigating"]
    page.incidents += [incident("investigating", "resolved", name="brief")]
    assert words(await probe.observe()) == ["brief investigating", "brief resolved"]
    assert words(await probe.observe()) == []


async def test_last_words_come_from_the_history_when_the_summary_drops_the_incident(
    page: Page, probe: StatusPageProbe
) -> None:
    page.incidents = [incident("investigating")]
    await probe.observe()
    page.incidents, page.history = [], [incident("investigating", "resolved"), incident("resolved", name="other")]
    [_, last] = await probe.observe()
    assert isinstance(last, Statement)
    assert (last.text, last.stage) == ("inc1 resolved", Stage.RESOLVED)
    assert words(await probe.observe()) == []


async def test_an_incident_resolved_on_the_summary_needs_no_history(page: Page, probe: StatusPageProbe) -> None:
    page.incidents = [incident("investigating")]
    await probe.observe()
    page.incidents, page.is_history_down = [incident("investigating", "resolved")], True
    assert words(await probe.observe()) == ["inc1 resolved"]
    page.incidents = []
    assert words(await probe.observe()) == []


async def test_a_history_that_is_down_is_asked_again(page: Page, probe: StatusPageProbe) -> None:
    page.incidents = [incident("investigating")]
    await probe.observe()
    page.incidents, page.history, page.is_history_down = [], [incident("investigating", "resolved")], True
    page.components = [component("Solana (SOL)", "major_outage")]
    reading = await probe.observe()
    assert [line.reason for line in reading if isinstance(line, ProbeFailure)] == [FailureReason.HTTP_5XX]
    assert states(reading) == {"SOL@solana": "suspended"}
    assert not [line for line in await probe.observe() if isinstance(line, ProbeFailure)]
    page.is_history_down = False
    assert words(await probe.observe()) == ["inc1 resolved"]
    assert words(await probe.observe()) == []


async def test_a_page_without_a_history_still_reads(page: Page, probe: StatusPageProbe) -> None:
    page.incidents = [incident("investigating")]
    await probe.observe()
    page.incidents, page.history = [], None
    assert words(await probe.observe()) == []


@pytest.mark.parametrize("stage", ["postmortem", "scheduled"], ids=["after the end", "a word of another kind"])
async def test_words_of_no_stage_are_reported_without_one(page: Page, probe: StatusPageProbe, stage: str) -> None:
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
async def test_an_update_that_cannot_be_read_costs_itself(page: Page, probe: StatusPageProbe, update: Json) -> None:
    page.incidents = [incident("investigating", "identified"), incident("investigating", name="other")]
    assert len(words(await probe.observe())) == 3
    page.incidents = [incident("investigating", "identified", "monitoring", odd=update)]
    reading = await probe.observe()
    assert words(reading) == ["inc1 monitoring"]
    [failure] = [line for line in reading if isinstance(line, ProbeFailure)]
    assert (failure.reason, failure.asset) == (FailureReason.SCHEMA, None)
    assert "$.incidents[0].incident_updates[1]" in failure.detail
    assert not [line for line in await probe.observe() if isinstance(line, ProbeFailure)]
    page.incidents = [incident("investigating", "identified", "monitoring")]
    assert words(await probe.observe()) == []


async def test_an_incident_that_cannot_be_read_has_not_left(page: Page, probe: StatusPageProbe) -> None:
    page.incidents = [incident("investigating")]
    await probe.observe()
    page.incidents, page.history = [incident("investigating") | {"status": None}], [incident("investigating", "x")]
    assert words(await probe.observe()) == []
    page.incidents = [incident("investigating", "identified")]
    assert words(await probe.observe()) == ["inc1 identified"]


async def test_a_page_of_another_shape_is_a_failure(page: Page, probe: StatusPageProbe) -> None:
    page.indicator = "unknown"
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is FailureReason.SCHEMA


def component(name: str, status: str = "operational", *, group: bool = False) -> Json:
    return {"id": name, "name": name, "status": status, "group": group, "page_id": "page1", "description": None}


@pytest.mark.parametrize(
    ("name", "rail"),
    [
        pytest.param("0x (ZRX) - Ethereum", "ZRX@ethereum", id="a token on a network"),
        pytest.param("Digital Currency Funding - Ethereum (ETH) - Polygon", "ETH@polygon", id="with its group's name"),
        pytest.param("Bitcoin (BTC) - Lightning", "BTC@lightning", id="a second network"),
        pytest.param("Ethereum (ETH) - Arbitrum One", "ETH@arbitrum", id="a network in our words"),
        pytest.param("Aster (ASTER) - BNB Chain", "ASTER@bsc", id="a network in words of the page"),
        pytest.param("Toncoin (TON) - The Open Network", "TON@ton", id="another one"),
        pytest.param("Digital Currency Funding - Ethereum (ETH)", "ETH@ethereum", id="a coin on its own chain"),
        pytest.param("Lumen (XLM)", "XLM@stellar", id="another coin on its own chain"),
        pytest.param("GMX (GMX)", "GMX@*", id="a coin of which only the asset is told"),
        pytest.param("Tether USD (USDT) - HyperEVM (USDT0)", "USDT@hyperevm", id="the token has another name there"),
        pytest.param("USDC (USDC) - Sei - EVM", "USDC@sei-evm", id="a dash in the network"),
        pytest.param("Bitcoin (kBTC) - Ink", "KBTC@ink", id="a small letter first"),
        pytest.param("Humanity (H) - Ethereum", "H@ethereum", id="a ticker of one letter"),
        pytest.param("Zero Gravity (0G)", "0G@*", id="a ticker that begins with a digit"),
        pytest.param("DOG (Bitcoin) - Runes", None, id="no ticker in the brackets"),
        pytest.param("Bitcoin (BTC) - Custody", None, id="custody"),
        pytest.param("Ethereum (ETH) - Staking", None, id="staking"),
        pytest.param("Tether USD (USDT) - Opt-in Rewards", None, id="rewards"),
        pytest.param("Euro (EUR) - SEPA", None, id="fiat"),
        pytest.param("US Dollar (USD)", None, id="fiat without a way"),
        pytest.param("Custody REST API", None, id="an API"),
        pytest.param("SPL Tokens - Custody", None, id="a dash alone"),
        pytest.param("Buys & Sells", None, id="a component of another exchange"),
        pytest.param("Digital Currency Funding", None, id="the group"),
        pytest.param("Bad\u202e (BAD)", None, id="characters that do not print"),
        pytest.param("x" * 300 + " (ABC)", None, id="longer than a name"),
    ],
)
def test_only_a_name_of_the_known_form_is_a_rail(name: str, rail: str | None) -> None:
    found = rail_of(name)
    assert (None if found is None else str(found)) == rail


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("operational", RailState.OPEN),
        ("degraded_performance", RailState.DELAYED),
        ("partial_outage", RailState.DELAYED),
        ("major_outage", RailState.SUSPENDED),
        ("under_maintenance", RailState.MAINTENANCE),
    ],
)
async def test_a_component_tells_both_directions_and_keeps_the_word(
    page: Page, probe: StatusPageProbe, status: str, state: RailState
) -> None:
    page.components = [component("0x (ZRX) - Ethereum", status)]
    _, out, in_, read = await probe.observe()
    raw = "0x (ZRX) - Ethereum" if state is RailState.OPEN else f"0x (ZRX) - Ethereum: {status}"
    for line, direction in ((out, Direction.WITHDRAWAL), (in_, Direction.DEPOSIT)):
        assert line == RailStatus(
            at=line.at,
            exchange="kraken",
            probe="kraken-status-page",
            asset="ZRX",
            network="ethereum",
            direction=direction,
            state=state,
            raw=raw,
            source=Source.STATUS_PAGE,
        )
    assert read == ListRead(
        at=out.at, exchange="kraken", probe="kraken-status-page", rails=2, changed=2, complete=True, flaws=0
    )


def states(reading: Reading) -> dict[str, str]:
    """Withdrawal rails of a reading and what it says of them."""
    return {
        f"{line.asset}@{line.network}": line.state
        for line in reading
        if isinstance(line, RailStatus) and line.direction is Direction.WITHDRAWAL
    }


async def test_later_readings_tell_what_changed(page: Page, probe: StatusPageProbe) -> None:
    page.components = [
        component("Digital Currency Funding", "major_outage", group=True),
        component("REST API", "major_outage"),
        component("Bitcoin (BTC) - Bitcoin"),
        component("Tether USD (USDT) - Tron"),
    ]
    assert states(await probe.observe()) == {"BTC@bitcoin": "open", "USDT@tron": "open"}
    page.components[3] = component("Tether USD (USDT) - Tron", "major_outage")
    reading = await probe.observe()
    assert states(reading) == {"USDT@tron": "suspended"}
    read = reading[-1]
    assert isinstance(read, ListRead)
    assert (read.rails, read.changed) == (4, 2)
    assert states(await probe.observe()) == {}
    del page.components[3]
    assert states(await probe.observe()) == {"USDT@tron": "unlisted"}


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"status": "on_fire"}, id="a word we do not know"),
        pytest.param({"status": None}, id="no word"),
        pytest.param({"group": "false"}, id="a group that is text"),
    ],
)
async def test_a_bad_component_costs_itself(page: Page, probe: StatusPageProbe, bad: Json) -> None:
    page.components = [component("Bitcoin (BTC) - Bitcoin"), component("Solana (SOL)"), component("REST API")]
    await probe.observe()
    page.components[1] |= bad
    page.components[0]["status"] = "major_outage"
    reading = await probe.observe()
    [failure] = [line for line in reading if isinstance(line, ProbeFailure)]
    assert (failure.reason, failure.asset, failure.network) == (FailureReason.SCHEMA, "SOL", "solana")
    assert states(reading) == {"BTC@bitcoin": "suspended"}
    assert not [line for line in await probe.observe() if isinstance(line, ProbeFailure)]
    page.components[1] = component("Solana (SOL)")
    assert states(await probe.observe()) == {"SOL@solana": "open"}


async def test_a_bad_component_that_is_no_rail_is_not_ours(page: Page, probe: StatusPageProbe) -> None:
    page.components = [component("REST API", "on_fire"), component("Solana (SOL)")]
    reading = await probe.observe()
    assert not [line for line in reading if isinstance(line, ProbeFailure)]
    assert states(reading) == {"SOL@solana": "open"}


async def test_a_page_that_lost_its_rails_says_nothing(page: Page, probe: StatusPageProbe) -> None:
    page.components = [component("Solana (SOL)"), component("REST API")]
    await probe.observe()
    page.components, page.incidents = [component("REST API")], [incident("investigating")]
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is FailureReason.SHAPE
    page.components = [component("Solana (SOL)")]
    assert words(await probe.observe()) == ["inc1 investigating"]


async def test_a_page_without_rails_reads_no_list(page: Page, probe: StatusPageProbe) -> None:
    page.components = [component("Website"), component("Buys & Sells")]
    for _ in range(2):
        [status] = await probe.observe()
        assert isinstance(status, SystemStatus)


def maintenance(**changed: object) -> Json:
    return {
        "id": "m1",
        "name": "Wallet maintenance",
        "status": "scheduled",
        "scheduled_for": "2026-02-03T13:00:00.000Z",
        "scheduled_until": "2026-02-03T09:00:00.000-05:00",
        "components": [component("0x (ZRX) - Ethereum"), component("Website")],
        "incident_updates": [],
    } | changed


def windows(reading: Reading) -> list[tuple[str, str, tuple[str, ...]]]:
    """Start, end and scope of a reading's maintenance windows."""
    return [
        (f"{line.starts_at:%H:%M}", f"{line.ends_at:%H:%M}", line.scope)
        for line in reading
        if isinstance(line, MaintenanceWindow)
    ]


SCOPE = ("Website", "ZRX@ethereum")


async def test_a_maintenance_is_told_once_and_when_it_changes(page: Page, probe: StatusPageProbe) -> None:
    page.maintenances = [maintenance()]
    reading = await probe.observe()
    [window] = [line for line in reading if isinstance(line, MaintenanceWindow)]
    assert (window.exchange, window.probe, window.source) == ("kraken", "kraken-status-page", Source.STATUS_PAGE)
    assert windows(reading) == [("13:00", "14:00", SCOPE)]
    page.maintenances = [maintenance(status="in_progress")]
    assert windows(await probe.observe()) == []
    page.maintenances = [maintenance(status="verifying", scheduled_until="2026-02-03T15:00:00Z")]
    assert windows(await probe.observe()) == [("13:00", "15:00", SCOPE)]


@pytest.mark.parametrize(
    "then",
    [
        pytest.param([], id="it is gone from the page"),
        pytest.param([maintenance(status="completed")], id="it is completed"),
    ],
)
async def test_what_is_over_early_ends_now(page: Page, probe: StatusPageProbe, then: list[Json]) -> None:
    page.maintenances = [maintenance(scheduled_for="2026-02-03T12:00:00Z")]
    await probe.observe()
    page.maintenances = then
    assert windows(await probe.observe()) == [("12:00", "12:10", SCOPE)]
    assert windows(await probe.observe()) == []


async def test_what_is_over_in_time_is_not_told_again(page: Page, probe: StatusPageProbe) -> None:
    times = {"scheduled_for": "2026-02-03T11:00:00Z", "scheduled_until": "2026-02-03T12:00:00Z"}
    page.maintenances = [maintenance(status="in_progress", **times)]
    assert windows(await probe.observe()) == [("11:00", "12:00", SCOPE)]
    page.maintenances = []
    assert windows(await probe.observe()) == []


async def test_a_maintenance_that_moves_ends_the_former_window(page: Page, probe: StatusPageProbe) -> None:
    page.maintenances = [maintenance()]
    await probe.observe()
    page.maintenances = [maintenance(scheduled_for="2026-02-03T13:30:00Z", components=[])]
    assert windows(await probe.observe()) == [
        ("13:00", "12:10", SCOPE),
        ("13:30", "14:00", ("Wallet maintenance",)),
    ]


async def test_the_title_tells_what_a_first_update_does_not(page: Page, probe: StatusPageProbe) -> None:
    page.incidents = [
        incident("investigating", "identified", "monitoring", name="i") | {"name": "Crypto Withdrawal Delays"}
    ]
    reading = await probe.observe()
    assert [line.topic for line in reading if isinstance(line, Statement)] == ["delayed", "delayed", None]


async def test_words_are_made_plain_and_links_are_links(page: Page, probe: StatusPageProbe) -> None:
    one = incident("investigating")
    update = {
        "id": "u",
        "status": "investigating",
        "body": "a\n\u202eb" + "c" * 5_000,
        "created_at": "2026-02-03T12:00:00Z",
    }
    page.incidents = [one | {"shortlink": "javascript:alert(1)", "incident_updates": [update]}]
    [_, said] = await probe.observe()
    assert isinstance(said, Statement)
    assert said.text == ("a b" + "c" * 5_000)[:4_000]
    assert said.url is None


@pytest.mark.skipif(DATA is None, reason="CEXWATCH_EVAL_DATA is not set")
async def test_krakens_own_shape_reads(page: Page, probe: StatusPageProbe) -> None:
    file = Path(DATA or "") / "recorded" / "kraken_statuspage_incidents_shape.json"
    page.incidents = json.loads(file.read_bytes())["response"]["incidents"]
    [_, said] = await probe.observe()
    assert isinstance(said, Statement)
    assert (said.stage, said.topic, said.text) == (
        Stage.INVESTIGATING,
        "delayed",
        "We are investigating an issue.",
    )


async def test_the_last_word_may_name_no_components(page: Page, probe: StatusPageProbe) -> None:
    page.incidents = [incident("investigating", "resolved")]
    for update in page.incidents[0]["incident_updates"]:  # type: ignore[attr-defined]
        update["affected_components"] = None
    await probe.observe()
    page.incidents = [incident("investigating", name="next") | {"components": None}]
    assert words(await probe.observe()) == ["next investigating"]
