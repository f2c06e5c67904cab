"""What must hold of campaigns for whatever is said, and whatever is not read."""

import random
from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import tests.journals as j
from monitor.engine.engine import Engine
from monitor.model import Observation, Transition
from tests.talk import LEARNED, counts, learned, listening, mention, talk

CALM = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
BINS = 200
SOON = range(LEARNED, LEARNED + BINS)
LOST = st.sets(st.integers(0, BINS - 1))
SAID = st.lists(st.integers(0, 2000), min_size=10, max_size=60)


def told(entries: Sequence[Observation]) -> list[Transition]:
    engine = Engine.restore(learned())
    end = j.tick(5 * (LEARNED + BINS + 200))
    return [output for entry in [*entries, end] for output in engine.apply(entry) if type(output) is Transition]


def said(found: list[int]) -> list[Observation]:
    return [mention(LEARNED + place, count) for place, count in enumerate(found)]


def values(entries: Sequence[Observation]) -> list[float]:
    engine = listening(Engine.restore(learned()), entries)
    return [view.value for view in engine.view().statistics if view.value is not None]


@CALM
@given(lost=LOST)
def test_missing_windows_open_nothing(lost: set[int]) -> None:
    assert told([entry for place, entry in enumerate(talk(SOON)) if place not in lost]) == []


@CALM
@given(lost=LOST.map(lambda lost: {place for place in lost if place > 12}), bins=st.integers(0, 40))
def test_missing_windows_end_nothing(lost: set[int], bins: int) -> None:
    """Four hours without much talk end it, and not four hours without a reading."""
    begun = talk(range(LEARNED, LEARNED + 12))
    burst = talk(range(LEARNED + 12, LEARNED + 14), times=10)
    calm = [entry for place, entry in enumerate(talk(range(LEARNED + 14, LEARNED + BINS))) if place not in lost]
    assert [t.transition for t in told([*begun, *burst, *calm[:bins]])] == ["opened"]


@CALM
@given(found=SAID, more=st.integers(0, 5000))
def test_more_mentions_never_lower_the_statistic(found: list[int], more: int) -> None:
    *before, last = found
    fewer = values(said([*before, last]))
    assert fewer
    assert all(one <= other for one, other in zip(fewer, values(said([*before, last + more])), strict=True))


@CALM
@given(found=SAID, cut=st.floats(0, 1))
def test_a_checkpoint_and_the_tail_lead_to_what_the_whole_journal_leads_to(found: list[int], cut: float) -> None:
    entries: list[Observation] = [*said(found), j.tick(5 * (LEARNED + BINS))]
    place = int(cut * len(entries))
    whole, half = Engine.restore(learned()), Engine.restore(learned())
    first = [output for entry in entries[:place] for output in half.apply(entry)]
    restored = Engine.restore(half.checkpoint())
    rest = [output for entry in entries[place:] for output in restored.apply(entry)]
    assert first + rest == [output for entry in entries for output in whole.apply(entry)]
    assert restored.checkpoint() == whole.checkpoint()


@CALM
@given(found=SAID, order=st.randoms(use_true_random=False))
def test_the_order_of_queries_within_an_instant_does_not_matter(found: list[int], order: random.Random) -> None:
    queries = ["examplex withdrawal", "examplex hack", "examplex frozen"]
    straight, shuffled = Engine.restore(learned()), Engine.restore(learned())
    for place, count in enumerate(found):
        both = [mention(LEARNED + place, count + n, query=query) for n, query in enumerate(queries)]
        listening(straight, both)
        order.shuffle(both)
        listening(shuffled, both)
    assert straight.view() == shuffled.view()


@CALM
@given(minutes=st.integers(6, 600), place=st.integers(0, 40))
def test_one_count_for_many_minutes_is_no_burst(minutes: int, place: int) -> None:
    """Whatever was missed is told at once, as it usually is."""
    bins = -(-minutes // 5)
    begun = LEARNED + place
    missed = sum(counts(range(begun, begun + bins)))
    after = talk(range(begun + bins, begun + bins + 24))
    assert told([*talk(range(LEARNED, begun)), mention(begun + bins - 1, missed, minutes=5 * bins), *after]) == []
