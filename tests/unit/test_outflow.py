"""Outflow: what is warned of, what pages, what it is called, and what is left alone."""

import itertools
import math
from collections.abc import Callable

import pytest
from msgspec.structs import replace

import tests.journals as j
import tests.money as m
from monitor.engine.detectors.outflow.burst import GROWTHS, Beginning, Suspicion, closed, log_ratio, opened, suspicion
from monitor.engine.detectors.outflow.detector import Outflow, OutflowLearned, OutflowMemory
from monitor.engine.detectors.outflow.kinds import is_few, payees
from monitor.engine.detectors.outflow.pace import PRIOR_MINUTES, Pace, Spread
from monitor.engine.detectors.outflow.sums import SECONDS, Apart, Leaving, Sums
from monitor.engine.detectors.outflow.tail import Tail, model_threshold
from monitor.engine.detectors.outflow.usual import BUDGET_SHARE, Usual
from monitor.engine.engine import Engine
from monitor.engine.money import Money, MoneyMemory
from monitor.model import Observation
from monitor.model.view import StatisticState
from tests.outflow import DAYS, RESERVE, STEP, Story, flow, said, told

LEARNED = DAYS * 1440
ASSETS = ("BTC", "ETH", "SOL")
NOON = 43_200.0


def _story(seed: int = 1) -> Story:
    return Story(seed).calm(LEARNED)


@pytest.mark.parametrize(
    ("happens", "expected"),
    [
        pytest.param(lambda s: s.calm(1440), [], id="a usual day says nothing"),
        pytest.param(lambda s: s.move(0.02), ["opened unconfirmed_move warning"], id="two per cent to a stranger warn"),
        pytest.param(
            lambda s: s.move(0.04), ["opened unconfirmed_move warning"], id="four per cent to a stranger warn"
        ),
        pytest.param(lambda s: s.move(0.12), ["opened suspected_exploit critical"], id="a tenth to a stranger pages"),
        pytest.param(lambda s: s.move(0.12, is_labelled=True), [], id="a tenth to a known wallet is no exploit"),
        pytest.param(
            lambda s: s.move(0.025, cold=True), ["opened suspected_exploit critical"], id="two per cent from cold pages"
        ),
        pytest.param(
            lambda s: s.move(0.12, is_seen=False),
            ["opened unconfirmed_move warning"],
            id="a reserve that did not fall holds the page",
        ),
        pytest.param(
            lambda s: s.calm(120, times=4), ["opened bank_run critical"], id="four times the payers are a run"
        ),
    ],
)
def test_what_is_said(happens: Callable[[Story], Story], expected: list[str]) -> None:
    found = [line for line in said(happens(_story()).entries) if not line.startswith("updated")]
    if expected == [] and any("spike" in line for line in found):
        found = [line for line in found if "critical" in line]  # a spike of what went to a known wallet pages nobody
    assert [line for line in found if "critical" in line or "unconfirmed" in line] == expected


def test_a_page_comes_with_the_transfer_that_crosses_the_limit() -> None:
    story = _story()
    crossed = story.move(0.03).move(0.09).minute
    pages = [t for t in told(story.entries) if t.severity == "critical"]
    assert [(t.at, t.transition) for t in pages] == [(j.at(crossed), "escalated")]
    assert "ETH, 12.10% of the reserve" in pages[0].summary
    assert pages[0].scope == ("ETH@ethereum",)


def test_what_the_reserve_contradicts_is_said_to_be_contradicted() -> None:
    [opened, *_] = told(_story().move(0.12, is_seen=False).entries)
    assert "flow and reserve disagree" in opened.summary


def paged(entries: list[Observation]) -> list[str]:
    return [line for line in said(entries) if line.endswith("critical") and not line.startswith("updated")]


def test_an_exploit_and_the_run_it_starts_are_two_stories() -> None:
    assert paged(_story().move(0.12).calm(90, times=8).entries) == [
        "opened suspected_exploit critical",
        "opened bank_run critical",
    ]


def test_a_vault_that_is_emptied_during_a_run_is_an_exploit_beside_it() -> None:
    story = _story().calm(120, times=8)
    story.move(0.15)
    assert paged(story.entries) == ["opened bank_run critical", "opened suspected_exploit critical"]
    assert len({t.incident for t in told(story.entries)}) == 2


def test_a_gap_neither_opens_nor_ends_anything() -> None:
    story = _story().move(0.12).gap(3 * 1440)
    assert said(story.entries) == said([*story.entries, j.tick(story.minute)])
    story.calm(STEP)
    assert said(story.entries)[-1] == "opened suspected_exploit critical"


def test_it_ends_after_a_calm_time_that_was_seen() -> None:
    assert said(_story().move(0.12).calm(150).entries)[-2:] == [
        "monitoring suspected_exploit critical",
        "resolved suspected_exploit critical",
    ]


def test_a_net_tenth_in_a_day_is_a_run_without_any_counts() -> None:
    story: list[Observation] = []
    held = 100_000.0
    for hour in range(1, 290):
        lost = 1_000.0 if hour > 260 else 0.0
        held -= lost
        story.append(m.flow(60.0 * hour, 60.0 + lost, inflow=60.0, seconds=3600, blocks=(hour, hour)))
        story.append(m.balance(60.0 * hour, held))
    assert [t.severity for t in told(story[: 2 * 260])] == []
    assert "bank_run" in {t.kind for t in told(story) if t.severity == "critical"}


def test_moves_of_several_assets_add_up_where_all_have_a_price() -> None:
    stories = [Story(seed, asset=asset).calm(LEARNED).move(0.05).calm(STEP * 2) for seed, asset in enumerate(ASSETS)]
    quotes = [m.priced(range(LEARNED - 20, stories[0].minute, STEP), 100, asset=asset) for asset in ASSETS]
    entries = [entry for each in (*(story.entries for story in stories), *quotes) for entry in each]
    entries.sort(key=lambda entry: entry.at)
    assert {t.kind for t in told(entries) if t.severity == "critical"} == {"suspected_exploit"}
    alone = [*stories[0].entries, *stories[1].calm(0).entries[: 2 * LEARNED // STEP], *quotes[0], *quotes[1]]
    alone.sort(key=lambda entry: entry.at)
    assert {t.severity for t in told(alone)} <= {"warning"}


def test_a_reorg_takes_an_exploit_back() -> None:
    story = _story()
    height = 5_000
    entries = [*story.entries]
    stolen = flow(story.minute + STEP, [0.12 * RESERVE])
    stolen = replace(stolen, from_height=height, to_height=height)
    taken = m.reorg(story.minute + STEP + 1, height)
    engine = Engine.fresh(m.EXCHANGE)
    for entry in [*entries, stolen, taken, j.tick(story.minute + STEP + 2)]:
        engine.apply(entry)
    current = engine.state.decided.outflow.streams["ETH", "ethereum"]
    assert not current.alarms
    assert current.sums.total("24h", current.at).outflow < 0.06 * RESERVE


def test_statistics_say_that_they_learn_and_then_what_would_fire() -> None:
    engine = Engine.fresh(m.EXCHANGE)
    story = Story(3).calm(600)
    for entry in [*story.entries, j.tick(story.minute + 1)]:
        engine.apply(entry)
    states = {s.subject: s.state for s in engine.view().statistics if s.detector == "outflow"}
    assert states["ETH@ethereum 1h"] is StatisticState.LEARNING
    rest = Story(3).calm(LEARNED)
    engine = Engine.fresh(m.EXCHANGE)
    for entry in [*rest.entries, j.tick(rest.minute + 1)]:
        engine.apply(entry)
    views = {s.subject: s for s in engine.view().statistics if s.detector == "outflow"}
    assert views["ETH@ethereum 1h"].state is StatisticState.QUIET
    assert "usual are" in views["ETH@ethereum 1h"].words
    assert views["ETH@ethereum payments"].threshold is not None


def test_windows_add_up_what_was_told_in_them() -> None:
    sums = Sums()
    for minute in range(1, 10 * 1440 + 1):
        sums.add(Leaving(inflow=1.0, outflow=2.0), 60.0 * minute, seconds=60.0)
    at = 10 * 86_400.0
    for span, seconds in SECONDS.items():
        total = sums.total(span, at)
        assert (total.inflow, total.outflow) == pytest.approx((seconds / 60, seconds / 30))
        assert total.net == pytest.approx(seconds / 60)
        assert total.covered == pytest.approx(seconds)


SPREAD = Spread(5.0, 0.01)
RATE = 5.0  # payments of a usual minute


def _suspicion(fives: list[int], *, arrivals: int = 25, start: float = NOON) -> Suspicion:
    """After a usual day, so many payments out in each five minutes and `arrivals` in."""
    pace = Pace(observed=RATE * 70, seasonal=RATE * 70, inflow_observed=RATE * 70)
    beginnings: list[Beginning] = []
    for place, count in enumerate(fives):
        at = start + 300.0 * place
        five = opened(beginnings, at, pace=pace, rate=RATE, in_season=RATE)
        five.spread = SPREAD
        five.add(count, arrivals, 5.0)
        found = suspicion(beginnings, five, pace, now=at + 300)
        closed(beginnings, five, pace)
        pace.hear(count, five.seasonal, inflow_count=arrivals, since=at, minutes=5.0)
    return found


def _predicted(fives: list[int], beginning: int, growth: float) -> float:
    """By how much the story of a beginning told the fives better than that of none, from its words."""
    prior, fade = RATE * PRIOR_MINUTES, 2 ** (-5 / 50)
    observed = usual = grown = RATE * 70
    told = 0.0
    for place, count in enumerate(fives):
        times = 1 + (growth - 1) * min(1.0, (place - beginning + 0.5) / 24) if place >= beginning else 1.0
        doubt = 0.06 * prior / (prior + usual)
        shape = 1 / (SPREAD.variation(5.0) + doubt)
        plain = 5 * RATE * (observed + prior) / (usual + prior)
        if place >= beginning:
            other = 5 * RATE * times * (observed + prior) / (grown + prior)
            told += _log_negative_binomial(count, other, shape) - _log_negative_binomial(count, plain, shape)
        observed, usual, grown = (
            observed * fade + count,
            usual * fade + 5 * RATE,
            grown * fade + 5 * RATE * times,
        )
    return told


def _log_negative_binomial(count: int, mean: float, shape: float) -> float:
    chance = shape / (shape + mean)
    ways = math.lgamma(count + shape) - math.lgamma(shape) - math.lgamma(count + 1)
    return ways + shape * math.log(chance) + count * math.log1p(-chance)


@pytest.mark.parametrize(
    "fives",
    [
        pytest.param([26, 22, 25, 28, 24, 26, 31, 37, 41, 48, 52, 57, 66], id="ever more for half an hour"),
        pytest.param([25] * 6 + [80, 90, 85], id="three times as many at once"),
        pytest.param([25, 20, 27, 24, 32, 30, 36, 35, 39, 41, 40, 44, 47, 50, 48, 55], id="slowly"),
    ],
)
def test_the_best_beginning_is_found(fives: list[int]) -> None:
    """Of one in ten minutes; by each it is worth what its story predicted better."""
    tried = [
        _predicted(fives, beginning, growth) - price
        for beginning in range(0, len(fives) - 1, 2)
        for growth, price in GROWTHS
    ]
    assert _suspicion(fives).score == pytest.approx(max(tried), abs=1e-5)


def test_a_run_that_grows_slowly_does_not_teach_itself() -> None:
    grown = [round(25 * (1 + place / 24)) for place in range(24)]
    scores = [_suspicion(grown[:length]).score for length in range(6, 25, 3)]
    assert scores == sorted(scores)
    assert scores[-1] > model_threshold(BUDGET_SHARE)


@pytest.mark.parametrize(
    ("payments", "few"),
    [
        pytest.param([100.0], True, id="one payment"),
        pytest.param([40.0, 25.0, 20.0, 10.0, 5.0] + [0.01] * 300, True, id="five among many small"),
        pytest.param([1.0] * 500, False, id="many equal"),
        pytest.param([60.0] + [1.0] * 500, False, id="many, and one large that is not most of it"),
    ],
)
def test_few_or_many(payments: list[float], few: bool) -> None:
    hour = Leaving(outflow=sum(payments), squares=sum(v * v for v in payments), largest=max(payments))
    assert is_few(hour) is few
    assert is_few(Leaving(outflow=1.0, apart=Apart(untold=1.0))) is None


def test_effective_payers_leave_out_the_largest() -> None:
    hour = Leaving(outflow=110.0, squares=10_000.0 + 10.0, largest=100.0)
    assert payees(hour) == pytest.approx(10.0)


def test_busy_days_with_as_many_deposits_are_no_run() -> None:
    busy = [60] * 8
    assert _suspicion(busy, arrivals=60).score < _suspicion(busy).score / 3


def test_the_same_payments_say_less_just_after_midnight() -> None:
    scores = [_suspicion([25] * 12 + [60] * 3, start=hour * 3600.0).score for hour in (23, 24)]
    assert scores[0] < 0.7 * scores[1]


def test_streams_share_the_pages_that_are_allowed() -> None:
    def thresholds(streams: int, pages: float) -> list[float]:
        learned = OutflowLearned({(f"A{place}", "x"): Usual(tail=Tail(hours=1.0)) for place in range(streams)})
        outflow = Outflow(OutflowMemory(), learned, Money(MoneyMemory(), exchange="examplex"))
        outflow.calibrate(pages_per_month=pages, exchanges=1)
        return [usual.burst_threshold() for usual in learned.usual.values()]

    assert thresholds(1, 1.0) < thresholds(1, 0.5) < thresholds(1, 0.1)
    assert thresholds(4, 2.0) == 4 * thresholds(1, 0.5)


def test_a_wild_stream_raises_its_own_threshold() -> None:
    def threshold(peak: float) -> float:
        tail = Tail()
        for hour in range(1000):
            tail.peak = peak if hour % 10 == 0 else 1.0
            tail.close()
        return tail.threshold(0.9)

    assert threshold(1.0) == threshold(4.0) == model_threshold(0.9)
    assert model_threshold(0.9) < threshold(5.0) < threshold(12.0) <= 2 * model_threshold(0.9)


def test_scores_grow_with_payments() -> None:
    scores = [log_ratio(count, 100.0, variation=0.02) for count in range(100, 400, 10)]
    assert all(one < other for one, other in itertools.pairwise(scores))
