"""What the pages say of money: unknown is a word and never nothing, and what is past its time is unknown."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from monitor.model import (
    BalanceView,
    CoverageView,
    ExchangeState,
    ExchangeView,
    ExposureView,
    Market,
    ProbeView,
    RailVerdict,
    ReservesView,
    WayView,
)
from monitor.reserves.ranking import Ranked, holders, ranking
from monitor.web import money
from monitor.web.pages import Cell
from monitor.web.phrases import Tone
from monitor.web.verdict import exits, verdict

NOW = datetime(2026, 2, 3, 14, 24, 30, tzinfo=UTC)
ETHER = BalanceView(
    asset="ETH",
    network="ethereum",
    amount=Decimal(400_000),
    read_at=NOW,
    wallets=12,
    wallets_read=12,
    usd=Decimal(1_000_000_000),
    change_1h=Decimal(-40),
    change_24h=Decimal(400),
)
OWN = ExposureView(
    asset="ETH",
    amount=Decimal(5000),
    told_at=NOW,
    withdrawable=Decimal(3100),
    stuck=Decimal(1900),
    unknown=Decimal(0),
    usd=Decimal(12_500_000),
    ways=(
        WayView(network="ethereum", verdict=RailVerdict.OPEN, since=None, limit=Decimal(3100), why="the hot wallet"),
        WayView(network="solana", verdict=RailVerdict.OPEN, since=None, limit=Decimal(0), why="no new blocks"),
    ),
    hot=Decimal(3100),
)
VIEW = ExchangeView(
    exchange="kucoin",
    title="KuCoin",
    at=NOW,
    withdrawals=ExchangeState.HALTED,
    since=NOW - timedelta(hours=1),
    reason="all rails are off",
    probes=(ProbeView(probe="kucoin-currencies", last_success_at=NOW, failing_since=None),),
    balances=(ETHER,),
    reserves=ReservesView(usd=Decimal(1_000_000_000), change_1h_usd=Decimal(-100_000), priced_at=NOW),
    exposures=(OWN,),
    valid_until=NOW + timedelta(minutes=3),
)


def shown(view: ExchangeView) -> Ranked:
    [ranked] = ranking([view])
    return ranked


@pytest.mark.parametrize(
    ("reserves", "cell"),
    [
        pytest.param(
            ReservesView(usd=Decimal(31_200_000), priced_at=NOW), Cell("$31.2M", None, "", Tone.UNKNOWN), id="whole"
        ),
        pytest.param(
            ReservesView(usd=Decimal(31_200_000), unread=2, unpriced=("KCS",), priced_at=NOW),
            Cell("$31.2M", Tone.UNKNOWN, "2 wallets unread; no price of KCS", Tone.UNKNOWN),
            id="in part",
        ),
        pytest.param(
            ReservesView(usd=Decimal(0), unpriced=("ETH",)), Cell("unknown", Tone.UNKNOWN, "no price of ETH"), id="none"
        ),
    ],
)
def test_a_total_says_what_is_not_in_it(reserves: ReservesView, cell: Cell) -> None:
    assert money.worth(shown(replace(VIEW, reserves=reserves))) == cell


def test_a_change_is_in_dollars_and_in_coins_and_unknown_is_a_word() -> None:
    hour, day, week = (cell for _, cell in money.changes(shown(VIEW)))
    assert (hour.text, hour.note) == ("-$100.0k", "ETH\xa0-40")
    assert (day.text, day.tone, day.note) == ("unknown", Tone.UNKNOWN, "ETH\xa0+400")
    assert (week.text, week.note) == ("unknown", "")


def test_an_asset_on_two_networks_is_known_only_where_both_are() -> None:
    base = replace(ETHER, network="base", amount=Decimal(10), change_1h=Decimal(1), change_24h=None, wallets_read=11)
    [(_, held)] = holders(ranking([replace(VIEW, balances=(ETHER, base))]), "ETH")
    assert (held.amount, held.change_1h, held.change_24h) == (Decimal(400_010), Decimal(-39), None)
    assert (held.wallets, held.wallets_read) == (24, 23)


def test_exchanges_rank_by_worth_and_those_without_reserves_are_named() -> None:
    poor = replace(VIEW, exchange="gate", reserves=ReservesView(usd=Decimal(5)))
    silent = replace(VIEW, exchange="upbit", title="Upbit", reserves=None, balances=())
    gone = replace(VIEW, exchange="okx", retired=True)
    views = [poor, silent, gone, VIEW]
    assert [each.exchange for each in ranking(views)] == ["kucoin", "gate"]
    assert money.unread_exchanges(views) == ["Upbit"]


def test_coverage_is_of_what_the_exchange_says() -> None:
    told = CoverageView(
        asset="ETH", ours=Decimal(400_000), published=Decimal(500_000), as_of=NOW, source="https://kucoin.example/por"
    )
    ranked = shown(replace(VIEW, reserves=ReservesView(usd=Decimal(1), coverage=(told,))))
    assert money.covered(ranked.assets) == Cell("80 % of ETH", None, "of its word of 2026-02-03: kucoin.example/por")
    assert money.covered(shown(VIEW).assets).text == "not known"


@pytest.mark.parametrize(
    ("balance", "words", "tone"),
    [
        pytest.param(replace(ETHER, runway_seconds=1800.0), "30 min", Tone.BAD, id="half an hour"),
        pytest.param(replace(ETHER, runway_seconds=4 * 3600.0), "4 h", Tone.WARNING, id="four hours"),
        pytest.param(replace(ETHER, runway_seconds=86_400.0), "24 h", None, id="a day"),
        pytest.param(replace(ETHER, hot=Decimal(5), outflow_1h=Decimal(0)), "nothing leaves", Tone.QUIET, id="still"),
        pytest.param(ETHER, "unknown", Tone.UNKNOWN, id="not known"),
    ],
)
def test_a_runway_is_a_time_or_a_word(balance: BalanceView, words: str, tone: Tone | None) -> None:
    assert (money.runway(balance).text, money.runway(balance).tone) == (words, tone)


def test_what_was_read_long_ago_or_in_part_is_doubtful() -> None:
    old = money.held_coins(replace(ETHER, read_at=NOW - timedelta(hours=3)), NOW)
    assert (old.tone, old.note) == (Tone.UNKNOWN, "as of 11:24 UTC")
    assert money.held_coins(replace(ETHER, wallets_read=11), NOW).tone is Tone.UNKNOWN
    assert money.held_coins(ETHER, NOW) == Cell("400,000", None, "", Tone.UNKNOWN)


def test_a_way_that_is_open_and_pays_nobody_is_not_fine() -> None:
    [row] = money.exit_rows(VIEW, NOW)
    assert [(network, mark.tone) for network, mark, _ in row.ways] == [
        ("ethereum", Tone.FINE),
        ("solana", Tone.WARNING),
    ]


@pytest.mark.parametrize(
    ("exposures", "words", "tone"),
    [
        pytest.param((OWN,), "yours: $7.8M can leave, $4.8M stuck", Tone.BAD, id="some is stuck"),
        pytest.param(
            (replace(OWN, usd=None, withdrawable=Decimal(0), stuck=Decimal(0), unknown=Decimal(5000)),),
            "yours: 5,000 ETH unknown",
            Tone.UNKNOWN,
            id="unknown, without a price",
        ),
        pytest.param(
            (replace(OWN, withdrawable=Decimal(5000), stuck=Decimal(0)),),
            "yours: $12.5M can leave",
            Tone.QUIET,
            id="all can leave",
        ),
    ],
)
def test_exits_in_a_line(exposures: tuple[ExposureView, ...], words: str, tone: Tone) -> None:
    line = money.exit_line(replace(VIEW, exposures=exposures), NOW)
    assert line is not None
    assert (line.text, line.tone) == (words, tone)


def test_without_an_exposure_there_is_no_line() -> None:
    assert money.exit_line(replace(VIEW, exposures=()), NOW) is None
    assert money.exit_words(replace(VIEW, exposures=()), NOW) == []


@pytest.mark.parametrize(
    ("valid_until", "why"),
    [
        pytest.param(NOW - timedelta(seconds=31), "the last word held until 14:23 UTC", id="past"),
        pytest.param(None, "no source that tells was read yet", id="never valid"),
    ],
)
def test_past_its_time_a_verdict_is_unknown_and_so_are_exits(valid_until: datetime | None, why: str) -> None:
    view = replace(VIEW, valid_until=valid_until)
    told = verdict(view, NOW)
    assert (told.state, told.stale, told.since) == (ExchangeState.UNKNOWN, True, valid_until)
    assert told.reason.endswith(f"{why}; before that it was halted")
    for held in (*told.exits, *exits(view, NOW)):
        assert not held.withdrawable + held.stuck
        assert held.unknown == held.amount
    assert told.exits_in_words[0].startswith("KuCoin $12.5M: $12.5M unknown by ethereum")


def test_in_its_time_a_verdict_is_what_was_judged() -> None:
    told = verdict(VIEW, NOW + timedelta(seconds=12))
    assert (told.state, told.stale, told.since, told.reason) == (VIEW.withdrawals, False, VIEW.since, VIEW.reason)
    assert (told.age_seconds, told.exits) == (12.0, VIEW.exposures)
    assert verdict(VIEW, NOW + timedelta(minutes=3)).stale is False, "until it, not from it"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        pytest.param(
            Market(asset="BTC", at=NOW, usd=97012.4, change_24h=-0.021, volatility_1h=0.008),
            "BTC 97,012 USD, -2.1 % in 24 h, 0.8 % volatility in the hour",
            id="whole",
        ),
        pytest.param(
            Market(asset="ETH", at=NOW, usd=911.5),
            "ETH 911.50 USD, change in 24 h unknown, volatility unknown",
            id="only its price",
        ),
    ],
)
def test_the_market_at_a_minute(told: Market, words: str) -> None:
    assert money.market(told) == words
