"""Flags that flap, and maintenance: what is announced, what is only called so, and what goes on after its end."""

from collections.abc import Iterable

import pytest

import tests.journals as j
from monitor.engine.run import Engines, judge
from monitor.model import (
    ConfigApplied,
    Direction,
    ExchangeState,
    Judging,
    Observation,
    Rail,
    RailState,
    Severity,
    Transition,
    Verdict,
    WatchedRail,
)

OFF, OPEN, MAINTENANCE = RailState.SUSPENDED, RailState.OPEN, RailState.MAINTENANCE
ALL = list(j.MAJORS)
BTC, ETH = ALL[0], ALL[1]
TEN = [*ALL, *j.ALTS[:5]]
HALT = ["opened withdrawal_halt"]
WARNED = ["opened maintenance"]


def watching(rails: Iterable[Rail]) -> ConfigApplied:
    watched = tuple(WatchedRail(asset=rail.asset, network=rail.network) for rail in rails)
    return ConfigApplied(at=j.at(0), probe="config", config=Judging(watched={"examplex": watched}), sha256="")


def merged(*parts: list[Observation]) -> list[Observation]:
    return sorted((entry for part in parts for entry in part), key=lambda entry: entry.at)


def planned(minute: float, start: float, end: float, *scope: str) -> Observation:
    return j.planned(minute, start, end, scope=scope or ("*",))


def closings(*minutes: int, rails: list[Rail], every: int = 10) -> list[tuple[float, RailState, list[Rail]]]:
    """Closed at each of `minutes`, and open again half of `every` later."""
    return [change for at in minutes for change in ((at, OFF, rails), (at + every / 2, OPEN, rails))]


def pages(found: list[Transition]) -> list[str]:
    """When somebody is woken: minutes and the change."""
    woken = [
        t for t in found if t.severity is Severity.CRITICAL and t.transition in ("opened", "escalated", "reopened")
    ]
    return [f"{(t.at - j.START).total_seconds() / 60:.0f} {t.transition}" for t in woken]


def test_rails_that_close_again_and_again_are_held_as_one_incident() -> None:
    changes = closings(*range(5, 125, 10), rails=ALL)
    found = j.transitions(j.polled(*changes, until=180))
    assert pages(found) == ["6 opened", "16 reopened", "26 reopened"], "twelve closings wake nobody twelve times"
    held = [t for t in found if t.at > j.at(26)]
    assert [t.transition for t in held] == ["monitoring", "resolved"]
    assert held[0].at == j.at(150), "half an hour after it last reopened, at minute 120"
    assert "; flapping: BTC@bitcoin, ETH@ethereum, " in found[-3].summary
    assert found[-3].summary.endswith(" closed 3 times within an hour")


@pytest.mark.parametrize(
    ("changes", "pages_at"),
    [
        pytest.param(closings(5, 15, rails=ALL), ["6 opened", "16 reopened"], id="twice is no flapping"),
        pytest.param(
            closings(5, 50, 95, 140, rails=ALL),
            ["6 opened", "51 opened", "96 opened", "141 opened"],
            id="three closings in more than an hour are no flapping",
        ),
        pytest.param(
            closings(*range(5, 65, 2), rails=ALL, every=2), [], id="off for one poll and on for one, for an hour"
        ),
        pytest.param(
            closings(*range(5, 65, 4), rails=ALL, every=4), ["6 opened"], id="open for two polls is not open at all"
        ),
    ],
)
def test_what_flaps(changes: list[tuple[float, RailState, list[Rail]]], pages_at: list[str]) -> None:
    assert pages(j.transitions(j.polled(*changes, until=170))) == pages_at


def test_a_rail_that_flaps_counts_as_off_and_says_so_while_its_list_calls_it_open() -> None:
    engines = Engines.fresh()
    for entry in j.polled(*closings(5, 15, 25, rails=ALL), until=35):
        judge(engines, entry, engines.apply)
    view = engines.view("examplex")
    btc = next(r for r in view.rails if (r.asset, r.direction) == ("BTC", Direction.WITHDRAWAL))
    assert (btc.verdict, btc.reason) == ("open", "flapping: it closed three times within an hour")
    assert view.withdrawals is ExchangeState.HALTED


def test_a_list_that_is_not_read_ends_no_flapping() -> None:
    polled = j.polled(*closings(5, 15, 25, rails=ALL), until=35)
    unread: list[Observation] = [j.failed(minute, "examplex-api") for minute in range(36, 300)]
    found = j.transitions([*polled, *unread, j.tick(300)])
    assert [t.transition for t in found][-1] == "reopened"
    (monitoring,) = [t for t in j.transitions([*polled, *unread, j.read(300), j.tick(301)]) if t.at > j.at(35)]
    assert (monitoring.transition, monitoring.at) == ("monitoring", j.at(300))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(
            [j.polled((20, OFF, ALL), (40, OPEN, ALL), until=60), [planned(1, 20, 45)]],
            [*WARNED, "monitoring maintenance", "resolved maintenance"],
            id="announced, and everything closes within it",
        ),
        pytest.param(
            [j.polled((12, OFF, ALL), until=45), [planned(1, 20, 45)]],
            WARNED,
            id="closed eight minutes before its time",
        ),
        pytest.param(
            [j.polled((5, OFF, ALL), until=45), [planned(1, 20, 45)]], HALT, id="closed a quarter of an hour before it"
        ),
        pytest.param(
            [j.polled((20, OFF, ALL), until=45), [planned(20.5, 20, 90)]],
            [*HALT],
            id="what is announced once everything is closed is no schedule",
        ),
        pytest.param(
            [j.polled((20, OFF, ALL), until=40), [planned(1, 20, 90, "BTC@bitcoin")]],
            [*HALT, *WARNED],
            id="a halt beyond the scope of the maintenance",
        ),
        pytest.param(
            [j.polled((20, OFF, ALL[:3]), until=40), [planned(1, 20, 90, "*@ethereum", "BTC@*")]],
            WARNED,
            id="networks and assets as a scope",
        ),
        pytest.param(
            [j.polled((20, OFF, ALL[:3]), (25, OFF, ALL[3:]), until=40), [planned(1, 20, 90, "*@ethereum", "BTC@*")]],
            [*WARNED, *HALT],
            id="what is left closes too",
        ),
        pytest.param(
            [j.polled((20, OFF, ALL), until=40), [planned(1, 20, 90, "Website")]],
            HALT,
            id="maintenance of something else",
        ),
        pytest.param(
            [j.polled((20, OFF, ALL), until=60), [planned(1, 20, 45), planned(40, 20, 90)]],
            WARNED,
            id="prolonged in time",
        ),
        pytest.param(
            [j.polled((20, OFF, ALL), until=45), [planned(1, 20, 40), planned(15, 20, 15)]],
            HALT,
            id="called off before",
        ),
        pytest.param(
            [j.polled((20, OFF, ALL), until=70), [planned(1, 20, 45)]], [*WARNED, *HALT], id="it goes on after its end"
        ),
        pytest.param(
            [j.polled((20, OFF, ALL), until=45), [planned(1, 300, 400)]], HALT, id="maintenance of another time"
        ),
    ],
)
def test_announced_maintenance(entries: list[list[Observation]], expected: list[str]) -> None:
    assert j.told(merged(*entries)) == expected


def test_maintenance_that_goes_on_is_judged_as_usual_ten_minutes_after_its_end() -> None:
    found = j.transitions(merged(j.polled((20, OFF, ALL), until=70), [planned(1, 20, 45)]))
    info, halt = found
    assert (info.severity, info.at) == (Severity.INFO, j.at(21))
    assert info.summary.endswith("in maintenance, announced until 00:45 UTC")
    assert (halt.severity, halt.at) == (Severity.CRITICAL, j.at(55))
    assert halt.summary.endswith("; maintenance ended at 00:45 UTC and withdrawals are still closed")


def test_nobody_is_told_that_an_exchange_in_maintenance_pays() -> None:
    outputs = j.outputs(merged(j.polled((20, OFF, ALL), until=30), [planned(1, 20, 45)]))
    verdicts = [o for o in outputs if type(o) is Verdict]
    assert (verdicts[-1].withdrawals, verdicts[-1].networks_off) == (ExchangeState.HALTED, ())


def test_maintenance_at_the_first_look_that_is_announced_a_moment_later_ends_the_halt() -> None:
    entries = [*j.rail(0, OFF), *(j.read(m) for m in range(30))]
    assert j.told(merged(entries, [planned(0.5, -20, 60)])) == [
        *HALT,
        "monitoring withdrawal_halt",
        *WARNED,
        "resolved withdrawal_halt",
    ]


def test_a_list_that_is_not_read_ends_no_maintenance_and_opens_no_halt() -> None:
    entries = merged(j.polled((20, OFF, ALL), until=25), [planned(1, 20, 45)])
    unread: list[Observation] = [j.failed(minute, "examplex-api") for minute in range(25, 120)]
    assert j.told([*entries, *unread, j.tick(120)]) == WARNED
    found = j.transitions([*entries, *unread, j.read(121), j.tick(122)])
    assert [(t.at, t.kind) for t in found][1:] == [(j.at(121), "withdrawal_halt")]


def test_a_rail_that_is_not_read_any_more_is_not_told_as_lasting() -> None:
    entries = [watching(TEN), *j.polled((5, OFF, [BTC]), until=10)]
    assert j.told([*entries, *(j.failed(m, "examplex-api") for m in range(10, 60)), j.tick(60)]) == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(OFF, ["opened rail_suspended"], id="a watched rail that is suspended is told as such"),
        pytest.param(MAINTENANCE, WARNED, id="one in maintenance, by the exchange's own word, is told as that"),
    ],
)
def test_a_single_rail_pages_nobody(state: RailState, expected: list[str]) -> None:
    found = j.transitions([watching(TEN), *j.polled((5, state, [BTC]), until=600)])
    assert [f"{t.transition} {t.kind}" for t in found] == expected
    assert pages(found) == []


def test_the_word_maintenance_alone_hides_no_halt() -> None:
    assert j.told(j.polled((5, MAINTENANCE, ALL), until=10)) == HALT


def test_single_rails_one_after_the_other_page_nobody() -> None:
    routine = [
        change for n, rail in enumerate(TEN) for change in ((5 + 60 * n, OFF, [rail]), (45 + 60 * n, OPEN, [rail]))
    ]
    assert pages(j.transitions([watching(TEN), *j.polled(*routine, until=700)])) == []


def test_a_single_rail_just_after_a_halt_wakes_nobody_again() -> None:
    changes = [(5, OFF, TEN), (15, OPEN, TEN), (24, OFF, [BTC]), (60, OPEN, [BTC])]
    found = j.transitions([watching(TEN), *j.polled(*changes, until=80)])
    assert [(t.transition, t.severity) for t in found] == [
        ("opened", "critical"),
        ("monitoring", "critical"),
        ("resolved", "critical"),
        ("reopened", "warning"),
        ("monitoring", "warning"),
        ("resolved", "warning"),
    ]
    assert len({t.incident for t in found}) == 1


@pytest.mark.parametrize(
    ("weights", "off", "expected"),
    [
        pytest.param((3, 1, 1, 1), [BTC], HALT, id="half of the weight in one rail"),
        pytest.param((3, 1, 1, 1), ALL[1:3], ["opened withdrawals_degraded"], id="two rails with a third of it"),
        pytest.param((3, 3, 3, 1), ALL[3:4], [], id="one with a tenth"),
    ],
)
def test_weights_count_and_not_rails(weights: tuple[int, ...], off: list[Rail], expected: list[str]) -> None:
    pairs = zip(ALL, weights, strict=False)
    watched = tuple(WatchedRail(asset=rail.asset, network=rail.network, weight=weight) for rail, weight in pairs)
    config = ConfigApplied(at=j.at(0), probe="config", config=Judging(watched={"examplex": watched}), sha256="")
    assert j.told([config, *j.polled((5, OFF, off), until=12)]) == expected


def test_deposits_alone_are_nobodys_halt() -> None:
    entries = [*j.rail(0, OPEN), *deposits(0, OPEN), j.read(0), *deposits(5, OFF)]
    assert j.told([*entries, *(j.read(m) for m in range(5, 60)), j.tick(60)]) == []


def deposits(minute: float, state: RailState) -> list[Observation]:
    return j.rail(minute, state, rails=ALL, direction=Direction.DEPOSIT)
