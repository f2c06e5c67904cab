"""What each exchange's list of coins says, in our words."""

import re
from pathlib import Path

import pytest
from msgspec.structs import astuple

from monitor.model import Direction, FailureReason, RailState, RemoteError
from monitor.probes import EXCHANGES
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed

BODIES = Path(__file__).parents[1] / "data" / "exchanges"
LISTS = {
    "binance": "binance_coins.json",
    "bitget": "bitget_coins.json",
    "gate": "gate_currencies.json",
    "htx": "htx_currencies.json",
    "kraken": "kraken_assets.json",
    "kucoin": "kucoin_currencies.json",
}
OPEN, SUSPENDED, DELAYED = RailState.OPEN, RailState.SUSPENDED, RailState.DELAYED


def decoded(exchange: str, body: bytes) -> Listed:
    return EXCHANGES[exchange].lists[0].decode(body)


def sample(exchange: str) -> bytes:
    return (BODIES / LISTS[exchange]).read_bytes()


def states(exchange: str) -> dict[str, tuple[RailState, RailState]]:
    """asset@network -> how it stands with withdrawals and with deposits."""
    said: dict[str, dict[Direction, RailState]] = {}
    for reading in decoded(exchange, sample(exchange)).rails:
        said.setdefault(f"{reading.asset}@{reading.network}", {})[reading.direction] = reading.state
    return {rail: (both[Direction.WITHDRAWAL], both[Direction.DEPOSIT]) for rail, both in said.items()}


@pytest.mark.parametrize(
    ("exchange", "rail", "withdrawal", "deposit"),
    [
        pytest.param("kraken", "BTC@*", OPEN, OPEN, id="kraken calls bitcoin XBT"),
        pytest.param("kraken", "DOGE@*", OPEN, OPEN, id="kraken calls dogecoin XDG"),
        pytest.param("kraken", "USDT@*", SUSPENDED, OPEN, id="kraken deposit_only"),
        pytest.param("kraken", "ADA@*", OPEN, SUSPENDED, id="kraken withdrawal_only"),
        pytest.param("kraken", "ETH@*", SUSPENDED, SUSPENDED, id="kraken funding_temporarily_disabled"),
        pytest.param("kraken", "ZRX@*", OPEN, OPEN, id="kraken coin whose name begins as fiat does"),
        pytest.param("kucoin", "ETH@ethereum", OPEN, SUSPENDED, id="kucoin deposits off"),
        pytest.param("kucoin", "USDT@tron", SUSPENDED, SUSPENDED, id="kucoin both off"),
        pytest.param("kucoin", "BTC@bech32", SUSPENDED, OPEN, id="kucoin segwit is a door of its own"),
        pytest.param("kucoin", "BTC@bitcoin", OPEN, OPEN, id="kucoin segwit closes nothing else"),
        pytest.param("gate", "USDT@tron", SUSPENDED, OPEN, id="gate chain disabled"),
        pytest.param("gate", "USDT@arbitrum", DELAYED, SUSPENDED, id="gate chain delayed"),
        pytest.param("gate", "USDT@ethereum", OPEN, OPEN, id="gate other chain of the coin"),
        pytest.param("gate", "ETH@ethereum", SUSPENDED, OPEN, id="gate coin disabled closes its chains"),
        pytest.param("gate", "ETH@optimism", SUSPENDED, SUSPENDED, id="gate coin disabled outranks delayed"),
        pytest.param("gate", "BTC@bitcoin", DELAYED, SUSPENDED, id="gate coin delayed, deposits of the coin off"),
        pytest.param("htx", "USDT@tron", SUSPENDED, OPEN, id="htx prohibited"),
        pytest.param("htx", "USDT@ethereum", OPEN, SUSPENDED, id="htx deposits prohibited"),
        pytest.param("htx", "USDT@solana", OPEN, OPEN, id="htx base chain decides the network"),
        pytest.param("htx", "BTC@ethereum", OPEN, OPEN, id="htx wrapped coin on another chain"),
        pytest.param("htx", "ETH@optimism", OPEN, OPEN, id="htx chain without a base chain"),
        pytest.param("bitget", "USDT@ethereum", OPEN, SUSPENDED, id="bitget rechargeable false"),
        pytest.param("bitget", "USDT@tron", SUSPENDED, OPEN, id="bitget withdrawable false"),
        pytest.param("bitget", "USDT@avalanche", OPEN, OPEN, id="bitget C-Chain"),
        pytest.param("binance", "BTC@bitcoin", SUSPENDED, OPEN, id="binance one network off, withdrawAllEnable true"),
        pytest.param("binance", "BTC@bnb-beacon", SUSPENDED, SUSPENDED, id="binance BNB is the old chain"),
        pytest.param("binance", "ETH@ethereum", OPEN, OPEN, id="binance network on, withdrawAllEnable false"),
        pytest.param("binance", "USDT@polygon", OPEN, OPEN, id="binance MATIC"),
    ],
)
def test_a_rail_reads_as_the_exchange_says(exchange: str, rail: str, withdrawal: RailState, deposit: RailState) -> None:
    assert states(exchange)[rail] == (withdrawal, deposit)


WATCHED = {
    "BTC@bitcoin",
    "ETH@ethereum",
    "USDT@ethereum",
    "USDT@tron",
    "USDC@ethereum",
    "SOL@solana",
    "XRP@xrp",
    "TRX@tron",
    "BNB@bsc",
}


@pytest.mark.parametrize("exchange", ["binance", "bitget", "gate", "htx", "kucoin"])
def test_what_is_watched_by_default_has_our_name(exchange: str) -> None:
    assert set(states(exchange)) >= WATCHED


@pytest.mark.parametrize("absent", ["EUR@*", "DOT.S@*"], ids=["fiat", "an asset's ledger that is no coin to be sent"])
def test_kraken_leaves_out_what_cannot_be_withdrawn_as_a_coin(absent: str) -> None:
    assert absent not in states("kraken")
    assert not any(rail.startswith(absent.partition("@")[0]) for rail in states("kraken"))


@pytest.mark.parametrize(
    ("exchange", "rail", "raw"),
    [
        pytest.param("kraken", "ETH@*", "funding_temporarily_disabled", id="kraken"),
        pytest.param("kucoin", "USDT@tron", "TRC20 isWithdrawEnabled=false", id="kucoin"),
        pytest.param("kucoin", "USDT@ethereum", "ERC20", id="kucoin open"),
        pytest.param("gate", "USDT@arbitrum", "ARBEVM chain withdraw_delayed", id="gate chain delayed"),
        pytest.param("gate", "ETH@optimism", "OPETH coin withdraw_disabled", id="gate coin disabled"),
        pytest.param("gate", "ETH@*", "withdraw_disabled", id="gate coin on its own"),
        pytest.param("htx", "USDT@tron", "TRC20 prohibited", id="htx"),
        pytest.param("bitget", "USDT@tron", "TRC20 withdrawable=false", id="bitget"),
        pytest.param("binance", "BTC@bitcoin", "BTC Withdrawals wait for the hot wallet to be filled.", id="binance"),
        pytest.param("binance", "BTC@bnb-beacon", "BNB withdrawEnable=false", id="binance without a reason"),
    ],
)
def test_raw_keeps_the_exchanges_own_words(exchange: str, rail: str, raw: str) -> None:
    [said] = [
        reading.raw
        for reading in decoded(exchange, sample(exchange)).rails
        if f"{reading.asset}@{reading.network}" == rail and reading.direction is Direction.WITHDRAWAL
    ]
    assert said == raw


def test_an_unknown_network_keeps_the_exchanges_word() -> None:
    assert our_network("Some New Chain") == "some-new-chain"


FLAGS = {
    "binance": ('"withdrawEnable": true', "withdrawEnable", '"depositEnable": true', "depositEnable"),
    "bitget": ('"withdrawable": "true"', "withdrawable", '"rechargeable": "true"', "rechargeable"),
    "gate": ('"withdraw_disabled": true', "withdraw_disabled", '"deposit_disabled": true', "deposit_disabled"),
    "htx": ('"withdrawStatus": "allowed"', "withdrawStatus", '"depositStatus": "allowed"', "depositStatus"),
    "kraken": ('"status": "deposit_only"', "status", '"status": "withdrawal_only"', "status"),
    "kucoin": ('"isWithdrawEnabled": true', "isWithdrawEnabled", '"isDepositEnabled": true', "isDepositEnabled"),
}
POISON = {
    '"false" in quotes': '"{field}": "FALSE"',
    "a number": '"{field}": 0',
    "null": '"{field}": null',
    "a list": '"{field}": [true]',
    "another word": '"{field}": "someday"',
    "missing": '"renamed": true',
}


@pytest.mark.parametrize("exchange", sorted(FLAGS))
@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
@pytest.mark.parametrize("direction", Direction)
def test_a_flag_that_is_none_costs_its_row_and_is_never_a_state(
    exchange: str, poison: str, direction: Direction
) -> None:
    out, out_name, in_, in_name = FLAGS[exchange]
    flag, name = (out, out_name) if direction is Direction.WITHDRAWAL else (in_, in_name)
    body = sample(exchange).decode()
    assert flag in body
    listed = decoded(exchange, body.replace(flag, poison.format(field=name), 1).encode())
    [flaw] = listed.flaws
    assert re.search(rf"`{name}`|\$.*\.{name}`", flaw.detail)
    assert re.search(r"at `\$(\.\w+)*(\.\w+|\[\d+\])", flaw.detail)
    assert len(flaw.detail) <= 200
    known = {reading[:3] for reading in map(astuple, decoded(exchange, sample(exchange)).rails)}
    left = {reading[:3] for reading in map(astuple, listed.rails)}
    assert left < known
    assert {asset for asset, _, _ in known - left} == {flaw.asset}


@pytest.mark.parametrize("exchange", ["binance", "gate", "kucoin"])
def test_a_boolean_in_quotes_is_none(exchange: str) -> None:
    flag, _, _, _ = FLAGS[exchange]
    quoted = re.sub(r"(true|false)$", r'"\1"', flag)
    [flaw] = decoded(exchange, sample(exchange).decode().replace(flag, quoted, 1).encode()).flaws
    assert "Expected `bool`, got `str`" in flaw.detail


@pytest.mark.parametrize("exchange", sorted(LISTS))
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"<html><title>Just a moment</title></html>", FailureReason.SCHEMA, id="a page"),
        pytest.param(b"", FailureReason.SCHEMA, id="nothing"),
        pytest.param(b'"maintenance"', FailureReason.SCHEMA, id="a word"),
        pytest.param(b"[" * 100_000, FailureReason.SCHEMA, id="brackets without end"),
        pytest.param(b'{"error": [], "result": {"\xff": 1}, "data": "\xff"}', None, id="not UTF-8"),
    ],
)
def test_a_body_that_is_no_list_is_a_failure(exchange: str, body: bytes, reason: FailureReason | None) -> None:
    with pytest.raises(RemoteError) as caught:
        decoded(exchange, body)
    assert reason is None or caught.value.reason is reason
    assert len(caught.value.detail) <= 200
    assert "Just a moment" not in caught.value.detail


@pytest.mark.parametrize(
    ("exchange", "body", "reason"),
    [
        pytest.param("kraken", b'{"error": ["EService:Unavailable"]}', FailureReason.HTTP_5XX, id="kraken down"),
        pytest.param(
            "kraken", b'{"error": ["EAPI:Rate limit exceeded"]}', FailureReason.RATE_LIMITED, id="kraken too often"
        ),
        pytest.param(
            "kraken",
            b'{"error": ["EQuery:Unknown asset"], "result": {}}',
            FailureReason.HTTP_4XX,
            id="kraken refuses beside a result",
        ),
        pytest.param(
            "kucoin",
            b'{"code": "429000", "msg": "Too many requests"}',
            FailureReason.RATE_LIMITED,
            id="kucoin too often",
        ),
        pytest.param("kucoin", b'{"code": "400100", "msg": "Bad"}', FailureReason.HTTP_4XX, id="kucoin refuses"),
        pytest.param("kucoin", b'{"code": "200000", "data": null}', FailureReason.SCHEMA, id="kucoin fine but empty"),
        pytest.param(
            "bitget", b'{"code": "40725", "msg": "service unavailable"}', FailureReason.HTTP_5XX, id="bitget down"
        ),
        pytest.param("htx", b'{"code": 2002, "message": "invalid"}', FailureReason.HTTP_4XX, id="htx refuses"),
    ],
)
def test_an_error_inside_a_200_is_a_failure(exchange: str, body: bytes, reason: FailureReason) -> None:
    with pytest.raises(RemoteError) as caught:
        decoded(exchange, body)
    assert caught.value.reason is reason
