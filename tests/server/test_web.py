"""The real server on a free port, fed with projections: what a browser, a scraper and an orchestrator get."""

import asyncio
import html
import re
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import pytest
from msgspec import Struct
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.clock import Clock
from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.model import (
    BalanceView,
    Change,
    CoverageView,
    Direction,
    Draft,
    DraftState,
    Entry,
    Evidence,
    ExchangeState,
    ExchangeView,
    ExposureView,
    Incident,
    IncidentKind,
    Market,
    NetworkView,
    PreApproval,
    ProbeView,
    Problem,
    RailVerdict,
    RailView,
    ReservesView,
    Role,
    Severity,
    Span,
    Stage,
    Transition,
    WayView,
)
from monitor.model.records import DraftsAsked, IncidentsAsked, KeptAnswer
from monitor.model.view import SampleView, WindowView
from monitor.store.store import Store
from monitor.web.server import Projections, application, serving
from tests.statistics import FIRING, QUIET, SUSPICIOUS
from tests.visitors import acting, empty_register
from tests.visitors import faces as faces_of

NOW = datetime(2026, 2, 3, 14, 24, 30, tzinfo=UTC)
HOSTILE = '<script>alert("1")</script>&amp;\u202e\'"><img src=x onerror=alert(1)>'
INCIDENT_ID = "kraken-withdrawal_halt-20260203T140510Z"
OUR_SCRIPT = '<script src="/static/cexwatch.js" defer>'
VOID = {"meta", "link", "br", "img"}


def before(**span: float) -> datetime:
    return NOW - timedelta(**span)


def view(exchange: str, state: ExchangeState, *, words: str = "funding paused") -> ExchangeView:
    rail = RailView(
        asset="ETH",
        network="ethereum",
        direction=Direction.WITHDRAWAL,
        verdict=RailVerdict.SUSPENDED,
        since=before(minutes=12),
        first_read_at=before(hours=3),
        source="api",
        raw=words,
        read_at=before(seconds=5),
        weight=1.0,
    )
    return ExchangeView(
        exchange=exchange,
        title=exchange.capitalize(),
        at=NOW,
        withdrawals=state,
        since=before(minutes=12),
        reason=words,
        rails=(
            rail,
            replace(rail, asset="BTC", network="bitcoin", verdict=RailVerdict.UNKNOWN, reason=words, read_at=None),
        ),
        counts={"withdrawal": {"open": 375, "suspended": 37}},
        newly_off_24h=3,
        networks=(
            NetworkView(
                network="ethereum",
                last_outgoing_at=before(seconds=4),
                outgoing_total=123_456,
                head_age_seconds=3.0,
                read_at=before(seconds=2),
                learned_seconds=1500.0,
                silence_score=0.5,
            ),
        ),
        paid_5m=312,
        statistics=(QUIET, FIRING, replace(SUSPICIOUS, words=words)),
        last_trade_at=before(seconds=2),
        statement=words,
        statement_at=before(minutes=3),
        probes=(
            ProbeView(
                probe=f"{exchange}-assets",
                last_success_at=before(minutes=1),
                failing_since=before(seconds=30),
                reason="timeout",
                detail=words,
                unread=1,
                unread_detail=words,
            ),
        ),
        silence_score=0.5,
        silence_threshold=14.0,
        silence_note=words,
        balances=(
            BalanceView(
                asset="ETH",
                network="ethereum",
                amount=Decimal("401346.25"),
                read_at=before(seconds=40),
                wallets=12,
                wallets_read=11,
                usd=Decimal(1_003_365_625),
                hot=Decimal(3100),
                hot_read_at=before(seconds=20),
                change_24h=Decimal(-4013),
                inflow_24h=Decimal(9000),
                outflow_24h=Decimal(13013),
                runway_seconds=1800.0,
            ),
        ),
        reserves=ReservesView(
            usd=Decimal(1_003_365_625),
            unread=1,
            change_24h_usd=Decimal(-10_032_500),
            coverage=(
                CoverageView(
                    asset="ETH",
                    ours=Decimal("401346.25"),
                    published=Decimal(412_000),
                    as_of=before(days=3),
                    source=words,
                ),
            ),
            priced_at=before(seconds=50),
        ),
        exposures=(
            ExposureView(
                asset="ETH",
                amount=Decimal(5000),
                told_at=before(hours=1),
                withdrawable=Decimal(3100),
                stuck=Decimal(1900),
                unknown=Decimal(0),
                usd=Decimal(12_500_000),
                ways=(
                    WayView(network="ethereum", verdict=RailVerdict.OPEN, since=None, limit=Decimal(3100), why=words),
                ),
            ),
        ),
        valid_until=NOW + timedelta(minutes=3),
        windows=(
            WindowView(
                starts_at=NOW + timedelta(hours=2),
                ends_at=NOW + timedelta(hours=4),
                scope=(words,),
                source="status_page",
            ),
        ),
        samples=(
            SampleView(
                probe=f"{exchange}-withdrawals",
                asset="USDT",
                network="tron",
                read_at=before(seconds=5),
                pending=1,
                oldest_seconds=720.0,
                frozen=True,
                took_seconds=180.0,
                took_at=before(hours=2),
                failed_24h=0,
            ),
        ),
    )


def evidence(words: str) -> Evidence:
    return Evidence(at=before(minutes=20), probe="kraken-wallets", source="chain", rail="*@ethereum", value=words)


def incident(*, words: str = "hot wallets stopped sending") -> Incident:
    return Incident(
        id=INCIDENT_ID,
        exchange="kraken",
        kind=IncidentKind.WITHDRAWAL_HALT,
        severity=Severity.CRITICAL,
        stage=Stage.IDENTIFIED,
        scope=("*",),
        summary=words,
        opened_at=before(minutes=19),
        since=before(minutes=21),
        evidence=(evidence(words),),
        updated_at=before(minutes=3),
        official_at=before(minutes=3),
        acknowledged_by=words,
        notes=(words,),
        spans=(Span(source="chain", began_at=before(minutes=21)),),
        market=(Market(asset="BTC", at=before(minutes=19), usd=97012.4, change_24h=-0.021, volatility_1h=0.008),),
    )


def transition(*, words: str = "hot wallets stopped sending") -> Transition:
    return Transition(
        at=before(minutes=19),
        incident=INCIDENT_ID,
        transition=Change.OPENED,
        kind=IncidentKind.WITHDRAWAL_HALT,
        severity=Severity.CRITICAL,
        exchange="kraken",
        scope=("*",),
        summary=words,
        evidence=(evidence(words),),
    )


def draft(*, text: str = "We observe that Kraken pays nobody.\nNext update by 14:55 UTC.") -> Draft:
    return Draft(
        id="d-3fa9c1b07e",
        incident=INCIDENT_ID,
        exchange="kraken",
        stage=Stage.IDENTIFIED,
        channel="file",
        role=Role.OBSERVER,
        text=text,
        text_sha256=sha256(text.encode()).hexdigest(),
        state=DraftState.PENDING,
        problems=(Problem(rule="next_update", level="warning", message="the next update is far away"),),
        created_at=before(minutes=3),
        expires_at=NOW + timedelta(minutes=17),
        claims="",
    )


class Kept(Struct, kw_only=True):
    """Projections as a store would keep them, in memory."""

    shown: list[ExchangeView] = []
    cases: list[Incident] = []
    changes: list[Transition] = []
    written: list[Draft] = []
    is_held: bool = False
    answers: dict[bytes, KeptAnswer] = {}

    async def views(self) -> Sequence[ExchangeView]:
        return self.shown

    async def view(self, exchange: str) -> ExchangeView | None:
        return next((view for view in self.shown if view.exchange == exchange), None)

    async def incidents(self, *, open_only: bool = False, limit: int = 100) -> Sequence[Incident]:
        return [case for case in self.cases if not open_only or case.resolved_at is None][:limit]

    async def incident(self, incident_id: str) -> Incident | None:
        return next((case for case in self.cases if case.id == incident_id), None)

    async def transitions(self, incident_id: str) -> Sequence[Transition]:
        return [change for change in self.changes if change.incident == incident_id]

    async def drafts(self, *, pending_only: bool = False, limit: int = 100) -> Sequence[Draft]:
        return [d for d in self.written if not pending_only or d.state is DraftState.PENDING][:limit]

    async def draft(self, draft_id: str) -> Draft | None:
        return next((d for d in self.written if d.id == draft_id), None)

    async def versions(self, draft: Draft) -> Sequence[Draft]:
        return [draft]

    async def preapprovals(self) -> Sequence[PreApproval]:
        return []

    async def held(self) -> bool:
        return self.is_held

    async def history(self, kinds: Sequence[IncidentKind], *, since: datetime) -> Sequence[Incident]:
        return [case for case in self.cases if case.kind in kinds and (case.opened_at >= since or not case.resolved_at)]

    async def began(self) -> datetime | None:
        return before(days=40)

    async def incidents_page(self, asked: IncidentsAsked) -> Sequence[Incident]:
        return self.cases[: asked.limit]

    async def timeline(self, incident_id: str, *, skip: int, limit: int) -> Sequence[Transition]:
        return list(await self.transitions(incident_id))[skip : skip + limit]

    async def drafts_page(self, asked: DraftsAsked) -> Sequence[Draft]:
        return [d for d in self.written if d.state in asked.states][: asked.limit]

    async def head(self) -> Entry | None:
        return None

    async def begin_answer(
        self, key: bytes, *, fingerprint: bytes, now: datetime, until: datetime
    ) -> KeptAnswer | None:
        del now, until
        before = self.answers.get(key)
        self.answers.setdefault(key, KeptAnswer(fingerprint))
        return before

    async def keep_answer(self, key: bytes, answer: KeptAnswer) -> None:
        self.answers[key] = answer

    async def forget_answer(self, key: bytes) -> None:
        del self.answers[key]


class StillClock(Clock):
    def now(self) -> datetime:
        return NOW


def projections_of(store: Store) -> Projections:
    """The store is what the pages read; mypy checks it here."""
    return store


@asynccontextmanager
async def browsing(
    kept: Kept, *, alive: Callable[[], bool] = lambda: True, ready: Callable[[], str | None] = lambda: None
) -> AsyncIterator[aiohttp.ClientSession]:
    metrics = Metrics(version="0.1.0", intervals=Intervals())
    for shown in kept.shown:
        metrics.show(shown)
    faces = faces_of(kept, StillClock(), metrics, alive=alive, ready=ready)
    with TemporaryDirectory() as folder:
        async with empty_register(Path(folder)) as people:
            decided = acting(kept, people, StillClock(), show=faces.page)
            app = application(faces, version="0.1.0", routes=decided)
            async with serving(app, host="127.0.0.1", port=0) as url, aiohttp.ClientSession(url) as session:
                yield session


def full(*, words: str | None = None) -> Kept:
    if words is None:
        return Kept(
            shown=[view("kraken", ExchangeState.HALTED)],
            cases=[incident()],
            changes=[transition()],
            written=[draft()],
        )
    return Kept(
        shown=[view("kraken", ExchangeState.HALTED, words=words)],
        cases=[incident(words=words)],
        changes=[transition(words=words)],
        written=[draft(text=words)],
    )


PAGES = [
    "/",
    "/reserves",
    "/exchanges/kraken",
    f"/incidents/{INCIDENT_ID}",
    "/drafts",
    "/drafts/d-3fa9c1b07e",
    "/scorecard",
    "/maintenance",
    "/detectors",
    "/about",
]
OF_OTHERS = [path for path in PAGES if path not in ("/about", "/scorecard")]
"""Those that show words of others."""


@pytest.mark.parametrize(
    ("path", "facts"),
    [
        pytest.param(
            "/",
            [
                "1 halted",
                "Kraken",
                "4 s ago, ethereum",
                "312",
                "37 of 412",
                "3 new in 24 h",
                "2 s ago",
                "funding paused",
                "The chain knew first",
                "the official word 17 min later",
                "d-3fa9c1b07e",
                "expires in 17 min",
                "kraken-assets: timeout since",
                "maintenance 16:24-18:24 UTC: funding paused, per its status page",
                "yours: $7.8M can leave, $4.8M stuck",
            ],
            id="status",
        ),
        pytest.param(
            "/exchanges/kraken",
            [
                "ETH",
                "suspended",
                "halted from 14.0 on",
                "25 min of 6 h",
                "401,346",
                "11 of 12",
                "123,456",
                "cannot see",
                "1 row unreadable: funding paused",
                "maintenance 16:24-18:24 UTC: funding paused, per its status page",
                "1 pending for 12 min, last took 3 min; frozen by its owner",
                "Kraken $12.5M: $7.8M can leave now by ethereum, $4.8M not now by ethereum (funding paused)",
                "97 % of ETH",
                "in 9,000, out 13,013",
                "30 min",
                "1 wallet unread",
                "1 firing, 1 suspicious, 1 quiet",
                "14.9, fires from 14.7",
                "5, usually 48.6 transactions a minute",
            ],
            id="exchange",
        ),
        pytest.param(
            "/reserves",
            [
                "of the addresses we know",
                "Kraken",
                "$1.0bn",
                "1 wallet unread",
                "-$10.0M",
                "97 % of ETH",
                "unknown",
                "50 s ago",
            ],
            id="reserves",
        ),
        pytest.param(
            f"/incidents/{INCIDENT_ID}",
            [
                "Withdrawal halt",
                "critical",
                "identified",
                "the chain, <bdi>ethereum",
                "2 min before we told, 18 min before their first word; goes on, 21 min so far",
                "opened",
                "d-3fa9c1b07e",
                "BTC 97,012 USD, -2.1 % in 24 h, 0.8 % volatility in the hour",
            ],
            id="incident",
        ),
        pytest.param("/drafts", ["d-3fa9c1b07e", "1 warning", "We observe that Kraken pays nobody."], id="drafts"),
        pytest.param(
            "/drafts/d-3fa9c1b07e",
            [
                "We observe that Kraken pays nobody.\nNext update by 14:55 UTC.",
                draft().text_sha256,
                "the next update is far away",
                "expires in 17 min",
                "cexwatch drafts approve d-3fa9c1b07e",
            ],
            id="draft",
        ),
    ],
)
async def test_a_page_tells_its_facts(path: str, facts: list[str]) -> None:
    async with browsing(full()) as browser, browser.get(path) as answer:
        body = html.unescape(await answer.text())

    assert answer.status == 200
    assert [fact for fact in facts if fact not in body] == []


@pytest.mark.parametrize("path", OF_OTHERS)
async def test_the_words_of_others_are_only_ever_text(path: str) -> None:
    async with browsing(full(words=HOSTILE)) as browser, browser.get(path) as answer:
        body = await answer.text()

    assert 'alert("1")' in html.unescape(body), "the words are shown"
    assert re.findall(r"<script[^>]*>", body) == [OUR_SCRIPT]
    assert "<img" not in body
    assert {tag for tag, _ in Tags.of(body).attributes_starting_with("on")} == set()


@pytest.mark.parametrize("path", [*PAGES, "/exchanges/nowhere"])
async def test_pages_are_whole_and_need_nothing_from_elsewhere(path: str) -> None:
    async with browsing(full()) as browser, browser.get(path) as answer:
        tags = Tags.of(await answer.text())

    assert tags.open == []
    assert tags.unmatched == []
    links = [value for _, value in tags.attributes_starting_with("href") + tags.attributes_starting_with("src")]
    assert links
    assert [link for link in links if not link.startswith(("/", "#")) or link.startswith("//")] == []
    assert tags.attributes_starting_with("style") == []


async def test_every_link_leads_somewhere() -> None:
    async with browsing(full()) as browser:
        seen: set[str] = set()
        ahead = ["/"]
        while ahead:
            path = ahead.pop()
            seen.add(path)
            async with browser.get(path) as answer:
                assert answer.status == 200, path
                if answer.content_type == "text/html":
                    links = [value for _, value in Tags.of(await answer.text()).attributes_starting_with("href")]
                    ahead += [link for link in links if link not in seen and not link.startswith("#")]

    assert {*PAGES, "/metrics", "/healthz", "/readyz", "/static/cexwatch.css", "/api/v1/reserves"} <= seen


@pytest.mark.parametrize("path", [*PAGES, "/metrics", "/healthz", "/static/cexwatch.css", "/exchanges/nowhere", "/no"])
async def test_security_headers_are_on_every_answer(path: str) -> None:
    async with browsing(full()) as browser, browser.get(path) as answer:
        headers = answer.headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/exchanges/nowhere", "/incidents/nothing", "/drafts/none"])
async def test_what_is_not_there_is_a_404_with_a_way_back(path: str) -> None:
    async with browsing(full()) as browser, browser.get(path) as answer:
        assert answer.status == 404
        assert 'href="/"' in await answer.text()


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_can_be_changed_here(path: str) -> None:
    async with browsing(full()) as browser, browser.post(path, data={"approve": "yes"}) as answer:
        assert answer.status == 405


async def test_each_state_has_its_own_word_and_shape() -> None:
    kept = Kept(shown=[view(f"x-{state}", state) for state in ExchangeState])
    async with browsing(kept) as browser, browser.get("/") as answer:
        body = await answer.text()

    rows = re.findall(r'<tr class="is-.*?</tr>', body, re.DOTALL)
    marks = [re.findall(r'<span class="mark \w+"><svg.*?>(.*?)</svg>(\w+)</span>', row)[0] for row in rows]
    both = ["halted", "degraded", "unknown", "operational"] * 2
    assert [word for _, word in marks] == both, "in the table of who paid, and in that of everything"
    assert len({shape for shape, _ in marks}) == 4


BLIND = ExchangeView(
    exchange="",
    at=NOW,
    withdrawals=ExchangeState.UNKNOWN,
    since=None,
    reason="",
    blind=True,
    probes=(ProbeView(probe="control", last_success_at=None, failing_since=before(minutes=2), reason="dns"),),
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("shown", "is_held", "alive", "reason", "banner"),
    [
        pytest.param([BLIND], False, True, None, "We cannot see", id="blind"),
        pytest.param([], True, True, None, "Publishing is held", id="held"),
        pytest.param([], False, True, "the first round is not over", "the first round is not over", id="not ready"),
        pytest.param([], False, False, None, "the pipeline does not turn", id="not alive"),
    ],
)
async def test_what_casts_doubt_on_a_page_stands_above_it(
    shown: list[ExchangeView], is_held: bool, alive: bool, reason: str | None, banner: str, path: str
) -> None:
    kept = full()
    kept.shown += shown
    kept.is_held = is_held
    async with browsing(kept, alive=lambda: alive, ready=lambda: reason) as browser, browser.get(path) as answer:
        body = await answer.text()

    head, main = body.split("<main ")
    assert banner in head
    assert banner not in main or path.startswith("/drafts/")


async def test_without_doubt_there_is_no_banner() -> None:
    async with browsing(full()) as browser, browser.get("/") as answer:
        assert 'role="alert"' not in await answer.text()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"problems": (Problem(rule="cause", level="error", message="names a cause"),)}, id="lint error"),
        pytest.param({"expires_at": before(minutes=1)}, id="expired"),
        pytest.param({"text_sha256": "00"}, id="another text than its hash"),
    ],
)
async def test_a_draft_that_cannot_be_approved_says_why_and_shows_no_such_command(changed: dict[str, object]) -> None:
    kept = full()
    kept.written = [replace(draft(), **changed)]
    async with browsing(kept) as browser, browser.get("/drafts/d-3fa9c1b07e") as answer:
        body = await answer.text()

    assert "cannot be approved" in body
    assert "drafts approve" not in body


async def test_an_incident_is_shown_as_part_of_that_of_its_network() -> None:
    network = replace(
        incident(words="ethereum is closed at 3 exchanges"),
        id="world-network_incident-ethereum-20260203T140400Z",
        exchange="",
        kind=IncidentKind.NETWORK_INCIDENT,
        scope=("*@ethereum",),
        subject="ethereum",
        exchanges=("kraken", "okx", "htx"),
    )
    kept = full()
    kept.cases = [replace(incident(), kind=IncidentKind.WITHDRAWALS_DEGRADED, scope=("ETH@ethereum",)), network]
    part = "Part of a network incident: ethereum is closed at 3 exchanges"
    for path in ("/", "/exchanges/kraken", f"/incidents/{INCIDENT_ID}"):
        async with browsing(kept) as browser, browser.get(path) as answer:
            assert part in await answer.text()
    async with browsing(kept) as browser, browser.get(f"/incidents/{network.id}") as answer:
        body = await answer.text()
    assert "Network incident, several exchanges" in body
    assert part not in body


async def test_without_a_chain_there_is_no_silence_to_measure() -> None:
    kept = full()
    kept.shown = [replace(kept.shown[0], networks=(), silence_score=0.0, silence_note="no chain is read")]
    async with browsing(kept) as browser, browser.get("/exchanges/kraken") as answer:
        body = await answer.text()

    assert "Silence score" not in body
    assert "no chain is read" in body


async def test_before_the_first_reading_the_page_says_so() -> None:
    async with browsing(Kept()) as browser, browser.get("/") as answer:
        assert "No exchange has been read yet." in await answer.text()


@pytest.mark.parametrize("path", ["/healthz", "/-/healthy"])
@pytest.mark.parametrize(("alive", "status"), [(True, 200), (False, 503)])
async def test_health_is_whether_the_pipeline_turns(path: str, alive: bool, status: int) -> None:
    async with browsing(Kept(), alive=lambda: alive) as browser, browser.get(path) as answer:
        assert answer.status == status


@pytest.mark.parametrize("path", ["/readyz", "/-/ready"])
async def test_readiness_names_its_reason(path: str) -> None:
    async with browsing(Kept(), ready=lambda: "the store is being migrated") as browser, browser.get(path) as answer:
        assert answer.status == 503
        assert await answer.text() == "the store is being migrated\n"

    async with browsing(Kept()) as browser, browser.get(path) as answer:
        assert answer.status == 200


async def test_metrics_in_the_text_format_and_in_openmetrics() -> None:
    async with browsing(full()) as browser:
        async with browser.get("/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert answer.headers["Content-Encoding"] in ("gzip", "deflate")
            names = {family.name for family in parse_text(await answer.text())}
        async with browser.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}) as answer:
            assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
            same = {family.name for family in parse_openmetrics(await answer.text())}  # type: ignore[no-untyped-call]

    assert "cexwatch_withdrawals_state" in names
    assert same == names


async def exit_code(*arguments: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor.web.health", *arguments, stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


@pytest.mark.parametrize(("alive", "code"), [(True, 0), (False, 1)])
async def test_the_containers_health_check_is_the_health_page(alive: bool, code: int) -> None:
    metrics = Metrics(version="0.1.0", intervals=Intervals())
    faces = faces_of(Kept(), StillClock(), metrics, alive=lambda: alive)
    async with serving(application(faces, version="0.1.0"), host="127.0.0.1", port=0) as url:
        assert await exit_code(f"{url}/healthz") == code

    assert await exit_code(f"{url}/healthz") == 1, "nobody listens any more"


class Tags(HTMLParser):
    """The tags of a page: those left open, those closed without being open, and all attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.unmatched: list[str] = []
        self._attributes: list[tuple[str, str]] = []

    @classmethod
    def of(cls, body: str) -> "Tags":
        tags = cls()
        tags.feed(body)
        tags.close()
        return tags

    def attributes_starting_with(self, prefix: str) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self._attributes if name.startswith(prefix)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        self._attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.unmatched.append(tag)
