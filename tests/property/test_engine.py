"""What must hold of the engines for every journal."""

import random
from collections.abc import Iterable
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import (
    Change,
    FailureReason,
    IncidentKind,
    Observation,
    Output,
    ProbeFailure,
    Rail,
    RailState,
    RailStatus,
    RailTerms,
    Transition,
)
from tests.property.examples import examples

CALM = settings(
    max_examples=examples(12),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CALM_AT = 101  # what a history of an hour leaves is over: announced ends, what lasts ten minutes, what flaps
USUAL = (IncidentKind.TERMS_TIGHTENED,)  # ends by itself, after a day
WORLD: list[Observation] = [j.control(m, ok=m not in (7, 8, 9)) for m in range(40)]


DAY = 24 * 60


@cache
def _learned() -> dict[str, bytes]:
    """Engines that have seen a usual day."""
    engines = Engines.fresh()
    for entry in [*j.rail(0, RailState.OPEN), j.read(0), *j.usual(range(1, DAY))]:
        judge(engines, entry, engines.apply)
    return {name: engines.checkpoint(name) for name in engines.names()}


def _merged(*parts: list[Observation]) -> list[Observation]:
    return sorted((entry for part in parts for entry in part), key=lambda entry: entry.at)


@CALM
@given(history=j.histories(), cut=st.floats(0, 1))
def test_a_checkpoint_and_the_tail_lead_to_what_the_whole_journal_leads_to(
    history: list[Observation], cut: float
) -> None:
    entries = _merged(history, WORLD, [j.tick(39.5)])
    place = int(cut * len(entries))
    engines = Engines.fresh()
    first = [output for entry in entries[:place] for output in judge(engines, entry, engines.apply)]
    restored = Engines.restore({name: engines.checkpoint(name) for name in engines.names()})
    rest = [output for entry in entries[place:] for output in judge(restored, entry, restored.apply)]
    assert j.encoded(first + rest) == j.encoded(j.outputs(entries))


@CALM
@given(mine=j.histories(), other=j.histories(exchange="otherx"))
def test_entries_of_other_exchanges_change_nothing(mine: list[Observation], other: list[Observation]) -> None:
    alone = j.outputs(_merged(mine, WORLD))
    together = j.outputs(_merged(mine, other, WORLD))
    assert j.encoded(_of(alone, "examplex")) == j.encoded(_of(together, "examplex"))


@CALM
@given(histories=st.tuples(*(j.histories(exchange=name) for name in ("ax", "bx", "cx"))), cut=st.floats(0, 1))
def test_of_several_exchanges_too(histories: tuple[list[Observation], ...], cut: float) -> None:
    """Networks are judged from verdicts, which are derived again after a restart."""
    entries = _merged(*histories, WORLD, [j.tick(m + 0.5) for m in range(40)])
    place = int(cut * len(entries))
    engines = Engines.fresh()
    first = [output for entry in entries[:place] for output in judge(engines, entry, engines.apply)]
    restored = Engines.restore({name: engines.checkpoint(name) for name in engines.names()})
    rest = [output for entry in entries[place:] for output in judge(restored, entry, restored.apply)]
    assert j.encoded(first + rest) == j.encoded(j.outputs(entries))


@CALM
@given(history=j.histories(minutes=60), hours=st.integers(1, 24))
def test_an_exchange_that_is_not_read_any_more_changes_no_incident(history: list[Observation], hours: int) -> None:
    """Neither by what is missing nor by the time that passes."""
    settled = [*history, *(j.read(minute) for minute in range(60, CALM_AT)), j.tick(CALM_AT + 0.5)]
    unread = [j.failed(m, "examplex-api") for m in range(CALM_AT + 1, CALM_AT + 1 + 60 * hours, 7)]
    before, after = _transitions(j.outputs(settled)), _transitions(j.outputs([*settled, *unread]))
    assert [t for t in after if t.kind not in USUAL] == [t for t in before if t.kind not in USUAL]


@CALM
@given(history=j.histories(), seed=st.integers(0, 2**32))
def test_the_order_within_an_instant_does_not_matter(history: list[Observation], seed: int) -> None:
    shuffled = history[:]
    random.Random(seed).shuffle(shuffled)
    shuffled.sort(key=lambda entry: (entry.at, type(entry).__name__ == "ListRead"))
    end: list[Observation] = [j.tick(39.5)]
    assert _transitions(j.outputs(shuffled + end)) == _transitions(j.outputs(history + end))


@CALM
@given(lost=st.sets(st.integers(1, 179)))
def test_missing_data_opens_nothing(lost: set[int]) -> None:
    engines = Engines.restore(_learned())
    found: list[Output] = []
    for minute in range(180):
        seen: list[Observation] = [j.failed(DAY + minute, "examplex-tron-hot")]
        if minute not in lost:
            seen = [*j.usual(range(DAY + minute, DAY + minute + 1)), j.read(DAY + minute)]
        found += [o for entry in [*seen, j.tick(DAY + minute + 0.1)] for o in judge(engines, entry, engines.apply)]
    assert _transitions(found) == []


@pytest.mark.parametrize("hours", [1, 30, 24 * 40])
@pytest.mark.parametrize("blind", [False, True], ids=["seeing", "blind"])
def test_missing_data_never_ends_a_halt(hours: int, blind: bool) -> None:
    opened = [
        *j.rail(0, RailState.OPEN),
        j.read(0),
        *j.rail(1, RailState.SUSPENDED),
        j.read(1, changed=5),
        j.read(2),
    ]
    silence: list[Observation] = []
    for minute in range(3, hours * 60, max(1, hours // 10)):
        silence += [j.failed(minute, "examplex-api"), j.control(minute, ok=not blind), j.tick(minute + 0.1)]
    found = [t for t in j.transitions([*opened, *silence]) if t.exchange == "examplex"]
    assert [t.transition for t in found] == [Change.OPENED]
    assert found[0].kind is IncidentKind.WITHDRAWAL_HALT


@CALM
@given(history=j.histories(minutes=60))
def test_an_incident_alternates_between_open_and_resolved(history: list[Observation]) -> None:
    open_now: set[str] = set()
    for transition in _transitions(j.outputs([*history, j.tick(60), j.tick(90), j.tick(200)])):
        match transition.transition:
            case Change.OPENED:
                assert transition.incident not in open_now
                open_now.add(transition.incident)
            case Change.RESOLVED:
                open_now.remove(transition.incident)
            case Change.REOPENED:
                open_now.add(transition.incident)
            case _:
                assert transition.incident in open_now


def _unread(minute: float, rails: Iterable[Rail]) -> list[Observation]:
    """Rows of the list that cannot be read any more."""
    return [
        ProbeFailure(
            at=j.at(minute),
            exchange="examplex",
            probe="examplex-api",
            reason=FailureReason.SCHEMA,
            detail=f"a row of {rail}",
            asset=rail.asset,
            network=rail.network,
        )
        for rail in rails
    ]


@CALM
@given(history=j.histories(minutes=60), rails=st.sets(st.sampled_from(j.MAJORS)), more=st.integers(1, 90))
def test_rows_that_turn_unreadable_change_no_incident(history: list[Observation], rails: set[Rail], more: int) -> None:
    settled = [*history, *(j.read(minute) for minute in range(60, CALM_AT))]
    later = [entry for m in range(CALM_AT + 1, CALM_AT + 1 + more) for entry in (j.read(m), j.tick(m + 0.5))]
    as_read = j.transitions([*settled, *later])
    assert j.transitions([*settled, *_unread(CALM_AT, sorted(rails)), *later]) == as_read


@CALM
@given(
    history=j.histories(minutes=60),
    lost=st.lists(st.tuples(st.integers(0, 59), st.sampled_from(j.MAJORS)), max_size=12),
    state=st.sampled_from([RailState.OPEN, RailState.SUSPENDED]),
)
def test_unreadable_rows_alone_neither_open_nor_resolve(
    history: list[Observation], lost: list[tuple[int, Rail]], state: RailState
) -> None:
    """Whatever else is in the journal: where no list tells a change, rows that fail tell none either."""
    quiet = [entry for entry in history if type(entry) not in (RailStatus, RailTerms) and entry.at > j.at(10)]
    first = [*j.rail(0, RailState.OPEN), j.read(0), *j.rail(1, state), *(j.read(m) for m in range(1, 11))]
    failing = [failure for minute, rail in lost for failure in _unread(10.5 + minute, [rail])]
    found = j.told([*first, *_merged(quiet, failing), j.tick(70)])
    assert [word for word in found if word.startswith(("opened", "resolved", "reopened"))] == (
        [] if state is RailState.OPEN else ["opened withdrawal_halt"]
    )


def _of(found: list[Output], exchange: str) -> list[Output]:
    return [o for o in found if getattr(o, "exchange", exchange) == exchange]


def _transitions(found: list[Output]) -> list[Transition]:
    return [output for output in found if type(output) is Transition]
