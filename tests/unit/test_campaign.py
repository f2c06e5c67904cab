"""Campaigns from counts of mentions: what opens one, what never does, what ends it, and what money makes of it."""

from collections.abc import Iterable, Sequence

import msgspec
import pytest

import tests.journals as j
import tests.money as m
from monitor.engine import campaign_case
from monitor.engine.detectors.campaign import Campaign, CampaignLearned, CampaignMemory, Episode
from monitor.engine.engine import Engine
from monitor.engine.money import Money, MoneyMemory
from monitor.model import ConfigApplied, Incident, IncidentKind, Judging, Observation, Severity, Stage, Transition
from monitor.model.view import StatisticState, StatisticView
from tests.talk import DAY, EXCHANGE, LEARNED, PROBE, QUERY, counts, learned, listening, mention, talk

NEXT = range(LEARNED, LEARNED + DAY)


def told(entries: Iterable[Observation], *, by: bytes | None = None) -> list[Transition]:
    engine = Engine.restore(learned() if by is None else by)
    return [output for entry in entries for output in engine.apply(entry) if type(output) is Transition]


def words(entries: Iterable[Observation]) -> list[str]:
    return [f"{t.transition} {t.kind} {t.severity}" for t in told(entries)]


def burst(times: float, bins: int, *, begun: int = LEARNED + 12, until: int = LEARNED + DAY) -> list[Observation]:
    """Talk as usual, `times` as much of it for some bins, and then as usual again."""
    return [
        *talk(range(LEARNED, begun)),
        *talk(range(begun, begun + bins), times=times),
        *talk(range(begun + bins, until)),
    ]


OVER = ["opened campaign info", "monitoring campaign info", "resolved campaign info"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(talk(NEXT), [], id="a usual day"),
        pytest.param(talk(range(LEARNED, LEARNED + 7 * DAY)), [], id="a usual week"),
        pytest.param(burst(10, 1), OVER, id="ten times as much in five minutes"),
        pytest.param(burst(2.5, 48), OVER, id="two and a half times as much for four hours"),
        pytest.param(burst(10, 6), OVER, id="a burst of half an hour is one episode"),
        pytest.param(
            [*burst(10, 2, until=LEARNED + 30), *talk(range(LEARNED + 30, LEARNED + 32), times=10), *talk(NEXT[32:])],
            OVER,
            id="a second burst two hours later belongs to the first",
        ),
        pytest.param([*talk(NEXT[:12]), *talk(NEXT[200:])], [], id="a hole in which nothing was read"),
        pytest.param([*talk(NEXT[:12]), *talk(range(LEARNED + 5 * DAY, LEARNED + 7 * DAY))], [], id="a hole of days"),
        pytest.param(
            [*talk(NEXT[:12]), mention(LEARNED + 71, sum(counts(NEXT[12:72])), minutes=300), *talk(NEXT[72:])],
            [],
            id="one count for five hours is no burst",
        ),
        pytest.param([*talk(NEXT[:12]), mention(LEARNED + 12, -5), *talk(NEXT[13:])], [], id="a count below nothing"),
        pytest.param(
            [*talk(NEXT[:12]), *(mention(LEARNED + 11 + n / 10, 4000) for n in range(1, 9)), *talk(NEXT[12:])],
            [],
            id="windows that overlap what is told already",
        ),
    ],
)
def test_what_opens_and_ends_a_campaign(entries: list[Observation], expected: list[str]) -> None:
    assert words(entries) == expected


def waves(first: float, second: float, *, bins_between: int) -> list[Observation]:
    """Two bursts of ten minutes with usual talk between them, and a usual day behind."""
    again = LEARNED + 14 + bins_between
    return [
        *burst(first, 2, until=again),
        *talk(range(again, again + 2), times=second),
        *talk(range(again + 2, again + DAY)),
    ]


@pytest.mark.parametrize(
    ("entries", "episodes"),
    [
        pytest.param(waves(12, 8, bins_between=130), 1, id="a smaller one some hours later is its echo"),
        pytest.param(waves(4, 10, bins_between=130), 2, id="a larger one some hours later is another"),
        pytest.param(waves(20, 8, bins_between=36), 1, id="a smaller one within four hours"),
        pytest.param(waves(4, 10, bins_between=36), 1, id="a larger one within four hours is the same"),
    ],
)
def test_a_second_burst_is_told_where_it_is_news(entries: list[Observation], episodes: int) -> None:
    assert words(entries) == OVER * episodes


def test_a_burst_is_told_with_its_first_window() -> None:
    opened, *_ = told(burst(10, 3))
    assert opened.at == j.at(5 * (LEARNED + 13))
    assert opened.summary.startswith("campaign; what comes and leaves is not known; ")
    count = 10 * counts([LEARNED + 12])[0]
    assert f'mentions of "{QUERY}": {count} in 5 min, ' in opened.summary
    (evidence,) = opened.evidence
    assert (evidence.probe, evidence.unit) == (PROBE, "mentions")


@pytest.mark.parametrize("hours", [3, 30, 24 * 20])
def test_missing_windows_never_end_a_campaign(hours: int) -> None:
    begun = burst(10, 2, until=LEARNED + 15)
    ticks = [j.tick(5 * (LEARNED + 16) + minute) for minute in range(0, hours * 60, 30)]
    assert words([*begun, *ticks]) == ["opened campaign info"]


def test_it_ends_when_the_talk_is_read_again() -> None:
    later = range(LEARNED + 4 * DAY, LEARNED + 6 * DAY)
    assert words([*burst(10, 2, until=LEARNED + 15), *talk(later)]) == OVER


def test_what_lasts_for_days_becomes_the_usual() -> None:
    entries = burst(6, 6 * DAY, until=LEARNED + 6 * DAY + 12)
    assert words(entries) == OVER
    ended = told(entries)[1]
    assert j.at(5 * (LEARNED + DAY)) < ended.at < j.at(5 * (LEARNED + 4 * DAY))


def test_minutes_are_added_up_to_five() -> None:
    begun = talk(range(LEARNED, LEARNED + 12))
    minutes: list[Observation] = [mention(LEARNED + 11 + n / 5, 100, minutes=1) for n in range(1, 11)]
    assert words([*begun, *minutes[:4]]) == []
    (opened,) = told([*begun, *minutes])
    assert opened.at == j.at(5 * (LEARNED + 13))


def statistics(engine: Engine) -> list[StatisticView]:
    return [each for each in engine.view().statistics if each.detector == "campaign"]


def test_three_days_are_learned_before_anything_is_said() -> None:
    early = [*talk(range(2 * DAY)), *talk(range(2 * DAY, 2 * DAY + 6), times=20)]
    engine = Engine.fresh(EXCHANGE)
    assert [o for entry in early for o in engine.apply(entry) if type(o) is Transition] == []
    (shown,) = statistics(engine)
    assert (shown.state, shown.words) == (
        StatisticState.LEARNING,
        f'mentions of "{QUERY}": learning, 2.0 of 3 days',
    )


def test_a_quiet_query_with_a_few_mentions_is_no_campaign() -> None:
    silent = listening(Engine.fresh(EXCHANGE), [mention(place, 0) for place in range(LEARNED)]).checkpoint()
    assert told([mention(LEARNED, 9), mention(LEARNED + 1, 0)], by=silent) == []
    assert [t.transition for t in told([mention(LEARNED, 40), mention(LEARNED + 1, 0)], by=silent)] == ["opened"]


def test_statistics_say_what_is_and_what_would_fire() -> None:
    engine = listening(Engine.restore(learned()), burst(10, 2, until=LEARNED + 14))
    short, long = statistics(engine)
    assert (short.state, short.threshold, short.unit) == (StatisticState.FIRING, 28.0, "mentions in 5 min")
    assert short.value is not None
    assert short.value >= 28.0
    assert long.subject == f"{QUERY} 4 h"
    assert short.words.startswith(f'{short.observed:,.0f} mentions of "{QUERY}" in 5 min, ')
    assert short.words.endswith("a campaign is told at what happens once in 28 days")


def test_a_stream_that_is_not_read_any_more_is_unknown() -> None:
    engine = Engine.restore(learned())
    engine.apply(j.tick(5 * LEARNED + 60))
    (shown,) = statistics(engine)
    assert shown.state is StatisticState.UNKNOWN


def test_queries_are_judged_apart_and_told_together() -> None:
    other = [mention(place, count, query="examplex hack") for place, count in enumerate(counts(range(LEARNED), seed=1))]
    both = m.in_order(talk(range(LEARNED)), other)
    engine = listening(Engine.fresh(EXCHANGE), both)
    outputs = [*engine.apply(mention(LEARNED, 900)), *engine.apply(mention(LEARNED, 30, query="examplex hack"))]
    outputs += engine.apply(mention(LEARNED + 1, 900, query="examplex hack"))
    outputs += engine.apply(j.tick(5 * (LEARNED + 3)))
    found = [output for output in outputs if type(output) is Transition]
    assert [t.transition for t in found] == ["opened", "updated"]
    assert '"examplex hack"' in found[1].summary


def test_a_probe_that_is_gone_ends_its_campaign() -> None:
    judging = Judging(watched={EXCHANGE: ()}, intervals={"examplex-api": 60.0})
    gone = ConfigApplied(at=j.at(5 * (LEARNED + 16)), probe="config", config=judging, sha256="1")
    found = words([*burst(10, 2, until=LEARNED + 15), gone, j.tick(5 * (LEARNED + 16) + 10)])
    assert found == OVER


def test_a_stream_is_small_even_where_much_is_said() -> None:
    engine = Engine.fresh(EXCHANGE)
    for entry in talk(range(20 * DAY), mean=40.0, times=50_000):
        engine.apply(entry)
    decided, learned_ = engine.state.decided.campaign, engine.state.learned.campaign
    assert len(msgspec.msgpack.encode(decided)) + len(msgspec.msgpack.encode(learned_)) <= 4096


HOURS = 26
MONEY = range(5 * (LEARNED + 12) - HOURS * 60, 5 * (LEARNED + 14))


def flows(*, inflow: float, outflow: float) -> list[Observation]:
    """Ten minutes each of a day and more before the burst and during it."""
    return [m.flow(minute, outflow, inflow=inflow, seconds=600, blocks=(minute - 9, minute)) for minute in MONEY[9::10]]


def balances(change: float) -> list[Observation]:
    """100,000 coins that change evenly."""
    last = len(MONEY) - 1
    return [m.balance(minute, 100_000 + change * place / last) for place, minute in enumerate(MONEY) if place % 10 == 0]


@pytest.mark.parametrize(
    ("money", "severity", "begun", "way"),
    [
        pytest.param(
            [*flows(inflow=20, outflow=5), *balances(2000)],
            Severity.INFO,
            "campaign, reserves rising: ",
            "net inflow",
            id="reserves rise",
        ),
        pytest.param(
            [*flows(inflow=5, outflow=20), *balances(-2000)],
            Severity.WARNING,
            "campaign and net outflow: ",
            "net outflow",
            id="reserves fall",
        ),
        pytest.param(
            [*flows(inflow=19.9, outflow=20), *balances(-10)],
            Severity.INFO,
            "campaign, reserves steady: ",
            "net flow",
            id="as much comes as leaves",
        ),
        pytest.param(
            balances(-3000), Severity.WARNING, "campaign and net outflow: ", "net outflow", id="only balances are read"
        ),
        pytest.param(
            balances(3000),
            Severity.INFO,
            "campaign, reserves rising: ",
            "net inflow",
            id="only balances, and they rise",
        ),
        pytest.param(
            flows(inflow=5, outflow=20),
            Severity.WARNING,
            "campaign and net outflow: ",
            "net outflow",
            id="no balance is read",
        ),
    ],
)
def test_money_says_what_a_campaign_is_worth(
    money: Sequence[Observation], severity: Severity, begun: str, way: str
) -> None:
    engine = Engine.fresh(EXCHANGE)
    entries = m.in_order(talk(range(LEARNED)), burst(10, 2, until=LEARNED + 16), money)
    (opened,) = [o for entry in entries for o in engine.apply(entry) if type(o) is Transition]
    assert (opened.transition, opened.severity) == ("opened", severity)
    assert opened.summary.startswith(begun)
    assert {e.source.partition(" of ")[0] for e in opened.evidence} >= {"mentions"}
    assert way in {e.source for e in opened.evidence}


def test_outflow_that_begins_later_makes_it_a_warning() -> None:
    begun = 5 * (LEARNED + 14)
    leaving = [
        m.flow(minute, 100, inflow=5, seconds=600, blocks=(minute - 9, minute))
        for minute in range(begun + 9, begun + 90, 10)
    ]
    engine = Engine.fresh(EXCHANGE)
    entries = m.in_order(
        talk(range(LEARNED)), burst(10, 2, until=LEARNED + 30), flows(inflow=20, outflow=5), balances(2000), leaving
    )
    told = [o for entry in entries for o in engine.apply(entry) if type(o) is Transition]
    found = [t for t in told if t.kind is IncidentKind.CAMPAIGN]
    assert [f"{t.transition} {t.severity}" for t in found] == ["opened info", "escalated warning"]
    assert found[1].summary.startswith("campaign and net outflow: ")
    sources = [e.source for e in found[1].evidence]
    assert f'mentions of "{QUERY}"' in sources
    assert "net outflow" in sources


@pytest.mark.parametrize(
    ("stage", "severity"),
    [
        pytest.param(Stage.INVESTIGATING, Severity.WARNING, id="it is open"),
        pytest.param(Stage.MONITORING, Severity.INFO, id="it is over"),
    ],
)
def test_a_run_that_somebody_found_makes_it_a_warning(stage: Stage, severity: Severity) -> None:
    run = Incident(
        id="examplex-bank_run-1",
        exchange=EXCHANGE,
        kind=IncidentKind.BANK_RUN,
        severity=Severity.CRITICAL,
        stage=stage,
        scope=("*",),
        summary="a run",
        opened_at=j.at(0),
        since=j.at(0),
        evidence=(),
        updated_at=j.at(0),
    )
    episode = Episode(since=0.0, opened_at=300.0, at=300.0, seconds=300.0, mentions=500.0, usual=40.0, days=99.0)
    campaign = Campaign(CampaignMemory({(PROBE, QUERY): episode}), CampaignLearned())
    (finding,) = campaign_case.findings(campaign, Money(MoneyMemory(), exchange=EXCHANGE), outflow=run, now=600.0)
    assert finding.severity is severity
    assert ("bank_run is open since 00:00 UTC" in finding.summary) is (severity is Severity.WARNING)
