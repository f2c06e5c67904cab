"""What must hold of outflow for every journal: restarts, scale, prices, order, missing data, and that more is more."""

import random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import tests.journals as j
import tests.money as m
from monitor.engine.engine import Engine
from monitor.model import Observation, Severity
from tests.outflow import DAYS, RESERVE, STEP, Story, said, told
from tests.property.examples import examples

CALM = settings(
    max_examples=examples(4),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SEEDS = st.integers(0, 2**32)
LEARNED = DAYS * 1440


def history(seed: int, *, scale: float = 1.0) -> Story:
    """Eleven days of calm, then two of calm, runs, moves, gaps and bleeds in some order."""
    dice = random.Random(seed)
    story = Story(seed, scale=scale).calm(LEARNED)
    while story.minute < LEARNED + 2 * 1440:
        match dice.randrange(6):
            case 0:
                story.calm(10 * dice.randrange(4, 30), times=dice.choice([2.0, 4.0, 8.0]))
            case 1:
                story.move(dice.choice([0.004, 0.02, 0.06, 0.3]), is_seen=dice.random() < 0.8)
            case 2:
                story.move(0.02 + 0.2 * dice.random(), is_labelled=True)
            case 3:
                story.gap(dice.randrange(5, 400))
            case _:
                story.calm(10 * dice.randrange(10, 60))
    return story


@CALM
@given(seed=SEEDS, cut=st.floats(0, 1))
def test_a_checkpoint_and_the_tail_lead_to_what_the_whole_journal_leads_to(seed: int, cut: float) -> None:
    entries = history(seed).entries
    place = int(cut * len(entries))
    whole, engine = Engine.fresh(m.EXCHANGE), Engine.fresh(m.EXCHANGE)
    first = [output for entry in entries[:place] for output in engine.apply(entry)]
    restored = Engine.restore(engine.checkpoint())
    assert restored.view() == engine.view()
    rest = [output for entry in entries[place:] for output in restored.apply(entry)]
    assert j.encoded(first + rest) == j.encoded(output for entry in entries for output in whole.apply(entry))
    assert (restored.checkpoint(), restored.view()) == (whole.checkpoint(), whole.view())


@CALM
@given(seed=SEEDS)
def test_a_thousand_times_the_coins_lead_to_the_same_verdicts(seed: int) -> None:
    once = [(t.at, t.transition, t.kind, t.severity) for t in told(history(seed).entries)]
    assert [(t.at, t.transition, t.kind, t.severity) for t in told(history(seed, scale=1000.0).entries)] == once


@CALM
@given(seed=SEEDS)
def test_the_order_within_an_instant_does_not_matter(seed: int) -> None:
    entries = history(seed).entries
    order = entries[:]
    random.Random(seed).shuffle(order)
    order.sort(key=lambda entry: entry.at)
    assert said(order) == said(entries)


@CALM
@given(seed=SEEDS)
def test_prices_alone_begin_nothing(seed: int) -> None:
    """A calm exchange of two coins while their prices do anything."""
    dice = random.Random(seed)
    one, two = Story(seed).calm(LEARNED + 1440), Story(seed + 1, asset="SOL").calm(LEARNED + 1440)
    wild: list[Observation] = []
    for minute in range(LEARNED, LEARNED + 1440, STEP):
        wild += m.prices(minute, dice.choice([0.01, 1, 100, 10_000]))
        wild += m.prices(minute, dice.choice([0.01, 1, 100, 10_000]), asset="SOL")
    calm = sorted([*one.entries, *two.entries], key=lambda entry: entry.at)
    both = sorted([*calm, *wild], key=lambda entry: entry.at)
    assert said(both) == said(calm)


@CALM
@given(seed=SEEDS, missing=st.floats(0.05, 0.9))
def test_missing_readings_open_nothing(seed: int, missing: float) -> None:
    """Of a calm history any part may be missing, flows and balances alike."""
    dice = random.Random(seed)
    entries = Story(seed).calm(LEARNED + 2 * 1440).entries
    kept = [entry for entry in entries if entry.at < j.at(LEARNED) or dice.random() >= missing]
    assert [t for t in told(kept) if t.severity is Severity.CRITICAL] == []


@CALM
@given(seed=SEEDS, minutes=st.integers(1, 5000))
def test_nothing_is_over_because_nothing_is_told(seed: int, minutes: int) -> None:
    story = Story(seed).calm(LEARNED).move(0.12)
    assert said([*story.entries, j.tick(story.minute + minutes)]) == said(story.entries)


@CALM
@given(seed=SEEDS, share=st.floats(0.0, 0.3), more=st.floats(0.0, 0.3))
def test_more_that_leaves_is_never_less_of_an_alarm(seed: int, share: float, more: float) -> None:
    assert _alarm(seed, share + more) >= _alarm(seed, share)


def _alarm(seed: int, share: float) -> int:
    ranks = [Severity.INFO, Severity.WARNING, Severity.CRITICAL]
    story = Story(seed).calm(LEARNED)
    coins = share * RESERVE
    story.read([2.8] * 50 + [coins / 4] * 4)
    return max((ranks.index(t.severity) for t in told(story.entries) if t.at >= j.at(LEARNED)), default=-1)
