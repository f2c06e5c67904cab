"""Hot wallets that run dry, holdings that are stuck, and what is shown of money."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

import tests.journals as j
import tests.money as m
from monitor.engine.engine import Engine
from monitor.engine.run import Engines, judge
from monitor.model import (
    Control,
    ExchangeState,
    FailureReason,
    Incident,
    Observation,
    ProbeFailure,
    Rail,
    RailState,
    RailVerdict,
    ReservesView,
)

OPEN, OFF = RailState.OPEN, RailState.SUSPENDED
WARNS, PAGES = "opened runway_low warning", "escalated runway_low critical"
ENDS = ["monitoring runway_low warning", "resolved runway_low warning"]
STUCK = "opened exposure_stuck critical"
HOURS = range(1, 121)
"""Two hours in which something leaves every minute."""


def paying(
    outflow: float, *hot: tuple[float, float], usd: float | None = 3000.0, until: int = 120
) -> list[Observation]:
    """So many coins a minute leave, and the hot wallet holds what is told from a minute on."""
    entries: list[Observation] = [m.balance(0, 1_000_000)]
    for minute in range(1, until + 1):
        entries.append(m.flow(minute, outflow))
        held = [amount for since, amount in hot if since <= minute]
        entries += [m.hot(minute, held[-1])] if held else []
        entries += m.prices(minute, usd) if usd is not None else []
    return [*entries, j.tick(until + 0.5)]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(paying(1, (1, 361)), [], id="more than six hours"),
        pytest.param(paying(1, (1, 359)), [WARNS], id="less than six hours"),
        pytest.param(paying(1, (1, 58), until=148), [WARNS], id="less than one hour, a refill may still come"),
        pytest.param(paying(1, (1, 58), until=150), [WARNS, PAGES], id="less than one hour, and no refill comes"),
        pytest.param(paying(1, (1, 300), (90, 50), until=182), [WARNS, PAGES], id="it runs out"),
        pytest.param(paying(1, (1, 50), (140, 200), (150, 50), until=200), [WARNS], id="a refill begins the time anew"),
        pytest.param(paying(1, (1, 300), (90, 440)), [WARNS], id="a refill that is hardly one"),
        pytest.param(paying(1, (1, 300), (90, 460)), [WARNS, *ENDS], id="a refill"),
        pytest.param(paying(0, (1, 0)), [], id="nothing leaves"),
        pytest.param(paying(0.005, (1, 0.001)), [], id="trivial in dollars"),
        pytest.param(paying(0.006, (1, 0.001), until=150), [WARNS, PAGES], id="a thousand dollars are not"),
        pytest.param(paying(16, (1, 1), usd=None), [], id="trivial beside the reserve, without a price"),
        pytest.param(paying(17, (1, 1), usd=None, until=150), [WARNS, PAGES], id="a thousandth of it is not"),
        pytest.param(paying(1, (1, 50), until=58), [], id="an hour is not known yet"),
    ],
)
def test_a_runway(entries: Sequence[Observation], expected: list[str]) -> None:
    assert m.said(entries) == expected


def test_what_a_runway_says() -> None:
    (first, *_) = m.told(paying(1, (70, 42)))
    assert first.scope == ("ETH@ethereum",)
    assert first.summary == "the hot wallets of ETH@ethereum last 42 min at the pace of the last hour"
    assert [e.value for e in first.evidence] == ["42 ETH in hot wallets, 60 sent in an hour"]
    (view,) = m.read_by(paying(1, (1, 42))).view().balances
    assert view.runway_seconds == 42 * 60


def test_cold_wallets_that_send_do_not_shorten_the_hot_ones() -> None:
    entries = [*paying(1, (1, 400), until=100), m.flow(101, 50_000, cold=50_000), m.hot(101, 400), j.tick(102)]
    assert m.said(entries) == []


def test_what_is_not_known_begins_and_ends_nothing() -> None:
    low = paying(1, (1, 300))
    unread = [
        m.balance(minute, 0, role="hot", read=4) if minute % 2 else m.flow(minute, 1) for minute in range(121, 200)
    ]
    assert m.said([*low, *unread, j.tick(300)]) == [WARNS]
    stale = [m.flow(minute, 1) for minute in range(121, 200)]
    assert m.said([*low, *stale, j.tick(300)]) == [WARNS], "a hot balance of an hour ago"
    assert m.said([*low, *(m.hot(minute, 5000) for minute in range(125, 127)), j.tick(140)]) == [WARNS, *ENDS]


def test_a_hot_balance_that_was_never_read_whole_is_none() -> None:
    entries: list[Observation] = []
    for minute in HOURS:
        entries += [*m.prices(minute, 3000), m.flow(minute, 1), m.balance(minute, 1, role="hot", read=4)]
    assert m.said([*entries, j.tick(121)]) == []


def test_a_reorg_takes_back_what_rested_on_it() -> None:
    entries = [*paying(0.01, (1, 100), until=100), m.flow(101, 600), m.hot(101, 100), j.tick(101.5)]
    assert m.said(entries) == [WARNS]
    back: list[Observation] = [m.reorg(102, 1101), m.flow(102, 0, seconds=120, blocks=(1101, 1102)), j.tick(110)]
    assert m.said([*entries, *back]) == [WARNS, *ENDS]


def test_one_large_payment_pages_nobody() -> None:
    entries = paying(0.1, (1, 100), until=99)
    for minute in range(100, 260):
        entries += [m.flow(minute, 600 if minute == 100 else 0.1), m.hot(minute, 100), *m.prices(minute, 3000)]
    assert m.said([*entries, j.tick(260)]) == [WARNS]


def test_a_wallet_that_is_empty_and_pays_nobody_is_not_back_to_normal() -> None:
    entries = paying(1, (1, 300), (90, 50))
    for minute in range(121, 400):
        entries += [m.flow(minute, 0), m.hot(minute, 0), *m.prices(minute, 3000)]
    assert m.said([*entries, j.tick(400)]) == [WARNS, PAGES]
    refilled = [entry for minute in range(400, 420) for entry in (m.flow(minute, 0), m.hot(minute, 300))]
    ends = [end.replace("warning", "critical") for end in ENDS]
    assert m.said([*entries, *refilled, j.tick(420)]) == [WARNS, PAGES, *ends]


def test_a_low_runway_ends_when_no_wallet_is_hot_any_more() -> None:
    low, day = paying(1, (1, 300)), 24 * 60
    assert m.said([*low, m.balance(day, 1_000_000), j.tick(day + 10)]) == [WARNS], "it may only not be read"
    assert m.said([*low, m.balance(day + 121, 1_000_000), j.tick(day + 200)]) == [WARNS, *ENDS]


def test_a_balance_that_is_doubted_is_no_row_of_a_list() -> None:
    hot, told = replace(m.hot(0, 10), probe="examplex-hot"), m.hot(1, 10)
    doubt = ProbeFailure(
        at=j.at(2),
        exchange=m.EXCHANGE,
        probe="examplex-hot",
        reason=FailureReason.DISAGREEMENT,
        detail="two endpoints disagree",
        asset="ETH",
        network="ethereum",
    )
    view = m.read_by([hot, told, doubt, j.tick(3)]).view()
    assert [(probe.probe, probe.unread) for probe in view.probes] == [("examplex-hot", 0), (m.RESERVES, 0)]


def test_a_move_within_the_set_is_no_outflow() -> None:
    entries: list[Observation] = []
    for minute in HOURS:
        moved = m.flow(minute, 0.1, internal=50_000)
        entries += [*m.prices(minute, 3000), m.balance(minute, 1_000_000), m.hot(minute, 50), moved]
    assert m.said([*entries, j.tick(121)]) == []


def test_a_runway_ends_with_the_probe_that_told_it() -> None:
    entries = [m.judged_by(0), *paying(1, (1, 300)), m.judged_by(121, probes=[m.LIST]), j.tick(130)]
    assert m.said(entries) == [WARNS, *ENDS]


SOL, USDT, TRC = Rail("SOL", "solana"), Rail("USDT", "ethereum"), Rail("USDT", "tron")


def holding(
    *changes: tuple[float, RailState, list[Rail]],
    until: int,
    amount: float = 1000.0,
    usd: float | None = 200.0,
    more: Sequence[Observation] = (),
    silent: tuple[int, int] = (10_000, 10_000),
) -> list[Observation]:
    """The user holds SOL. A list is read each minute; it is open at first and then changes as told."""
    entries: list[Observation] = [*j.rail(0, OPEN, rails=[SOL, USDT, TRC]), j.read(0), m.mine(0.1, amount, asset="SOL")]
    for minute in range(1, until):
        for at, state, rails in changes:
            if at == minute:
                entries += j.rail(minute, state, rails=rails)
        if not silent[0] <= minute < silent[1]:
            entries.append(j.read(minute))
        entries += m.prices(minute, usd, asset="SOL") if usd is not None else []
    return [*m.in_order(entries, more), j.tick(until)]


def stuck(entries: Sequence[Observation]) -> list[str]:
    return [line for line in m.said(entries) if "exposure" in line]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(holding((10, OFF, [SOL]), until=21), [], id="not for ten minutes yet"),
        pytest.param(holding((10, OFF, [SOL]), until=22), [STUCK], id="for ten minutes since it was confirmed"),
        pytest.param(holding((10, OFF, [USDT, TRC]), until=40), [], id="other coins"),
        pytest.param(holding((10, OFF, [SOL]), until=40, amount=499), [], id="less than the sum that pages"),
        pytest.param(holding((10, OFF, [SOL]), until=40, usd=None), [], id="of unknown worth"),
        pytest.param(
            holding((10, OFF, [SOL]), (30, OPEN, [SOL]), until=60),
            [STUCK, "monitoring exposure_stuck critical", "resolved exposure_stuck critical"],
            id="until it opens",
        ),
        pytest.param(holding((10, OFF, [SOL]), (15, OPEN, [SOL]), (20, OFF, [SOL]), until=31), [], id="with a break"),
        pytest.param(holding((10, OFF, [SOL]), until=90, silent=(30, 90)), [STUCK], id="not knowing ends nothing"),
        pytest.param(holding((10, OFF, [SOL]), until=90, silent=(15, 90)), [], id="nor does it begin anything"),
        pytest.param(
            holding((10, OFF, [SOL]), until=60, more=[m.mine(30, 0, asset="SOL")]),
            [STUCK, "monitoring exposure_stuck critical", "resolved exposure_stuck critical"],
            id="until nothing is held",
        ),
        pytest.param(
            holding(until=40, more=[m.terms(5, asset="SOL", network="solana", remaining=100)]),
            [],
            id="above the quota of an open way",
        ),
        pytest.param(
            holding(until=40, more=[m.hot(minute, 400, asset="SOL", network="solana") for minute in range(5, 40)]),
            [],
            id="above what the hot wallet of an open way holds",
        ),
        pytest.param(
            holding((20, OFF, [SOL]), until=40, more=[m.hot(5, 400, asset="SOL", network="solana")]),
            [STUCK],
            id="the way closes that waited for a refill",
        ),
        pytest.param(holding(until=40, more=[m.chain(5, "stalled", network="solana")]), [STUCK], id="the chain stands"),
        pytest.param(holding(until=40, more=[m.chain(5, "stalled")]), [], id="another chain stands"),
        pytest.param(
            holding(until=90, amount=0, more=[m.chain(5, "stalled", network="solana"), m.mine(60, 1000, asset="SOL")]),
            [],
            id="it stood an hour ago, and nobody has looked since",
        ),
    ],
)
def test_what_is_stuck(entries: Sequence[Observation], expected: list[str]) -> None:
    assert stuck(entries) == expected


def test_what_a_stuck_holding_says() -> None:
    (opened, *_) = [t for t in m.told(holding((10, OFF, [SOL]), until=40)) if "exposure" in t.kind]
    assert opened.summary == "$200.0k of your own cannot leave: 1,000 of 1,000 SOL"
    assert (opened.scope, opened.at) == (("SOL@solana",), j.at(21))


def test_a_price_alone_sticks_nothing_and_frees_nothing() -> None:
    risen = holding((10, OFF, [SOL]), until=40, amount=499)
    assert stuck([*risen, *m.priced(range(41, 80), 20_000, asset="SOL"), j.tick(90)]) == []
    fallen = holding((10, OFF, [SOL]), until=40)
    assert stuck([*fallen, *m.priced(range(41, 60), 2, asset="SOL"), j.tick(90)]) == [STUCK]
    assert stuck([*fallen, j.tick(300)]) == [STUCK], "nor does a price that is not known any more"


def test_blindness_is_no_stuck_holding() -> None:
    blind: list[Observation] = [
        Control(at=j.at(minute + 0.3), probe="control", ok=False, targets=3, targets_ok=0) for minute in range(11, 40)
    ]
    entries = holding((10, OFF, [SOL]), until=13, more=blind)
    assert stuck([*entries, j.tick(40)]) == []
    (view,) = m.read_by([*entries, *blind, j.tick(40)]).view().exposures
    assert (view.unknown, view.stuck) == (Decimal(1000), Decimal(0))


class TestView:
    def exits(self, entries: Sequence[Observation]) -> tuple[Decimal, Decimal, Decimal]:
        (view,) = m.read_by(entries).view().exposures
        return view.withdrawable, view.stuck, view.unknown

    def test_ways_are_of_all_rails_and_not_of_watched_ones_only(self) -> None:
        (view,) = m.read_by(holding((10, OFF, [SOL]), until=20)).view().exposures
        assert [(w.network, w.verdict, w.since) for w in view.ways] == [("solana", RailVerdict.SUSPENDED, j.at(10))]
        assert (view.amount, view.usd, view.told_at) == (Decimal(1000), Decimal(200_000), j.at(0.1))

    def test_a_list_that_is_not_read_is_unknown(self) -> None:
        assert self.exits(holding(until=60, silent=(10, 60))) == (Decimal(0), Decimal(0), Decimal(1000))

    def test_what_no_list_names_is_unknown(self) -> None:
        (view,) = m.read_by([m.mine(0, 5, asset="XYZ"), j.tick(1)]).view().exposures
        assert (view.unknown, view.ways, view.usd) == (Decimal(5), (), None)

    def test_a_coin_of_which_only_the_asset_is_told(self) -> None:
        coin = [Rail("SOL", "*")]
        entries: list[Observation] = [*j.rail(0, OPEN, rails=coin), j.read(0), m.mine(0, 5, asset="SOL"), j.tick(1)]
        (view,) = m.read_by(entries).view().exposures
        assert ([w.network for w in view.ways], view.withdrawable) == (["*"], Decimal(5))

    def test_holdings_that_several_accounts_tell_add_up(self) -> None:
        more = m.mine(1, 500, asset="SOL", probe="examplex-second")
        (view,) = m.read_by(holding(until=5, more=[more])).view().exposures
        assert view.amount == 1500

    def test_hot_wallets_that_went_silent_make_flags_void(self) -> None:
        day = 24 * 60
        entries: list[Observation] = [*j.rail(0, OPEN, rails=[SOL]), *j.usual(range(1, day)), j.read(day)]
        entries.append(m.mine(day, 1000, asset="SOL"))
        for minute in range(day, day + 30):
            entries += [*j.usual(range(minute, minute + 1), factor=0.0), j.read(minute + 0.5)]
        view = m.read_by([*entries, j.tick(day + 31)]).view()
        assert view.withdrawals is ExchangeState.HALTED
        (exposure,) = view.exposures
        assert (exposure.stuck, exposure.ways[0].why) == (Decimal(1000), "the hot wallets stopped sending")

    def reserves(self, entries: Sequence[Observation]) -> ReservesView:
        view = m.read_by([*entries, j.tick(200)]).view().reserves
        assert view is not None
        return view

    def test_reserves_in_dollars_name_what_has_no_price(self) -> None:
        entries: list[Observation] = [
            m.judged_by(190, own_tokens=("OWN",)),
            m.balance(195, 10),
            m.balance(195, 5, network="base", wallets=9, read=7),
            m.balance(195, 100, asset="OWN", read=4),
            m.balance(195, 7, asset="XYZ"),
            m.balance(195, 0, asset="NIL"),
            *m.prices(196, 3000),
            *m.prices(197, 2, asset="OWN"),
        ]
        view = self.reserves(entries)
        assert (view.usd, view.own_tokens_usd) == (Decimal(45_200), Decimal(200))
        assert (view.unpriced, view.unread, view.priced_at) == (("XYZ",), 3, j.at(196))

    def test_wallets_that_are_new_and_not_read_make_no_total_smaller(self) -> None:
        entries = [m.balance(minute, 1000) for minute in range(100, 180, 10)]
        part = m.balance(190, 100, wallets=6, read=1)
        view = self.reserves([*entries, part, *m.prices(195, 2)])
        assert (view.usd, view.unread, view.change_1h_usd) == (Decimal(2000), 5, None)
        whole = self.reserves([*entries, part, m.balance(196, 1100, wallets=6), *m.prices(196, 2)])
        assert (whole.usd, whole.unread, whole.change_1h_usd) == (Decimal(2200), 0, None)

    def test_a_wallet_that_is_cold_no_more_is_not_shown_as_cold(self) -> None:
        entries = [m.balance(10, 1000), m.balance(10, 900, role="cold"), m.balance(20, 1000)]
        (view,) = m.read_by([*entries, j.tick(21)]).view().balances
        assert view.cold == 900, "the reading may not have come to its end"
        (view,) = m.read_by([*entries, m.balance(30, 1000), j.tick(31)]).view().balances
        assert view.cold is None

    def test_a_price_move_is_no_change(self) -> None:
        entries = [m.balance(minute, 1000 if minute < 150 else 990) for minute in range(0, 200, 10)]
        view = self.reserves([*entries, *m.prices(100, 3000), *m.prices(195, 1500)])
        assert (view.usd, view.change_1h_usd) == (Decimal(1_485_000), Decimal(-15_000))
        assert view.change_24h_usd is None

    def test_a_change_is_unknown_where_one_of_its_parts_is(self) -> None:
        entries = [m.balance(minute, 1000) for minute in range(0, 200, 10)]
        other = [m.balance(minute, 5, asset="BTC", network="bitcoin") for minute in range(180, 200, 10)]
        quotes = [*m.prices(195, 3000), *m.prices(195, 60_000, asset="BTC")]
        assert self.reserves([*entries, *quotes]).change_1h_usd == 0
        assert self.reserves([*m.in_order(entries, other), *quotes]).change_1h_usd is None

    def test_the_net_flow_of_a_day(self) -> None:
        entries: list[Observation] = [
            m.flow(minute, 1, inflow=3, seconds=600, blocks=(minute, minute + 9)) for minute in range(10, 25 * 60, 10)
        ]
        entries += [m.balance(25 * 60, 1000), *m.prices(25 * 60, 10)]
        view = m.read_by([*entries, j.tick(25 * 60 + 1)]).view().reserves
        assert view is not None
        assert float(view.net_flow_24h_usd or 0) == pytest.approx(2 * 144 * 10, rel=0.05)

    def test_coverage_is_beside_the_newest_that_was_published(self) -> None:
        entries: list[Observation] = [m.balance(10, 10), m.balance(10, 5, network="base"), m.published(20, 100)]
        entries += [m.published(30, 90, source="report"), m.published(5, 80, source="report")]
        (view,) = self.reserves(entries).coverage
        assert (view.asset, view.ours, view.published) == ("ETH", Decimal(15), Decimal(90))
        assert (view.source, view.as_of) == ("report", j.at(30))

    def test_nothing_read_is_no_reserve(self) -> None:
        view = m.read_by([m.flow(1, 1), j.tick(2)]).view()
        assert (view.reserves, view.balances, view.usd) == (None, (), {})

    def test_it_says_until_when_it_holds(self) -> None:
        assert m.read_by([*j.rail(0, OPEN), j.read(0), j.tick(1)]).view().valid_until == j.at(3)
        assert m.read_by([*j.rail(0, OPEN), j.read(0), j.tick(60)]).view().valid_until == j.at(3), "past"
        assert m.read_by([m.chain(0, "moving"), j.tick(1)]).view().valid_until is None

    @pytest.mark.parametrize(
        ("more", "until", "stalled"),
        [
            pytest.param([], 25, ("ethereum",), id="it stands"),
            pytest.param([m.chain(20, "moving")], 25, (), id="it moves again"),
            pytest.param([], 600, ("ethereum",), id="and as long as nobody sees a block"),
            pytest.param([m.judged_by(20, probes=[m.LIST])], 25, (), id="nobody looks any more"),
        ],
    )
    def test_a_chain_that_stands(self, more: list[Observation], until: float, stalled: tuple[str, ...]) -> None:
        view = m.read_by([m.chain(10, "stalled"), *more, j.tick(until)]).view()
        assert view.stalled == stalled
        assert ("no new blocks on ethereum" in view.reason) == bool(stalled)
        assert view.withdrawals is ExchangeState.UNKNOWN


@pytest.mark.parametrize(
    "feed",
    [
        pytest.param([*m.priced(range(41, 150), 0)], id="zero"),
        pytest.param([], id="stopped"),
        pytest.param([*m.priced(range(41, 150), 300_000)], id="a hundredfold"),
        pytest.param([*m.priced(range(41, 150), 30)], id="a hundredth"),
        pytest.param([p for minute in range(41, 150) for p in m.prices(minute, 1, sources=["kraken"])], id="one lies"),
    ],
)
def test_a_price_feed_that_fails_is_no_outflow(feed: list[Observation]) -> None:
    entries: list[Observation] = []
    for minute in range(1, 150):
        entries += [m.balance(minute, 1000), m.hot(minute, 100), m.flow(minute, 0.01)]
        entries += m.prices(minute, 3000) if minute <= 40 else []
    fed = m.in_order(entries, feed)
    assert m.said([*fed, j.tick(151)]) == []
    reserves = m.read_by([*fed, j.tick(151)]).view().reserves
    assert reserves is not None
    assert reserves.change_1h_usd in (None, 0)


def test_the_market_is_remembered_with_an_incident() -> None:
    closing: list[Observation] = [*j.rail(0, OPEN), j.read(0), *j.rail(1, OFF), j.read(1, changed=5)]
    quotes = [*m.prices(1, 60_000, asset="BTC"), *m.prices(1, 3000)]
    engine = Engine.fresh(m.EXCHANGE)
    entries = [*closing, *quotes, j.read(2), j.read(3), *m.prices(4, 70_000, asset="BTC"), j.read(5), j.tick(6)]
    found = [out for entry in entries for out in engine.apply(entry) if type(out) is Incident]
    assert [(market.asset, market.usd, market.at) for market in found[-1].market] == [
        ("BTC", 60_000.0, j.at(2)),
        ("ETH", 3000.0, j.at(2)),
    ]


def test_the_market_is_remembered_with_an_incident_of_the_world() -> None:
    entries: list[Observation] = [*m.prices(0, 60_000, asset="BTC"), j.control(1, ok=False), j.control(2, ok=False)]
    found = [out for out in j.outputs([*entries, j.tick(3)]) if type(out) is Incident]
    assert [(market.asset, market.usd) for market in found[0].market] == [("BTC", 60_000.0)]


def test_an_engine_that_begins_later_knows_prices_and_chains() -> None:
    engines = Engines.fresh()
    begun: list[Observation] = [
        *m.prices(0, 3000),
        m.chain(1, "stalled"),
        *m.prices(4, 3100),
        j.control(5, ok=True),
        m.balance(5.1, 10),
        j.tick(6),
    ]
    for entry in begun:
        judge(engines, entry, engines.apply)
    restored = Engines.restore({name: engines.checkpoint(name) for name in engines.names()})
    for each in (engines, restored):
        view = each.view(m.EXCHANGE)
        assert (view.usd, view.stalled) == ({"ETH": Decimal(3100)}, ("ethereum",))


def test_what_is_configured_no_more_is_forgotten() -> None:
    entries: list[Observation] = [m.judged_by(0), m.balance(1, 10), m.flow(1, 1), m.mine(1, 5), m.published(1, 9)]
    entries += [m.terms(1, remaining=5), *m.prices(1, 3000), j.tick(2)]
    state = m.read_by(entries).state.decided.money
    assert state.holdings
    assert state.own
    assert state.terms
    state = m.read_by([*entries, m.judged_by(3, probes=["examplex-other"])]).state.decided.money
    assert [state.holdings, state.flows, state.own, state.published, state.terms] == [{}] * 5


def test_a_retired_exchange_holds_nothing() -> None:
    entries: list[Observation] = [m.judged_by(0), m.balance(1, 10), m.mine(1, 5), *m.prices(1, 3000), j.tick(2)]
    money = m.read_by([*entries, m.judged_by(3, exchange="otherx")]).state.decided.money
    assert (money.holdings, money.own) == ({}, {})
    assert money.prices.told, "prices are the world's"


def test_a_checkpoint_from_before_money_was_judged_is_read() -> None:
    engine = m.read_by([*j.rail(0, OPEN), j.read(0), j.tick(1)])
    written = msgspec.msgpack.decode(engine.checkpoint())
    written[4].pop("money")
    written[4]["balances"] = {}
    old = Engine.restore(msgspec.msgpack.encode(written))
    old.apply(m.balance(2, 10))
    assert [balance.amount for balance in old.view().balances] == [10]


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-1", "1e99"])
def test_an_amount_that_is_none_changes_nothing(amount: str) -> None:
    odd = Decimal(amount)
    entries: list[Observation] = [m.balance(1, 10), m.flow(1, 1), m.mine(1, 5), *m.prices(1, 3000)]
    before = m.read_by([*entries, j.tick(3)])
    nonsense: list[Observation] = [
        msgspec.structs.replace(m.balance(2, 0), amount=odd),
        msgspec.structs.replace(m.flow(2, 0), outflow=odd),
        msgspec.structs.replace(m.mine(2, 0), amount=odd),
        msgspec.structs.replace(m.terms(2), remaining=odd),
        msgspec.structs.replace(m.published(2, 0), amount=odd),
    ]
    after = m.read_by([*entries, *nonsense, j.tick(3)])
    assert (after.view().balances, after.view().exposures) == (before.view().balances, before.view().exposures)


def test_a_failure_to_read_the_world_or_money_is_none_of_the_list() -> None:
    def failure(exchange: str, probe: str) -> ProbeFailure:
        return ProbeFailure(
            at=j.at(2),
            exchange=exchange,
            probe=probe,
            reason=FailureReason.DISAGREEMENT,
            detail="two endpoints disagree",
            asset="ETH",
            network="ethereum",
        )

    entries: list[Observation] = [*j.rail(0, OPEN), j.read(0), m.balance(1, 10), j.read(1)]
    view = m.read_by([*entries, failure("", "prices-kraken"), failure(m.EXCHANGE, m.RESERVES), j.tick(3)]).view()
    assert {probe.probe: probe.unread for probe in view.probes} == {m.LIST: 0, m.RESERVES: 0}


def test_the_world_shows_how_its_own_probes_fare() -> None:
    def engines(entries: Sequence[Observation]) -> Engines:
        found = Engines.fresh()
        for entry in entries:
            judge(found, entry, found.apply)
        return found

    failed = ProbeFailure(at=j.at(3), probe="prices-kraken", reason=FailureReason.TIMEOUT, detail="no answer in 10 s")
    seen = engines([*m.prices(1, 3000), failed, j.tick(4)])
    kraken = next(probe for probe in seen.view("").probes if probe.probe == "prices-kraken")
    assert (kraken.last_success_at, kraken.failing_since, kraken.reason) == (j.at(1), j.at(3), "timeout")
    config = m.judged_by(5, probes=["prices-bitstamp"])
    assert [p.probe for p in engines([*m.prices(1, 3000), failed, config]).view("").probes] == ["prices-bitstamp"]


def every_day_low(days: int, *, last: float) -> list[Observation]:
    """A wallet of which a coin leaves a minute, refilled to 300 every two hours; at the end it holds `last`."""
    entries: list[Observation] = [m.balance(0, 1_000_000)]
    for minute in range(5, days * 1440, 5):
        blocks = 1000 + minute - 4, 1000 + minute
        entries.append(m.flow(minute, 5, seconds=300, blocks=blocks))
        entries += [m.hot(minute, 300 - minute % 120), *m.prices(minute, 3000.0)]
    end = days * 1440
    entries.append(m.flow(end, 5, seconds=300, blocks=(1000 + end - 4, 1000 + end)))
    return [*entries, m.hot(end, last), *m.prices(end, 3000.0), j.tick(end + 0.5)]


def test_a_wallet_that_is_as_low_every_day_is_warned_of_at_half_of_that() -> None:
    """It lasts three hours at its lowest."""
    known = [line for line in m.said(every_day_low(4, last=170)) if line.startswith("opened")]
    assert known == [WARNS]  # on the first day, of which nothing was known
    lower = [line for line in m.said(every_day_low(4, last=85)) if line.startswith(("opened", "reopened"))]
    assert len(lower) == 2


def test_what_a_person_wrote_down_is_no_sight_of_the_exchange() -> None:
    engine = m.read_by([m.mine(1, 5, probe="examplex-exposure"), j.tick(2)])
    assert [own.amount for own in engine.view().exposures] == [5]
    assert engine.view().probes == ()
