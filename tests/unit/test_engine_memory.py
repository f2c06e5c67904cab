"""What an engine stops to hold: lists that are no longer configured, flaws that are gone, rails long unlisted."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from monitor.engine.engine import Engine
from monitor.engine.run import Engines, judge
from monitor.model import (
    ConfigApplied,
    Direction,
    ExchangeState,
    FailureReason,
    Judging,
    ListRead,
    Observation,
    ProbeFailure,
    Rail,
    RailState,
    RailStatus,
    RailVerdict,
    Source,
    SystemStatus,
    WatchedRail,
    WithdrawalQueue,
)
from tests import journals as j

API, KEY, PAGE, QUEUE = "examplex-api", "examplex-key", "examplex-page", "examplex-queue"
SOURCES = {API: Source.API, KEY: Source.API, PAGE: Source.STATUS_PAGE}
OPEN, OFF, UNLISTED = RailState.OPEN, RailState.SUSPENDED, RailState.UNLISTED
ETH, ETH_ANY, TRX = Rail("ETH", "ethereum"), Rail("ETH", "*"), Rail("TRX", "tron")
DAY = 1440.0


def watching(minute: float, rails: list[Rail], probes: list[str]) -> ConfigApplied:
    watched = tuple(WatchedRail(asset=rail.asset, network=rail.network) for rail in rails)
    config = Judging(watched={"examplex": watched}, intervals=dict.fromkeys(probes, 60.0))
    return ConfigApplied(at=j.at(minute), probe="config", config=config, sha256=str(minute))


def told(
    minute: float, probe: str, rail: Rail, state: RailState, direction: Direction = Direction.WITHDRAWAL
) -> RailStatus:
    return RailStatus(
        at=j.at(minute),
        exchange="examplex",
        probe=probe,
        asset=rail.asset,
        network=rail.network,
        direction=direction,
        state=state,
        raw="",
        source=SOURCES[probe],
    )


def done(
    minute: float, probe: str, *, complete: bool | None = None, flaws: int | None = None, changed: int = 0
) -> ListRead:
    return ListRead(
        at=j.at(minute), exchange="examplex", probe=probe, rails=9, changed=changed, complete=complete, flaws=flaws
    )


def flawed(minute: float, asset: str, network: str | None = None) -> ProbeFailure:
    return ProbeFailure(
        at=j.at(minute),
        exchange="examplex",
        probe=API,
        reason=FailureReason.SCHEMA,
        detail="not a bool",
        asset=asset,
        network=network,
    )


def reads(first: int, last: int, *probes: str) -> list[Observation]:
    return [done(minute, probe) for minute in range(first, last) for probe in probes]


def read_by(entries: list[Observation]) -> Engine:
    """The exchange's engine after these entries; it was written down and restored before the last of them."""
    *most, last = entries
    engine = Engine.fresh("examplex")
    for entry in most:
        engine.apply(entry)
    restored = Engine.restore(engine.checkpoint())
    for each in (engine, restored):
        each.apply(last)
    assert (engine.checkpoint(), engine.view()) == (restored.checkpoint(), restored.view())
    return restored


@pytest.mark.parametrize(
    ("retired", "rail", "state"),
    [
        pytest.param(KEY, ETH, OPEN, id="a list that a key was for"),
        pytest.param(PAGE, ETH, OFF, id="a page that called it closed"),
    ],
)
def test_a_list_that_is_no_longer_configured_says_nothing_more(retired: str, rail: Rail, state: RailState) -> None:
    entries = [
        watching(0, [ETH], [retired, API]),
        told(0, retired, rail, OPEN),
        told(0, API, ETH_ANY, OPEN),
        *reads(0, 5, retired, API),
        told(5, retired, rail, state),
        *reads(5, 10, retired, API),
        watching(10, [ETH], [API]),
        *reads(11, 40, API),
    ]
    view = read_by([*entries, j.tick(40)]).view()
    assert [(r.verdict, r.probe) for r in view.rails if r.direction is Direction.WITHDRAWAL] == [
        (RailVerdict.OPEN, API)
    ]
    assert view.withdrawals is ExchangeState.OPERATIONAL
    assert (view.weight_off, view.counts["withdrawal"]) == (0.0, {"open": 1})


def test_a_system_status_of_a_retired_probe_is_shown_no_more() -> None:
    outage = SystemStatus(at=j.at(1), exchange="examplex", probe=PAGE, component="trading", state="outage", raw="")
    entries: list[Observation] = [watching(0, [ETH], [API, PAGE]), outage]
    assert read_by([*entries, j.tick(3)]).view().trading == "outage"
    assert read_by([*entries, watching(2, [ETH], [API]), j.tick(3)]).view().trading == ""


def test_a_dispute_on_a_rail_that_is_watched_no_more_is_forgotten() -> None:
    lists = [told(0, probe, rail, OPEN) for probe in (API, KEY) for rail in (ETH, TRX)]
    entries = [
        watching(0, [ETH, TRX], [API, KEY]),
        *lists,
        *reads(0, 5, API, KEY),
        told(5, API, TRX, OFF),
        *reads(5, 20, API, KEY),
    ]
    after = [watching(20, [ETH], [API, KEY]), *reads(20, 30, API, KEY)]
    assert read_by([*entries, j.tick(20)]).state.decided.rails.disputed_since
    assert not read_by([*entries, *after, j.tick(30)]).state.decided.rails.disputed_since


def test_a_queue_that_is_not_configured_any_more_holds_no_incident_open() -> None:
    def stages(last: Sequence[Observation] = ()) -> list[str]:
        def waiting(minute: float) -> WithdrawalQueue:
            return WithdrawalQueue(
                at=j.at(minute),
                exchange="examplex",
                probe=QUEUE,
                asset="DOGE",
                network="dogecoin",
                requested=3,
                broadcast=3,
                pending=2,
                window_seconds=60.0,
            )

        entries: list[Observation] = [watching(0, [ETH], [API, QUEUE]), told(0, API, ETH, OPEN), done(0, API)]
        states = {5: OFF, 15: OPEN}
        for minute in range(1, 30):
            entries += [told(minute, API, ETH, states[minute])] if minute in states else []
            entries += [done(minute, API), waiting(minute)]
        kept = [entry for m in range(30, 60) for entry in (done(m, API), waiting(m))]
        return [str(t.transition) for t in j.transitions([*entries, *(last or kept)])]

    resolved = ["opened", "monitoring", "resolved"]
    assert stages() == resolved[:2]
    assert stages([watching(30, [ETH], [API]), *reads(30, 32, API)]) == resolved, "at once"
    assert stages(reads(30, 60, API)) == resolved, "nor one that is not read any more"


ALL = list(j.MAJORS)


def listed(until: int, *more: Observation) -> list[Observation]:
    entries: list[Observation] = [watching(0, ALL, [API]), *(told(0, API, rail, OPEN) for rail in ALL), done(0, API)]
    own = {(e.at, type(e)) for e in more}
    entries += [done(m, API) for m in range(1, until) if (j.at(m), ListRead) not in own]
    return [*sorted([*entries, *more], key=lambda e: (e.at, type(e) is ListRead)), j.tick(until)]


def test_a_list_that_says_how_much_of_it_was_told_is_not_guessed_at() -> None:
    """Half of a list is gone, and what is told of it are as many rails as are left."""
    gone = [told(5, API, rail, UNLISTED) for rail in ALL[2:]]

    def verdicts(complete: bool | None) -> list[RailVerdict]:
        view = read_by(listed(12, *gone, done(5, API, changed=9, complete=complete))).view()
        return [rail.verdict for rail in view.rails if rail.direction is Direction.WITHDRAWAL]

    assert verdicts(False) == [RailVerdict.OPEN] * 2 + [RailVerdict.UNLISTED] * 3
    assert verdicts(None) == [RailVerdict.UNLISTED] * 5


def test_most_of_a_list_beside_a_flaw_is_no_start_where_the_list_says_so() -> None:
    def counts(complete: bool | None) -> dict[str, int]:
        again: list[Observation] = [flawed(5, "BTC"), *(told(5, API, rail, OPEN) for rail in ALL[1:])]
        return read_by(listed(8, *again, done(5, API, changed=8, complete=complete))).view().counts["withdrawal"]

    assert counts(False) == {"open": 5}
    assert counts(None) == {"open": 4, "unknown": 1}


def test_what_a_whole_list_does_not_name_is_unlisted_however_many_rails_it_counts() -> None:
    """It counts deposits too, and here it says itself that it is whole."""
    whole: list[Observation] = [told(5, API, rail, OPEN) for rail in ALL[1:]]
    view = read_by(listed(12, *whole, done(5, API, changed=4, complete=True, flaws=0))).view()
    assert view.rails[0].verdict is RailVerdict.UNLISTED
    assert view.counts["withdrawal"] == {"open": 4, "unlisted": 1}


def test_a_whole_list_with_a_flaw_makes_what_the_flawed_row_may_hold_unknown() -> None:
    whole: list[Observation] = [flawed(5, "BTC"), *(told(5, API, rail, OPEN) for rail in ALL[1:-1])]
    view = read_by(listed(12, *whole, done(5, API, changed=3, complete=True, flaws=1))).view()
    assert view.counts["withdrawal"] == {"open": 4, "unknown": 1}
    assert view.rails[0].reason == "its row cannot be read: not a bool"


@pytest.mark.parametrize(
    ("flaw", "flaws", "unread"),
    [
        pytest.param(flawed(5, "BTC"), 0, 0, id="a row of no known rail"),
        pytest.param(flawed(5, "BTC", "bitcoin"), 0, 0, id="a rail"),
        pytest.param(flawed(5, "BTC"), 1, 1, id="it is there still"),
        pytest.param(flawed(5, "BTC"), None, 1, id="a journal that does not say"),
    ],
)
def test_a_flaw_ends_with_the_first_reading_without_one(flaw: ProbeFailure, flaws: int | None, unread: int) -> None:
    more: list[Observation] = [flaw, done(5, API, complete=False, flaws=1), done(8, API, complete=False, flaws=flaws)]
    view = read_by(listed(10, *more)).view()
    assert view.probes[0].unread == unread
    assert view.counts["withdrawal"] == {"open": 5}


def test_two_readings_with_unreadable_ones_between_them_confirm_nothing_when_the_flaw_ends_untold() -> None:
    more: list[Observation] = [
        told(5, API, ALL[0], OFF),
        flawed(5.5, "BTC", "bitcoin"),
        done(8, API, complete=False, flaws=0),
    ]
    assert read_by(listed(9, *more)).view().rails[0].verdict is RailVerdict.OPEN
    assert read_by(listed(11, *more)).view().rails[0].verdict is RailVerdict.SUSPENDED


def test_what_is_unlisted_for_a_week_is_forgotten_unless_it_is_watched() -> None:
    old = Rail("OLD", "ethereum")

    def known(days: float) -> list[Rail]:
        entries: list[Observation] = [watching(0, [ETH], [API])]
        entries += [told(0, API, rail, OPEN) for rail in (ETH, old)]
        entries += [*reads(0, 5, API), *(told(5, API, rail, UNLISTED) for rail in (ETH, old)), *reads(5, 10, API)]
        entries += [done(day * DAY, API) for day in range(1, int(days) + 1)]
        engine = read_by([*entries, j.tick(days * DAY + 1)])
        (memory,) = engine.state.decided.rails.lists.values()
        return list(memory.rails[Direction.WITHDRAWAL])

    assert known(6) == [ETH, old]
    assert known(9) == [ETH]


def test_a_forgotten_network_leaves_the_word_on_the_asset() -> None:
    entries: list[Observation] = [watching(0, [TRX], [API])]
    entries += [told(0, API, rail, OPEN) for rail in (ETH, ETH_ANY, TRX)]
    entries += [*reads(0, 5, API), told(5, API, ETH, UNLISTED), *reads(5, 10, API)]
    entries += [done(day * DAY, API) for day in range(1, 10)]
    assert read_by([*entries, j.tick(9 * DAY + 1)]).view().counts["withdrawal"] == {"open": 2}


def closes(minute: float, probe: str, rail: Rail, *directions: Direction) -> list[Observation]:
    return [told(minute, probe, rail, OFF, direction) for direction in directions]


def page_beside_api(*more: Observation, silent_from: int = 100, blind_from: int = 100) -> list[Observation]:
    """The API knows the asset, the page the network; both are open at first."""
    both = [(API, ETH_ANY), (PAGE, ETH)]
    entries: list[Observation] = [watching(0, [ETH], [API, PAGE])]
    entries += [told(0, *each, OPEN, direction) for each in both for direction in Direction]
    entries += [*reads(0, blind_from, API), *reads(0, silent_from, PAGE), *more]
    return [*sorted(entries, key=lambda e: (e.at, type(e) is ListRead)), j.tick(100)]


W, D = Direction.WITHDRAWAL, Direction.DEPOSIT


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param(
            closes(5, PAGE, ETH, W, D),
            ["opened withdrawals_degraded warning"],
            id="a page alone warns and pages nobody",
        ),
        pytest.param(
            [*closes(5, PAGE, ETH, W, D), *closes(20, API, ETH_ANY, W)],
            ["opened withdrawals_degraded warning", "escalated withdrawal_halt critical"],
            id="the API confirms it",
        ),
        pytest.param(
            [*closes(5, API, ETH_ANY, W), *closes(6, PAGE, ETH, W, D), told(20, API, ETH_ANY, OPEN)],
            ["opened withdrawal_halt critical", "updated withdrawal_halt critical"],
            id="the API reopens and the page lags behind: degraded from then on",
        ),
        pytest.param(
            [*closes(5, API, ETH_ANY, D), *closes(10, PAGE, ETH, W, D)], [], id="deposits are what the page means"
        ),
        pytest.param(
            [*closes(5, API, ETH_ANY, D), *closes(10, PAGE, ETH, W)],
            ["opened withdrawals_degraded warning"],
            id="unless it says that deposits are open",
        ),
    ],
)
def test_what_a_page_may_say_against_the_api(more: list[Observation], expected: list[str]) -> None:
    assert [f"{t.transition} {t.kind} {t.severity}" for t in j.transitions(page_beside_api(*more))] == expected


@pytest.mark.parametrize(
    ("more", "silent_from", "withdrawals"),
    [
        pytest.param(closes(5, PAGE, ETH, W, D), 100, {"suspended": 1}, id="closed by the page"),
        pytest.param(closes(5, PAGE, ETH, W, D), 10, {"open": 1}, id="the page is silent"),
        pytest.param([told(5, PAGE, ETH, UNLISTED, W)], 100, {"open": 1}, id="the page names it no more"),
        pytest.param([*closes(5, API, ETH_ANY, D), *closes(10, PAGE, ETH, W, D)], 100, {"open": 1}, id="deposits"),
    ],
)
def test_rails_are_counted_as_they_are_judged(
    more: list[Observation], silent_from: int, withdrawals: dict[str, int]
) -> None:
    view = read_by(page_beside_api(*more, silent_from=silent_from)).view()
    assert view.counts["withdrawal"] == withdrawals
    assert [rail.verdict for rail in view.rails if rail.direction is W] == list(withdrawals)


def test_a_page_that_falls_silent_neither_holds_an_incident_open_nor_makes_the_exchange_unknown() -> None:
    off = closes(5, PAGE, ETH, W, D)
    stages = [(str(t.transition), t.at) for t in j.transitions(page_beside_api(*off, silent_from=10))]
    assert [name for name, _ in stages] == ["opened", "monitoring", "resolved"]
    assert stages[1][1] == j.at(9) + timedelta(seconds=181), "as soon as it is stale, and not before"

    entries: list[Observation] = [watching(0, [ETH], [API, PAGE]), told(0, API, ETH_ANY, OPEN)]
    entries += [told(0, PAGE, ETH, OPEN), *reads(0, 5, PAGE), *reads(0, 30, API)]
    engines = Engines.fresh()
    for entry in sorted(entries, key=lambda e: e.at):
        judge(engines, entry, engines.apply)
    assert engines.view("examplex").withdrawals is ExchangeState.OPERATIONAL


@pytest.mark.parametrize(
    ("more", "withdrawals"),
    [
        pytest.param(closes(20, PAGE, ETH, W, D), ExchangeState.DEGRADED, id="it was open when last read"),
        pytest.param(
            [*closes(5, API, ETH_ANY, W), *closes(6, PAGE, ETH, W, D), *closes(30, PAGE, TRX, W)],
            ExchangeState.HALTED,
            id="it was closed when last read",
        ),
        pytest.param(
            [*closes(5, API, ETH_ANY, D), *closes(20, PAGE, ETH, W, D)],
            ExchangeState.UNKNOWN,
            id="only deposits were closed then",
        ),
    ],
)
def test_an_api_that_is_silent_is_taken_for_what_it_last_said(
    more: list[Observation], withdrawals: ExchangeState
) -> None:
    assert read_by(page_beside_api(*more, blind_from=10)).view().withdrawals is withdrawals


def test_a_halt_that_only_a_page_holds_on_to_is_told_as_degraded() -> None:
    more = [*closes(5, API, ETH_ANY, W), *closes(6, PAGE, ETH, W, D), told(20, API, ETH_ANY, OPEN)]
    view = read_by(page_beside_api(*more)).view()
    assert view.withdrawals is ExchangeState.DEGRADED
    assert view.rails[0].verdict is RailVerdict.SUSPENDED


def test_a_page_that_speaks_again_is_believed_again() -> None:
    more = [*closes(5, PAGE, ETH, W, D), *reads(30, 100, PAGE)]
    stages = [str(t.transition) for t in j.transitions(page_beside_api(*more, silent_from=10))]
    assert stages == ["opened", "monitoring", "resolved", "reopened"]
