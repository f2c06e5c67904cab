"""What people do to incidents, and what evidence does to that afterwards."""

import pytest

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import (
    Change,
    Draft,
    DraftState,
    Incident,
    Observation,
    Output,
    RailState,
    Reply,
    Stage,
    Transition,
    Verb,
)

OFF, OPEN = RailState.SUSPENDED, RailState.OPEN
HALT = "examplex-withdrawal_halt-20260105T000600Z"
TERMS = "examplex-terms_tightened-20260105T001000Z"
HALTED = j.polled((5, OFF, j.MAJORS), until=10)
"""Closed at 00:05 and still so at 00:10."""
OVER = j.polled((5, OFF, j.MAJORS), (10, OPEN, j.MAJORS), until=30)
"""Open again at 00:10 and resolved."""


class Story:
    """One engine room, to which entries are told as they come."""

    def __init__(self, entries: list[Observation]) -> None:
        self.engines = Engines.fresh()
        self.outputs: list[Output] = []
        self.read(entries)

    def read(self, entries: list[Observation]) -> None:
        for entry in entries:
            self.outputs += judge(self.engines, entry, self.engines.apply)

    def say(self, minute: float, verb: Verb, subject: str, text: str = "", *, actor: str = "dana") -> Reply:
        exchange = "" if subject.startswith("world") else "examplex"
        word = j.word(minute, verb, subject, text, actor=actor, exchange=exchange)
        self.read([word])
        return next(o for o in reversed(self.outputs) if type(o) is Reply)

    def restart(self) -> None:
        self.engines = Engines.restore({name: self.engines.checkpoint(name) for name in self.engines.names()})

    def changes(self, incident: str = HALT) -> list[str]:
        return [o.transition for o in self.outputs if type(o) is Transition and o.incident == incident]

    def incident(self, name: str = HALT) -> Incident:
        return next(o for o in reversed(self.outputs) if type(o) is Incident and o.id == name)


def polls(begin: int, end: int) -> list[Observation]:
    return [*(j.read(minute) for minute in range(begin, end)), j.tick(end)]


def tightened(until: int) -> list[Observation]:
    lists = [*j.rail(0, OPEN), *(j.read(minute) for minute in range(until))]
    terms = [*j.limited(0, 1), *j.limited(10, 20)]
    return sorted([*lists, *terms, j.tick(until)], key=lambda entry: entry.at)


def test_each_word_is_a_transition_with_its_actor() -> None:
    story = Story(HALTED)
    assert story.say(10, Verb.ACKNOWLEDGE, HALT).ok
    assert story.say(11, Verb.IDENTIFY, HALT).ok
    assert story.say(12, Verb.NOTE, HALT, "a node is down").ok
    told = [o for o in story.outputs if type(o) is Transition and o.incident == HALT]
    assert [(t.transition, t.summary) for t in told][1:] == [
        (Change.ACKNOWLEDGED, "by dana"),
        (Change.IDENTIFIED, "by dana"),
        (Change.UPDATED, "note by dana: a node is down"),
    ]
    assert story.incident().notes == ("00:12 UTC dana: a node is down",)


@pytest.mark.parametrize(
    ("before", "verb", "text", "why"),
    [
        pytest.param(HALTED, Verb.RESOLVE, "it is over", "is measured: it resolves by itself", id="measured"),
        pytest.param(HALTED, Verb.REOPEN, "it is not over", "is open: it is investigating", id="open"),
        pytest.param(HALTED, Verb.NOTE, "", "note needs a text", id="a note of nothing"),
        pytest.param(HALTED, Verb.NOTE, "x" * 3000, "at most 2,000 characters", id="a note without end"),
        pytest.param(OVER, Verb.RESOLVE, "again", "already resolved at 2026-01-05 00:17 UTC", id="resolved already"),
        pytest.param(OVER, Verb.ACKNOWLEDGE, "", "already resolved at 2026-01-05 00:17 UTC", id="nothing to be on"),
        pytest.param(OVER, Verb.REOPEN, "", "reopen needs a text", id="reopened for no reason"),
    ],
)
def test_a_word_that_does_not_apply_is_refused_with_why(
    before: list[Observation], verb: Verb, text: str, why: str
) -> None:
    story = Story(before)
    known = len([o for o in story.outputs if type(o) is Transition])
    reply = story.say(31 if before is OVER else 11, verb, HALT, text)
    assert not reply.ok
    assert why in reply.message
    assert len([o for o in story.outputs if type(o) is Transition]) == known


def test_a_word_said_twice_is_refused() -> None:
    story = Story(HALTED)
    assert story.say(10, Verb.ACKNOWLEDGE, HALT).ok
    assert "already acknowledged by dana" in story.say(11, Verb.ACKNOWLEDGE, HALT).message
    assert story.say(11, Verb.ACKNOWLEDGE, HALT, actor="kim").ok
    assert story.say(12, Verb.IDENTIFY, HALT).ok
    assert "already identified" in story.say(13, Verb.IDENTIFY, HALT).message


def test_of_an_incident_that_nobody_knows_nothing_is_said() -> None:
    reply = Story(HALTED).say(10, Verb.NOTE, "examplex-withdrawal_halt-20200101T000000Z", "what?")
    assert not reply.ok
    assert "only the newest of its kind" in reply.message


def test_what_a_person_reopened_stays_open_whatever_readings_say() -> None:
    story = Story(OVER)
    assert story.say(30, Verb.REOPEN, HALT, "customers still wait").ok
    story.restart()
    story.read(polls(31, 300))
    assert story.incident().stage is Stage.INVESTIGATING
    assert story.say(301, Verb.RESOLVE, HALT, "all are paid").ok
    story.read(polls(302, 400))
    assert story.changes()[-3:] == [Change.RESOLVED, Change.REOPENED, Change.RESOLVED]
    assert story.incident().resolved_by == "dana"


def test_readings_that_agree_with_a_person_take_over() -> None:
    story = Story(OVER)
    assert story.say(30, Verb.REOPEN, HALT, "it comes and goes").ok
    story.read([*j.rail(31, OFF), *polls(31, 36), *j.rail(36, OPEN), *polls(36, 60)])
    assert story.incident().kept_open_by is None
    assert story.changes()[-2:] == [Change.MONITORING, Change.RESOLVED]
    assert story.incident().resolved_by is None


def test_after_a_day_it_is_another_incident() -> None:
    story = Story(OVER)
    story.read(polls(30, 24 * 60 + 20))
    reply = story.say(24 * 60 + 20, Verb.REOPEN, HALT, "it was not over")
    assert not reply.ok
    assert "more than a day ago" in reply.message


def test_what_no_reading_ends_a_person_resolves() -> None:
    story = Story(tightened(60))
    assert story.say(60, Verb.RESOLVE, TERMS, "they told everybody on Monday").ok
    story.read(polls(61, 200))
    assert story.changes(TERMS) == [Change.OPENED, Change.RESOLVED]
    assert story.incident(TERMS).resolved_by == "dana"
    story.read([*j.limited(200, 1), *polls(201, 230), *j.limited(230, 20), *polls(231, 240)])
    newest = [o for o in story.outputs if type(o) is Transition][-1]
    assert (newest.transition, newest.at) == (Change.OPENED, j.at(230)), "they tightened them again"


def test_what_is_no_longer_read_a_person_resolves_and_readings_reopen() -> None:
    story = Story(HALTED)
    story.read([j.failed(minute, "examplex-api") for minute in range(11, 120)])
    assert story.say(120, Verb.RESOLVE, HALT, "they paid us by hand").ok
    story.read([*(j.failed(minute, "examplex-api") for minute in range(121, 130)), j.tick(130)])
    assert story.changes()[-1] is Change.RESOLVED
    story.read(polls(131, 134))
    assert story.changes()[-1] is Change.REOPENED, "the list is read again and says that it is closed"


def test_a_persons_word_that_it_is_over_is_no_draft() -> None:
    story = Story(HALTED)
    story.read([j.failed(minute, "examplex-api") for minute in range(11, 120)])
    assert story.say(120, Verb.RESOLVE, HALT, "they paid us by hand").ok
    drafts = [o for o in story.outputs if type(o) is Draft]
    assert {draft.stage for draft in drafts} == {Stage.INVESTIGATING}, "that it is resolved was not measured"
    assert drafts[-1].state is not DraftState.PENDING
