"""What went in and out of a set of wallets, from single transactions."""

import pytest

from monitor.chains.ledger import Head, Movement, Token
from monitor.reserves.flows import Tally, tally
from tests.hand_clock import NOON

BTC = Token(asset="BTC", decimals=8)
USDT = Token(asset="USDT", contract="0xa1", decimals=6)
BLOCK = Head(number=7, hash="07", timestamp=NOON)

OWN = ("hot", "hot 2", "cold")
COLD = ("cold",)
LABELLED = ("kraken",)


def move(
    changes: dict[str, int], *payments: tuple[str, int], token: Token = BTC, fee: int = 0, transaction: str = "t"
) -> Movement:
    senders = tuple(address for address, change in changes.items() if change < 0)
    return Movement(
        block=BLOCK, transaction=transaction, token=token, changes=changes, payments=payments, senders=senders, fee=fee
    )


def tallied(*moves: Movement) -> list[Tally[Token]]:
    return tally(moves, own=OWN, cold=COLD, labelled=LABELLED)


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        pytest.param([move({"hot": 70})], Tally(token=BTC, inflow=70, inflow_count=1), id="a deposit"),
        pytest.param(
            [move({"hot": -105}, ("ann", 100), fee=5)],
            Tally(
                token=BTC,
                outflow=105,
                outflow_count=1,
                outflow_sum_of_squares=10_000,
                outflow_max=100,
                unlabelled_outflow=100,
            ),
            id="a payment and its fee",
        ),
        pytest.param(
            [move({"hot": -62}, ("ann", 30), ("bob", 20), ("ann", 10), fee=2)],
            Tally(
                token=BTC,
                outflow=62,
                outflow_count=3,
                outflow_sum_of_squares=1_400,
                outflow_max=30,
                unlabelled_outflow=60,
            ),
            id="a batch with change, which pays one twice",
        ),
        pytest.param(
            [move({"hot": -500, "hot 2": 437}, ("ann", 60), fee=3)],
            Tally(
                token=BTC,
                outflow=63,
                outflow_count=1,
                outflow_sum_of_squares=3_600,
                outflow_max=60,
                internal=437,
                unlabelled_outflow=60,
            ),
            id="change to another wallet of ours",
        ),
        pytest.param(
            [move({"cold": -1_001, "hot": 1_000}, fee=1)],
            Tally(token=BTC, outflow=1, internal=1_000, cold_outflow=1),
            id="cold to hot costs its fee only",
        ),
        pytest.param(
            [move({"cold": -900, "hot": 900}), move({"hot": -900}, ("ann", 900))],
            Tally(
                token=BTC,
                outflow=900,
                outflow_count=1,
                outflow_sum_of_squares=810_000,
                outflow_max=900,
                internal=900,
                unlabelled_outflow=900,
            ),
            id="cold to hot, then out, left from hot",
        ),
        pytest.param(
            [move({"cold": -900}, ("ann", 900))],
            Tally(
                token=BTC,
                outflow=900,
                outflow_count=1,
                outflow_sum_of_squares=810_000,
                outflow_max=900,
                cold_outflow=900,
                unlabelled_outflow=900,
            ),
            id="out from cold",
        ),
        pytest.param(
            [move({"cold": -100, "hot": 60}, ("ann", 40))],
            Tally(
                token=BTC,
                outflow=40,
                outflow_count=1,
                outflow_sum_of_squares=1_600,
                outflow_max=40,
                internal=60,
                cold_outflow=40,
                unlabelled_outflow=40,
            ),
            id="out from cold with change to hot",
        ),
        pytest.param(
            [move({"cold": -100, "hot": -20}, ("kraken", 115), fee=5)],
            Tally(
                token=BTC,
                outflow=120,
                outflow_count=1,
                outflow_sum_of_squares=115**2,
                outflow_max=115,
                cold_outflow=100,
            ),
            id="two senders to an address on a list",
        ),
        pytest.param([move({"hot": -3}, fee=3)], Tally(token=BTC, outflow=3), id="a fee only"),
        pytest.param(
            [move({"hot": -12}, ("", 10), fee=2)],
            Tally(
                token=BTC,
                outflow=12,
                outflow_count=1,
                outflow_sum_of_squares=100,
                outflow_max=10,
                unlabelled_outflow=10,
            ),
            id="to an output without an address",
        ),
        pytest.param(
            [move({"hot": -40}, ("ann", 100))],
            Tally(
                token=BTC,
                outflow=40,
                outflow_count=1,
                outflow_sum_of_squares=10_000,
                outflow_max=100,
                unlabelled_outflow=40,
            ),
            id="strangers paid the rest",
        ),
        pytest.param([move({"hot": 0})], Tally(token=BTC), id="to itself"),
        pytest.param(
            [move({"hot": 50}), move({"hot 2": 25}, transaction="u"), move({"hot": -5, "hot 2": 5}, transaction="v")],
            Tally(token=BTC, inflow=75, inflow_count=2, internal=5),
            id="several transactions add up",
        ),
    ],
)
def test_of_transactions(moves: list[Movement], expected: Tally[Token]) -> None:
    assert tallied(*moves) == [expected]


def test_each_token_has_its_own() -> None:
    told = tallied(move({"hot": -2}, fee=2), move({"hot": -9}, ("ann", 9), token=USDT), move({"cold": 5}))

    assert [(each.token, each.inflow, each.outflow) for each in told] == [(BTC, 5, 2), (USDT, 0, 9)]


def test_of_nothing_there_is_none() -> None:
    assert tallied() == []


def test_is_exact_beyond_what_floats_hold() -> None:
    amount = 115_792_089_237_316_195_423_570_985_008_687_907_853_269_984_665_640_564_039_457
    (told,) = tallied(move({"hot": -amount}, ("ann", amount)))

    assert told.outflow == amount
    assert told.outflow_sum_of_squares == amount * amount
