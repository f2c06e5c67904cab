"""Silences and the hold: what people begin, what it touches, and what it never does."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.exposition import Intervals
from monitor.metrics import Metrics
from monitor.model import (
    Change,
    ExchangeView,
    IncidentKind,
    Observation,
    Output,
    RailState,
    Reply,
    Severity,
    Transition,
    Verb,
)
from monitor.model.silence import Silence, active, is_silenced
from monitor.web import pages

SILENCE = Silence(
    id="s-1",
    exchange="kraken",
    kind=IncidentKind.RAIL_SUSPENDED,
    scope=("*@bitcoin",),
    created_at=j.at(0),
    until=j.at(60),
    comment="a wallet is moved",
    actor="dana",
)
TOLD = Transition(
    at=j.at(10),
    incident="kraken-rail_suspended-1",
    transition=Change.OPENED,
    kind=IncidentKind.RAIL_SUSPENDED,
    severity=Severity.WARNING,
    exchange="kraken",
    scope=("BTC@bitcoin",),
    summary="",
    evidence=(),
)


@pytest.mark.parametrize(
    ("transition", "silence", "minute", "silenced"),
    [
        pytest.param(TOLD, SILENCE, 10, True, id="all of it matches"),
        pytest.param(TOLD, SILENCE, 60, False, id="its time is over"),
        pytest.param(replace(TOLD, exchange="gate"), SILENCE, 10, False, id="another exchange"),
        pytest.param(replace(TOLD, kind=IncidentKind.WITHDRAWAL_HALT), SILENCE, 10, False, id="it became a halt"),
        pytest.param(replace(TOLD, scope=("BTC@bitcoin", "SOL@solana")), SILENCE, 10, False, id="wider than its scope"),
        pytest.param(replace(TOLD, scope=("*",)), SILENCE, 10, False, id="everything"),
        pytest.param(replace(TOLD, transition=Change.RESOLVED), SILENCE, 10, False, id="a resolution is always told"),
        pytest.param(replace(TOLD, transition=Change.UPDATED), SILENCE, 10, True, id="an update"),
        pytest.param(
            replace(TOLD, exchange="gate", scope=("*",)),
            replace(SILENCE, exchange="", kind=None, scope=()),
            10,
            True,
            id="what is left empty matches everything",
        ),
        pytest.param(replace(TOLD, scope=("*",)), replace(SILENCE, scope=("*",)), 10, True, id="of everything"),
    ],
)
def test_what_is_silenced(transition: Transition, silence: Silence, minute: float, silenced: bool) -> None:
    assert is_silenced(transition, [silence], j.at(minute)) is silenced
    assert not is_silenced(transition, [], j.at(minute))


class Room:
    def __init__(self) -> None:
        self.engines = Engines.fresh()
        self.outputs: list[Output] = []
        for entry in (*j.rail(0, RailState.OPEN), j.read(0)):
            self.read(entry)

    def read(self, entry: Observation) -> None:
        self.outputs += judge(self.engines, entry, self.engines.apply)

    def say(self, minute: float, verb: Verb, subject: str = "", text: str = "", **arguments: str) -> Reply:
        self.read(j.word(minute, verb, subject, text, exchange="", arguments=arguments))
        return next(output for output in reversed(self.outputs) if type(output) is Reply)

    def restart(self) -> None:
        self.engines = Engines.restore({name: self.engines.checkpoint(name) for name in self.engines.names()})

    def world(self) -> ExchangeView:
        return self.engines.view("")


def until(minute: float) -> str:
    return j.at(minute).isoformat()


def silences(room: Room) -> float:
    metrics = Metrics(version="1", intervals=Intervals(rails=60, wallets=60), max_series=1000)
    metrics.show(room.world())
    body, _ = metrics.render("text/plain", now=room.world().at)
    return next(float(line.split()[1]) for line in body.decode().splitlines() if line.startswith("cexwatch_silences"))


def test_a_silence_is_kept_shown_and_ends_by_itself() -> None:
    room = Room()
    assert room.say(1, Verb.SILENCE, text="we move it", exchange="examplex", until=until(30), scope="*@bitcoin").ok
    room.restart()
    (shown,) = room.world().silences
    assert (shown.exchange, shown.scope, shown.until, shown.actor) == ("examplex", ("*@bitcoin",), j.at(30), "dana")
    (banner,) = pages.banners(room.world(), not_ready=None, held=False, now=j.at(2))
    assert banner.title == "No notifications of anything at examplex on *@bitcoin"
    assert banner.text == "Until 00:30 UTC, by dana: we move it. All else goes on."
    assert silences(room) == 1
    room.read(j.tick(30))
    assert (room.world().silences, silences(room)) == ((), 0)


def test_a_person_ends_a_silence() -> None:
    room = Room()
    room.say(1, Verb.SILENCE, text="one", until=until(30))
    room.say(2, Verb.SILENCE, text="two", until=until(30))
    first, second = room.world().silences
    assert room.say(3, Verb.EXPIRE_SILENCE, first.id).ok
    assert room.world().silences == (second,)
    refused = room.say(4, Verb.EXPIRE_SILENCE, first.id)
    assert (refused.ok, refused.message) == (False, f"no silence '{first.id}' is active")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        pytest.param({"text": "", "until": until(30)}, "say why", id="no reason"),
        pytest.param({"text": "x"}, "expected until", id="no end"),
        pytest.param({"text": "x", "until": until(0)}, "in the next 90 days", id="over before it begins"),
        pytest.param({"text": "x", "until": until(100 * 24 * 60)}, "in the next 90 days", id="for ever"),
        pytest.param({"text": "x", "until": until(30), "kind": "halt"}, "a kind of incident", id="no kind"),
        pytest.param({"text": "x", "until": until(30), "scope": "bitcoin"}, "'bitcoin'", id="no scope"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(arguments: dict[str, str], why: str) -> None:
    room = Room()
    reply = room.say(1, Verb.SILENCE, **arguments)
    assert not reply.ok
    assert why in reply.message
    assert room.world().silences == ()


def test_a_silence_changes_nothing_of_what_is_judged() -> None:
    halt = j.polled((5, RailState.SUSPENDED, j.MAJORS), (20, RailState.OPEN, j.MAJORS), until=40)
    silence = j.word(1, Verb.SILENCE, text="all of it", exchange="", arguments={"until": until(120)})
    silenced = sorted([*halt, silence], key=lambda entry: entry.at)
    assert j.transitions(silenced) == j.transitions(halt)


def test_a_hold_has_an_actor_and_a_reason_and_outlives_a_restart() -> None:
    room = Room()
    assert room.say(1, Verb.HOLD, text="legal looks at it").ok
    room.restart()
    hold = room.world().hold
    assert hold is not None
    assert (hold.actor, hold.at, hold.reason, room.world().held) == ("dana", j.at(1), "legal looks at it", True)
    (banner,) = pages.banners(room.world(), not_ready=None, held=True, now=j.at(2))
    assert banner.text.startswith("By dana since 00:01 UTC: legal looks at it. Nothing is posted")
    again = room.say(5, Verb.HOLD, text="me too")
    assert again.ok
    assert "held already, since 2026-01-05 00:01 UTC by dana" in again.message
    assert room.world().hold == hold
    assert room.say(6, Verb.RELEASE).ok
    assert (room.world().hold, room.world().held) == (None, False)


def test_active_silences_are_those_whose_end_is_to_come() -> None:
    assert active([SILENCE], SILENCE.until - timedelta(seconds=1)) == [SILENCE]
    assert active([SILENCE], SILENCE.until) == []
