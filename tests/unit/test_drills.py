"""Drills: what a person begins, what ends it, and that nothing else of the engine knows of it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.model import (
    Change,
    Command,
    ConfigApplied,
    Draft,
    Drill,
    ExchangeState,
    Incident,
    IncidentKind,
    Judging,
    Observation,
    Output,
    PersonRole,
    RailState,
    Reply,
    Severity,
    Stage,
    Transition,
    Verb,
    WatchedRail,
)

OFF = RailState.SUSPENDED
WELL = j.polled(until=10)
NAME = "examplex-drill-withdrawal_halt-20260105T001000Z"


def began(
    minute: float = 10,
    *,
    role: PersonRole = PersonRole.ADMIN,
    kind: str = "withdrawal_halt",
    severity: str = "critical",
    seconds: str = "600",
    text: str = "",
) -> Command:
    arguments = {"exchange": "examplex", "kind": kind, "severity": severity, "seconds": seconds, "text": text}
    return Command(
        at=j.at(minute),
        exchange="examplex",
        probe="socket",
        verb=Verb.DRILL,
        actor="dana",
        role=role,
        subject="examplex",
        arguments=arguments,
    )


class Room:
    """One engine room, to which entries are told as they come."""

    def __init__(self, *entries: Observation) -> None:
        self.engines = Engines.fresh()
        self.outputs: list[Output] = []
        self.read(*entries)

    def read(self, *entries: Observation) -> list[Output]:
        found = [output for entry in entries for output in judge(self.engines, entry, self.engines.apply)]
        self.outputs += found
        return found

    def say(self, minute: float, verb: Verb, subject: str = NAME, text: str = "", *, actor: str = "dana") -> Reply:
        return self.answer(j.word(minute, verb, subject, text, actor=actor, exchange="examplex"))

    def answer(self, command: Command) -> Reply:
        return next(output for output in self.read(command) if type(output) is Reply)

    def drills(self) -> list[Drill]:
        return [output for output in self.outputs if type(output) is Drill]

    def changes(self) -> list[Change]:
        return [drill.happened.transition for drill in self.drills()]


def test_a_drill_looks_like_what_is_played_and_says_that_it_is_none() -> None:
    room = Room(*WELL)
    reply = room.answer(began(kind="suspected_exploit", severity="warning", text="the\n monthly one"))

    [drill] = room.drills()
    name = "examplex-drill-suspected_exploit-20260105T001000Z"
    assert reply == Reply(ok=True, message=f"drill {name} until 00:20 UTC: the pages are real, and nothing is public")
    assert (drill.incident.id, drill.incident.exchange, drill.incident.stage) == (name, "examplex", Stage.INVESTIGATING)
    assert (drill.incident.kind, drill.incident.severity) == (IncidentKind.SUSPECTED_EXPLOIT, Severity.WARNING)
    assert drill.incident.summary == "nothing is wrong: a test that dana began, until 00:20 UTC; the monthly one"
    assert (drill.until, drill.actor, drill.happened.transition) == (j.at(20), "dana", Change.OPENED)


def test_by_default_a_halt_is_played_and_it_is_critical() -> None:
    asked = began()
    room = Room(*WELL, replace(asked, arguments={"seconds": "600"}))
    [drill] = room.drills()
    assert (drill.incident.id, drill.incident.severity) == (NAME, Severity.CRITICAL)


def test_it_ends_by_itself_at_its_time_without_anything_being_read() -> None:
    room = Room(*WELL, began(seconds="90"), j.tick(15))
    assert room.changes() == [Change.OPENED, Change.RESOLVED]
    ended = room.drills()[-1].incident
    assert (ended.resolved_at, ended.resolved_by, ended.stage) == (j.at(11.5), None, Stage.RESOLVED)


def test_a_person_ends_it_sooner_and_it_ends_once() -> None:
    room = Room(*WELL, began())
    assert room.say(12, Verb.END_DRILL, actor="paul") == Reply(ok=True, message=f"drill {NAME}: resolved")
    assert room.say(13, Verb.END_DRILL) == Reply(ok=False, message=f"drill {NAME} was over at 00:12 UTC")
    room.read(j.tick(60))
    assert room.changes() == [Change.OPENED, Change.RESOLVED]
    assert room.drills()[-1].incident.resolved_by == "paul"


def test_one_drill_at_a_time_and_then_another() -> None:
    room = Room(*WELL, began())
    refused = room.answer(began(14, kind="drip"))
    assert refused == Reply(
        ok=False,
        message=f"drill {NAME} of examplex has been open for 4 min, begun by dana, until 00:20 UTC: stop it first",
    )
    assert room.say(15, Verb.END_DRILL).ok
    assert room.answer(began(16)).ok
    assert room.changes() == [Change.OPENED, Change.RESOLVED, Change.OPENED]


def test_two_that_would_have_one_name_are_not_begun() -> None:
    room = Room(*WELL, began())
    assert room.say(10, Verb.END_DRILL).ok
    assert "ask again in the next" in room.answer(began()).message


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        pytest.param(began(kind="tsunami"), "expected a kind of incident and a severity", id="no kind"),
        pytest.param(began(kind="blind"), "drill a kind of one exchange", id="a kind that would explain what is real"),
        pytest.param(began(kind="network_incident"), "drill a kind of one exchange", id="a kind of many exchanges"),
        pytest.param(began(kind="draft_waiting"), "drill a kind of one exchange", id="a kind about a draft"),
        pytest.param(began(severity="loud"), "expected a kind of incident and a severity", id="no severity"),
        pytest.param(began(severity="info"), "nobody is told of info: drill critical or warning", id="nobody is told"),
        pytest.param(began(seconds="59"), "lasts from 1 minute to 4 hours", id="shorter than a scrape is long"),
        pytest.param(began(seconds="14401"), "lasts from 1 minute to 4 hours", id="forgotten"),
        pytest.param(began(seconds=""), "lasts from 1 minute to 4 hours", id="no length"),
        pytest.param(began(seconds="-60"), "lasts from 1 minute to 4 hours", id="back in time"),
        pytest.param(began(seconds="٦٠٠"), "lasts from 1 minute to 4 hours", id="digits of another script"),
        pytest.param(began(seconds="9" * 400), "lasts from 1 minute to 4 hours", id="a number as long as a page"),
        pytest.param(began(text="x" * 501), "at most 500 characters", id="a page of text"),
    ],
)
def test_what_makes_no_drill(asked: Command, why: str) -> None:
    room = Room(*WELL)
    reply = room.answer(asked)
    assert (reply.ok, why in reply.message, room.drills()) == (False, True, []), reply.message


def test_a_viewer_begins_and_ends_none() -> None:
    room = Room(*WELL)
    assert "a viewer may not drill this" in room.answer(began(role=PersonRole.VIEWER)).message
    assert room.drills() == []


def test_it_is_acknowledged_once_and_the_first_time_counts() -> None:
    room = Room(*WELL, began())
    assert room.say(11, Verb.ACKNOWLEDGE).ok
    assert not room.say(12, Verb.ACKNOWLEDGE).ok
    assert room.say(13, Verb.ACKNOWLEDGE, actor="paul").ok
    assert room.say(14, Verb.IDENTIFY).ok
    assert room.say(15, Verb.NOTE, text="the pager was on silent").ok
    assert room.say(16, Verb.RESOLVE, text="enough").ok
    drill = room.drills()[-1]
    assert drill.acknowledged_at == j.at(11)
    assert drill.incident.acknowledged_by == "paul"
    assert drill.incident.notes == ("00:15 UTC dana: the pager was on silent",)
    assert room.changes()[-1] is Change.RESOLVED
    assert room.say(17, Verb.ACKNOWLEDGE, actor="carol").message == f"drill {NAME} was over at 00:16 UTC"


def test_a_word_on_an_older_drill_changes_nothing() -> None:
    room = Room(*WELL, began())
    assert room.say(11, Verb.END_DRILL).ok
    assert room.answer(began(12)).ok
    for verb in (Verb.ACKNOWLEDGE, Verb.END_DRILL):
        assert room.say(13, verb).message == f"no drill {NAME} of examplex can be changed: only the newest can"
    assert room.changes() == [Change.OPENED, Change.RESOLVED, Change.OPENED]


@pytest.mark.parametrize("verb", [Verb.REOPEN, Verb.RETRACT])
def test_what_cannot_be_said_of_a_drill(verb: Verb) -> None:
    room = Room(*WELL, began())
    assert room.say(11, verb, text="why").message == f"{NAME} is a drill: {verb} does not apply to it"


@pytest.mark.parametrize("verb", [Verb.APPROVE, Verb.BREAK_GLASS, Verb.EDIT, Verb.REJECT, Verb.RETRY])
def test_no_door_of_a_draft_opens_for_a_drill(verb: Verb) -> None:
    """There is no draft of it, so nothing of it can be approved, by whatever name it is asked for."""
    room = Room(*WELL, began())
    for subject in (NAME, f"d-{NAME}", "d-0123456789"):
        word = j.word(11, verb, subject, "text", actor="dana", exchange="examplex")
        assert not room.answer(word).ok
    assert [output for output in room.outputs if type(output) in (Draft, Incident, Transition)] == []


def test_a_signed_text_covers_none() -> None:
    """What is signed beforehand is for drafts of incidents, of which a drill has none."""
    room = Room(*WELL)
    arguments = {"text": "We are looking into it.", "kinds": "withdrawal_halt", "rails": "*"}
    room.read(
        Command(
            at=j.at(9),
            exchange="examplex",
            probe="socket",
            verb=Verb.SIGN,
            actor="anna",
            arguments=arguments,
            text_sha256="",
        ),
        began(),
        j.tick(19),
    )
    assert [output for output in room.outputs if type(output) is Draft] == []


def test_the_verdict_stays_and_a_real_halt_is_told_beside_it() -> None:
    room = Room(*WELL, began())
    assert room.engines.view("examplex").withdrawals is ExchangeState.OPERATIONAL
    room.read(*j.rail(11, OFF), *(j.read(minute) for minute in range(11, 19)), j.tick(19))
    opened = [o for o in room.outputs if type(o) is Transition and o.transition is Change.OPENED]
    assert [o.kind for o in opened] == [IncidentKind.WITHDRAWAL_HALT]
    assert room.changes() == [Change.OPENED]
    assert all(type(o) is not Draft or o.incident == opened[0].incident for o in room.outputs)
    assert room.engines.view("examplex").withdrawals is ExchangeState.HALTED


def test_a_restart_keeps_it_and_its_end() -> None:
    room = Room(*WELL, began())
    room.engines = Engines.restore({name: room.engines.checkpoint(name) for name in room.engines.names()})
    assert not room.answer(began(12)).ok
    assert room.say(13, Verb.ACKNOWLEDGE).ok
    room.read(j.tick(25))
    assert room.changes() == [Change.OPENED, Change.ACKNOWLEDGED, Change.RESOLVED]


def test_it_ends_with_the_watching_of_its_exchange() -> None:
    room = Room(*WELL, began())
    others: dict[str, tuple[WatchedRail, ...]] = {"otherx": (WatchedRail(asset="BTC", network="bitcoin"),)}
    room.read(ConfigApplied(at=j.at(12), probe="config", config=Judging(watched=others), sha256=""))
    assert room.changes() == [Change.OPENED, Change.RESOLVED]
    assert room.drills()[-1].happened.summary == "no longer watched"
    assert room.answer(began(13)).message == "examplex is no longer watched"


def test_it_has_a_series_of_its_own_that_ends_with_it() -> None:
    [drill] = Room(*WELL, began()).drills()
    metrics = Metrics(version="0", intervals=Intervals())
    metrics.show_incidents([])
    metrics.show_drills([drill])
    text = metrics.render("text/plain", now=j.at(11))[0].decode()
    mark = 'cexwatch_drill_active{exchange="examplex",kind="withdrawal_halt",severity="critical"} 1.0\n'
    assert mark in text
    assert "cexwatch_incident_active" not in text
    metrics.show_drills([])
    assert "cexwatch_drill_active" not in metrics.render("text/plain", now=j.at(12))[0].decode()


def test_time_is_that_of_the_journal() -> None:
    room = Room(*WELL, began(seconds="60"))
    [drill] = room.drills()
    assert drill.until - drill.incident.opened_at == timedelta(minutes=1)
