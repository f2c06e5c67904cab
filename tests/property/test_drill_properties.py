"""Whatever people drill, everything that is not a drill is what it would have been."""

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import Change, Command, Drill, Observation, Output, Reply, Verb
from tests.property.examples import examples
from tests.unit.test_drills import began

CALM = settings(
    max_examples=examples(12),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
MINUTES = st.integers(0, 38).map(float)
KINDS = st.sampled_from(["withdrawal_halt", "bank_run", "drip", "blind", "maintenance", "update_due"])
WORDS = (Verb.END_DRILL, Verb.ACKNOWLEDGE, Verb.NOTE, Verb.RESOLVE, Verb.RETRACT, Verb.REOPEN)


@st.composite
def drilled(draw: st.DrawFn) -> list[Command]:
    """Drills that are begun, and words on them or on none."""
    found: list[Command] = []
    for minute in draw(st.lists(MINUTES, min_size=1, max_size=5)):
        kind, seconds = draw(KINDS), draw(st.sampled_from(["60", "90", "600", "14400", "5"]))
        found.append(began(minute, kind=kind, seconds=seconds))
        name = f"examplex-drill-{kind}-{j.at(minute):%Y%m%dT%H%M%SZ}"
        later = minute + draw(st.integers(0, 10)) / 2
        found.append(j.word(later, draw(st.sampled_from(WORDS)), name, "why", actor="dana", exchange="examplex"))
    return found


def _merged(*parts: list[Observation]) -> list[Observation]:
    return sorted((entry for part in parts for entry in part), key=lambda entry: entry.at)


def _real(found: list[Output]) -> list[Output]:
    return [output for output in found if type(output) not in (Drill, Reply)]


@CALM
@given(history=j.histories(), drills=drilled())
def test_nothing_else_knows_of_a_drill(history: list[Observation], drills: list[Command]) -> None:
    end: list[Observation] = [j.tick(400)]
    with_drills = j.outputs(_merged(history, [*drills], end))
    assert j.encoded(_real(with_drills)) == j.encoded(_real(j.outputs(_merged(history, end))))


@CALM
@given(history=j.histories(), drills=drilled())
def test_one_is_open_at_a_time_and_each_ends_by_its_time(history: list[Observation], drills: list[Command]) -> None:
    open_now: Drill | None = None
    for output in j.outputs(_merged(history, [*drills], [j.tick(400)])):
        if type(output) is not Drill:
            continue
        if output.happened.transition is Change.OPENED:
            assert open_now is None
        if output.happened.transition is Change.RESOLVED:
            assert open_now is not None
            assert output.happened.at <= open_now.until
        open_now = None if output.incident.resolved_at is not None else output
    assert open_now is None


@CALM
@given(history=j.histories(), drills=drilled(), cut=st.floats(0, 1))
def test_a_checkpoint_and_the_tail_lead_to_the_same_drills(
    history: list[Observation], drills: list[Command], cut: float
) -> None:
    entries = _merged(history, [*drills], [j.tick(400)])
    place = int(cut * len(entries))
    engines = Engines.fresh()
    first = [output for entry in entries[:place] for output in judge(engines, entry, engines.apply)]
    restored = Engines.restore({name: engines.checkpoint(name) for name in engines.names()})
    rest = [output for entry in entries[place:] for output in judge(restored, entry, restored.apply)]
    assert j.encoded(first + rest) == j.encoded(j.outputs(entries))
