"""Faults that touch incidents: sight that is lost before, during and after a halt, and lists that flap for an hour."""

from datetime import timedelta

import pytest

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import Change, ExchangeState, Incident, Observation, Output, RailState, Severity, Stage, Transition
from monitor.web import cases

OFF, OPEN = RailState.SUSPENDED, RailState.OPEN
HOURS = 30


def _read(entries: list[Observation]) -> tuple[Engines, list[Output]]:
    engines = Engines.fresh()
    return engines, [output for entry in entries for output in judge(engines, entry, engines.apply)]


def _unseen(begin: int, end: int) -> list[Observation]:
    return [o for m in range(begin, end, 3) for o in (j.failed(m, "examplex-api"), j.tick(m + 0.5))]


def test_unknown_then_a_halt_then_unknown_stays_open_and_says_that_it_is_stale() -> None:
    """I7."""
    seen = [*j.rail(20, OFF), *(j.read(minute) for minute in range(20, 25))]
    first = [*j.rail(0, OPEN), j.read(0), *_unseen(1, 20)]
    engines, outputs = _read([*first, *seen, *_unseen(25, HOURS * 60)])
    changes = [o.transition for o in outputs if type(o) is Transition and o.exchange == "examplex"]
    incident = [o for o in outputs if type(o) is Incident and o.exchange == "examplex"][-1]
    assert changes == [Change.OPENED]
    assert incident.stage is Stage.INVESTIGATING
    assert incident.stale_since == j.at(27), "three minutes after the last reading"
    assert cases.stale(incident, j.at(60)).startswith("Stale since 00:27 UTC: nothing that it is judged by was read")
    view = engines.view("examplex")
    assert view.withdrawals is ExchangeState.HALTED
    assert view.reason.endswith("(stale: no source answers now)")


def test_what_is_read_again_is_stale_no_more() -> None:
    closed: list[Observation] = [*j.rail(2, OFF), *(j.read(minute) for minute in range(2, 6))]
    back: list[Observation] = [*(j.read(minute) for minute in range(60, 64)), j.tick(64)]
    _, outputs = _read([*j.rail(0, OPEN), j.read(0), *closed, *_unseen(6, 60), *back])
    told = [o.stale_since for o in outputs if type(o) is Incident]
    assert told == [None, j.at(8), None]


def _flapping(closed: float, period: float) -> list[Observation]:
    """An hour in which the list is polled every half minute and closes once a `period` of minutes."""
    entries: list[Observation] = [*j.rail(0, OPEN), j.read(0)]
    was = OPEN
    for place in range(1, 121):
        minute = place / 2
        state = OFF if minute % period < closed else OPEN
        entries += [*(j.rail(minute, state) if state is not was else ()), j.read(minute)]
        was = state
    calm = [j.read(minute) for minute in range(61, 130)]
    return [*entries, *j.rail(60.5, OPEN), *calm, j.tick(130)]


@pytest.mark.parametrize("period", [5, 8])
def test_an_hour_of_flapping_is_one_incident_that_says_so(period: float) -> None:
    """I2: from the third closing on it is held as closed, so it opens once and reopens twice, whatever comes after."""
    _, outputs = _read(_flapping(2, period))
    told = [o for o in outputs if type(o) is Transition and o.exchange == "examplex"]
    assert len({each.incident for each in told}) == 1
    paged = [
        each
        for each in told
        if each.transition in (Change.OPENED, Change.ESCALATED, Change.REOPENED) and each.severity is Severity.CRITICAL
    ]
    assert [each.transition for each in paged] == [Change.OPENED, Change.REOPENED, Change.REOPENED]
    assert "flapping: " in paged[-1].summary
    assert told[-1].transition is Change.RESOLVED
    assert told[-1].at >= j.at(60) + timedelta(minutes=20), "only once it has stood still"
    assert paged[-1].at <= j.at(3 * period), "nothing more in the rest of the hour"


def test_a_list_that_changes_its_mind_at_every_poll_is_never_believed() -> None:
    _, outputs = _read(_flapping(0.5, 1))
    assert [o for o in outputs if type(o) is Transition] == []
