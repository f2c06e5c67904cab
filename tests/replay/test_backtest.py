"""A backtest: what is matched, missed and false, against a truth file, official words, and another configuration."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from monitor.model import (
    Change,
    ConfigApplied,
    IncidentKind,
    Judging,
    Observation,
    Severity,
    Stage,
    Transition,
    WatchedRail,
)
from monitor.replay.backtest import Job, run, run_all
from monitor.replay.comparing import Backtest, Setting, backtest
from monitor.replay.journal import JournalError, write_line
from monitor.replay.scoring import difference, pages_of, score
from monitor.replay.truth import Event, Truth, TruthSource, beside, read_truth, truth_of
from tests import journals
from tests.journals import at, said
from tests.server.test_cli import cexwatch

HALT = 400  # minutes after the start at which the first empty minute of `story` is read


def story(*, words: bool = True) -> list[Observation]:
    """Payments every minute, and twenty minutes without one; the exchange says so after seventeen."""
    entries = journals.usual(range(1, HALT)) + journals.usual(range(HALT, HALT + 20), factor=0.0)
    entries += journals.usual(range(HALT + 20, HALT + 60))
    if words:
        entries.append(said(HALT + 17, "Withdrawals are suspended", Stage.INVESTIGATING))
        entries.append(said(HALT + 22, "Withdrawals are back", Stage.RESOLVED))
    return sorted(entries, key=lambda entry: entry.at)


def written(path: Path, entries: Sequence[Observation]) -> Path:
    path.write_bytes(b"".join(write_line(entry) for entry in entries))
    return path


def truth_file(journal: Path, *events: Event) -> None:
    beside(journal).write_bytes(b"".join(msgspec.json.encode(event) + b"\n" for event in events))


def event(start: float, minutes: float = 20, **changes: object) -> Event:
    made = Event(kind="withdrawal_halt", exchange="examplex", start=at(start), end=at(start + minutes))
    return replace(made, **changes)


def paging(minute: float, **changes: object) -> Transition:
    made = Transition(
        at=at(minute),
        incident=f"i{minute:g}",
        transition=Change.OPENED,
        kind=IncidentKind.WITHDRAWAL_HALT,
        severity=Severity.CRITICAL,
        exchange="examplex",
        scope=("*",),
        summary="",
        evidence=(),
    )
    return replace(made, **changes)


def judged(journals: list[Path], *settings: Setting) -> Backtest:
    chosen = settings or (Setting("its own", None),)
    return backtest(journals, chosen, truth=None, workers=2, progress=lambda _, __: None)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param([paging(10)], 1, id="an opening is a page"),
        pytest.param([paging(10, severity=Severity.WARNING)], 0, id="a warning wakes nobody"),
        pytest.param([paging(10, transition=Change.UPDATED)], 0, id="an update wakes nobody"),
        pytest.param(
            [paging(10, incident="i"), paging(30, incident="i", transition=Change.REOPENED)], 1, id="one an hour"
        ),
        pytest.param(
            [paging(10, incident="i"), paging(70, incident="i", transition=Change.REOPENED)], 2, id="again later"
        ),
        pytest.param([paging(10), paging(11)], 2, id="two incidents"),
    ],
)
def test_pages(found: list[Transition], expected: int) -> None:
    assert len(pages_of(found)) == expected


@pytest.mark.parametrize(
    ("minute", "told"),
    [
        pytest.param(99, (0, 1, 1), id="before the event is another thing"),
        pytest.param(102, (1, 0, 0), id="within it"),
        pytest.param(150, (1, 0, 0), id="half an hour after its end still belongs"),
        pytest.param(151, (0, 1, 1), id="later is another thing"),
    ],
)
def test_a_page_belongs_to_an_event_by_its_time(minute: float, told: tuple[int, int, int]) -> None:
    truth = Truth(source=TruthSource.FILE, events=(event(100),))
    scored = score(pages_of([paging(minute)]), truth)
    assert (len(scored.matched), len(scored.missed), len(scored.false)) == told


def test_a_page_of_another_exchange_matches_nothing() -> None:
    truth = Truth(source=TruthSource.FILE, events=(event(100),))
    scored = score(pages_of([paging(102, exchange="other")]), truth)
    assert (len(scored.missed), len(scored.false)) == (1, 1)


def test_the_page_of_what_must_not_page_is_unwanted_and_not_false() -> None:
    truth = Truth(source=TruthSource.FILE, events=(event(100, must_page=False, kind="reshuffle"),))
    scored = score(pages_of([paging(102)]), truth)
    assert (scored.events, len(scored.false), len(scored.unwanted)) == (0, 0, 1)
    assert scored.median_delay_seconds is None


def test_words_come_late_so_a_page_before_them_counts() -> None:
    truth = truth_of([said(120, "Withdrawals are suspended", Stage.INVESTIGATING)])
    scored = score(pages_of([paging(103)]), truth)
    assert [found.delay_seconds for found in scored.matched] == [-17 * 60]


def test_words_about_something_else_are_no_event() -> None:
    assert truth_of([said(5, "Deposits are late", Stage.INVESTIGATING)]).source is TruthSource.NONE


def test_words_end_what_words_began() -> None:
    told = truth_of(
        [
            said(120, "Withdrawals are suspended", Stage.INVESTIGATING),
            said(130, "Withdrawals: the cause is known", Stage.IDENTIFIED),
            said(140, "All is well", Stage.RESOLVED),
            said(200, "Withdrawals are suspended", Stage.INVESTIGATING),
        ]
    )
    assert [(e.start, e.end) for e in told.events] == [(at(120), at(140)), (at(200), at(200) + timedelta(hours=6))]


def test_what_another_configuration_changes() -> None:
    first, second = pages_of([paging(10), paging(500)]), pages_of([paging(12), paging(900)])
    changed = difference(first, second)
    assert [p.at for p in changed.kept] == [at(10)]
    assert [p.at for p in changed.lost] == [at(500)]
    assert [p.at for p in changed.new] == [at(900)]


def test_a_journal_against_the_file_beside_it(tmp_path: Path) -> None:
    journal = written(tmp_path / "halt.jsonl", story())
    truth_file(journal, event(HALT - 1), event(100))
    (outcome,) = judged([journal]).outcomes
    assert outcome.truth.source is TruthSource.FILE
    assert outcome.score is not None
    assert [found.event.start for found in outcome.score.matched] == [at(HALT - 1)]
    assert [missed.start for missed in outcome.score.missed] == [at(100)]
    assert 60 <= outcome.score.matched[0].delay_seconds <= 300
    assert outcome.run.drafts > 0


def test_a_journal_against_its_official_words(tmp_path: Path) -> None:
    (outcome,) = judged([written(tmp_path / "halt.jsonl", story())]).outcomes
    assert outcome.truth.source is TruthSource.STATEMENTS
    assert outcome.score is not None
    assert len(outcome.score.matched) == 1
    assert outcome.score.matched[0].delay_seconds < 0, "the chain knew before the words"


def test_a_journal_without_any_truth_is_not_scored(tmp_path: Path) -> None:
    (outcome,) = judged([written(tmp_path / "halt.jsonl", story(words=False))]).outcomes
    assert outcome.score is None
    assert len(outcome.run.pages) == 1


def test_several_journals_in_processes_give_what_each_gives_alone(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{name}.jsonl", story(words=name == "a")) for name in ("a", "b")]
    jobs = [Job(journal=path, judging=None) for path in paths]
    seen: list[tuple[int, int]] = []
    together = run_all(jobs, workers=2, progress=lambda done, of: seen.append((done, of)))
    assert together == [run(job, lambda _: None) for job in jobs]
    assert seen[-1][0] == seen[-1][1] == sum(each.entries for each in together)


def test_a_configuration_that_does_not_watch_the_exchange_judges_nothing_and_says_so(tmp_path: Path) -> None:
    other = Setting("b", Judging(watched={"kraken": (WatchedRail(asset="BTC", network="bitcoin"),)}))
    found = judged([written(tmp_path / "halt.jsonl", story())], Setting("its own", None), other)
    assert [outcome.run.unjudged for outcome in found.outcomes] == [(), ("examplex",)]
    assert [len(outcome.run.pages) for outcome in found.outcomes] == [1, 0]
    assert [len(change.difference.lost) for change in found.changes] == [1]


def test_its_own_configuration_is_that_of_the_journal(tmp_path: Path) -> None:
    watching = Judging(watched={"kraken": ()})
    own = ConfigApplied(at=at(0), probe="config", config=watching, sha256="")
    (outcome,) = judged([written(tmp_path / "halt.jsonl", [own, *story()])]).outcomes
    assert outcome.run.pages == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(b'{"kind": "halt"}', "1 expected an event as JSON", id="fields are missing"),
        pytest.param(b"nonsense", "1 expected an event as JSON", id="no JSON"),
        pytest.param(
            b'{"kind":"halt","exchange":"x","start":"2026-01-05T00:00:00","end":"2026-01-05T00:00:00Z"}',
            "1 expected times with a zone",
            id="a time without a zone",
        ),
        pytest.param(
            b'{"kind":"halt","exchange":"x","start":"2026-01-06T00:00:00Z","end":"2026-01-05T00:00:00Z"}',
            "1 ends before it starts",
            id="backwards",
        ),
    ],
)
def test_a_truth_file_that_cannot_be_read_says_where(tmp_path: Path, line: bytes, expected: str) -> None:
    path = tmp_path / "x.truth.jsonl"
    path.write_bytes(line + b"\n")
    with pytest.raises(JournalError, match=expected):
        read_truth(path)


async def test_the_command(tmp_path: Path) -> None:
    journal = written(tmp_path / "halt.jsonl", story())
    truth_file(journal, event(HALT - 1), event(100))
    shown = await cexwatch("backtest", journal)
    assert shown.code == 0, shown.err
    assert "1 of 2" in shown.out
    assert "matched against the 2 events of its truth file" in shown.out
    told = json.loads((await cexwatch("backtest", journal, "--json")).out)
    assert told["totals"][0]["score"]["events"] == 2


async def test_the_command_says_which_line_is_wrong(tmp_path: Path) -> None:
    journal = written(tmp_path / "halt.jsonl", story()[:3])
    with journal.open("ab") as file:
        file.write(b"nonsense\n")
    shown = await cexwatch("backtest", journal, journal)
    assert shown.code == 1
    assert f"{journal}:4 expected one journal entry as JSON" in shown.err
    assert "Traceback" not in shown.err
