"""Flows without a gap or not at all, balances and their changes: what was not read never looks like money gone."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import tests.journals as j
import tests.money as m
from monitor.engine.flows import unexplained
from monitor.model import BalanceView, Observation

HOUR, DAY = 60, 24 * 60


def shown(entries: Sequence[Observation], until: float) -> BalanceView:
    """The only balance, as of `until`."""
    last: list[Observation] = [m.balance(until, 1000), j.tick(until)]
    (view,) = m.read_by([*entries, *last]).view().balances
    return view


def test_an_hour_is_known_when_it_was_watched_whole() -> None:
    assert shown(m.flowing(range(1, 59), 2), 59).outflow_1h is None
    assert shown(m.flowing(range(1, 61), 2), 61).outflow_1h == 120
    assert shown(m.flowing(range(1, 200), 2), 200).outflow_1h == 120


@pytest.mark.parametrize(
    ("odd", "outflow"),
    [
        pytest.param([], None, id="blocks are missing"),
        pytest.param([m.flow(70, 7, seconds=240, blocks=(1067, 1070))], 60 - 4 + 7, id="read at last in one window"),
        pytest.param([m.flow(70, 7, seconds=180, blocks=(1068, 1070))], None, id="one block is missing"),
        pytest.param([m.flow(70, 7, seconds=300, blocks=(1066, 1070))], None, id="a window tells blocks again"),
    ],
)
def test_a_gap_between_heights_begins_the_flows_anew(odd: list[Observation], outflow: int | None) -> None:
    entries = [*m.flowing(range(1, 67), 1), *odd, *m.flowing(range(71, 80), 1)]
    view = shown(entries, 80)
    assert view.outflow_1h == outflow
    assert (view.flows_since == j.at(0)) == (outflow is not None)


def test_what_is_told_twice_counts_once() -> None:
    entries = m.in_order(m.flowing(range(1, 80), 1), m.flowing(range(1, 80), 1))
    assert shown(entries, 80).outflow_1h == 60


def test_late_windows_of_a_look_back_count_in_the_order_of_their_blocks() -> None:
    entries: list[Observation] = [j.read(80), *m.flowing(range(1, 80), 1)]
    assert shown(entries, 80).outflow_1h == 60


def test_windows_without_heights_follow_each_other_in_time() -> None:
    def bare(minute: int) -> Observation:
        whole = m.flow(minute, 1)
        return type(whole)(
            at=whole.at,
            exchange=whole.exchange,
            probe=whole.probe,
            asset=whole.asset,
            network=whole.network,
            window_seconds=60.0,
            inflow=whole.inflow,
            outflow=whole.outflow,
        )

    assert shown([bare(minute) for minute in range(1, 80)], 80).outflow_1h == 60
    assert shown([bare(minute) for minute in range(1, 80) if minute not in (70, 71, 72)], 80).outflow_1h is None


def test_a_long_window_counts_by_what_of_it_is_in_the_hour() -> None:
    entries = [*m.flowing(range(1, 60), 0), m.flow(160, 100, seconds=6060, blocks=(1060, 1160))]
    outflow = shown(entries, 160).outflow_1h
    assert outflow is not None
    assert float(outflow) == pytest.approx(100 * 3600 / 6060, rel=1e-4)


def test_a_day_is_added_up_by_the_hour() -> None:
    entries = m.flowing(range(10, 2 * DAY, 10), 1)
    spaced: list[Observation] = [
        m.flow(minute, 1, inflow=2, seconds=600, blocks=(minute, minute + 9)) for minute in range(10, 2 * DAY, 10)
    ]
    assert shown(entries, 2 * DAY).outflow_24h is None, "nine blocks of ten are missing"
    view = shown(spaced, 2 * DAY)
    assert view.outflow_24h == pytest.approx(144, abs=3)
    assert view.inflow_24h == pytest.approx(288, abs=6)
    assert shown(spaced[:130], 1300).outflow_24h is None, "not watched for a day"


def test_flows_are_bounded() -> None:
    def size(days: int) -> int:
        entries = [m.flow(minute, 1, seconds=600, blocks=(minute, minute + 9)) for minute in range(10, days * DAY, 10)]
        return len(m.read_by([*entries, j.tick(days * DAY)]).checkpoint())

    assert size(20) < size(9) + 100


class TestReorg:
    def test_what_was_told_of_blocks_that_are_gone_is_taken_back(self) -> None:
        entries: list[Observation] = [*m.flowing(range(1, 80), 1), m.flow(80, 900)]
        assert shown(entries, 81).outflow_1h == 959
        again: list[Observation] = [m.reorg(81, 1079), m.flow(81, 5, seconds=180, blocks=(1079, 1081))]
        view = shown([*entries, *again], 82)
        assert (view.outflow_1h, view.flows_since) == (Decimal(57 + 5), j.at(0))

    def test_a_reorg_of_the_world_takes_back_what_everybody_told(self) -> None:
        world = replace(m.reorg(81, 1079, probe="ethereum-chain"), exchange="")
        again: list[Observation] = [world, m.flow(81, 5, seconds=180, blocks=(1079, 1081))]
        view = shown([*m.flowing(range(1, 80), 1), m.flow(80, 900), *again], 82)
        assert (view.outflow_1h, view.flows_since) == (Decimal(57 + 5), j.at(0))

    def test_blocks_that_nobody_tells_again_are_a_gap(self) -> None:
        entries: list[Observation] = [*m.flowing(range(1, 80), 1), m.reorg(80, 1070), m.flow(81, 1)]
        assert shown(entries, 82).outflow_1h is None

    @pytest.mark.parametrize(
        "odd",
        [
            pytest.param(m.reorg(80, 1070, probe="otherx-flows"), id="another probe"),
            pytest.param(m.reorg(80, 1070, network="tron"), id="another chain"),
            pytest.param(m.reorg(80, 1080), id="blocks of which nothing was told"),
        ],
    )
    def test_others_take_nothing_back(self, odd: Observation) -> None:
        assert shown([*m.flowing(range(1, 80), 1), odd], 81).outflow_1h == 60

    def test_one_that_is_deeper_than_what_is_kept_begins_anew(self) -> None:
        entries: list[Observation] = [*m.flowing(range(1, 300), 1), m.reorg(300, 1005)]
        assert shown(entries, 300).flows_since is None
        assert shown([*entries, *m.flowing(range(301, 380), 1)], 380).outflow_1h == 60


def test_moves_within_the_set_are_no_outflow() -> None:
    entries = [m.flow(minute, 0, internal=401_346) for minute in range(1, 80)]
    view = shown(entries, 80)
    assert (view.outflow_1h, view.runway_seconds) == (Decimal(0), None)


class TestChange:
    def test_an_hour_a_day_and_a_week(self) -> None:
        entries = [m.balance(minute, 1_000_000 - minute) for minute in range(0, 8 * DAY, 10)]
        (view,) = m.read_by([*entries, j.tick(8 * DAY)]).view().balances
        assert view.change_1h == pytest.approx(-60, abs=10)
        assert view.change_24h == pytest.approx(-DAY, abs=60)
        assert view.change_7d == pytest.approx(-7 * DAY, abs=360)

    def test_it_takes_that_long_to_know(self) -> None:
        (view,) = m.read_by([m.balance(minute, 5) for minute in range(0, 90, 10)]).view().balances
        assert (view.change_1h, view.change_24h, view.change_7d) == (Decimal(0), None, None)

    def test_an_unread_wallet_is_no_drop(self) -> None:
        entries = [m.balance(minute, 500) for minute in range(0, 100, 10)]
        (view,) = m.read_by([*entries, m.balance(100, 100, read=4)]).view().balances
        assert (view.amount, view.read_at, view.wallets_read) == (Decimal(500), j.at(90), 4)
        assert view.change_1h is None
        (view,) = m.read_by([*entries, m.balance(100, 100, read=4), m.balance(110, 490)]).view().balances
        assert (view.amount, view.wallets_read, view.change_1h) == (Decimal(490), 5, Decimal(-10))

    def test_a_total_that_was_never_whole_is_shown_as_what_it_is(self) -> None:
        (view,) = m.read_by([m.balance(0, 100, read=4), m.balance(10, 90, read=4)]).view().balances
        assert (view.amount, view.wallets, view.wallets_read) == (Decimal(90), 5, 4)

    def test_another_set_of_wallets_is_no_change(self) -> None:
        entries = [m.balance(minute, 500) for minute in range(0, 100, 10)]
        more = [m.balance(minute, 900, wallets=6) for minute in range(100, 200, 10)]
        (view,) = m.read_by([*entries, more[0]]).view().balances
        assert (view.amount, view.change_1h) == (Decimal(900), None)
        (view,) = m.read_by([*entries, *more]).view().balances
        assert view.change_1h == 0

    def test_a_total_of_long_ago_has_not_changed_lately(self) -> None:
        entries = [m.balance(minute, 500) for minute in range(0, 100, 10)]
        (view,) = m.read_by([*entries, j.tick(100 + 2 * HOUR)]).view().balances
        assert (view.amount, view.change_1h) == (Decimal(500), None)


def test_parts_of_a_total_are_shown_beside_it() -> None:
    entries: list[Observation] = [m.balance(0, 500), m.hot(1, 40), m.balance(2, 460, role="cold")]
    (view,) = m.read_by(entries).view().balances
    assert (view.amount, view.hot, view.cold) == (Decimal(500), Decimal(40), Decimal(460))
    assert (view.hot_read_at, view.height) == (j.at(1), 1000)


@pytest.mark.parametrize(
    ("change", "inflow", "outflow", "expected"),
    [
        pytest.param(-90, 10, 100, Decimal(0), id="all of it flowed"),
        pytest.param(0, 0, 100, Decimal(1), id="nothing of it did: a move to an own wallet we did not know"),
        pytest.param(5, 10, 10, None, id="nothing flowed on balance"),
    ],
)
def test_a_reserve_changes_by_what_flowed(change: int, inflow: int, outflow: int, expected: Decimal | None) -> None:
    assert unexplained(Decimal(change), inflow=Decimal(inflow), outflow=Decimal(outflow)) == expected


STEPS = st.lists(
    st.tuples(st.sampled_from(["flow"] * 20 + ["gap", "reorg"]), st.integers(1, 6), st.integers(0, 50)),
    min_size=50,
    max_size=120,
)


@settings(deadline=None, max_examples=60)
@given(steps=STEPS)
def test_the_sum_of_an_hour_is_that_of_the_blocks_that_are_in_the_chain(steps: list[tuple[str, int, int]]) -> None:
    """Whatever was taken back and told anew: an hour is the sum of its blocks, or it is unknown for a gap in it."""
    entries: list[Observation] = [m.balance(0, 1000)]
    told: list[tuple[int, int, int]] = []  # minute, height, outflow
    height, gap = 0, 0
    for minute, (step, size, amount) in enumerate(steps, start=1):
        if step == "reorg":
            first = max(1, height - size + 1)
            entries.append(m.reorg(minute, first))
            told, height = [each for each in told if each[1] < first], first - 1
            gap = gap if told else minute - 1
        if step == "gap":
            height, gap = height + size, minute - 1
        height += 1
        told.append((minute, height, amount))
        entries.append(m.flow(minute, amount, blocks=(height, height)))
    (view,) = m.read_by([*entries, j.tick(len(steps) + 1)]).view().balances
    newest = told[-1][0]
    if gap > newest - 60:
        return
    expected = sum(amount for minute, _, amount in told if minute > newest - 60)
    assert view.outflow_1h == (expected if newest >= 60 else None)
