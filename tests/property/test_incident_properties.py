"""What must hold of incidents whatever evidence, people, windows and restarts do to them, in any order."""

from collections.abc import Iterable
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import (
    Change,
    Command,
    Incident,
    MaintenanceWindow,
    Observation,
    Output,
    Reply,
    Source,
    Stage,
    Transition,
    Verb,
)

CALM = settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
MINUTES = 60
SAID = (Verb.ACKNOWLEDGE, Verb.IDENTIFY, Verb.NOTE, Verb.RESOLVE, Verb.REOPEN, Verb.RETRACT)
Word = tuple[float, Verb, int]
"""When, what, and of which of the incidents that there were until then."""

words = st.lists(st.tuples(st.floats(1, MINUTES + 60), st.sampled_from(SAID), st.integers(0, 3)), max_size=25).map(
    sorted
)
windows = st.lists(
    st.tuples(st.integers(0, MINUTES), st.integers(0, 30), st.integers(1, 40), st.sampled_from(["*", "*@ethereum"])),
    max_size=4,
)

restarts_at = st.sets(st.integers(0, 300), max_size=4)


def _windows(told: Iterable[tuple[int, int, int, str]]) -> list[MaintenanceWindow]:
    return [
        replace(
            j.planned(minute, minute + start, minute + start + lasts, scope=(scope,)),
            probe="maintenance",
            source=Source.PERSON,
            actor="configuration",
        )
        for minute, start, lasts, scope in told
    ]


class House:
    """Engines, what they said, and the journal so far; people speak of incidents that exist."""

    def __init__(self) -> None:
        self.engines = Engines.fresh()
        self.journal: list[Observation] = []
        self.outputs: list[Output] = []

    def read(self, entry: Observation) -> list[Output]:
        self.journal.append(entry)
        found = judge(self.engines, entry, self.engines.apply)
        self.outputs += found
        return found

    def say(self, minute: float, verb: Verb, place: int) -> list[Output]:
        known = list(dict.fromkeys(o.id for o in self.outputs if type(o) is Incident))
        subject = known[place % len(known)] if known else "examplex-withdrawal_halt-20260105T000000Z"
        return self.read(j.word(minute, verb, subject, "because", exchange="examplex"))

    def restart(self) -> None:
        self.engines = Engines.restore({name: self.engines.checkpoint(name) for name in self.engines.names()})


def _lived(
    history: list[Observation], said: list[Word], told: list[tuple[int, int, int, str]], restarts: set[int]
) -> House:
    house = House()
    entries = sorted([*history, *_windows(told), *(j.tick(m) for m in range(61, 200, 3))], key=lambda entry: entry.at)
    waiting = list(said)
    for place, entry in enumerate(entries):
        while waiting and j.at(waiting[0][0]) <= entry.at:
            house.say(*waiting.pop(0))
        if place in restarts:
            house.restart()
        house.read(entry)
    return house


@CALM
@given(
    history=j.histories(minutes=MINUTES), said=words, told=windows, restarts=st.sets(st.integers(0, 300), max_size=4)
)
def test_incidents_alternate_between_open_and_resolved(
    history: list[Observation], said: list[Word], told: list[tuple[int, int, int, str]], restarts: set[int]
) -> None:
    house = _lived(history, said, told, restarts)
    state: dict[str, bool] = {}  # incident -> is it open
    for transition in (o for o in house.outputs if type(o) is Transition):
        match transition.transition:
            case Change.OPENED:
                assert transition.incident not in state
                state[transition.incident] = True
            case Change.RESOLVED:
                assert state[transition.incident]
                state[transition.incident] = False
            case Change.RETRACTED:
                assert transition.incident in state
                state[transition.incident] = False
            case Change.REOPENED:
                is_noticed_again = state[transition.incident]
                last = _stage_before(house.outputs, transition)
                assert not is_noticed_again or last is Stage.MONITORING
                state[transition.incident] = True
            case Change.UPDATED:
                is_a_note = transition.summary.startswith("note by ")
                assert state[transition.incident] or is_a_note
            case _:
                assert state[transition.incident]
    for name, is_open in state.items():
        newest = [o for o in house.outputs if type(o) is Incident and o.id == name][-1]
        assert (newest.stage is not Stage.RESOLVED) == is_open == (newest.resolved_at is None)


def _stage_before(outputs: list[Output], transition: Transition) -> Stage | None:
    place = next(n for n, output in enumerate(outputs) if output is transition)
    before = [o for o in outputs[:place] if type(o) is Incident and o.id == transition.incident]
    return before[-1].stage if before else None


@CALM
@given(
    history=j.histories(minutes=MINUTES), said=words, told=windows, restarts=st.sets(st.integers(0, 300), max_size=4)
)
def test_the_same_journal_gives_the_same_bytes_whenever_it_restarts(
    history: list[Observation], said: list[Word], told: list[tuple[int, int, int, str]], restarts: set[int]
) -> None:
    house = _lived(history, said, told, restarts)
    assert j.encoded(house.outputs) == j.encoded(j.outputs(house.journal))


@CALM
@given(history=j.histories(minutes=MINUTES), said=words, told=windows)
def test_every_word_is_answered_once_and_a_refused_one_changes_nothing(
    history: list[Observation], said: list[Word], told: list[tuple[int, int, int, str]]
) -> None:
    house = _lived(history, said, told, set())
    engines = Engines.fresh()
    for entry in house.journal:
        found = judge(engines, entry, engines.apply)
        if type(entry) is Command:
            (reply,) = [output for output in found if type(output) is Reply]
            by_word = [o for o in found if type(o) is Transition and f"by {entry.actor}: because" in o.summary]
            assert len(by_word) == int(reply.ok)


@CALM
@given(history=j.histories(minutes=MINUTES), told=windows, minute=st.integers(1, MINUTES))
def test_what_a_person_ends_is_over_whatever_is_announced_again(
    history: list[Observation], told: list[tuple[int, int, int, str]], minute: int
) -> None:
    house, planned = House(), _windows(told)
    for entry in sorted([*history, *planned], key=lambda entry: entry.at):
        if entry.at <= j.at(minute):
            house.read(entry)
    shown = [window.id for window in house.engines.view("examplex").windows]
    for name in shown:
        house.read(j.word(minute, Verb.END_MAINTENANCE, name))
    for window in planned:
        house.read(replace(window, at=j.at(minute) + timedelta(seconds=1)))
    later = [window.id for window in house.engines.view("examplex").windows]
    assert not set(later) & set(shown)
