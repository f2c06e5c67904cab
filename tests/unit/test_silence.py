"""The silence of hot wallets, piece by piece: what it learns, what counts for how much, and what is no silence."""

import math
from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pytest

import tests.journals as j
from monitor.engine.calibration import Maxima, calibrated
from monitor.engine.detectors import dispersion, silence_words
from monitor.engine.detectors.baseline import Baseline
from monitor.engine.detectors.drip import Drip, Typical
from monitor.engine.detectors.silence import COLD, Silence, SilenceLearned, SilenceMemory
from monitor.model import Observation, Rail, RailState, WalletActivity
from monitor.model.view import StatisticState

HOUR = 60
DAY = 24 * HOUR


def fresh() -> Silence:
    return Silence(SilenceMemory(), SilenceLearned())


def read(silence: Silence, entries: Iterable[Observation]) -> Silence:
    """Observe payments and judge each instant."""
    for entry in entries:
        assert type(entry) is WalletActivity
        silence.observe(entry, entry.at.timestamp())
        silence.judge(entry.at.timestamp())
    return silence


def noisy(k: float, *, mean: float, minutes: int, seed: int = 7) -> list[int]:
    generator = np.random.default_rng(seed)
    return [int(count) for count in generator.poisson(mean * generator.gamma(k, 1 / k, minutes))]


@pytest.mark.parametrize("k", [1.25, 5.0, 20.0])
@pytest.mark.parametrize("mean", [3.0, 30.0])
def test_burstiness_is_learned_from_the_residuals(k: float, mean: float) -> None:
    learned = dispersion.fresh()
    for count in noisy(k, mean=mean, minutes=7 * DAY):
        learned.learn(count, mean, 1.0)
    assert 0.4 * k < learned.k < 1.3 * k


def test_pauses_of_minutes_are_burstier_than_any_single_minute_tells() -> None:
    learned = dispersion.fresh()
    for minute, count in enumerate(noisy(20, mean=10, minutes=3 * DAY)):
        learned.learn(0 if minute % 40 < 8 else count, 8.0, 1.0)
    assert learned.k < learned.week.k(0) / 1.5


def test_a_baseline_knows_the_hour_of_the_week() -> None:
    baseline = Baseline()
    for minute in range(1, 4 * 7 * DAY):
        at = j.at(minute).timestamp()
        is_day = 8 <= (minute // HOUR) % 24 < 20
        season = baseline.season(at)
        baseline.learn(20 if is_day else 4, at=at, minutes=1.0, seasonal=season, expected=baseline.expected(at))
    noon, night = (j.at(28 * DAY + hour * HOUR).timestamp() for hour in (12, 2))
    assert baseline.season(noon) == pytest.approx(20, rel=0.25)
    assert baseline.season(night) == pytest.approx(4, rel=0.5)


def batcher(minutes: range, *, every: int = 10) -> list[Observation]:
    return [j.paid(minute, "ethereum", 120 if minute % every == 0 else 0) for minute in minutes]


def test_a_wallet_that_sends_in_batches_is_judged_by_its_batches() -> None:
    silence = read(fresh(), batcher(range(1, 3 * DAY)))
    baseline = next(iter(silence.learned.baselines.values()))
    assert baseline.is_batcher()
    assert baseline.batch_share() == pytest.approx(1 / 120, rel=0.05)
    read(silence, batcher(range(3 * DAY, 3 * DAY + 10)))
    assert silence.watching() == []
    read(silence, [j.paid(minute, "ethereum", 0) for minute in range(3 * DAY + 10, 3 * DAY + 240)])
    assert silence.watching() == ["ethereum"]


def test_many_more_payments_than_usual_are_no_halt() -> None:
    """Fifteen times as many spread like batches, in wallets that send every minute."""
    silence = read(fresh(), [j.paid(m, n, 24) for m in range(1, 3 * DAY) for n in ("ethereum", "tron")])
    run = range(3 * DAY, 3 * DAY + 4 * HOUR)
    for minute in run:
        read(silence, [j.paid(minute, network, 15 * 24) for network in ("ethereum", "tron")])
        assert not silence.memory.halted
    assert silence.watching() == []


def quiet(minutes: range, *networks: str) -> list[Observation]:
    """A usual time in which some networks send nothing."""
    return [
        seen if seen.network not in networks else j.paid(minute, seen.network, 0)
        for minute in minutes
        for seen in j.usual(range(minute, minute + 1))
        if type(seen) is WalletActivity
    ]


def test_what_is_stopped_in_part_is_degraded_and_pages_nobody() -> None:
    entries = [*quiet(range(1, 600)), *quiet(range(600, 625), "ethereum", "bsc")]
    found = j.transitions([*entries, j.tick(625)])
    assert [(t.kind, t.severity, t.scope) for t in found] == [
        ("withdrawals_degraded", "warning", ("*@bsc", "*@ethereum"))
    ]
    assert "others go on" in found[0].summary


def test_a_silent_wallet_and_a_closed_rail_are_told_together_at_once() -> None:
    rails = [*j.MAJORS, Rail("BNB", "bsc"), Rail("XRP", "xrp")]
    tron = [rail for rail in rails if rail.network == "tron"]
    entries = [
        *j.rail(0, RailState.OPEN, rails=rails),
        *(j.read(minute) for minute in range(600)),
        *quiet(range(1, 600)),
    ]
    for minute in range(600, 609):
        entries += quiet(range(minute, minute + 1), "tron")
        entries += j.rail(minute, RailState.SUSPENDED, rails=tron) if minute == 602 else []
        entries.append(j.read(minute, changed=len(tron) if minute == 602 else 0))
    found = j.transitions(sorted(entries, key=lambda entry: entry.at))
    assert [(t.kind, t.severity) for t in found] == [("rail_suspended", "warning")]
    assert "a hot wallet there stopped sending" in found[0].summary


def test_a_stream_that_stays_silent_alone_is_learned_anew_after_a_day() -> None:
    silence = read(fresh(), [*quiet(range(1, DAY)), *quiet(range(DAY, 2 * DAY - HOUR), "bsc")])
    assert silence.watching() == ["bsc"]
    read(silence, quiet(range(2 * DAY - HOUR, 2 * DAY + HOUR), "bsc"))
    assert silence.watching() == []
    assert silence.minutes(("bsc", "examplex-bsc-hot", "")) < 2 * HOUR


def test_a_chain_without_blocks_is_no_silence_of_the_exchange() -> None:
    silence = read(fresh(), quiet(range(1, DAY)))
    for minute in range(DAY, DAY + 20):
        for seen in quiet(range(minute, minute + 1), *j.RATES):
            assert type(seen) is WalletActivity
            silence.observe(seen, seen.at.timestamp())
        silence.judge(j.at(minute).timestamp(), stalled=tuple(j.RATES))
    assert not silence.memory.halted
    assert silence.memory.score == 0


def test_what_was_read_long_ago_speaks_only_against_a_stop() -> None:
    paying = read(fresh(), quiet(range(1, DAY)))
    read(paying, [j.paid(DAY + minute, "tron", 0) for minute in range(1, 40)])  # the others are not read at all
    assert not paying.memory.halted
    assert paying.memory.score <= paying.cap() + 1e-6 < COLD


def test_a_halt_begins_where_it_began_not_where_it_was_seen() -> None:
    opened = j.transitions([*quiet(range(1, 600)), *quiet(range(600, 606), *j.RATES), j.tick(606)])[0]
    assert opened.at <= j.at(601)
    assert j.at(599) <= min(e.at for e in opened.evidence) <= j.at(601)


def jittered(minutes: range, *, silent_from: float, seed: int) -> list[Observation]:
    """Looks a minute apart to a second or two, each chain at a time of its own."""
    generator = np.random.default_rng(seed)
    entries: list[Observation] = []
    for number, (network, rate) in enumerate(j.RATES.items()):
        before = minutes.start + 0.21 * number
        for minute in minutes:
            now = minute + 1 + 0.21 * number + float(generator.uniform(-0.03, 0.03))
            window = (now - before) * (1 + float(generator.uniform(-0.02, 0.02)))
            share = min(1.0, max(0.0, (silent_from - before) / (now - before)))
            entries.append(j.paid(now, network, round(rate * (now - before) * share), window=60 * window))
            before = now
    return sorted(entries, key=lambda entry: entry.at)


@pytest.mark.parametrize("seed", range(4))
def test_looks_that_are_not_taken_to_the_second_find_a_halt_as_soon(seed: int) -> None:
    entries = jittered(range(1, 620), silent_from=600.3, seed=seed)
    found = j.transitions([*entries, j.tick(622)])
    assert [t.kind for t in found] == ["withdrawal_halt"]
    assert j.at(600.3) < found[0].at <= j.at(602.5)


def test_one_number_for_many_minutes_across_the_beginning_of_a_halt_does_not_hide_it() -> None:
    """A block comes two minutes into the halt, with what was sent in the eight minutes before it."""
    entries = [*quiet(range(1, 600))]
    for minute in range(600, 604):
        entries += quiet(range(minute, minute + 1), *j.RATES)
        if minute == 601:
            entries.append(j.paid(minute, "bitcoin", 16, window=600))
    known = [j.paid(minute, "bitcoin", 20, window=600) for minute in range(10, 600, 10)]
    found = j.transitions(sorted([*entries, *known, j.tick(604)], key=lambda entry: entry.at))
    assert [(t.kind, t.at <= j.at(601)) for t in found] == [("withdrawal_halt", True)]


def dripped(coins: list[float], *, count: int = 30) -> Drip:
    drip, typical = Drip(), Typical()
    for minute, amount in enumerate(coins):
        drip.observe(typical, at=60.0 * minute, count=count, expected=30.0, coins=amount)
    return drip


@pytest.mark.parametrize(
    ("coins", "count", "is_dripping"),
    [
        pytest.param([30.0] * 600, 30, False, id="as ever"),
        pytest.param([30.0] * 600 + [0.3] * 20, 30, True, id="crumbs"),
        pytest.param([30.0] * 600 + [0.3] * 8, 30, False, id="crumbs for eight minutes"),
        pytest.param([30.0] * 600 + [0.3] * 20 + [30.0] * 20, 30, False, id="crumbs, and it is over"),
        pytest.param([30.0] * 600 + [3.0] * 20, 30, False, id="a tenth is little and no crumb"),
        pytest.param([30.0] * 200 + [0.3] * 20, 30, False, id="three hours are too little to know"),
        pytest.param([30.0] * 600 + [0.3] * 20, 1, False, id="too few payments to tell"),
    ],
)
def test_drip(coins: list[float], count: int, is_dripping: bool) -> None:
    assert (dripped(coins, count=count).since is not None) is is_dripping


def test_amounts_in_other_units_drip_alike() -> None:
    coins = [30.0] * 600 + [0.3] * 20
    assert dripped([amount * 1000 for amount in coins]).since == dripped(coins).since is not None


def test_thresholds_follow_ones_own_history() -> None:
    generator = np.random.default_rng(3)
    calm, wild = Maxima(), Maxima()
    for hour, value in enumerate(generator.exponential(1.0, 28 * 24)):
        calm.note(float(value), 3600.0 * hour)
        wild.note(3 * float(value), 3600.0 * hour)
    low, high = calibrated(calm, per_month=1.0), calibrated(wild, per_month=1.0)
    assert low == pytest.approx(math.log(720), rel=0.25)
    assert high == pytest.approx(3 * math.log(720), rel=0.25)


def test_a_week_is_needed_and_an_hour_in_which_something_was_wrong_teaches_nothing() -> None:
    maxima = Maxima()
    for hour in range(7 * 24):
        maxima.note(1.0, 3600.0 * hour)
        if hour == 20:
            maxima.note(99.0, 3600.0 * hour)
            maxima.leave_out(3600.0 * hour)
    assert max(maxima.hours) == 1.0
    assert calibrated(maxima, per_month=1.0) is None


def test_statistics_say_what_is_learned_and_what_would_fire() -> None:
    silence = read(fresh(), quiet(range(1, 120)))
    now = j.at(119).timestamp()
    whole, *streams = silence_words.statistics(silence, now)
    assert (whole.state, whole.subject) == (StatisticState.LEARNING, "*")
    assert {s.state for s in streams} == {StatisticState.LEARNING}
    read(silence, [*quiet(range(120, 700)), *quiet(range(700, 703), *j.RATES)])
    whole, *streams = silence_words.statistics(silence, j.at(702).timestamp())
    assert whole.state is StatisticState.FIRING
    assert whole.value is not None
    assert whole.threshold is not None
    assert whole.value >= whole.threshold
    ethereum = next(s for s in streams if s.subject == "ethereum")
    assert ethereum.expected == pytest.approx(30, rel=0.1)
    assert "a chance of 1 in" in ethereum.words
    later = silence_words.statistics(silence, (j.at(702) + timedelta(hours=1)).timestamp())
    assert {s.state for s in later[1:]} == {StatisticState.UNKNOWN}
