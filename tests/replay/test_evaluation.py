"""`make eval`: how it counts, against the scorer that came with the simulators, and the rows that are cheap."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

import tests.journals as j
from benchmarks.evaluation import flows, halts
from benchmarks.evaluation.crossing import crossings
from benchmarks.evaluation.recorded import Recorded
from benchmarks.evaluation.rows import Row, Verdict, judged, table
from benchmarks.evaluation.simulated import Outcome, Outcomes, Setting, run
from monitor.model import Change, Flow, IncidentKind, ReserveBalance, Severity, Transition
from monitor.replay.journal import write_line
from monitor.replay.scoring import pages_of, score
from monitor.replay.truth import Event, Truth, TruthSource

START = datetime(2026, 1, 5, tzinfo=UTC)
NEEDED = ("CEXWATCH_TOOLS", "CEXWATCH_EVAL_DATA")
with_tools = pytest.mark.skipif(
    not all(name in os.environ for name in NEEDED),
    reason="CEXWATCH_TOOLS and CEXWATCH_EVAL_DATA name the simulators and the recorded data",
)
SETTING = Setting(scenario="halt", seeds=(1,), length=6, warm_up=4, events=2)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def event(start: float, *, kind: str = "withdrawal_halt", note: str = "", must_page: bool = True) -> Event:
    return Event(kind=kind, exchange="examplex", start=at(start), end=at(start + 20), must_page=must_page, note=note)


def page(minutes: float, kind: IncidentKind = IncidentKind.WITHDRAWAL_HALT) -> Transition:
    return Transition(
        at=at(minutes),
        incident=f"examplex-{minutes}",
        transition=Change.OPENED,
        kind=kind,
        severity=Severity.CRITICAL,
        exchange="examplex",
        scope=("*",),
        summary="",
        evidence=(),
    )


def outcomes(
    events: tuple[Event, ...], *pages: Transition, crossed: dict[datetime, datetime] | None = None
) -> Outcomes:
    scored = score(pages_of(pages), Truth(source=TruthSource.FILE, events=events))
    seed = Outcome(seed=1, score=scored, events=events, transitions=pages, crossed=crossed or {})
    return Outcomes(setting=SETTING, seeds=(seed,))


def test_an_event_that_was_never_paged_counts_as_never() -> None:
    found = outcomes((event(100), event(1_000)), page(103))
    assert found.delays("withdrawal_halt") == [3.0, float("inf")]
    assert halts.share(found.delays("withdrawal_halt"), 5) == 0.5


def test_false_pages_are_counted_a_month() -> None:
    found = outcomes((event(100), event(3_000, kind="reshuffle", must_page=False)), page(101), page(700), page(3_001))
    assert found.setting.months == pytest.approx(14 / 30)
    assert found.false_a_month == pytest.approx(2 / (14 / 30))


@pytest.mark.parametrize(
    ("paged", "verdict", "measured"),
    [
        pytest.param(112, Verdict.PASS, "after 1 readings", id="by the reading that crosses a tenth"),
        pytest.param(113, Verdict.PASS, "after 2 readings", id="by the one after it"),
        pytest.param(114, Verdict.MISS, "after 3 readings", id="one too late"),
        pytest.param(105, Verdict.PASS, "after 0 readings", id="before it came to a tenth"),
    ],
)
def test_readings_until_an_exploit_is_paged(paged: float, verdict: Verdict, measured: str) -> None:
    exploit = event(100, kind="suspected_exploit")
    found = outcomes((exploit,), page(paged, IncidentKind.SUSPECTED_EXPLOIT), crossed={exploit.start: at(112)})
    plan = flows.Plan(quick=True)
    row = next(row for row in plan.rows({plan.flow: found}) if row.what.startswith("exploit"))
    assert row.verdict is verdict
    assert measured in row.measured


def test_crossing_is_the_reading_that_makes_it_a_tenth(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    lines = [write_line(_held(0)), *(write_line(_left(minute, 30)) for minute in range(1, 9))]
    journal.write_bytes(b"".join(lines))
    exploit = Event(kind="suspected_exploit", exchange="examplex", start=j.at(2), end=j.at(60))
    assert crossings(journal, [exploit]) == {j.at(2): j.at(6)}  # 30 each of minutes 3 to 6, of 1,000


def _held(minute: float) -> ReserveBalance:
    return ReserveBalance(
        at=j.at(minute),
        exchange="examplex",
        probe="reserves",
        asset="BTC",
        network="bitcoin",
        amount=Decimal(1_000),
        height=1,
        wallets=1,
        wallets_read=1,
    )


def _left(minute: float, outflow: int) -> Flow:
    return Flow(
        at=j.at(minute),
        exchange="examplex",
        probe="flow",
        asset="BTC",
        network="bitcoin",
        window_seconds=60.0,
        inflow=Decimal(0),
        outflow=Decimal(outflow),
    )


def test_nothing_is_proved_on_no_event() -> None:
    assert [judged(True), judged(False), judged(True, on=0)] == [Verdict.PASS, Verdict.MISS, Verdict.NOT_JUDGED]


def test_table_has_a_line_a_row_and_its_columns_in_line() -> None:
    rows = [Row(what=what, aim="all", measured="9 of 9", verdict=Verdict.PASS) for what in ("a halt", "a longer name")]
    heading, rule, *lines = table(rows).splitlines()
    assert len(lines) == 2
    assert {line.index("9 of 9") for line in lines} == {heading.index("measured")}
    assert set(rule) == {"-", " "}


@with_tools
@pytest.mark.parametrize("scenario", ["flags", "halt"])
def test_pages_are_counted_as_the_given_scorer_counts_them(scenario: str, tmp_path: Path) -> None:
    tools = Path(os.environ["CEXWATCH_TOOLS"])
    setting = {
        "flags": Setting(scenario="flags", seeds=(1,), length=12, warm_up=2, events=4),
        "halt": Setting(scenario="halt", seeds=(1,), length=3, warm_up=1, events=12),
    }[scenario]
    outcome = run(setting, 1, tools)
    theirs = _scored(outcome, tools, tmp_path, days=setting.months * 30)
    delays = Outcomes(setting=setting, seeds=(outcome,)).delays("withdrawal_halt")
    assert theirs["events"] == len(delays)
    assert theirs["found"] == sum(delay != float("inf") for delay in delays)
    assert theirs["share_within_2_min"] == halts.share(delays, 2)
    assert theirs["share_within_5_min"] == halts.share(delays, 5)
    assert theirs["false_pages"] == len(outcome.score.false)
    # A week of learning is too short to promise more; that halts are found and flags paged at all holds with margin.
    assert halts.share(delays, 5) >= 0.8


def _scored(outcome: Outcome, tools: Path, folder: Path, *, days: float) -> dict[str, float]:
    told, truth = folder / "transitions.jsonl", folder / "truth.jsonl"
    told.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in outcome.transitions))
    truth.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in outcome.events))
    scorer = [sys.executable, str(tools / "score_transitions.py"), str(told), str(truth), "--days", str(days)]
    found: dict[str, float] = json.loads(subprocess.run(scorer, check=True, capture_output=True).stdout)  # noqa: S603
    return found


@with_tools
def test_recorded_rows() -> None:
    data, tools = (Path(os.environ[name]) for name in ("CEXWATCH_EVAL_DATA", "CEXWATCH_TOOLS"))
    rows = {row.what: row for row in Recorded(data=data, tools=tools).rows()}
    assert rows["hot wallets of 2017, five hours"].verdict is Verdict.PASS
    assert any(what.startswith("BTC daily flows, 1826 days") for what in rows)
