"""What CoinEx answers, in our words."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from monitor.model import Direction, FailureReason, RailState, RemoteError
from monitor.probes.exchanges.coinex import newest_trade, rails
from monitor.probes.rails import Terms
from monitor.probes.trades import NewestTrade

OPEN, SUSPENDED = RailState.OPEN, RailState.SUSPENDED
OUT = Direction.WITHDRAWAL
FLAGS = {"withdraw_enabled": True, "deposit_enabled": True}
MISSING = object()

TRADES = b"""{"code": 0, "data": [
  {"deal_id": 8, "created_at": 1770120011250, "side": "buy", "price": "70110.1", "amount": "0.002"},
  {"deal_id": 9, "created_at": 1770120012500, "side": "sell", "price": "70111.2", "amount": "0.1"}
], "message": "OK"}"""


def asset(ccy: str, **flags: object) -> dict[str, object]:
    return present({"ccy": ccy, "inter_transfer_enabled": True, "is_st": False, **FLAGS, **flags})


def chain(word: str, **told: object) -> dict[str, object]:
    terms = {"withdrawal_fee": "1.5", "min_withdraw_amount": "3", "safe_confirmations": 12}
    return present({"chain": word, **FLAGS, **terms, **told})


def present(told: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in told.items() if value is not MISSING}


def body(*coins: dict[str, object]) -> bytes:
    return json.dumps({"code": 0, "data": coins, "message": "OK"}).encode()


def usdt(flag: object, *, of_coin: bool = False, key: str = "withdraw_enabled") -> bytes:
    """BTC and USDT on two chains, all open but for one flag of USDT, or of its first chain."""
    coin_flags, chain_flags = ({key: flag}, {}) if of_coin else ({}, {key: flag})
    return body(
        {"asset": asset("BTC"), "chains": [chain("BTC")]},
        {"asset": asset("USDT", **coin_flags), "chains": [chain("TRC20", **chain_flags), chain("AVA_C")]},
        {"asset": asset("XRP"), "chains": [chain("XRP")]},
    )


def states(answer: bytes) -> dict[str, tuple[RailState, RailState]]:
    """asset@network -> how it stands with withdrawals and with deposits."""
    said: dict[str, dict[Direction, RailState]] = {}
    for reading in rails(answer).rails:
        said.setdefault(f"{reading.asset}@{reading.network}", {})[reading.direction] = reading.state
    return {rail: (both[OUT], both[Direction.DEPOSIT]) for rail, both in said.items()}


def raw(answer: bytes, rail: str) -> str:
    [said] = [
        each.raw for each in rails(answer).rails if f"{each.asset}@{each.network}" == rail and each.direction is OUT
    ]
    return said


def test_what_is_open_is_open() -> None:
    told = states(usdt(True))
    assert told == dict.fromkeys(
        ("BTC@*", "BTC@bitcoin", "USDT@*", "USDT@tron", "USDT@avalanche", "XRP@*", "XRP@xrp"), (OPEN, OPEN)
    )


@pytest.mark.parametrize(
    ("answer", "coin", "tron", "avalanche"),
    [
        pytest.param(usdt(False), (OPEN, OPEN), (SUSPENDED, OPEN), (OPEN, OPEN), id="chain closed"),
        pytest.param(
            usdt(False, key="deposit_enabled"),
            (OPEN, OPEN),
            (OPEN, SUSPENDED),
            (OPEN, OPEN),
            id="chain takes nothing in",
        ),
        pytest.param(
            usdt(False, of_coin=True),
            (SUSPENDED, OPEN),
            (SUSPENDED, OPEN),
            (SUSPENDED, OPEN),
            id="coin closes its chains",
        ),
        pytest.param(
            usdt(False, of_coin=True, key="deposit_enabled"),
            (OPEN, SUSPENDED),
            (OPEN, SUSPENDED),
            (OPEN, SUSPENDED),
            id="coin takes nothing in",
        ),
    ],
)
def test_a_flag_closes_what_it_is_about(
    answer: bytes,
    coin: tuple[RailState, RailState],
    tron: tuple[RailState, RailState],
    avalanche: tuple[RailState, RailState],
) -> None:
    told = states(answer)
    assert (told["USDT@*"], told["USDT@tron"], told["USDT@avalanche"]) == (coin, tron, avalanche)
    assert told["BTC@bitcoin"] == (OPEN, OPEN)


@pytest.mark.parametrize(
    ("answer", "rail", "said"),
    [
        pytest.param(usdt(True), "USDT@avalanche", "AVA_C", id="open"),
        pytest.param(usdt(False), "USDT@tron", "TRC20 chain withdraw_enabled=false", id="the chain"),
        pytest.param(usdt(False, of_coin=True), "USDT@tron", "TRC20 coin withdraw_enabled=false", id="the coin"),
        pytest.param(usdt(False, of_coin=True), "USDT@*", "coin withdraw_enabled=false", id="of the coin"),
    ],
)
def test_raw_keeps_its_own_words(answer: bytes, rail: str, said: str) -> None:
    assert raw(answer, rail) == said


no_flag = pytest.mark.parametrize(
    "flag",
    [
        pytest.param("false", id="a string"),
        pytest.param(0, id="a number"),
        pytest.param(None, id="null"),
        pytest.param(MISSING, id="missing"),
    ],
)


@no_flag
@pytest.mark.parametrize("key", ["withdraw_enabled", "deposit_enabled"])
def test_a_chains_flag_that_is_none_costs_that_chain(flag: object, key: str) -> None:
    answer = usdt(flag, key=key)
    [flaw] = rails(answer).flaws
    assert flaw.asset == "USDT"
    assert "$.data[1].chains[0]" in flaw.detail
    assert set(states(answer)) == {"BTC@*", "BTC@bitcoin", "USDT@*", "USDT@avalanche", "XRP@*", "XRP@xrp"}


@no_flag
@pytest.mark.parametrize("key", ["withdraw_enabled", "deposit_enabled"])
def test_a_coins_flag_that_is_none_costs_that_coin(flag: object, key: str) -> None:
    answer = usdt(flag, of_coin=True, key=key)
    [flaw] = rails(answer).flaws
    assert flaw.asset == "USDT"
    assert "$.data[1].asset" in flaw.detail
    assert set(states(answer)) == {"BTC@*", "BTC@bitcoin", "XRP@*", "XRP@xrp"}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({}, id="empty"),
        pytest.param({"asset": {**FLAGS, "ccy": 7}, "chains": []}, id="a number"),
        pytest.param({"asset": {"ccy": "X" * 65}, "chains": []}, id="too long"),
    ],
)
def test_a_row_whose_name_is_none_is_a_flaw_of_no_coin(row: dict[str, object]) -> None:
    [flaw] = rails(body({"asset": asset("BTC"), "chains": [chain("BTC")]}, row)).flaws
    assert flaw.asset == ""
    assert "$.data[1]" in flaw.detail


def test_a_coin_without_chains_has_no_way_out_to_tell_of() -> None:
    assert set(states(body({"asset": asset("EUR"), "chains": []}))) == set()


def test_terms_are_what_it_costs_to_leave() -> None:
    told = body({"asset": asset("USDT"), "chains": [chain("TRC20"), chain("ERC20", withdrawal_fee="none")]})
    assert list(rails(told).terms) == [
        Terms("USDT", "tron", fee=Decimal("1.5"), minimum=Decimal(3)),
        Terms("USDT", "ethereum", fee=None, minimum=Decimal(3)),
    ]


@pytest.mark.parametrize("read", [rails, newest_trade])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(b'{"code": 3008, "data": {}, "message": "service too busy"}', FailureReason.HTTP_5XX, id="busy"),
        pytest.param(b'{"code": 4213, "data": {}, "message": "slow down"}', FailureReason.RATE_LIMITED, id="too often"),
        pytest.param(
            b'{"code": 3639, "data": {}, "message": "market not found"}', FailureReason.HTTP_4XX, id="unknown"
        ),
        pytest.param(b'{"code": 0, "message": "OK"}', FailureReason.SCHEMA, id="fine, and nothing in it"),
        pytest.param(b'{"code": 0, "data": {}, "message": "OK"}', FailureReason.SCHEMA, id="fine, and no list"),
        pytest.param(b'{"code": "0", "data": []}', FailureReason.SCHEMA, id="a code that is none"),
    ],
)
def test_an_error_inside_a_200_is_that_error(
    read: Callable[[bytes], object], answer: bytes, reason: FailureReason
) -> None:
    with pytest.raises(RemoteError) as raised:
        read(answer)
    assert raised.value.reason is reason


def test_the_newest_trade_counts() -> None:
    at = datetime(2026, 2, 3, 12, 0, 12, 500_000, tzinfo=UTC)
    assert newest_trade(TRADES) == NewestTrade(at, Decimal("70111.2"))
