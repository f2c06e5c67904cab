"""Feeds and the read API: what other people's programs read back, and what must never be in it."""

import re
from calendar import timegm
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import aiohttp
import feedparser
import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.http import Http
from monitor.model import (
    Change,
    DraftState,
    Entry,
    ExchangeState,
    ExchangeView,
    IncidentKind,
    Output,
    ProbeView,
    Role,
    Severity,
    Stage,
    Statement,
    SystemStatus,
    Tick,
    Transition,
)
from monitor.probes.answer import Endpoint
from monitor.probes.status_page import INCIDENTS_PATH, SUMMARY_PATH, StatusPageProbe
from monitor.replay.stage import listening
from monitor.store import Step, Store
from monitor.web.feeds import Feeds, Voice
from tests.notifications import START, at, draft, transition
from tests.server.store_samples import incident, opened

OBSERVER = Voice(role=Role.OBSERVER, speaks_for="", external_url="https://status.example.org")
OPERATOR = Voice(role=Role.OPERATOR, speaks_for="kraken", external_url="https://status.example.org")
HALT = "kraken-withdrawal_halt-20260203T140000Z"
PATHS = (
    "/feed.atom",
    "/feed.rss",
    "/feed.json",
    "/api/v2/summary.json",
    "/api/v2/status.json",
    "/api/v2/components.json",
    "/api/v2/incidents.json",
    "/api/v2/incidents/unresolved.json",
    "/badge/kraken.svg",
)
CANARIES = ("dana", "canary", "1234567.89")


def view(state: ExchangeState = ExchangeState.HALTED, *, exchange: str = "kraken") -> ExchangeView:
    return ExchangeView(
        exchange=exchange,
        title=exchange.capitalize(),
        at=START,
        withdrawals=state,
        since=START,
        reason="canary of a reason",
        probes=(ProbeView(probe="p", last_success_at=START, failing_since=None),),
        valid_until=START + timedelta(days=1),
    )


class Reader:
    def __init__(self, session: aiohttp.ClientSession, base: str, store: Store) -> None:
        self.session = session
        self.base = base
        self.store = store
        self._seq = 0

    async def commit(self, *outputs: Output, views: tuple[ExchangeView, ...] = ()) -> None:
        self._seq += 1
        step = Step(Entry(self._seq, Tick(at=at(self._seq), probe="tick")), outputs)
        await self.store.commit([step], views=views)

    async def get(self, path: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
        async with self.session.get(self.base + path, headers=headers) as response:
            return response.status, await response.read(), response.headers

    async def read(self, path: str) -> bytes:
        status, body, _ = await self.get(path)
        assert status == 200
        return body


@asynccontextmanager
async def reading(folder: Path, voice: Voice = OBSERVER, *, alive: bool = True) -> AsyncIterator[Reader]:
    clock = Clock(start=START + timedelta(hours=1))
    async with opened(folder / "cexwatch.db") as store:
        app = web.Application()
        app.add_routes(Feeds(store, voice=voice, clock=clock, alive=lambda: alive).routes())
        async with listening(app, clock) as base, aiohttp.ClientSession() as session:
            yield Reader(session, base, store)


def halt() -> list[Transition]:
    return [
        transition(Change.OPENED),
        transition(Change.ACKNOWLEDGED, summary="by dana", seconds=10),
        transition(Change.UPDATED, summary="note by dana: canary of a note", seconds=20),
        transition(Change.IDENTIFIED, summary="by dana", seconds=30),
        transition(Change.MONITORING, summary="signals have cleared", seconds=900),
        transition(Change.RESOLVED, summary="back to normal", seconds=1200),
    ]


SAID = ["resolved", "monitoring", "identified", "investigating"]


async def test_an_independent_reader_reads_every_feed_back(tmp_path: Path) -> None:
    async with reading(tmp_path) as reader:
        await reader.commit(*halt(), views=(view(),))
        atom = feedparser.parse(await reader.read("/feed.atom"))
        rss = feedparser.parse(await reader.read("/feed.rss"))
        told = msgspec.json.decode(await reader.read("/feed.json"))
    for feed in (atom, rss):
        assert not feed.bozo, feed.get("bozo_exception")
        assert feed.feed.title == "cexwatch"
        assert [entry.title for entry in feed.entries] == [f"Kraken: withdrawal halt ({stage})" for stage in SAID]
        assert [entry.tags[0].term for entry in feed.entries] == SAID
        assert all(entry.link == f"https://status.example.org/incidents/{HALT}" for entry in feed.entries)
        times = [datetime.fromtimestamp(timegm(entry.published_parsed), UTC) for entry in feed.entries]
        assert times == [at(1200), at(900), at(30), at(0)]
    assert (atom.version, rss.version) == ("atom10", "rss20")
    assert atom.entries[3].content[0].value == rss.entries[3].summary == told["items"][3]["content_text"]
    assert "all nine watched rails are closed" in rss.entries[3].summary
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    ids = [entry.id for entry in atom.entries]
    assert ids == [entry.id for entry in rss.entries] == [item["id"] for item in told["items"]]
    assert len(set(ids)) == 4


async def test_ids_stay_when_more_is_said(tmp_path: Path) -> None:
    async with reading(tmp_path) as reader:
        await reader.commit(*halt()[:1])
        [before] = feedparser.parse(await reader.read("/feed.atom")).entries
        await reader.commit(*halt()[4:])
        after = feedparser.parse(await reader.read("/feed.atom")).entries
    assert after[-1].id == before.id
    assert len(after) == 3


@pytest.mark.parametrize("path", PATHS)
async def test_who_has_it_is_told_so_until_it_changes(tmp_path: Path, path: str) -> None:
    async with reading(tmp_path) as reader:
        await reader.commit(*halt()[:1], views=(view(),))
        status, body, headers = await reader.get(path)
        assert (status, headers["Cache-Control"]) == (200, "public, max-age=60")
        status, again, _ = await reader.get(path, **{"If-None-Match": headers["ETag"]})
        assert (status, again) == (304, b"")
        await reader.commit(*halt()[4:], views=(view(ExchangeState.OPERATIONAL),))
        status, changed, _ = await reader.get(path, **{"If-None-Match": headers["ETag"]})
        assert status == 200
        assert changed != body


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("voice", [OBSERVER, OPERATOR], ids=["observer", "operator"])
async def test_no_private_word_gets_out(tmp_path: Path, path: str, voice: Voice) -> None:
    private = [
        transition(Change.OPENED, incident=f"{kind}", kind=kind, summary="canary of our own")
        for kind in (
            IncidentKind.EXPOSURE_STUCK,
            IncidentKind.BLIND,
            IncidentKind.DRAFT_WAITING,
            IncidentKind.POST_UNKNOWN,
        )
    ]
    queue = transition(Change.REOPENED, summary="1234567.89 wait in our queue", source="queue", seconds=40)
    drafts = [
        draft(state, name=f"d-{state}", text=f"canary of a draft that is {state}", decided_by="dana", claims=state)
        for state in DraftState
        if state is not DraftState.POSTED
    ]
    said = draft(DraftState.POSTED, text="What was posted.", decided_by="dana")
    known = replace(incident(HALT, Stage.INVESTIGATING), notes=("canary of a note by dana",), acknowledged_by="dana")
    async with reading(tmp_path, voice) as reader:
        await reader.commit(known, *halt(), queue, *private, *drafts, said, views=(view(),))
        body = (await reader.read(path)).decode()
    assert [word for word in CANARIES if re.search(rf"\b{word}", body)] == []


async def test_an_operator_s_page_says_only_what_was_posted(tmp_path: Path) -> None:
    async with reading(tmp_path, OPERATOR) as reader:
        known = incident(HALT, Stage.INVESTIGATING)
        await reader.commit(known, *halt()[:2], draft(DraftState.PENDING), views=(view(), view(exchange="okx")))
        before = msgspec.json.decode(await reader.read("/api/v2/summary.json"))
        assert (before["status"]["indicator"], before["incidents"]) == ("none", [])
        assert [(each["name"], each["status"]) for each in before["components"]] == [("Kraken", "operational")]
        assert b"operational" in await reader.read("/badge/kraken.svg")
        assert (await reader.get("/badge/okx.svg"))[0] == 404
        await reader.commit(
            draft(DraftState.POSTED, text="We are aware.", seconds=60, decided_by="dana"),
            draft(DraftState.POSTED, name="d-2", channel="statuspage", text="We are aware, longer.", seconds=90),
        )
        after = msgspec.json.decode(await reader.read("/api/v2/summary.json"))
        [told] = after["incidents"]
        assert [update["body"] for update in told["incident_updates"]] == ["We are aware."]
        assert after["components"][0]["status"] == "major_outage"
        await reader.commit(
            draft(DraftState.POSTED, name="d-3", stage=Stage.RESOLVED, text="All is well.", seconds=900)
        )
        over = msgspec.json.decode(await reader.read("/api/v2/incidents.json"))
        assert over["incidents"][0]["status"] == "resolved"
        assert msgspec.json.decode(await reader.read("/api/v2/incidents/unresolved.json"))["incidents"] == []


@pytest.mark.parametrize(
    ("state", "alive"),
    [
        pytest.param(ExchangeState.UNKNOWN, True, id="it is unknown"),
        pytest.param(ExchangeState.OPERATIONAL, False, id="the pipeline does not turn"),
    ],
)
async def test_unknown_is_never_operational(tmp_path: Path, state: ExchangeState, *, alive: bool) -> None:
    async with reading(tmp_path, alive=alive) as reader:
        await reader.commit(views=(view(state),))
        told = msgspec.json.decode(await reader.read("/api/v2/summary.json"))
        assert told["components"] == []
        assert told["status"] == {"indicator": "minor", "description": "Withdrawals: 1 unknown"}
        assert b"unknown" in await reader.read("/badge/kraken.svg")


async def test_our_own_reader_of_status_pages_reads_ours(tmp_path: Path) -> None:
    async with reading(tmp_path) as reader:
        await reader.commit(*halt()[:1], views=(view(),))
        clock = Clock(start=START + timedelta(hours=1))
        async with Http(clock) as http:

            def endpoint(path: str) -> Endpoint:
                url = reader.base + path
                return Endpoint(partial(http.get, url, allow_private=True), partial(http.heed, url), interval=60.0)

            probe = StatusPageProbe(
                endpoint(SUMMARY_PATH), endpoint(INCIDENTS_PATH), clock, exchange="us", name="us-page", interval=60
            )
            first = await probe.observe()
            await reader.commit(*halt()[5:], views=(view(ExchangeState.OPERATIONAL),))
            second = await probe.observe()
    [status] = [seen for seen in first if type(seen) is SystemStatus]
    assert status.state == "outage"
    [said] = [seen for seen in first if type(seen) is Statement]
    assert (said.stage, said.url) == (Stage.INVESTIGATING, f"https://status.example.org/incidents/{HALT}")
    assert [seen.stage for seen in second if type(seen) is Statement] == [Stage.RESOLVED]


async def test_a_feed_holds_ninety_days_and_fifty_items_and_the_page_what_is_open_for_longer(tmp_path: Path) -> None:
    async with reading(tmp_path) as reader:
        old = transition(Change.OPENED, incident="of old", seconds=-100 * 86_400)
        many = [transition(Change.OPENED, incident=f"i-{n}", seconds=n) for n in range(60)]
        await reader.commit(incident("of old", Stage.INVESTIGATING, opened=-100 * 86_400), old, *many)
        entries = feedparser.parse(await reader.read("/feed.rss")).entries
        unresolved = msgspec.json.decode(await reader.read("/api/v2/incidents/unresolved.json"))
    assert len(entries) == 50
    assert entries[0].link.endswith("/i-59")
    assert "of old" in [each["id"] for each in unresolved["incidents"]]


async def test_words_that_xml_cannot_carry_do_not_break_the_feed(tmp_path: Path) -> None:
    async with reading(tmp_path) as reader:
        await reader.commit(transition(Change.OPENED, summary="a\x00b\x1b <script> & ]]> \ufffe"))
        for path in ("/feed.atom", "/feed.rss"):
            feed = feedparser.parse(await reader.read(path))
            assert not feed.bozo
            ElementTree.fromstring(await reader.read(path))  # noqa: S314 - it is our own


async def test_a_feed_of_nothing_is_a_feed(tmp_path: Path) -> None:
    async with reading(tmp_path, replace(OBSERVER, external_url="")) as reader:
        for path in ("/feed.atom", "/feed.rss"):
            feed = feedparser.parse(await reader.read(path))
            assert (feed.bozo, feed.entries) == (False, [])
            assert feed.feed.links[0].href.startswith(reader.base)


async def test_a_badge_is_an_image_whatever_an_exchange_is_called(tmp_path: Path) -> None:
    async with reading(tmp_path) as reader:
        await reader.commit(views=(replace(view(), title="<Kra&ken>" * 20),))
        status, body, headers = await reader.get("/badge/kraken.svg")
        assert (status, headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
        root = ElementTree.fromstring(body)  # noqa: S314 - it is our own
        assert root.get("aria-label", "").endswith("withdrawals: halted")
        assert (await reader.get("/badge/nobody.svg"))[0] == 404


async def test_a_warning_is_minor_and_a_feed_says_what_several_exchanges_have(tmp_path: Path) -> None:
    everywhere = transition(
        Change.OPENED, exchange="", kind=IncidentKind.NETWORK_INCIDENT, severity=Severity.WARNING, incident="net"
    )
    async with reading(tmp_path) as reader:
        await reader.commit(everywhere, views=(view(ExchangeState.OPERATIONAL),))
        told = msgspec.json.decode(await reader.read("/api/v2/summary.json"))
        assert told["incidents"][0]["name"] == "Several exchanges: network incident"
        assert (told["incidents"][0]["impact"], told["status"]["indicator"]) == ("minor", "minor")
