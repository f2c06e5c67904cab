"""What crosses exchanges: one network closed at several of them is one incident, until the last has reopened."""

import random

import pytest

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.engine.state import Committed
from monitor.model import (
    ChainState,
    ConfigApplied,
    Incident,
    IncidentKind,
    Judging,
    Observation,
    Rail,
    RailState,
    Severity,
    Transition,
    WatchedRail,
)

OFF, OPEN = RailState.SUSPENDED, RailState.OPEN
ETHEREUM = [rail for rail in j.MAJORS if rail.network == "ethereum"]
BITCOIN = [rail for rail in j.MAJORS if rail.network == "bitcoin"]
FIVE = ("ax", "bx", "cx", "dx", "ex")
Change = tuple[float, str, RailState, list[Rail]]
"""Minute, exchange, state and rails."""


def polled(*changes: Change, until: int, exchanges: tuple[str, ...] = FIVE) -> list[Observation]:
    """One poll a minute of each exchange, all open at first, and a tick."""
    entries: list[Observation] = []
    for minute in range(until):
        for exchange in exchanges:
            told = [(s, rails) for at, name, s, rails in changes if (at, name) == (minute, exchange)]
            for state, rails in [(OPEN, list(j.MAJORS))] if minute == 0 else told:
                entries += j.rail(minute, state, rails=rails, exchange=exchange)
            entries.append(j.read(minute, exchange=exchange))
        entries.append(j.tick(minute + 0.2))
    return entries


def closing(minute: float, *exchanges: str, rails: list[Rail] = ETHEREUM) -> list[Change]:
    return [(minute, exchange, OFF, rails) for exchange in exchanges]


def reopening(minute: float, *exchanges: str, rails: list[Rail] = ETHEREUM) -> list[Change]:
    return [(minute, exchange, OPEN, rails) for exchange in exchanges]


def weighing(**weights: float) -> ConfigApplied:
    """Every exchange watches the usual rails, those on ethereum by its weight."""
    watched = {
        name: tuple(
            WatchedRail(asset=r.asset, network=r.network, weight=weight if r in ETHEREUM else 1.0) for r in j.MAJORS
        )
        for name, weight in weights.items()
    }
    return ConfigApplied(at=j.at(0), probe="config", config=Judging(watched=watched), sha256="")


def of_networks(entries: list[Observation]) -> list[Transition]:
    return [t for t in j.transitions(entries) if t.kind is IncidentKind.NETWORK_INCIDENT]


def told(entries: list[Observation]) -> list[str]:
    return [
        f"{(t.at - j.START).total_seconds() / 60:.0f} {t.transition} {','.join(t.scope)}" for t in of_networks(entries)
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(closing(5, "ax", "bx", "cx"), ["6 opened *@ethereum"], id="three at once"),
        pytest.param(
            [*closing(5, "ax"), *closing(20, "bx"), *closing(35, "cx")],
            ["36 opened *@ethereum"],
            id="three within half an hour",
        ),
        pytest.param(
            [*closing(5, "ax"), *closing(25, "bx"), *closing(45, "cx"), *reopening(50, "bx")],
            [],
            id="three in more than half an hour",
        ),
        pytest.param(closing(5, "ax"), [], id="one exchange is no network"),
        pytest.param(closing(5, "ax", "bx", "cx", rails=ETHEREUM[:1]), [], id="one coin is no network"),
        pytest.param(
            [*closing(5, "ax"), *closing(5, "bx", rails=BITCOIN)], [], id="different networks are no network's incident"
        ),
        pytest.param(
            [*closing(5, "ax", "bx", "cx"), *closing(5, "ax", "bx", "cx", rails=BITCOIN)],
            ["6 opened *@bitcoin", "6 opened *@ethereum"],
            id="two networks are two incidents",
        ),
        pytest.param(
            [*closing(5, "ax", "bx", "cx"), *reopening(15, "ax", "bx", "cx")],
            ["6 opened *@ethereum", "17 monitoring *@ethereum", "22 resolved *@ethereum"],
            id="all reopen",
        ),
        pytest.param(
            [*closing(5, "ax", "bx", "cx"), *reopening(15, "ax"), *closing(20, "dx")],
            ["6 opened *@ethereum", "17 updated *@ethereum", "21 updated *@ethereum"],
            id="one reopens and another one closes",
        ),
        pytest.param(
            [*closing(5, "ax", "bx", "cx"), *reopening(15, "ax", "bx", "cx"), *closing(30, "ax", "bx", "cx")],
            [
                "6 opened *@ethereum",
                "17 monitoring *@ethereum",
                "22 resolved *@ethereum",
                "31 reopened *@ethereum",
            ],
            id="it closes again within half an hour",
        ),
        pytest.param(
            [*closing(5, "ax", "bx", "cx", "dx"), *reopening(15, "ax", "bx", "cx")],
            [
                "6 opened *@ethereum",
                "17 updated *@ethereum",
                "77 monitoring *@ethereum",
                "77 opened *@ethereum",
                "82 resolved *@ethereum",
            ],
            id="who is closed an hour after the others gets an incident of its own",
        ),
        pytest.param(
            [*closing(5, "ax", "bx", "cx", "dx"), *reopening(15, "ax", "bx", "cx"), *reopening(90, "dx")],
            [
                "6 opened *@ethereum",
                "17 updated *@ethereum",
                "77 monitoring *@ethereum",
                "77 opened *@ethereum",
                "82 resolved *@ethereum",
                "92 monitoring *@ethereum",
                "97 resolved *@ethereum",
            ],
            id="and that ends when it reopens",
        ),
        pytest.param(
            [*closing(5, "ax", "bx", "cx", "dx"), *reopening(15, "ax", "bx"), *reopening(50, "cx")],
            ["6 opened *@ethereum", "17 updated *@ethereum", "52 updated *@ethereum"],
            id="the hour begins with the last of the others",
        ),
        pytest.param(
            [*closing(5, "ax", "bx", "cx", "dx"), *reopening(15, "ax")],
            ["6 opened *@ethereum", "17 updated *@ethereum"],
            id="most are still closed: nobody is alone",
        ),
    ],
)
def test_networks(changes: list[Change], expected: list[str]) -> None:
    assert told([weighing(ax=1, bx=1, cx=1, dx=1, ex=1, fx=1, gx=1, hx=1), *polled(*changes, until=105)]) == expected


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        pytest.param({"ax": 1, "bx": 1, "cx": 3}, ["6 opened *@ethereum"], id="two with two fifths of the weight"),
        pytest.param({"ax": 1, "bx": 1, "cx": 4}, [], id="two with a third"),
    ],
)
def test_two_exchanges_are_enough_if_they_weigh_enough(weights: dict[str, float], expected: list[str]) -> None:
    entries = polled(*closing(5, "ax", "bx"), until=20, exchanges=("ax", "bx", "cx"))
    assert told([weighing(**weights), *entries]) == expected


def test_without_a_configuration_every_exchange_weighs_the_same() -> None:
    assert told(polled(*closing(5, "ax", "bx"), until=20)) == ["6 opened *@ethereum"], "two of five are two fifths"
    assert told(polled(*closing(5, "ax", "bx"), until=20, exchanges=(*FIVE, "fx"))) == []
    assert told(polled(*closing(5, "ax"), until=20, exchanges=("ax",))) == []


def test_what_is_said_of_a_network() -> None:
    changes = [*closing(5, "ax", "bx", "cx", "dx"), *reopening(15, "ax", "bx", "cx")]
    stalled = ChainState(at=j.at(4), probe="ethereum-chain", network="ethereum", state="stalled", height=7)
    entries = sorted([stalled, *polled(*changes, until=90)], key=lambda entry: entry.at)
    incidents = [o for o in j.outputs(entries) if type(o) is Incident and o.exchange == ""]
    said = {(i.id, i.exchanges, i.summary) for i in incidents if i.stage == "investigating"}
    network, alone = (
        "world-network_incident-ethereum-20260105T000612Z",
        "world-network_incident-ethereum-dx-20260105T011700Z",
    )
    stall = "; the chain itself has no new blocks"
    assert said == {
        (network, FIVE[:4], f"ethereum is closed at 4 exchanges: ax, bx, cx, dx{stall}"),
        (network, ("dx",), f"ethereum is closed at dx; reopened at ax, bx, cx{stall}"),
        (alone, ("dx",), "ethereum is still closed at dx, an hour after the others reopened (00:17 UTC)"),
    }
    assert {i.severity for i in incidents} == {Severity.WARNING}
    assert {(e.probe, e.source, e.rail) for e in incidents[0].evidence} == {
        (name, "verdict", "*@ethereum") for name in FIVE[:4]
    }


def test_lists_that_are_not_read_neither_open_nor_end_a_network_incident() -> None:
    seen = polled(*closing(5, "ax", "bx"), *closing(8, "cx", "dx"), until=8, exchanges=(*FIVE, "fx"))
    unread = [j.failed(minute, f"{name}-api", exchange=name) for minute in range(8, 300) for name in FIVE]
    assert told([*seen, *unread, j.tick(300)]) == []
    closed = polled(*closing(5, "ax", "bx", "cx"), until=8)
    assert told([*closed, *unread, j.tick(300)]) == ["6 opened *@ethereum"]


def test_an_exchange_that_is_no_longer_watched_is_no_part_of_it() -> None:
    others = weighing(dx=1, ex=1)
    applied = ConfigApplied(at=j.at(10), probe="config", config=others.config, sha256="")
    entries = [*polled(*closing(5, "ax", "bx", "cx"), until=9), applied, j.tick(20)]
    assert told(entries) == ["6 opened *@ethereum", "10 monitoring *@ethereum", "15 resolved *@ethereum"]


def test_the_order_of_exchanges_within_an_instant_does_not_matter() -> None:
    entries = polled(*closing(5, "ax", "bx", "cx", "dx"), *reopening(15, "bx", "ax"), until=30)
    shuffled = entries[:]
    random.Random(5).shuffle(shuffled)
    shuffled.sort(key=lambda entry: (entry.at, type(entry).__name__ == "ListRead"))
    assert of_networks(shuffled) == of_networks(entries)


def test_a_restart_in_the_middle_of_it_changes_nothing() -> None:
    entries = polled(*closing(5, "ax", "bx", "cx", "dx"), *reopening(15, "ax", "bx", "cx"), until=100)
    for place in range(0, len(entries), 97):
        engines = Engines.fresh()
        before = [output for entry in entries[:place] for output in judge(engines, entry, engines.apply)]
        engines = Engines.restore({name: engines.checkpoint(name) for name in engines.names()})
        after = [output for entry in entries[place:] for output in judge(engines, entry, engines.apply)]
        assert j.encoded(before + after) == j.encoded(j.outputs(entries))


def test_the_world_tells_its_statistics() -> None:
    engines = Engines.fresh()
    for entry in polled(*closing(5, "ax"), until=10):
        judge(engines, entry, engines.apply)
    words = [each.words for each in engines.view("").statistics]
    assert words == [
        "our own control targets were silent 0 times in a row; blind from 2",
        "ethereum is closed at ax; an incident when 3 close it within 30 min, or 2 with 40% of its weight",
    ]


def test_committed_incidents_of_two_networks_are_taken_over_side_by_side() -> None:
    changes = [*closing(5, "ax", "bx", "cx"), *closing(5, "ax", "bx", "cx", rails=BITCOIN)]
    back = [*reopening(15, "ax", "bx", "cx"), *reopening(15, "ax", "bx", "cx", rails=BITCOIN)]
    entries = polled(*changes, *back, until=30)
    engines = Engines.fresh()
    before = [o for entry in entries if entry.at < j.at(10) for o in judge(engines, entry, engines.apply)]
    newest = {o.id: o for o in before if type(o) is Incident}
    engines.adopt(Committed(incidents=list(newest.values())))
    after = [o for entry in entries if entry.at >= j.at(10) for o in judge(engines, entry, engines.apply)]
    resolved = {o.incident for o in after if type(o) is Transition and o.transition == "resolved" and not o.exchange}
    assert resolved == {name for name in newest if name.startswith("world-network_incident-")}
    assert len(resolved) == 2
