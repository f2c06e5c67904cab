"""Which word holds of a rail: ranks, lists that know only the asset, rows that cannot be read; and what is counted."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

import tests.journals as j
from monitor.engine.engine import Engine
from monitor.engine.run import Engines, judge
from monitor.model import (
    ConfigApplied,
    Direction,
    ExchangeState,
    ExchangeView,
    FailureReason,
    Judging,
    ListRead,
    MaintenanceWindow,
    Observation,
    ProbeFailure,
    Rail,
    RailState,
    RailStatus,
    RailVerdict,
    RailView,
    Source,
    WatchedRail,
    WithdrawalSample,
)

OPEN, OFF, DELAYED = RailState.OPEN, RailState.SUSPENDED, RailState.DELAYED
UNLISTED = RailState.UNLISTED
ETH_ARBITRUM, ETH_ANY = Rail("ETH", "arbitrum"), Rail("ETH", "*")
API, PAGE = "examplex-api", "examplex-page"
SOURCES = {API: Source.API, "examplex-key": Source.API, PAGE: Source.STATUS_PAGE}
INTERVALS = dict.fromkeys(SOURCES, 60.0)


def watching(*rails: Rail) -> ConfigApplied:
    watched = tuple(WatchedRail(asset=rail.asset, network=rail.network) for rail in rails)
    config = Judging(watched={"examplex": watched}, intervals=INTERVALS)
    return ConfigApplied(at=j.at(0), probe="config", config=config, sha256="")


def told(minute: float, probe: str, rail: Rail, state: RailState) -> RailStatus:
    return RailStatus(
        at=j.at(minute),
        exchange="examplex",
        probe=probe,
        asset=rail.asset,
        network=rail.network,
        direction=Direction.WITHDRAWAL,
        state=state,
        raw=f"{rail} {state}",
        source=SOURCES[probe],
    )


def done(minute: float, probe: str, *, rails: int = 9, changed: int = 0) -> ListRead:
    return ListRead(at=j.at(minute), exchange="examplex", probe=probe, rails=rails, changed=changed)


def unread(minute: float, rail: Rail, *, probe: str = API, known: bool = True, why: str = "not a bool") -> ProbeFailure:
    return ProbeFailure(
        at=j.at(minute),
        exchange="examplex",
        probe=probe,
        reason=FailureReason.SCHEMA,
        detail=why,
        asset=rail.asset,
        network=rail.network if known else None,
    )


def seen(entries: list[Observation]) -> ExchangeView:
    engines = Engines.fresh()
    for entry in entries:
        judge(engines, entry, engines.apply)
    return engines.view("examplex")


def held(view: ExchangeView, rail: Rail, direction: Direction = Direction.WITHDRAWAL) -> RailView:
    return next(r for r in view.rails if (r.asset, r.network, r.direction) == (rail.asset, rail.network, direction))


Says = tuple[str, Rail, RailState]


@pytest.mark.parametrize(
    ("says", "verdict", "probe"),
    [
        pytest.param(
            [(API, ETH_ANY, OPEN), (PAGE, ETH_ARBITRUM, OFF)],
            RailVerdict.SUSPENDED,
            PAGE,
            id="an open asset says nothing of a closed network",
        ),
        pytest.param(
            [(API, ETH_ANY, OFF), (PAGE, ETH_ARBITRUM, OPEN)],
            RailVerdict.SUSPENDED,
            API,
            id="a closed asset closes a network that a page calls open",
        ),
        pytest.param(
            [(API, ETH_ARBITRUM, OPEN), (PAGE, ETH_ARBITRUM, OFF)],
            RailVerdict.OPEN,
            API,
            id="of two that name the network the better rank decides",
        ),
        pytest.param(
            [(API, ETH_ARBITRUM, OFF), (PAGE, ETH_ARBITRUM, OPEN)],
            RailVerdict.SUSPENDED,
            API,
            id="the open of a lower rank disputes nothing",
        ),
        pytest.param(
            [(API, ETH_ANY, OFF), (PAGE, ETH_ANY, OPEN)],
            RailVerdict.SUSPENDED,
            API,
            id="of two that know the asset the better rank decides",
        ),
        pytest.param(
            [(API, ETH_ANY, OPEN), (PAGE, ETH_ARBITRUM, DELAYED)], RailVerdict.DELAYED, PAGE, id="delayed is worse too"
        ),
        pytest.param([(API, ETH_ANY, OFF)], RailVerdict.SUSPENDED, API, id="the asset alone decides alone"),
        pytest.param([(PAGE, ETH_ARBITRUM, OFF)], RailVerdict.SUSPENDED, PAGE, id="a page alone decides alone"),
        pytest.param(
            [(API, ETH_ANY, OFF), (API, ETH_ARBITRUM, OPEN)],
            RailVerdict.OPEN,
            API,
            id="a list's own network rows hold its word on the coin already",
        ),
        pytest.param(
            [(API, ETH_ANY, OPEN), (API, Rail("ETH", "ethereum"), OPEN)],
            RailVerdict.UNKNOWN,
            "",
            id="a list that names other networks of the coin does not mean this one",
        ),
        pytest.param(
            [(API, ETH_ANY, OPEN), (PAGE, ETH_ARBITRUM, UNLISTED)],
            RailVerdict.OPEN,
            API,
            id="a page that names it no more has nothing to say",
        ),
        pytest.param(
            [("examplex-key", ETH_ARBITRUM, UNLISTED), (API, ETH_ANY, OPEN)],
            RailVerdict.UNLISTED,
            "examplex-key",
            id="a network that the exchange itself has dropped is gone",
        ),
    ],
)
def test_which_word_holds(says: list[Says], verdict: RailVerdict, probe: str) -> None:
    probes = dict.fromkeys(each[0] for each in says)
    entries: list[Observation] = [watching(ETH_ARBITRUM)]
    entries += [told(1, *each) for each in says] + [done(1, each) for each in probes]
    rail = held(seen([*entries, j.tick(1.5)]), ETH_ARBITRUM)
    assert (rail.verdict, rail.probe) == (verdict, probe)


def test_two_api_lists_on_different_things_are_no_dispute_and_two_on_one_thing_are() -> None:
    def disagreeing(rail: Rail) -> RailVerdict:
        entries: list[Observation] = [watching(ETH_ARBITRUM), told(0, API, rail, OPEN)]
        entries += [told(0, "examplex-key", ETH_ARBITRUM, OFF)]
        for minute in range(12):
            entries += [done(minute, API), done(minute, "examplex-key")]
        return held(seen([*entries, j.tick(12)]), ETH_ARBITRUM).verdict

    assert disagreeing(ETH_ANY) is RailVerdict.SUSPENDED
    assert disagreeing(ETH_ARBITRUM) is RailVerdict.DISPUTED


def test_a_page_that_lags_behind_neither_reopens_a_rail_nor_makes_its_closing_younger() -> None:
    """The page closes first, the API later; the page reopens, and the rail is off since the first of the two."""
    entries: list[Observation] = [watching(ETH_ARBITRUM, *j.MAJORS), told(0, API, ETH_ANY, OPEN)]
    entries += [told(0, PAGE, ETH_ARBITRUM, OPEN)]
    entries += [told(0, API, Rail(asset, "*"), OPEN) for asset in ("BTC", "USDT", "SOL")]
    changes = {
        5: told(5, PAGE, ETH_ARBITRUM, OFF),
        17: told(17, API, ETH_ANY, OFF),
        20: told(20, PAGE, ETH_ARBITRUM, OPEN),
    }
    for minute in range(26):
        entries += [*([changes[minute]] if minute in changes else []), done(minute, API), done(minute, PAGE)]
    assert j.told([*entries, j.tick(26)]) == ["opened rail_suspended", "updated rail_suspended"]


def test_a_verdict_needs_the_best_rank_to_be_fresh() -> None:
    entries: list[Observation] = [watching(ETH_ARBITRUM), told(0, API, ETH_ARBITRUM, OPEN), done(0, API)]
    entries += [told(0, PAGE, ETH_ARBITRUM, OPEN), *(done(minute, PAGE) for minute in range(20))]
    view = seen([*entries, j.tick(20)])
    assert held(view, ETH_ARBITRUM).verdict is RailVerdict.UNKNOWN
    assert view.withdrawals is ExchangeState.UNKNOWN


ALL = list(j.MAJORS)


def listed(until: int, *more: Observation, state: RailState = OPEN) -> list[Observation]:
    """A list of the watched rails, read once a minute, with `more` at its time; rails of `more` are not repeated."""
    entries: list[Observation] = [watching(*ALL), *(told(0, API, rail, state) for rail in ALL), done(0, API)]
    entries += [done(minute, API) for minute in range(1, until)]
    return [*sorted([*entries, *more], key=lambda e: (e.at, type(e) is ListRead)), j.tick(until)]


def test_a_rail_whose_row_cannot_be_read_is_unknown_until_it_is_told_again() -> None:
    view = seen(listed(10, unread(5, ALL[0], why="expected `bool`, got `null` - at `$[3].enabled`")))
    rail = held(view, ALL[0])
    assert rail.verdict is RailVerdict.UNKNOWN
    assert rail.reason == "its row cannot be read: expected `bool`, got `null` - at `$[3].enabled`"
    assert held(view, ALL[1]).verdict is RailVerdict.OPEN
    (probe,) = view.probes
    assert (probe.failing_since, probe.unread) == (None, 1)
    assert probe.unread_detail == "BTC@bitcoin: expected `bool`, got `null` - at `$[3].enabled`"
    assert view.withdrawals is ExchangeState.OPERATIONAL
    assert view.counts["withdrawal"] == {"open": 4, "unknown": 1}

    again = seen(listed(10, unread(5, ALL[0]), told(8, API, ALL[0], OPEN)))
    assert held(again, ALL[0]).verdict is RailVerdict.OPEN
    assert (again.probes[0].unread, again.counts["withdrawal"]) == (0, {"open": 5})


def test_another_source_of_the_deciding_rank_speaks_for_an_unreadable_row() -> None:
    second: list[Observation] = [
        told(0, "examplex-key", ALL[0], OPEN),
        *(done(minute, "examplex-key") for minute in range(10)),
    ]
    assert held(seen(listed(10, unread(5, ALL[0]), *second)), ALL[0]).verdict is RailVerdict.OPEN
    page: list[Observation] = [told(0, PAGE, ALL[0], OPEN), *(done(minute, PAGE) for minute in range(10))]
    assert held(seen(listed(10, unread(5, ALL[0]), *page)), ALL[0]).verdict is RailVerdict.UNKNOWN


def test_rows_that_cannot_be_read_leave_the_exchange_unknown_and_not_halted() -> None:
    view = seen(listed(10, *(unread(5, rail) for rail in ALL)))
    assert (view.withdrawals, view.reason) == (
        ExchangeState.UNKNOWN,
        "what decides cannot be read: BTC@bitcoin: not a bool",
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param(
            [told(5, API, rail, OFF) for rail in ALL] + [unread(5.5, rail) for rail in ALL],
            [],
            id="what was read once and then no more is not confirmed",
        ),
        pytest.param(
            [told(5, API, rail, OFF) for rail in ALL]
            + [unread(5.5, rail) for rail in ALL]
            + [told(20, API, rail, OPEN) for rail in ALL],
            [],
            id="nor once it is open again",
        ),
        pytest.param(
            [told(5, API, rail, OFF) for rail in ALL]
            + [unread(5.5, rail) for rail in ALL]
            + [told(20, API, rail, OFF) for rail in ALL]
            + [told(21, API, rail, OPEN) for rail in ALL],
            [],
            id="two polls with unreadable ones between them are not two in a row",
        ),
        pytest.param(
            [unread(5, rail) for rail in ALL] + [told(8, API, rail, OFF) for rail in ALL],
            ["opened withdrawal_halt"],
            id="what comes back closed is",
        ),
        pytest.param(
            [told(5, API, rail, OFF) for rail in ALL] + [unread(9, rail) for rail in ALL],
            ["opened withdrawal_halt"],
            id="a halt whose rows cannot be read any more goes on",
        ),
        pytest.param(
            [told(5, API, rail, OFF) for rail in ALL]
            + [told(9, API, rail, OPEN) for rail in ALL]
            + [unread(9.5, rail) for rail in ALL],
            ["opened withdrawal_halt"],
            id="a reopening that was read once ends no halt",
        ),
    ],
)
def test_unreadable_rows_neither_open_nor_end_a_halt(more: list[Observation], expected: list[str]) -> None:
    assert j.told(listed(40, *more)) == expected


def test_what_turned_unreadable_while_it_was_off_is_told_as_it_was_last_read() -> None:
    watched = watching(*ALL, *(Rail(f"ALT{n}", "tron") for n in range(5)))
    alts = [told(0, API, Rail(f"ALT{n}", "tron"), OPEN) for n in range(5)]
    alone: list[Observation] = [told(5, API, ALL[0], OFF), unread(9, ALL[0])]
    assert j.told(listed(30, watched, *alts, *alone)) == [], "it was off for four minutes when it was last read"
    off: list[Observation] = [told(5, API, ALL[0], OFF), unread(16, ALL[0]), told(17, API, Rail("ALT0", "tron"), OFF)]
    opened, updated = j.transitions([*listed(40, watched, *alts, *off)])
    assert [(e.rail, e.value) for e in opened.evidence] == [("BTC@bitcoin", "suspended")]
    assert updated.scope == ("ALT0@tron", "BTC@bitcoin")
    assert [(e.rail, e.value) for e in updated.evidence] == [
        ("BTC@bitcoin", "suspended"),
        ("ALT0@tron", "suspended"),
    ]


def test_a_row_of_no_known_rail_is_shown_and_costs_nothing_until_a_restart_shows_what_it_holds() -> None:
    """While it runs a probe names the rails it lost. After a start it knows none, and tells the asset and the rest."""
    running = seen(listed(10, unread(5, Rail("BTC", "lightning"), known=False)))
    assert held(running, ALL[0]).verdict is RailVerdict.OPEN
    assert running.probes[0].unread_detail == "BTC: not a bool"

    restarted: list[Observation] = [unread(5, ALL[0], known=False), *(told(5, API, rail, OPEN) for rail in ALL[1:])]
    view = seen([*listed(5), *restarted, done(5, API, rails=5, changed=4), j.tick(5.5)])
    assert held(view, ALL[0]).verdict is RailVerdict.UNKNOWN
    assert all(held(view, rail).verdict is RailVerdict.OPEN for rail in ALL[1:])

    whole: list[Observation] = [*(told(9, API, rail, OPEN) for rail in ALL), done(9, API, rails=5, changed=5)]
    view = seen([*listed(5), *restarted, done(5, API, rails=5, changed=4), *whole, j.tick(9.5)])
    assert held(view, ALL[0]).verdict is RailVerdict.OPEN
    assert view.probes[0].unread == 0


def test_a_watched_rail_that_was_never_read_says_that_its_row_cannot_be_read() -> None:
    entries: list[Observation] = [
        watching(*ALL),
        unread(0, ALL[0], known=False),
        *(told(0, API, rail, OPEN) for rail in ALL[1:]),
    ]
    view = seen([*entries, done(0, API, rails=5, changed=4), j.tick(1)])
    assert held(view, ALL[0]).reason == "a row of it cannot be read: not a bool"


def test_each_rail_is_counted_once_and_an_asset_only_where_nobody_names_its_networks() -> None:
    says = [
        (API, ETH_ANY, OPEN),
        (API, Rail("BTC", "*"), OFF),
        (API, Rail("DOGE", "*"), OFF),
        (PAGE, ETH_ARBITRUM, OFF),
        (PAGE, Rail("ETH", "ethereum"), OPEN),
        (PAGE, Rail("BTC", "bitcoin"), OPEN),
    ]
    entries: list[Observation] = [watching(ETH_ARBITRUM), *(told(1, *each) for each in says)]
    view = seen([*entries, done(1, API), done(1, PAGE), j.tick(1.5)])
    assert view.counts["withdrawal"] == {"suspended": 3, "open": 1}
    assert view.newly_off_24h == 0

    later: list[Observation] = [
        told(5, PAGE, Rail("ETH", "ethereum"), OFF),
        *(done(minute, PAGE) for minute in (5, 6, 7)),
    ]
    view = seen([*entries, done(1, API), done(1, PAGE), *later, j.tick(8)])
    assert (view.counts["withdrawal"], view.newly_off_24h) == ({"suspended": 4}, 1)


def test_a_checkpoint_from_before_rows_could_be_unreadable_is_still_read() -> None:
    new = ("unread", "flawed", "windows", "samples")

    def without(value: object) -> object:
        match value:
            case dict():
                return {key: without(each) for key, each in value.items() if key not in new}
            case list():
                return [without(each) for each in value]
            case _:
                return value

    entries = listed(10, *(told(5, API, rail, OFF) for rail in ALL))
    engine = Engine.fresh("examplex")
    for entry in entries:
        engine.apply(entry)
    body = msgspec.msgpack.decode(engine.checkpoint(), strict=False)
    old = Engine.restore(msgspec.msgpack.encode(without(body)))
    assert old.view() == engine.view()
    assert old.checkpoint() == engine.checkpoint()


def window(minute: float, *, starts: float, ends: float, probe: str = PAGE) -> MaintenanceWindow:
    return MaintenanceWindow(
        at=j.at(minute),
        exchange="examplex",
        probe=probe,
        starts_at=j.at(starts),
        ends_at=j.at(ends),
        scope=("BTC@bitcoin",),
    )


@pytest.mark.parametrize(
    ("announced", "now", "shown"),
    [
        pytest.param([window(1, starts=60, ends=90)], 5, [(60, 90)], id="to come"),
        pytest.param([window(1, starts=60, ends=90)], 70, [(60, 90)], id="under way"),
        pytest.param([window(1, starts=60, ends=90)], 91, [], id="over"),
        pytest.param([window(1, starts=60, ends=90), window(2, starts=60, ends=120)], 5, [(60, 120)], id="prolonged"),
        pytest.param([window(1, starts=60, ends=90), window(2, starts=60, ends=2)], 5, [], id="taken back"),
        pytest.param(
            [window(1, starts=300, ends=310), window(2, starts=60, ends=90)], 5, [(60, 90), (300, 310)], id="in order"
        ),
        pytest.param([window(1, starts=60, ends=50)], 5, [], id="an end before its beginning"),
    ],
)
def test_windows_are_kept_until_they_end(
    announced: list[Observation], now: float, shown: list[tuple[float, float]]
) -> None:
    view = seen([watching(*ALL), *announced, j.tick(now)])
    assert [(w.starts_at, w.ends_at) for w in view.windows] == [(j.at(start), j.at(end)) for start, end in shown]
    assert view.withdrawals is ExchangeState.UNKNOWN, "a window is no evidence"


def sample(minute: float, state: str, seconds: float) -> WithdrawalSample:
    return msgspec.convert(
        {
            "kind": "withdrawal_sample",
            "at": j.at(minute),
            "exchange": "examplex",
            "probe": API,
            "asset": "USDT",
            "network": "tron",
            "state": state,
            "elapsed_seconds": seconds,
        },
        WithdrawalSample,
    )


def test_own_withdrawals_are_shown_as_last_told_and_judge_nothing() -> None:
    entries: list[Observation] = [watching(*ALL), sample(1, "sent", 180.0), sample(1, "failed", 900.0)]
    for minute in range(2, 12):
        entries += [sample(minute, "pending", minute * 60.0), sample(minute, "pending", 30.0)]
    (shown,) = seen([*entries, j.tick(12)]).samples
    assert (shown.pending, shown.oldest_seconds, shown.frozen) == (2, 660.0, False)
    assert (shown.took_seconds, shown.failed_24h) == (180.0, 1)
    assert j.told(entries) == []

    (frozen,) = seen([*entries, sample(13, "frozen", 700.0), j.tick(13.5)]).samples
    assert (frozen.pending, frozen.frozen) == (1, True)

    (left,) = seen([*entries, j.tick(30)]).samples
    assert (left.pending, left.oldest_seconds) == (0, None), "what waits would be told at each reading"


def test_a_failure_told_again_after_a_restart_is_no_second_one() -> None:
    hours = timedelta(hours=30)
    again = replace(sample(1, "failed", 900.0), at=j.at(1) + hours)
    (shown,) = seen([watching(*ALL), sample(1, "failed", 900.0), again, j.tick(31 * 60)]).samples
    assert shown.failed_24h == 0
