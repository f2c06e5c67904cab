"""Reports: one file that needs nothing from elsewhere, with the figures of the journal and no others."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.async_api import Page

from monitor.model import ConfigApplied, ExchangeState, Judging, Observation, WalletActivity
from monitor.replay.comparing import Setting, backtest
from monitor.report.case import Known, cases_of, record
from monitor.report.figures import Figures, figures
from monitor.report.page import backtest_page, incident_page, stress_page
from monitor.report.period import Period, around
from monitor.report.recorder import Recorder
from tests import journals, stories
from tests.journals import at
from tests.replay.test_backtest import written
from tests.server.browsing import launched
from tests.server.test_cli import cexwatch, offline, start

STRESS = Period(at(400), at(500), before=timedelta(minutes=60))


class _References(HTMLParser):
    """Everything that a browser would fetch, and where links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster", "action") or name.endswith("href"):
                (self.links if tag == "a" else self.fetched).append(value or "")
            if name.startswith("on"):
                self.scripts += 1


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("report") / "story.jsonl", stories.story())


@pytest.fixture(scope="module")
def known(journal: Path) -> Known:
    return cases_of(journal, judging=None, progress=_quiet)


@pytest.fixture(scope="module")
def incident(journal: Path, known: Known) -> str:
    case = known.cases[stories.INCIDENT]
    period = around(case.incident.since or case.incident.opened_at, case.incident.resolved_at or at(520))
    recorder, _ = record(journal, period, judging=None, exchanges=["kraken"], progress=_quiet)
    return incident_page(case, recorder, known.origin)


@pytest.fixture(scope="module")
def recorded(journal: Path) -> Recorder:
    return record(journal, STRESS, judging=None, exchanges=None, progress=_quiet)[0]


@pytest.fixture(scope="module")
def stress(recorded: Recorder, known: Known) -> str:
    return stress_page(recorded, known.origin)


@pytest.fixture(scope="module")
def scored(journal: Path) -> str:
    settings = [Setting("a.yaml", None), Setting("b.yaml", None)]
    return backtest_page(backtest([journal], settings, truth=None, workers=1, progress=_quiet))


@pytest.fixture
async def browser() -> AsyncIterator[Page]:
    async with launched() as window:
        yield await window.new_page(viewport={"width": 1060, "height": 900})


def _quiet(_: int, __: int) -> None:
    pass


def text_of(page: str) -> str:
    body = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def kraken(recorded: Recorder, period: Period = STRESS) -> Figures:
    return figures(recorded.tracks["kraken"], period)


@pytest.mark.parametrize("name", ["incident", "stress", "scored"])
def test_nothing_is_from_elsewhere(name: str, request: pytest.FixtureRequest) -> None:
    page: str = request.getfixturevalue(name)
    found = _References()
    found.feed(page)
    assert [each for each in found.fetched if not each.startswith("#")] == []
    assert set(found.links) <= {stories.SOURCE}
    assert found.scripts == 0
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []


@pytest.mark.parametrize("name", ["incident", "stress", "scored"])
def test_every_picture_says_what_it_shows_and_ids_are_told_apart(name: str, request: pytest.FixtureRequest) -> None:
    page: str = request.getfixturevalue(name)
    alts = re.findall(r'<div role="img" aria-label="([^"]*)"', page)
    assert len(alts) == page.count("<svg ") > 0
    assert all(len(alt) > 20 for alt in alts)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', page)) <= set(ids)


def test_the_words_of_others_are_only_ever_text(incident: str, stress: str) -> None:
    for page in (incident, stress):
        assert "<b>paused</b>" not in page
        assert "<b>paused</b> </script>" in unescape(page)


def test_the_story_of_an_incident(incident: str, known: Known) -> None:
    told = text_of(incident)
    case = known.cases[stories.INCIDENT]
    assert "The chain knew first, at 07:00:00 UTC; the API 6 min later; the official word 17 min later." in told
    rows = ["the chain 2026-01-05 07:00:00 UTC first 4", "the API 2026-01-05 07:06:00 UTC 6 min later 5"]
    assert [row for row in rows if row not in told] == []
    assert all(" ".join(draft.text.split()) in told for draft in case.drafts)
    assert all(f"{each.at:%H:%M:%S} UTC {each.transition}" in told for each in case.transitions)
    assert "2026-01-05 06:51:00 UTC kraken ETH ethereum 4,000 3,055 to 3,059 kraken-ethereum-flow" in told
    assert known.origin.sha256 in told


def test_marks_stand_in_the_pictures(incident: str) -> None:
    written_in = re.findall(r"<text[^>]*>([^<]*)</text>", incident)
    for words in ("opened 07:00", "official words 07:17", "fires from", "ETH@ethereum", "all networks"):
        assert words in written_in


def test_who_paid(recorded: Recorder) -> None:
    told = kraken(recorded)
    a_minute = sum(journals.RATES.values())
    assert told.payments.sent == a_minute * (100 - (stories.BACK - stories.HALTED))
    assert told.payments.rate_before == a_minute
    assert told.payments.pause is not None
    assert told.payments.pause.begin == at(stories.HALTED - 1), "the first empty minute ended when it was read"
    assert told.payments.pause.seconds == 60 * (stories.BACK - stories.HALTED)
    assert 30 * 60 < told.seconds[ExchangeState.HALTED] < 50 * 60
    assert figures(recorded.tracks["gate"], STRESS).payments.pause is None


def test_how_fast(recorded: Recorder) -> None:
    assert kraken(recorded).waits == tuple(120.0 + minute for minute in (485,))
    assert kraken(recorded).wait == 605.0


def test_what_left(recorded: Recorder) -> None:
    [ether] = kraken(recorded).changes
    halted = stories.BACK - stories.HALTED
    assert ether.inflow == Decimal(10 * 100)
    assert ether.outflow == Decimal(4000 + 12 * (100 - halted))
    assert ether.cold == Decimal(4000)
    assert ether.begin is not None
    assert ether.end is not None
    assert ether.change == ether.end - ether.begin
    assert [left.amount for left in kraken(recorded).left_cold] == [Decimal(4000)]
    assert ether.worth == ether.change * 2500


def test_what_was_held_before_the_period_is_what_it_begins_with(journal: Path) -> None:
    period = Period(at(413), at(418))
    recorder, _ = record(journal, period, judging=None, exchanges=None, progress=_quiet)
    [ether] = kraken(recorder, period).changes
    assert ether.begin == ether.end == Decimal(1_000_000 - 2 * 411)


def test_a_stress_period_tells_both_exchanges(stress: str) -> None:
    told = text_of(stress)
    assert "2 exchanges: who paid, how fast, and what left." in told
    assert "40 min from 06:59" in told
    assert "kraken opened withdrawal halt" in told


def test_a_backtest_tells_both_configurations(scored: str) -> None:
    told = text_of(scored)
    assert "story.jsonl a.yaml 1 1 1 of 1 0 0 0 1 -17.0 min" in told
    assert "1 pages of both, 0 only of a.yaml, 0 only of b.yaml" in told


def test_an_empty_journal_is_a_report_too(tmp_path: Path) -> None:
    settings = [Setting("a.yaml", None)]
    found = backtest([written(tmp_path / "j.jsonl", [])], settings, truth=None, workers=1, progress=_quiet)
    assert "j.jsonl a.yaml 0 0 nothing to match 0" in text_of(backtest_page(found))


def test_of_many_exchanges_those_are_drawn_to_which_something_happened(tmp_path: Path) -> None:
    others = [f"x{n}" for n in range(8)]
    calm = [journals.paid(minute, "tron", 3, exchange=name) for minute in range(400, 500) for name in others]
    path = written(tmp_path / "j.jsonl", sorted([*stories.story(), *calm], key=lambda entry: entry.at))
    recorder, origin = record(path, STRESS, judging=None, exchanges=None, progress=_quiet)
    page = stress_page(recorder, origin)
    assert "<h2>kraken</h2>" in page
    assert "<h2>x1</h2>" not in page
    assert f"too many to draw: gate, {', '.join(others)}." in text_of(page)


def test_names_of_any_script_and_with_signs_of_markup_are_drawn_as_they_are(tmp_path: Path) -> None:
    titles = {"kraken": "交易所 $x$ <&>", "gate": "Gate"}
    told = ConfigApplied(at=at(0), probe="config", config=Judging(titles=titles), sha256="")
    path = written(tmp_path / "j.jsonl", [told, *stories.story()])
    recorder, origin = record(path, STRESS, judging=None, exchanges=None, progress=_quiet)
    page = stress_page(recorder, origin)
    assert "交易所 $x$ &lt;&amp;&gt;" in page
    assert "<&>" not in page


def test_the_same_journal_gives_the_same_bytes(journal: Path, known: Known, stress: str) -> None:
    again, _ = record(journal, STRESS, judging=None, exchanges=None, progress=_quiet)
    assert stress_page(again, known.origin) == stress


def test_without_readings_nothing_is_known_rather_than_nothing(tmp_path: Path) -> None:
    entries: list[Observation] = [e for e in stories.story() if type(e) is not WalletActivity]
    path = written(tmp_path / "j.jsonl", entries)
    recorder, origin = record(path, STRESS, judging=None, exchanges=["gate"], progress=_quiet)
    assert figures(recorder.tracks["gate"], STRESS).payments.rate is None
    assert "gate - - - not known not known not known not known" in text_of(stress_page(recorder, origin))


def test_a_time_that_was_not_seen_is_a_gap_and_no_pause(tmp_path: Path) -> None:
    unseen = range(430, 450)
    entries = [
        replace(entry, coverage=0.0) if type(entry) is WalletActivity and _minute(entry) in unseen else entry
        for entry in stories.story()
    ]
    path = written(tmp_path / "j.jsonl", entries)
    recorder, _ = record(path, STRESS, judging=None, exchanges=["kraken"], progress=_quiet)
    pause = kraken(recorder).payments.pause
    assert pause is not None
    assert pause.seconds == 60 * 10


def test_a_catch_up_reading_is_spread_over_what_it_covers(tmp_path: Path) -> None:
    entries = [e for e in journals.usual(range(1, 100)) if e.at <= at(60) or e.at > at(70)]
    entries += [journals.paid(70, network, 10 * rate, window=600.0) for network, rate in journals.RATES.items()]
    path = written(tmp_path / "j.jsonl", sorted(entries, key=lambda entry: entry.at))
    period = Period(at(50), at(90))
    recorder, _ = record(path, period, judging=None, exchanges=None, progress=_quiet)
    told = figures(recorder.tracks["examplex"], period).payments
    assert (told.sent, told.pause) == (40 * sum(journals.RATES.values()), None)


@pytest.mark.parametrize("name", ["incident", "stress", "scored"])
async def test_a_browser_opens_it_offline(
    name: str, browser: Page, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    path = tmp_path / "report.html"
    path.write_text(request.getfixturevalue(name))
    await browser.context.set_offline(True)
    browser.on("request", lambda request: asked.append(request.url))
    browser.on("console", lambda message: complaints.append(message.text))
    await browser.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert complaints == []
    width = await browser.evaluate("document.documentElement.scrollWidth")
    assert width <= 1060, "nothing is cut off at the side"
    sizes = await browser.locator("figure svg").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert min(sizes) > 40


async def test_the_command_writes_an_incident(tmp_path: Path, journal: Path) -> None:
    out = tmp_path / "incident.html"
    shown = await cexwatch("report", "incident", stories.INCIDENT, "--journal", journal, "--out", out)
    assert shown.code == 0, shown.err
    assert "opens offline" in shown.out
    assert "The chain knew first" in out.read_text()


async def test_an_incident_of_the_daemons_database(tmp_path: Path, journal: Path, known: Known) -> None:
    """Told as it was decided, with the series judged again from what the database holds."""
    config, out = offline(tmp_path), tmp_path / "incident.html"
    assert (await cexwatch("journal", "import", journal, "--config", config)).code == 0
    shown = await cexwatch("report", "incident", stories.INCIDENT, "--config", config, "--out", out)
    assert shown.code == 0, shown.err
    told = text_of(out.read_text())
    case = known.cases[stories.INCIDENT]
    assert all(f"{each.at:%H:%M:%S} UTC {each.transition}" in told for each in case.transitions)
    assert "2026-01-05 06:51:00 UTC kraken ETH ethereum 4,000 3,055 to 3,059 kraken-ethereum-flow" in told
    span = ("--from", "2026-01-05T06:40Z", "--to", "2026-01-05T08:20Z", "--exchanges", "gate")
    assert (await cexwatch("report", "stress", *span, "--config", config, "--out", out)).code == 0
    assert "1 exchange: who paid, how fast, and what left." in text_of(out.read_text())


async def test_an_incident_that_is_not_there_names_those_that_are(journal: Path) -> None:
    shown = await cexwatch("report", "incident", "nowhere", "--journal", journal)
    assert shown.code == 1
    assert f"leads to no incident 'nowhere'; it leads to {stories.INCIDENT}" in shown.err


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        pytest.param(["--from", "2026-01-05T07:00Z", "--to", "2026-01-05T06:00Z"], 3, "--to is not after", id="turned"),
        pytest.param(["--from", "2027-01-05", "--to", "2027-01-06"], 1, "nothing of any exchange was read", id="later"),
        pytest.param(
            ["--exchanges", "okx", "--from", "2026-01-05T07:00Z", "--to", "2026-01-05T08:00Z"],
            1,
            "nothing of okx was read",
            id="another exchange",
        ),
    ],
)
async def test_a_period_without_anything(
    tmp_path: Path, journal: Path, arguments: list[str], code: int, expected: str
) -> None:
    out = tmp_path / "stress.html"
    shown = await cexwatch("report", "stress", *arguments, "--journal", journal, "--out", out)
    assert (shown.code, out.exists()) == (code, False)
    assert expected in shown.err


async def test_without_matplotlib_it_says_what_to_install() -> None:
    hidden = "import sys; sys.modules['matplotlib'] = None; from monitor.__main__ import main; main()"
    process = await start("report", "stress", "--from", "2026-01-05", "--to", "2026-01-06", of=("-c", hidden))
    _, err = await process.communicate()
    assert process.returncode == 1
    assert b"pip install 'cexwatch[report]'" in err
    assert b"Traceback" not in err


def _minute(entry: Observation) -> int:
    return round((entry.at - at(0)).total_seconds() / 60)
