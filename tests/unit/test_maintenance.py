"""Maintenance that people announce: what it excuses, how wide, until when, and what is said when it goes on."""

from collections.abc import Iterable
from datetime import timedelta
from functools import cache

import pytest
from msgspec.structs import replace

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import (
    ExchangeView,
    MaintenanceWindow,
    Observation,
    Output,
    RailState,
    Reply,
    Severity,
    Source,
    Transition,
    Verb,
    WithdrawalQueue,
)
from monitor.model.maintenance import window_id

OFF, OPEN = RailState.SUSPENDED, RailState.OPEN
ALL = list(j.MAJORS)
HALT, WARNED = "opened withdrawal_halt", "opened maintenance"
DAY = 24 * 60


def ours(minute: float, start: float, end: float, *scope: str, actor: str = "configuration") -> MaintenanceWindow:
    window = j.planned(minute, start, end, scope=scope or ("*",))
    return replace(window, probe="maintenance", source=Source.PERSON, actor=actor, name="weekly")


def told(*parts: Iterable[Observation]) -> list[str]:
    """Minutes and changes, without what is only more of the same."""
    entries = sorted((entry for part in parts for entry in part), key=lambda entry: entry.at)
    found = (t for t in j.transitions(entries) if t.transition in ("opened", "escalated", "reopened"))
    return [f"{(t.at - j.START) / timedelta(minutes=1):.0f} {t.transition} {t.kind}" for t in found]


def maintain(minute: float, start: float, end: float, scope: str = "*") -> Observation:
    arguments = {"starts_at": j.at(start).isoformat(), "ends_at": j.at(end).isoformat(), "scope": scope}
    return j.word(minute, Verb.MAINTAIN, "examplex", arguments=arguments)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(
            [j.polled((12, OFF, ALL), (30, OPEN, ALL), until=60), [ours(1, 10, 40)]], [f"13 {WARNED}"], id="in time"
        ),
        pytest.param(
            [j.polled((12, OFF, ALL), until=60), [ours(1, 10, 40)]],
            [f"13 {WARNED}", f"40 {HALT}"],
            id="goes on after its end, told at once",
        ),
        pytest.param(
            [j.polled((12, OFF, ALL), (39, OPEN, ALL), until=60), [ours(1, 10, 40)]],
            [f"13 {WARNED}"],
            id="open again at the last poll before its end",
        ),
        pytest.param(
            [j.polled((12, OFF, ALL), until=30), [ours(1, 10, 40, "BTC@bitcoin")]],
            [f"13 {HALT}", f"13 {WARNED}"],
            id="a halt that is wider pages",
        ),
        pytest.param([j.polled((12, OFF, ALL), until=30), [ours(14, 10, 40)]], [f"13 {HALT}"], id="announced too late"),
        pytest.param(
            [j.polled((12, OFF, ALL), until=30), [maintain(1, 10, 40)]], [f"13 {WARNED}"], id="announced by command"
        ),
        pytest.param(
            [j.polled((12, OFF, ALL), until=30), [maintain(1, 10, 40, "*@tron")]],
            [f"13 {HALT}", f"13 {WARNED}"],
            id="of one network by command",
        ),
    ],
)
def test_what_a_window_excuses(entries: list[list[Observation]], expected: list[str]) -> None:
    assert told(*entries) == expected


def test_a_window_that_ends_while_it_is_broken_says_so() -> None:
    entries = sorted([*j.polled((12, OFF, ALL), until=60), ours(1, 10, 40)], key=lambda entry: entry.at)
    halt = next(t for t in j.transitions(entries) if t.kind == "withdrawal_halt")
    assert (halt.at, halt.severity) == (j.at(40), Severity.CRITICAL)
    assert halt.summary.endswith("; maintenance ended at 00:40 UTC and withdrawals are still closed")


def test_what_cannot_be_read_at_its_end_is_no_halt_until_it_is_read() -> None:
    entries = [entry for entry in j.polled((12, OFF, ALL), until=39) if entry.at < j.at(39)]
    blind: list[Observation] = [j.failed(minute, "examplex-api") for minute in range(39, 50)]
    assert told([ours(1, 10, 40)], entries, blind, [j.tick(50)]) == [f"13 {WARNED}"]
    assert told([ours(1, 10, 40)], entries, blind, [j.read(51), j.tick(52)]) == [f"13 {WARNED}", f"51 {HALT}"]


def _queue(minute: float, *, broadcast: int) -> WithdrawalQueue:
    return WithdrawalQueue(
        at=j.at(minute),
        exchange="examplex",
        probe="own-queue",
        asset="BTC",
        network="bitcoin",
        requested=5,
        broadcast=broadcast,
        pending=0 if broadcast else 5 * int(minute),
        oldest_seconds=None,
        window_seconds=60.0,
    )


def _queued(stops: int, until: int) -> list[Observation]:
    return [_queue(minute, broadcast=0 if minute >= stops else 5) for minute in range(until)]


def test_the_operators_own_queue_is_excused_and_told_at_the_end() -> None:
    found = told(_queued(12, 50), [ours(1, 10, 40)], [j.tick(50)])
    assert [each.partition(" ")[2] for each in found] == [WARNED, HALT]
    assert found[1].startswith("40 ")
    assert [each.partition(" ")[2] for each in told(_queued(12, 30), [ours(1, 10, 40, "ETH@ethereum")])] == [HALT]


@cache
def _learned() -> dict[str, bytes]:
    engines = Engines.fresh()
    for entry in [*j.rail(0, OPEN), j.read(0), *j.usual(range(1, DAY))]:
        judge(engines, entry, engines.apply)
    return {name: engines.checkpoint(name) for name in engines.names()}


def _heard(silent: range, until: int, *windows: Observation) -> list[str]:
    """Payments from `DAY` on, none in the minutes `silent`."""
    engines = Engines.restore(_learned())
    outputs: list[Output] = []
    for minute in range(until):
        entries: list[Observation] = [*windows] if minute == 0 else []
        factor = 0.0 if minute in silent else 1.0
        entries += [*j.usual(range(DAY + minute, DAY + minute + 1), factor=factor), j.read(DAY + minute)]
        outputs += [o for entry in [*entries, j.tick(DAY + minute + 0.5)] for o in judge(engines, entry, engines.apply)]
    kept = (o for o in outputs if type(o) is Transition and o.transition == "opened")
    return [f"{(t.at - j.at(DAY)) / timedelta(minutes=1):.0f} {t.kind}" for t in kept]


def test_silent_wallets_are_excused_and_told_at_the_end() -> None:
    window = ours(DAY, DAY + 10, DAY + 40)
    alone = _heard(range(12, 60), 30)
    assert [each.partition(" ")[2] for each in alone] == ["withdrawal_halt"], "without a window it pages"
    assert _heard(range(12, 36), 60, window) == [], "it pays again before the end"
    assert _heard(range(12, 60), 60, window) == ["40 withdrawal_halt"]


def test_silent_wallets_of_other_networks_page() -> None:
    window = ours(DAY, DAY + 10, DAY + 40, "*@ethereum")
    found = _heard(range(12, 60), 40, window)
    assert [each.partition(" ")[2] for each in found] == ["withdrawal_halt"]


class Room:
    def __init__(self, *entries: Observation) -> None:
        self.engines = Engines.fresh()
        self.outputs: list[Output] = []
        self.read(*entries)

    def read(self, *entries: Observation) -> None:
        for entry in entries:
            self.outputs += judge(self.engines, entry, self.engines.apply)

    def say(self, word: Observation) -> Reply:
        self.read(word)
        return next(o for o in reversed(self.outputs) if type(o) is Reply)

    def view(self) -> ExchangeView:
        return self.engines.view("examplex")

    def opened(self) -> list[str]:
        kinds = (o for o in self.outputs if type(o) is Transition and o.transition == "opened")
        return [str(t.kind) for t in kinds]


def test_a_person_ends_a_window_early_and_it_is_not_announced_again() -> None:
    window = ours(1, 10, 100)
    name = window_id(window)
    room = Room(*j.rail(0, OPEN), j.read(0), window, *(j.read(minute) for minute in range(1, 12)))
    room.read(*j.rail(12, OFF), *(j.read(minute) for minute in range(12, 20)))
    assert [(shown.id, shown.name, shown.source) for shown in room.view().windows] == [
        (name, "weekly", "configuration")
    ]
    assert room.say(j.word(20, Verb.END_MAINTENANCE, name)).ok
    room.read(j.read(21), replace(window, at=j.at(22)), j.read(23), j.tick(24))
    assert room.opened() == ["maintenance", "withdrawal_halt"]
    assert room.view().called_off == (name,)
    assert room.view().windows == ()
    again = room.say(j.word(25, Verb.END_MAINTENANCE, name))
    assert not again.ok
    room.read(j.tick(101))
    assert room.view().called_off == ()


@pytest.mark.parametrize(
    ("word", "why"),
    [
        pytest.param(maintain(1, 40, 10), "ends before it begins", id="backwards"),
        pytest.param(maintain(50, 10, 40), "was over at 2026-01-05 00:40 UTC", id="over"),
        pytest.param(maintain(1, 10, 40 * DAY), "longer than 30 days", id="for ever"),
        pytest.param(maintain(1, 10, 40, "bitcoin"), "'bitcoin'", id="no scope"),
        pytest.param(maintain(1, 10, 40, ""), "expected a scope", id="an empty scope"),
        pytest.param(j.word(1, Verb.MAINTAIN, "examplex"), "expected starts_at and ends_at", id="without times"),
        pytest.param(j.word(1, Verb.END_MAINTENANCE, "m-0000000000"), "no maintenance m-0000000000", id="unknown"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(word: Observation, why: str) -> None:
    room = Room(*j.rail(0, OPEN), j.read(0))
    reply = room.say(word)
    assert not reply.ok
    assert why in reply.message
    assert room.view().windows == ()
