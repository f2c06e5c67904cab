"""Post-mortems: what is told of a staged halt, in three forms, and what is left for people."""

import json
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace

from monitor.model import DraftState, Observation, Verb
from monitor.notices.draft import sha256
from monitor.report.case import Case, cases_of, record
from monitor.report.period import around
from monitor.report.postmortem import QUESTIONS, Postmortem, postmortem
from monitor.report.postmortem_forms import Form, schema, written
from monitor.report.recorder import Recorder
from tests import journals as j
from tests import stories
from tests.faults.people import with_people
from tests.replay.test_backtest import written as journal_of
from tests.server.test_cli import cexwatch, offline

DOCS = Path(__file__).parents[2] / "docs"


def _quiet(_done: int, _total: int) -> None:
    pass


def _told(journal: Path, name: str = stories.INCIDENT) -> tuple[Case, Recorder]:
    case = cases_of(journal, judging=None, progress=_quiet).cases[name]
    period = around(case.incident.since or case.incident.opened_at, case.incident.resolved_at or j.at(520))
    recorder, _ = record(journal, period, judging=None, exchanges=["kraken"], progress=_quiet)
    return case, recorder


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story with its people: one is on it after three minutes, notes, and approves what waits."""
    words: list[Observation] = [
        j.word(stories.HALTED + 3, Verb.ACKNOWLEDGE, stories.INCIDENT, exchange="kraken", actor="kim"),
        j.word(stories.HALTED + 5, Verb.NOTE, stories.INCIDENT, "<b>their</b> desk | is *silent*", exchange="kraken"),
    ]
    entries = with_people(sorted([*stories.story(), *words], key=lambda entry: entry.at))
    return journal_of(tmp_path_factory.mktemp("postmortem") / "story.jsonl", entries)


@pytest.fixture(scope="module")
def told(journal: Path) -> Postmortem:
    case, recorder = _told(journal)
    return postmortem(case, recorder, at=j.at(520))


def test_when_what_happened(told: Postmortem) -> None:
    times = told.instants
    assert (times.first_evidence, times.detected) == (j.at(stories.HALTED - 1), j.at(stories.HALTED))
    assert times.official_word == j.at(stories.HALTED + 17)
    assert times.acknowledged == j.at(stories.HALTED + 3)
    assert times.first_post is not None
    assert told.seconds_to_detect == 60
    assert told.seconds_to_official_word == 18 * 60
    assert told.seconds_to_acknowledge == 180
    assert told.seconds_in_all is not None
    assert [each.source for each in told.knew_first] == ["the chain", "the API", "the official word"]
    assert {each.source: each.seconds for each in told.durations} == {
        "chain": 41 * 60,
        "flags": 35 * 60,
        "official": 27 * 60,
    }


def test_what_it_was_about_and_what_moved(told: Postmortem) -> None:
    assert {"*", "BTC@bitcoin", "ETH@ethereum"} <= set(told.affected_rails)
    (ether,) = told.money.moved
    assert ether.held_before is not None
    assert ether.held_after is not None
    assert ether.came is not None
    assert ether.left is not None
    assert ether.came > ether.left, "what left is what was paid before and after the halt"
    assert told.money.left_cold_wallets is not None
    assert [(each.at, each.amount) for each in told.money.left_cold_wallets] == [(j.at(stories.COLD), Decimal(4000))]
    assert [(each.asset, each.usd) for each in told.market] == [("ETH", 2500.0)]


def test_who_approved_what(told: Postmortem) -> None:
    posted = [draft for draft in told.drafts if draft.state is DraftState.POSTED]
    assert posted
    assert all(draft.decided_by == "dana" and draft.text_sha256 == sha256(draft.text) for draft in posted)


def test_questions_are_left_for_people(told: Postmortem) -> None:
    assert [(each.question, each.answer) for each in told.questions] == [(each, "") for each in QUESTIONS]
    for form in (Form.MARKDOWN, Form.HTML):
        text = written(told, form)
        assert all(each in text for each in QUESTIONS)
        assert "o be answered." in text


def test_the_json_is_as_its_schema_says(told: Postmortem) -> None:
    shipped = json.loads((DOCS / "postmortem.schema.json").read_text())
    assert shipped == json.loads(msgspec.json.encode(schema())), "write `schema()` to it"
    jsonschema.Draft202012Validator.check_schema(shipped)
    validator = jsonschema.Draft202012Validator(shipped, format_checker=jsonschema.FormatChecker())
    body = json.loads(written(told, Form.JSON))
    assert list(validator.iter_errors(body)) == []
    assert list(validator.iter_errors(body | {"stage": "over"})), "the schema forbids something"
    assert msgspec.json.decode(written(told, Form.JSON), type=Postmortem) == msgspec.json.decode(
        msgspec.json.encode(told), type=Postmortem
    )


class _Fetched(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "srcset", "href", "data", "action")]


def test_the_html_needs_nothing_from_elsewhere(told: Postmortem) -> None:
    page = _Fetched()
    page.feed(written(told, Form.HTML))
    assert page.fetched == []
    assert "script" not in page.tags
    assert "b" not in page.tags, "a note is no markup"


def test_what_others_wrote_is_no_markdown(told: Postmortem) -> None:
    text = written(told, Form.MARKDOWN)
    assert r"\<b\>their\</b\> desk \| is \*silent\*" in text
    assert "<b>" not in text


def test_the_same_journal_gives_the_same_bytes(journal: Path, told: Postmortem) -> None:
    case, recorder = _told(journal)
    again = postmortem(case, recorder, at=j.at(520))
    assert [written(again, form) for form in Form] == [written(told, form) for form in Form]


def test_what_is_not_known_says_so(journal: Path) -> None:
    """An incident that goes on, of which no reading is kept."""
    case, recorder = _told(journal)
    bare = replace(case.incident, since=None, resolved_at=None, official_at=None, evidence=(), spans=(), market=())
    empty = Recorder(recorder._engines, recorder.period, exchanges=[])  # noqa: SLF001 - nothing is read of it
    left = postmortem(Case(incident=bare, transitions=(), drafts=()), empty, at=j.at(520))
    assert (left.seconds_to_detect, left.seconds_in_all, left.money.left_cold_wallets) == (None, None, None)
    for form in Form:
        assert written(left, form)
    assert "No draft was written." in written(left, Form.MARKDOWN)


async def test_it_is_written_from_the_command_line(tmp_path: Path, journal: Path) -> None:
    config = offline(tmp_path)
    assert (await cexwatch("journal", "import", journal, "--config", config)).code == 0
    out = tmp_path / "postmortem.html"
    asked = ("incidents", "postmortem", stories.INCIDENT)
    ended = await cexwatch(*asked, "--format", "html", "--out", out, "--config", config)
    assert (ended.code, ended.out, ended.err.count("Traceback")) == (0, "", 0)
    assert out.read_text().startswith("<!doctype html>")
    printed = await cexwatch(*asked, "--format", "json", "--journal", journal)
    assert json.loads(printed.out)["id"] == stories.INCIDENT
    assert (await cexwatch(*asked, "--format", "pdf", "--config", config)).code == 3
    assert (await cexwatch("incidents", "postmortem", "nonsense", "--config", config)).code == 1
