"""What of a holding can leave: by flags, limits, hot wallets, the chain and what nobody can see."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import ExposureView, RailVerdict, WayView
from monitor.reserves.exit_words import explain
from monitor.reserves.exits import Way, leave

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
OPEN, DELAYED, OFF = RailVerdict.OPEN, RailVerdict.DELAYED, RailVerdict.SUSPENDED
MAINTENANCE, DISPUTED = RailVerdict.MAINTENANCE, RailVerdict.DISPUTED
UNKNOWN, UNLISTED = RailVerdict.UNKNOWN, RailVerdict.UNLISTED
SILENT, BLIND = "the hot wallets stopped sending", "we cannot see"


def way(
    verdict: RailVerdict = OPEN,
    network: str = "ethereum",
    *,
    hot: int | None = None,
    minimum: int | None = None,
    maximum: int | None = None,
    remaining: int | None = None,
    blocked: str = "",
) -> Way:
    def coins(amount: int | None) -> Decimal | None:
        return Decimal(amount) if amount is not None else None

    return Way(
        network=network,
        verdict=verdict,
        since=NOW - timedelta(minutes=14),
        minimum=coins(minimum),
        maximum=coins(maximum),
        remaining=coins(remaining),
        hot=coins(hot),
        blocked=blocked,
    )


TRON = "tron"


@pytest.mark.parametrize(
    ("ways", "withdrawable", "stuck", "unknown"),
    [
        pytest.param([way()], 100, 0, 0, id="an open way without a known limit carries all"),
        pytest.param([way(OFF)], 0, 100, 0, id="the only way is closed"),
        pytest.param([way(MAINTENANCE)], 0, 100, 0, id="maintenance is closed too"),
        pytest.param([way(OFF), way(OPEN, TRON)], 100, 0, 0, id="one way is enough"),
        pytest.param([way(DELAYED)], 100, 0, 0, id="slow is open"),
        pytest.param([way(UNKNOWN)], 0, 0, 100, id="unknown is not stuck"),
        pytest.param([way(DISPUTED)], 0, 0, 100, id="what sources disagree on is unknown"),
        pytest.param([way(OFF), way(UNKNOWN, TRON)], 0, 0, 100, id="closed, and another that nobody can see"),
        pytest.param([], 0, 0, 100, id="no network is told"),
        pytest.param([way(UNLISTED)], 0, 0, 100, id="unlisted is no way, and no closed one"),
        pytest.param([way(UNLISTED), way(OFF, TRON)], 0, 100, 0, id="unlisted beside a closed one"),
        pytest.param([way(network="*")], 100, 0, 0, id="only the asset's own flag"),
        pytest.param([way(OFF, "*")], 0, 100, 0, id="only the asset's own flag, and it is off"),
        pytest.param([way(hot=100)], 100, 0, 0, id="a hot wallet that holds just enough"),
        pytest.param([way(hot=60)], 60, 40, 0, id="the rest waits for a refill"),
        pytest.param([way(hot=0)], 0, 100, 0, id="an empty hot wallet"),
        pytest.param([way(hot=60), way(OPEN, TRON, hot=30)], 90, 10, 0, id="hot wallets add up"),
        pytest.param([way(hot=60), way(OPEN, TRON, hot=70)], 100, 0, 0, id="together they hold enough"),
        pytest.param([way(hot=60), way(OPEN, TRON)], 100, 0, 0, id="of one way no limit is known"),
        pytest.param([way(hot=60), way(UNKNOWN, TRON)], 60, 0, 40, id="the rest may leave by a way nobody can see"),
        pytest.param([way(hot=60), way(OFF, TRON, hot=900)], 60, 40, 0, id="a closed way's hot wallet is no help"),
        pytest.param([way(remaining=25)], 25, 75, 0, id="a quota limits"),
        pytest.param([way(remaining=25, hot=60)], 25, 75, 0, id="the quota is the narrower"),
        pytest.param([way(remaining=60, hot=25)], 25, 75, 0, id="the hot wallet is the narrower"),
        pytest.param([way(maximum=1)], 100, 0, 0, id="a maximum of one withdrawal limits no sum"),
        pytest.param([way(minimum=101)], 0, 100, 0, id="too little for a withdrawal"),
        pytest.param([way(minimum=100)], 100, 0, 0, id="just enough for a withdrawal"),
        pytest.param([way(minimum=101), way(OPEN, TRON)], 100, 0, 0, id="too little for one way only"),
        pytest.param([way(minimum=101), way(UNKNOWN, TRON)], 0, 0, 100, id="too little, and another nobody can see"),
        pytest.param([way(OFF), way(UNKNOWN, TRON, minimum=101)], 0, 100, 0, id="too little for what nobody can see"),
        pytest.param([way(hot=5, minimum=10)], 0, 100, 0, id="the hot wallet holds less than one withdrawal"),
        pytest.param([way(blocked="no new blocks")], 0, 100, 0, id="a chain that stands carries nothing"),
        pytest.param([way(blocked="no new blocks"), way(OPEN, TRON)], 100, 0, 0, id="another chain moves"),
        pytest.param([way(UNKNOWN, blocked="no new blocks")], 0, 100, 0, id="whatever its flag, it stands"),
    ],
)
def test_what_can_leave(ways: Sequence[Way], withdrawable: int, stuck: int, unknown: int) -> None:
    parts = leave("ETH", Decimal(100), ways)
    expected = (withdrawable, stuck, unknown)
    assert [parts.withdrawable, parts.stuck, parts.unknown] == [Decimal(part) for part in expected]


@pytest.mark.parametrize(
    ("ways", "unpaid", "unseen", "expected"),
    [
        pytest.param([way()], SILENT, "", (0, 100, 0), id="flags say open, the chain shows no payment"),
        pytest.param([way(UNKNOWN)], SILENT, "", (0, 100, 0), id="the chain needs no flag"),
        pytest.param([], SILENT, "", (0, 0, 100), id="nor does it tell of what has no network"),
        pytest.param([way()], "", BLIND, (0, 0, 100), id="blind"),
        pytest.param([way(OFF)], "", BLIND, (0, 0, 100), id="blind, whatever was read before"),
        pytest.param([way()], SILENT, BLIND, (0, 0, 100), id="blind goes before silence"),
    ],
)
def test_the_exchange_as_a_whole(ways: Sequence[Way], unpaid: str, unseen: str, expected: tuple[int, int, int]) -> None:
    parts = leave("ETH", Decimal(100), ways, unpaid=unpaid, unseen=unseen)
    assert [parts.withdrawable, parts.stuck, parts.unknown] == [Decimal(part) for part in expected]


@pytest.mark.parametrize(
    ("only", "limit", "why"),
    [
        pytest.param(way(), None, "what its hot wallet holds is not known", id="no limit is known"),
        pytest.param(way(hot=3100), 3100, "the hot wallet holds 3,100 ETH", id="hot"),
        pytest.param(way(remaining=500), 500, "500 ETH are left of the quota", id="quota"),
        pytest.param(way(minimum=9000), 0, "at least 9,000 ETH a withdrawal", id="minimum"),
        pytest.param(
            way(hot=3100, maximum=500),
            3100,
            "the hot wallet holds 3,100 ETH; at most 500 ETH a withdrawal",
            id="in several withdrawals",
        ),
        pytest.param(way(DELAYED, hot=3100), 3100, "it is slow; the hot wallet holds 3,100 ETH", id="slow"),
        pytest.param(way(OFF, hot=3100), 0, "", id="closed"),
        pytest.param(way(blocked="no new blocks"), 0, "no new blocks", id="in the way"),
    ],
)
def test_a_way_says_what_limits_it(only: Way, limit: int | None, why: str) -> None:
    (seen,) = leave("ETH", Decimal(5000), [only]).ways
    assert (seen.limit, seen.why) == (limit, why)


def test_the_hot_wallets_of_open_ways_are_counted() -> None:
    ways = [way(hot=10), way(DELAYED, "base", hot=5), way(OFF, TRON, hot=900), way(OPEN, "bsc")]
    assert leave("ETH", Decimal(1), ways).hot == 15
    assert leave("ETH", Decimal(1), [way()]).hot is None


AMOUNTS = st.decimals(0, 10**15, allow_nan=False, allow_infinity=False, places=18)
WAYS = st.builds(
    Way,
    network=st.sampled_from(["ethereum", "tron", "bsc", "*"]),
    verdict=st.sampled_from(RailVerdict),
    minimum=st.none() | AMOUNTS,
    maximum=st.none() | AMOUNTS,
    remaining=st.none() | AMOUNTS,
    hot=st.none() | AMOUNTS,
    blocked=st.sampled_from(["", "no new blocks"]),
)


@given(
    amount=AMOUNTS,
    ways=st.lists(WAYS, max_size=5),
    unpaid=st.sampled_from(["", SILENT]),
    unseen=st.sampled_from(["", BLIND]),
)
def test_the_parts_are_the_whole(amount: Decimal, ways: list[Way], unpaid: str, unseen: str) -> None:
    parts = leave("ETH", amount, ways, unpaid=unpaid, unseen=unseen)
    exact = Context(prec=60)
    assert exact.add(exact.add(parts.withdrawable, parts.stuck), parts.unknown) == amount
    assert min(parts.withdrawable, parts.stuck, parts.unknown) >= 0
    if not any(each.verdict in (OPEN, DELAYED) for each in ways):
        assert parts.withdrawable == 0


def exposure(
    asset: str, amount: int, ways: Sequence[Way], *, price: int | None, unpaid: str = "", unseen: str = ""
) -> ExposureView:
    parts = leave(asset, Decimal(amount), ways, unpaid=unpaid, unseen=unseen)
    return ExposureView(
        asset=asset,
        amount=Decimal(amount),
        told_at=NOW,
        withdrawable=parts.withdrawable,
        stuck=parts.stuck,
        unknown=parts.unknown,
        usd=Decimal(amount * price) if price is not None else None,
        ways=parts.ways,
        hot=parts.hot,
    )


@pytest.mark.parametrize(
    ("exposures", "sentences"),
    [
        pytest.param(
            [
                exposure("ETH", 5000, [way(hot=3100), way(OPEN, "base")], price=3000),
                exposure("USDT", 3_000_000, [way(OFF), way(OPEN, TRON)], price=1),
                exposure("SOL", 66_000, [way(OFF, "solana")], price=200),
            ],
            [
                (
                    "kucoin $31.2M: $18.0M can leave now by ethereum, base and tron, $13.2M only by solana (off 14 min)"
                    "; the hot wallet holds 3,100 ETH, you hold 5,000"
                )
            ],
            id="some can leave and some not",
        ),
        pytest.param(
            [exposure("ETH", 5000, [way(hot=3100)], price=3000)],
            [
                (
                    "kucoin $15.0M: $9.3M can leave now by ethereum, "
                    "$5.7M not now by ethereum (the hot wallet holds 3,100 ETH), you hold 5,000"
                )
            ],
            id="the hot wallet is too small",
        ),
        pytest.param(
            [exposure("ETH", 10, [way(MAINTENANCE, network="*")], price=3000)],
            ["kucoin $30.0k: $30.0k only by * (in maintenance 14 min)"],
            id="all is stuck",
        ),
        pytest.param(
            [exposure("ETH", 10, [way()], price=3000, unseen=BLIND), exposure("XYZ", 10, [], price=20)],
            ["kucoin $30.2k: $30.0k unknown by ethereum (we cannot see), $200 unknown: no network of it is told"],
            id="nothing is known",
        ),
        pytest.param(
            [exposure("XYZ", 10, [way(), way(OFF, TRON)], price=None)],
            ["kucoin 10 XYZ (no price): 10 can leave now by ethereum"],
            id="no price",
        ),
        pytest.param([], [], id="nothing is held"),
    ],
)
def test_the_sentence(exposures: Sequence[ExposureView], sentences: list[str]) -> None:
    assert explain("kucoin", exposures, now=NOW) == sentences


def test_a_way_of_which_the_beginning_is_not_known() -> None:
    ways = (WayView(network="solana", verdict=OFF, since=None, limit=Decimal(0)),)
    held = exposure("SOL", 1, [way(OFF, "solana")], price=200)
    one = ExposureView(
        asset="SOL",
        amount=Decimal(1),
        told_at=NOW,
        withdrawable=Decimal(0),
        stuck=Decimal(1),
        unknown=Decimal(0),
        usd=held.usd,
        ways=ways,
    )
    assert explain("kucoin", [one], now=NOW) == ["kucoin $200: $200 only by solana (off since before we looked)"]
