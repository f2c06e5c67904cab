"""What Coinbase, Bitfinex, Upbit, Bithumb, Coinone and Korbit answer, in our words."""

import base64
import hashlib
import hmac
import json
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from msgspec import Struct

from monitor.model import Direction, FailureReason, RailState, RemoteError
from monitor.probes import EXCHANGES
from monitor.probes.account import Call, Credentials
from monitor.probes.exchanges import bitfinex, bithumb, coinbase, coinone, korbit, upbit
from monitor.probes.history import Withdrawal
from monitor.probes.rails import Decode, Listed, RailReading, Terms
from monitor.probes.trades import NewestTrade

OPEN, SUSPENDED, DELAYED, UNLISTED = RailState.OPEN, RailState.SUSPENDED, RailState.DELAYED, RailState.UNLISTED
OURS = ("bitfinex", "bithumb", "coinbase", "coinone", "korbit", "upbit")
NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
KEY = Credentials("an-access-key", "c2VjcmV0LWJ5dGVz", "a-passphrase")

COINBASE = b"""[
  {"id": "USD", "name": "US Dollar", "status": "online", "message": "", "details": {"type": "fiat"},
   "default_network": "", "supported_networks": []},
  {"id": "BTC", "status": "online", "message": "", "details": {"type": "crypto"}, "supported_networks": [
    {"id": "bitcoin", "status": "online", "min_withdrawal_amount": 0.0001, "max_withdrawal_amount": 2400,
     "network_confirmations": 2, "processing_time_seconds": null}]},
  {"id": "USDC", "status": "online", "message": null, "details": {"type": "crypto"}, "supported_networks": [
    {"id": "ethereum", "status": "online", "min_withdrawal_amount": null, "max_withdrawal_amount": null,
     "network_confirmations": null},
    {"id": "solana", "status": "offline"},
    {"id": "avacchain", "status": "delisted"}]},
  {"id": "XRP", "status": "delisted", "message": "", "details": {"type": "crypto"}, "supported_networks": [
    {"id": "ripple", "status": "online"}]},
  {"id": "ETC", "status": "offline", "message": "Wallet upgrade", "details": {"type": "crypto"},
   "supported_networks": [{"id": "ethereumclassic", "status": "online"}]}
]"""
BITFINEX = b"""[
  [["BITCOIN", 1, 1, null, null, null, null, 0, 0, null, null, 3],
   ["TETHERUSE", 0, 1, null, null, null, null, 0, 0],
   ["TETHERUSX", 1, 0, null, null, null, null, 0, 0],
   ["RIPPLE", 0, 0, null, null, null, null, 1, 1],
   ["NEWCHAIN", 1, 0, null, null, null, null, 0, 0],
   ["ORPHAN", 1, 1, null, null, null, null, 0, 0]],
  [["BITCOIN", ["BTC"]], ["TETHERUSE", ["UST"]], ["TETHERUSX", ["UST"]], ["RIPPLE", ["XRP"]],
   ["NEWCHAIN", ["NEW", "DSH"]], ["WIRE", ["USD", "EUR"]]],
  [["UST", "USDt"], ["DSH", "DASH"]],
  [["BTC", [0, 0.0004]], ["UST", [0, 12.5]], ["NEW", [0, null]]]
]"""
UPBIT = """[
  {"currency": "BTC", "wallet_state": "working", "block_state": "normal", "block_height": 800001,
   "block_updated_at": "2026-03-01T11:57:00.000+00:00", "block_elapsed_minutes": 3, "net_type": "BTC",
   "network_name": "Bitcoin"},
  {"currency": "STX", "wallet_state": "working", "block_state": "delayed", "block_height": 1, "net_type": "STX",
   "network_name": "Stacks", "block_elapsed_minutes": 43},
  {"currency": "SOL", "wallet_state": "working", "block_state": "inactive", "block_height": null, "net_type": "SOL",
   "network_name": "Solana"},
  {"currency": "ETH", "wallet_state": "paused", "block_state": "inactive", "net_type": "ETH",
   "network_name": "Ethereum", "message": "월렛 점검"},
  {"currency": "USDT", "wallet_state": "deposit_only", "block_state": "normal", "net_type": "TRX",
   "network_name": "Tron"},
  {"currency": "USDT", "wallet_state": "working", "block_state": "normal", "net_type": "ETH",
   "network_name": "Ethereum"},
  {"currency": "KAVA", "wallet_state": "withdraw_only", "block_state": "normal", "net_type": "KAVA",
   "network_name": "Kava Chain"},
  {"currency": "TUSD", "wallet_state": "unsupported", "block_state": null, "message": null}
]""".encode()
BITHUMB = b"""{"status": "0000", "date": null, "data": [
  {"currency": "BTC", "net_type": "BTC", "deposit_status": 1, "withdrawal_status": 1},
  {"currency": "USDT", "net_type": "TRX", "deposit_status": 1, "withdrawal_status": 0},
  {"currency": "USDT", "net_type": "ETH", "deposit_status": 0, "withdrawal_status": 1}
]}"""
BITHUMB_COINS = b"""{"status": "0000", "data": {
  "BTC": {"withdrawal_status": 1, "deposit_status": 1},
  "XMR": {"withdrawal_status": 0, "deposit_status": 0},
  "ICX": {"withdrawal_status": 1, "deposit_status": 0}
}}"""
COINONE = b"""{"result": "success", "error_code": "0", "server_time": 1772366400000, "currencies": [
  {"name": "Bitcoin", "symbol": "BTC", "deposit_status": "normal", "withdraw_status": "normal",
   "deposit_confirm_count": 3, "max_precision": 8, "deposit_fee": "0.0", "withdrawal_min_amount": "0.0001",
   "withdrawal_fee": "0.0008"},
  {"name": "Ripple", "symbol": "XRP", "deposit_status": "normal", "withdraw_status": "suspended"},
  {"name": "Klaytn", "symbol": "KLAY", "deposit_status": "suspended", "withdraw_status": "suspended"},
  {"name": "Won", "symbol": "KRW", "deposit_status": "normal", "withdraw_status": "normal"}
]}"""
KORBIT = b"""{"success": true, "data": [
  {"name": "krw", "fullName": "Won", "depositStatus": "launched", "withdrawalStatus": "launched",
   "withdrawalTxFee": "1000"},
  {"name": "btc", "fullName": "Bitcoin", "withdrawalMaxAmountPerRequest": "120", "defaultNetwork": "BTC",
   "withdrawalStatus": "stopped", "networkList": [
    {"name": "BTC", "fullName": "Bitcoin", "depositStatus": "launched", "withdrawalStatus": "launched",
     "confirmationCount": 3, "withdrawalTxFee": "0.0008", "withdrawalMinAmount": "0.0001", "withdrawalPrecision": 8}]},
  {"name": "eth", "fullName": "Ethereum", "withdrawalMaxAmountPerRequest": "2000", "networkList": [
    {"name": "ETH", "depositStatus": "stopped", "withdrawalStatus": "launched", "confirmationCount": "45",
     "withdrawalTxFee": null},
    {"name": "BASE", "depositStatus": "launched", "withdrawalStatus": "stopped"}]}
]}"""

LISTS: dict[str, tuple[Decode, bytes]] = {
    "bitfinex": (bitfinex.rails, BITFINEX),
    "bithumb": (bithumb.networks, BITHUMB),
    "bithumb coins": (bithumb.coins, BITHUMB_COINS),
    "coinbase": (coinbase.rails, COINBASE),
    "coinone": (coinone.rails, COINONE),
    "korbit": (korbit.rails, KORBIT),
    "upbit": (upbit.rails, UPBIT),
}


def listed(name: str) -> Listed:
    read, body = LISTS[name]
    return read(body)


def states(rails: list[RailReading]) -> dict[str, tuple[RailState, RailState]]:
    """asset@network -> how it stands with withdrawals and with deposits."""
    said: dict[str, dict[Direction, RailState]] = {}
    for reading in rails:
        said.setdefault(f"{reading.asset}@{reading.network}", {})[reading.direction] = reading.state
    return {rail: (both[Direction.WITHDRAWAL], both[Direction.DEPOSIT]) for rail, both in said.items()}


def raw(name: str, rail: str) -> str:
    [said] = [
        reading.raw
        for reading in listed(name).rails
        if f"{reading.asset}@{reading.network}" == rail and reading.direction is Direction.WITHDRAWAL
    ]
    return said


@pytest.mark.parametrize(
    ("name", "rail", "withdrawal", "deposit"),
    [
        pytest.param("coinbase", "BTC@*", OPEN, OPEN, id="coinbase coin online"),
        pytest.param("coinbase", "BTC@bitcoin", OPEN, OPEN, id="coinbase network online"),
        pytest.param("coinbase", "USDC@*", OPEN, OPEN, id="coinbase coin online while a network is offline"),
        pytest.param("coinbase", "USDC@ethereum", OPEN, OPEN, id="coinbase other network of the coin"),
        pytest.param("coinbase", "USDC@solana", SUSPENDED, SUSPENDED, id="coinbase network offline"),
        pytest.param("coinbase", "USDC@avalanche", UNLISTED, UNLISTED, id="coinbase network delisted"),
        pytest.param("coinbase", "XRP@xrp", UNLISTED, UNLISTED, id="coinbase coin delisted, network online"),
        pytest.param("coinbase", "XRP@*", UNLISTED, UNLISTED, id="coinbase coin delisted"),
        pytest.param("coinbase", "ETC@ethereum-classic", SUSPENDED, SUSPENDED, id="coinbase coin closes its network"),
        pytest.param("bitfinex", "BTC@bitcoin", OPEN, OPEN, id="bitfinex both"),
        pytest.param("bitfinex", "USDT@ethereum", OPEN, SUSPENDED, id="bitfinex deposits off"),
        pytest.param("bitfinex", "USDT@tron", SUSPENDED, OPEN, id="bitfinex withdrawals off"),
        pytest.param("bitfinex", "XRP@xrp", SUSPENDED, SUSPENDED, id="bitfinex RIPPLE"),
        pytest.param("bitfinex", "NEW@newchain", SUSPENDED, OPEN, id="bitfinex unknown method keeps its name"),
        pytest.param("bitfinex", "DASH@newchain", SUSPENDED, OPEN, id="bitfinex second asset of a method"),
        pytest.param("upbit", "BTC@bitcoin", OPEN, OPEN, id="upbit working"),
        pytest.param("upbit", "STX@stacks", OPEN, OPEN, id="upbit working, block delayed"),
        pytest.param("upbit", "SOL@solana", DELAYED, DELAYED, id="upbit working, block inactive"),
        pytest.param("upbit", "ETH@ethereum", SUSPENDED, SUSPENDED, id="upbit paused outranks inactive"),
        pytest.param("upbit", "USDT@tron", SUSPENDED, OPEN, id="upbit deposit_only"),
        pytest.param("upbit", "USDT@ethereum", OPEN, OPEN, id="upbit other network of the coin"),
        pytest.param("upbit", "KAVA@kava-chain", OPEN, SUSPENDED, id="upbit withdraw_only"),
        pytest.param("upbit", "TUSD@*", UNLISTED, UNLISTED, id="upbit unsupported, network not told"),
        pytest.param("bithumb", "BTC@bitcoin", OPEN, OPEN, id="bithumb both"),
        pytest.param("bithumb", "USDT@tron", SUSPENDED, OPEN, id="bithumb withdrawals off"),
        pytest.param("bithumb", "USDT@ethereum", OPEN, SUSPENDED, id="bithumb deposits off"),
        pytest.param("bithumb coins", "XMR@*", SUSPENDED, SUSPENDED, id="bithumb coin off"),
        pytest.param("bithumb coins", "ICX@*", OPEN, SUSPENDED, id="bithumb coin, deposits off"),
        pytest.param("coinone", "BTC@*", OPEN, OPEN, id="coinone normal"),
        pytest.param("coinone", "XRP@*", SUSPENDED, OPEN, id="coinone withdrawals suspended"),
        pytest.param("coinone", "KLAY@*", SUSPENDED, SUSPENDED, id="coinone both suspended"),
        pytest.param("korbit", "BTC@bitcoin", OPEN, OPEN, id="korbit launched, whatever the coin's old field says"),
        pytest.param("korbit", "ETH@ethereum", OPEN, SUSPENDED, id="korbit deposits stopped"),
        pytest.param("korbit", "ETH@base", SUSPENDED, OPEN, id="korbit withdrawals stopped"),
    ],
)
def test_a_rail_reads_as_the_exchange_says(name: str, rail: str, withdrawal: RailState, deposit: RailState) -> None:
    assert states(listed(name).rails)[rail] == (withdrawal, deposit)


@pytest.mark.parametrize(
    ("name", "rail", "said"),
    [
        pytest.param("coinbase", "USDC@ethereum", "ethereum", id="coinbase open"),
        pytest.param("coinbase", "USDC@solana", "solana network offline", id="coinbase the network closes it"),
        pytest.param("coinbase", "ETC@ethereum-classic", "ethereumclassic coin offline Wallet upgrade", id="the coin"),
        pytest.param("coinbase", "BTC@*", "open", id="coinbase coin"),
        pytest.param("bitfinex", "USDT@tron", "TETHERUSX maintenance", id="bitfinex"),
        pytest.param("upbit", "STX@stacks", "STX working, block delayed", id="upbit lag in coarse words"),
        pytest.param("upbit", "ETH@ethereum", "ETH paused, block inactive: 월렛 점검", id="upbit reason"),
        pytest.param("bithumb", "USDT@tron", "TRX withdrawal_status=0", id="bithumb"),
        pytest.param("coinone", "XRP@*", "suspended", id="coinone"),
        pytest.param("korbit", "ETH@base", "BASE stopped", id="korbit"),
    ],
)
def test_raw_keeps_the_exchanges_own_words(name: str, rail: str, said: str) -> None:
    assert raw(name, rail) == said


@pytest.mark.parametrize("name", LISTS)
def test_a_sample_as_documented_has_no_flaw(name: str) -> None:
    assert not listed(name).flaws


@pytest.mark.parametrize(
    ("name", "absent"),
    [("coinbase", "USD"), ("bitfinex", "USD"), ("bitfinex", "ORPHAN"), ("coinone", "KRW"), ("korbit", "KRW")],
)
def test_what_no_chain_carries_is_left_out(name: str, absent: str) -> None:
    assert absent not in {reading.asset for reading in listed(name).rails}


def test_the_age_of_a_block_is_no_change_of_its_rail() -> None:
    later = UPBIT.replace(b'"block_elapsed_minutes": 43', b'"block_elapsed_minutes": 44')
    assert later != UPBIT
    assert upbit.rails(later) == upbit.rails(UPBIT)


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        pytest.param(
            "coinbase",
            Terms("BTC", "bitcoin", minimum=Decimal("0.0001"), maximum=Decimal(2400), confirmations=2),
            id="coinbase",
        ),
        pytest.param("coinbase", Terms("USDC", "ethereum"), id="coinbase null"),
        pytest.param("bitfinex", Terms("BTC", "bitcoin", fee=Decimal("0.0004")), id="bitfinex"),
        pytest.param("bitfinex", Terms("NEW", "newchain"), id="bitfinex no fee"),
        pytest.param(
            "coinone",
            Terms("BTC", "*", fee=Decimal("0.0008"), minimum=Decimal("0.0001"), confirmations=3),
            id="coinone",
        ),
        pytest.param("coinone", Terms("XRP", "*"), id="coinone absent"),
        pytest.param(
            "korbit",
            Terms(
                "BTC",
                "bitcoin",
                fee=Decimal("0.0008"),
                minimum=Decimal("0.0001"),
                maximum=Decimal(120),
                confirmations=3,
            ),
            id="korbit",
        ),
        pytest.param(
            "korbit", Terms("ETH", "ethereum", maximum=Decimal(2000), confirmations=45), id="korbit count in quotes"
        ),
    ],
)
def test_terms_are_kept_where_the_list_has_them(name: str, terms: Terms) -> None:
    assert terms in listed(name).terms


def test_a_bitfinex_fee_of_an_asset_with_two_methods_is_nobodys() -> None:
    assert "USDT" not in {terms.asset for terms in bitfinex.rails(BITFINEX).terms}


class Flag(NamedTuple):
    row: bytes  # where in the sample it stands
    flag: bytes
    field: str
    lost: set[str]
    path: str


FLAGS = {
    "bithumb": Flag(
        b'"TRX", "deposit_status": 1, "withdrawal_status": 0',
        b'"withdrawal_status": 0',
        "withdrawal_status",
        {"USDT@tron"},
        "$.data[1]",
    ),
    "bithumb coins": Flag(
        b'"XMR": {"withdrawal_status": 0', b'"withdrawal_status": 0', "withdrawal_status", {"XMR@*"}, "$.data.XMR"
    ),
    "coinbase": Flag(b'"XRP", "status": "delisted"', b'"status": "delisted"', "status", {"XRP@*", "XRP@xrp"}, "$[3]"),
    "coinbase, a network": Flag(
        b'"solana", "status": "offline"',
        b'"status": "offline"',
        "status",
        {"USDC@solana"},
        "$[2].supported_networks[1]",
    ),
    "coinone": Flag(
        b'"withdraw_status": "suspended"},\n  {"name": "Klaytn"',
        b'"withdraw_status": "suspended"',
        "withdraw_status",
        {"XRP@*"},
        "$.currencies[1]",
    ),
    "korbit": Flag(
        b'"launched", "withdrawalStatus": "stopped"}',
        b'"withdrawalStatus": "stopped"',
        "withdrawalStatus",
        {"ETH@base"},
        "$.data[2].networkList[1]",
    ),
    "upbit": Flag(b'"wallet_state": "paused"', b'"wallet_state": "paused"', "wallet_state", {"ETH@ethereum"}, "$[3]"),
}
POISON = {
    '"false" in quotes': '"{field}": "false"',
    "a boolean": '"{field}": true',
    "two": '"{field}": 2',
    "one in quotes": '"{field}": "1"',
    "null": '"{field}": null',
    "a list": '"{field}": [1]',
    "another word": '"{field}": "someday"',
    "missing": '"renamed": 1',
}


@pytest.mark.parametrize("case", FLAGS)
@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_a_flag_that_is_none_costs_its_own_row_only(case: str, poison: str) -> None:
    flag = FLAGS[case]
    read, body = LISTS[case.partition(",")[0]]
    assert body.count(flag.row) == 1
    poisoned = read(body.replace(flag.row, flag.row.replace(flag.flag, poison.format(field=flag.field).encode())))
    [flaw] = poisoned.flaws
    assert flag.path in flaw.detail
    assert {rail.partition("@")[0] for rail in flag.lost} == {flaw.asset}
    assert set(states(read(body).rails)) - set(states(poisoned.rails)) == flag.lost


@pytest.mark.parametrize("poison", [b"true", b"2", b'"1"', b"null", b"1.0", b"[]"])
def test_a_bitfinex_flag_that_is_none_costs_its_method_only(poison: bytes) -> None:
    body = BITFINEX.replace(b'["TETHERUSX", 1, 0,', b'["TETHERUSX", 1, ' + poison + b",", 1)
    read = bitfinex.rails(body)
    [flaw] = read.flaws
    assert "$[0][2][2]" in flaw.detail
    assert set(states(bitfinex.rails(BITFINEX).rails)) - set(states(read.rails)) == {"USDT@tron"}


def test_a_bitfinex_row_is_never_read_with_an_item_left_out() -> None:
    body = BITFINEX.replace(b'["TETHERUSX", 1, 0,', b'["TETHERUSX", "x", 1, 0,', 1)
    assert "USDT@tron" not in states(bitfinex.rails(body).rails)


def test_bitfinex_rubbish_is_refused_as_a_whole() -> None:
    body = BITFINEX.replace(b", 1,", b", 7,").replace(b", 0, 0,", b", 7, 7,")
    with pytest.raises(RemoteError, match="of 6 rows") as caught:
        bitfinex.rails(body)
    assert caught.value.reason is FailureReason.SCHEMA


def test_a_korbit_coin_without_its_networks_is_a_flaw_and_not_unlisted() -> None:
    read = korbit.rails(KORBIT.replace(b'"networkList": [\n    {"name": "ETH"', b'"networks": [\n    {"name": "ETH"'))
    assert [flaw.asset for flaw in read.flaws] == ["ETH"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html><title>Just a moment</title></html>", id="a page"),
        pytest.param(b"", id="nothing"),
        pytest.param(b'"maintenance"', id="a word"),
        pytest.param(b"[" * 100_000, id="brackets without end"),
        pytest.param(b'{"status": "0000", "success": true, "result": "success"}', id="fine but empty"),
        pytest.param(b'{"data": "\xff", "currencies": "\xff"}', id="not UTF-8"),
    ],
)
def test_a_body_that_is_no_list_is_a_failure(name: str, body: bytes) -> None:
    read, _ = LISTS[name]
    with pytest.raises(RemoteError) as caught:
        read(body)
    assert caught.value.reason in (FailureReason.SCHEMA, FailureReason.ENCODING)
    assert len(caught.value.detail) <= 200
    assert "Just a moment" not in caught.value.detail


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        pytest.param("bitfinex", b'{"error": "ERR_RATE_LIMIT"}', FailureReason.RATE_LIMITED, id="bitfinex too often"),
        pytest.param("bitfinex", b'{ "error":"ERR_RATE_LIMIT"}', FailureReason.RATE_LIMITED, id="bitfinex, a blank"),
        pytest.param("bitfinex", b'["error",11010,"ratelimit: error"]', FailureReason.RATE_LIMITED, id="as an array"),
        pytest.param("bitfinex", b'["error", 20060, "maintenance"]', FailureReason.HTTP_5XX, id="bitfinex maintenance"),
        pytest.param("bitfinex", b'["error",10020,"config: invalid"]', FailureReason.HTTP_4XX, id="bitfinex refuses"),
        pytest.param("bithumb", b'{"status": "5500", "message": "Invalid"}', FailureReason.HTTP_4XX, id="bithumb"),
        pytest.param(
            "bithumb coins",
            b'{"status": "5600", "message": "Too Many Requests", "data": "x"}',
            FailureReason.RATE_LIMITED,
            id="bithumb too often",
        ),
        pytest.param(
            "coinone",
            b'{"result": "error", "error_code": "4", "error_msg": "Blocked user access"}',
            FailureReason.RATE_LIMITED,
            id="coinone too often",
        ),
        pytest.param(
            "coinone", b'{"result": "error", "error_code": "405"}', FailureReason.HTTP_5XX, id="coinone maintenance"
        ),
        pytest.param(
            "coinone",
            b'{"result": "error", "error_code": "107", "error_msg": "Parameter value is wrong"}',
            FailureReason.HTTP_4XX,
            id="coinone refuses",
        ),
        pytest.param(
            "korbit",
            b'{"success": false, "error": {"message": "TOO MANY REQUESTS"}}',
            FailureReason.RATE_LIMITED,
            id="korbit too often",
        ),
        pytest.param("korbit", b'{"success": false, "error": {}}', FailureReason.HTTP_4XX, id="korbit refuses"),
        pytest.param("korbit", b'{"success": "true", "data": []}', FailureReason.SCHEMA, id="korbit true in quotes"),
    ],
)
def test_an_error_inside_a_200_is_a_failure(name: str, body: bytes, reason: FailureReason) -> None:
    read, _ = LISTS[name]
    with pytest.raises(RemoteError) as caught:
        read(body)
    assert caught.value.reason is reason


AT = datetime(2024, 2, 16, 4, 21, 11, 149_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        pytest.param(
            coinbase.newest_trade,
            b'[{"time": "2024-02-16T04:21:11.149000Z", "trade_id": 1, "price": "70507000", "size": "1"}]',
            id="coinbase",
        ),
        pytest.param(bitfinex.newest_trade, b"[[1, 1708057271149, -0.01, 70507000]]", id="bitfinex"),
        pytest.param(
            upbit.newest_trade,
            b'[{"market": "KRW-BTC", "timestamp": 1708057271149, "trade_price": 70507000.0, "ask_bid": "ASK"}]',
            id="upbit",
        ),
        pytest.param(
            bithumb.newest_trade,
            b'[{"market": "KRW-BTC", "timestamp": 1708057271149, "trade_price": 70507000, "trade_volume": 0.1}]',
            id="bithumb",
        ),
        pytest.param(
            coinone.newest_trade,
            b'{"result": "success", "error_code": "0", "transactions": ['
            b'{"id": "2", "timestamp": 1708057271149, "price": "70507000", "qty": "1"},'
            b'{"id": "1", "timestamp": 1708057270000, "price": "70500000", "qty": "1"}]}',
            id="coinone, not in order",
        ),
        pytest.param(
            korbit.newest_trade,
            b'{"success": true, "data": [{"timestamp": 1708057271149, "price": "70507000", "qty": "0.009"}]}',
            id="korbit",
        ),
    ],
)
def test_the_newest_trade_is_dated(decode: Callable[[bytes], NewestTrade], body: bytes) -> None:
    assert decode(body) == NewestTrade(AT, Decimal(70507000))


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        pytest.param(coinbase.newest_trade, b"[]", id="coinbase"),
        pytest.param(bitfinex.newest_trade, b"[]", id="bitfinex"),
        pytest.param(upbit.newest_trade, b"[]", id="upbit"),
        pytest.param(bithumb.newest_trade, b"[]", id="bithumb"),
        pytest.param(coinone.newest_trade, b'{"result": "success", "transactions": []}', id="coinone"),
        pytest.param(korbit.newest_trade, b'{"success": true, "data": []}', id="korbit"),
    ],
)
def test_no_trades_are_a_failure(decode: Callable[[bytes], NewestTrade], body: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        decode(body)
    assert caught.value.reason is FailureReason.SHAPE


@pytest.mark.parametrize(("body", "state"), [(b"[1]", "operational"), (b"[0]", "maintenance")])
def test_bitfinex_tells_its_maintenance(body: bytes, state: str) -> None:
    said = bitfinex.system(body)
    assert (said.component, said.state) == ("all", state)


@pytest.mark.parametrize("body", [b"[2]", b"[true]", b"[]", b"1", b'["1"]'])
def test_a_bitfinex_platform_status_that_is_none_is_a_failure(body: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        bitfinex.system(body)
    assert caught.value.reason is FailureReason.SCHEMA


def test_bitfinex_rights_are_what_a_key_may_write_to() -> None:
    body = b'[["account", 1, 0], ["orders", 1, 1], ["wallets", 1, 0], ["withdraw", 0, 1], ["newscope", 0, 1]]'
    assert bitfinex.rights(body) == ("orders write", "withdraw write", "newscope write")
    assert bitfinex.rights(b'[["account", 1, 0], ["history", 1, 0]]') == ()


def movement(status: str, amount: str = "-0.24", *, method: str = "TETHERUSX", transaction: str = "null") -> bytes:
    head = f'13293039, "UST", "{method}", null, null, 1708057271149, 1708060871149, null, null, "{status}"'
    tail = f'null, null, {amount}, -0.001, null, null, "TAddress", null, null, null, {transaction}, null'
    return f"[[{head}, {tail}]]".encode()


@pytest.mark.parametrize(
    ("body", "state"),
    [
        pytest.param(movement("COMPLETED"), "confirmed", id="completed"),
        pytest.param(movement("PENDING"), "pending", id="pending"),
        pytest.param(movement("PENDING REVIEW"), "pending", id="under review"),
        pytest.param(movement("SENDING", transaction='"0xabc"'), "sent", id="with a transaction"),
        pytest.param(movement("CANCELED"), None, id="cancelled is neither"),
        pytest.param(movement("COMPLETED", "0.24"), None, id="a deposit"),
        pytest.param(movement("COMPLETED", method="WIRE"), None, id="fiat"),
    ],
)
def test_a_bitfinex_movement_is_a_withdrawal(body: bytes, state: str | None) -> None:
    told = bitfinex.withdrawals(body)
    assert [each.state for each in told] == ([] if state is None else [state])
    assert all((each.asset, each.network, each.requested_at) == ("USDT", "tron", AT) for each in told)


def withdraw(state: str, **more: object) -> bytes:
    row = {
        "type": "withdraw",
        "uuid": "35a4f1dc",
        "currency": "XRP",
        "net_type": "XRP",
        "txid": None,
        "state": state,
        "created_at": "2024-02-16T13:21:11+09:00",
        "done_at": None,
        "amount": "1.0",
        "fee": "0.0",
        "transaction_type": "default",
    }
    return json.dumps([row | more]).encode()


@pytest.mark.parametrize(
    ("body", "state"),
    [
        pytest.param(withdraw("WAITING"), "pending", id="waiting"),
        pytest.param(withdraw("PROCESSING"), "pending", id="processing"),
        pytest.param(withdraw("PROCESSING", txid="98c15999"), "sent", id="with a transaction"),
        pytest.param(withdraw("DONE", done_at="2024-02-16T13:30:00+09:00"), "confirmed", id="done"),
        pytest.param(withdraw("FAILED"), "failed", id="failed"),
        pytest.param(withdraw("REJECTED"), "failed", id="rejected"),
        pytest.param(withdraw("CANCELLED"), None, id="cancelled is neither"),
        pytest.param(withdraw("DONE", currency="KRW", net_type=None), None, id="fiat"),
        pytest.param(withdraw("DONE", transaction_type="internal"), None, id="within upbit"),
    ],
)
def test_an_upbit_withdraw_is_a_withdrawal(body: bytes, state: str | None) -> None:
    told = upbit.withdrawals(body)
    assert [each.state for each in told] == ([] if state is None else [state])
    assert all(each.requested_at == datetime(2024, 2, 16, 4, 21, 11, tzinfo=UTC) for each in told)
    assert all((each.asset, each.network) == ("XRP", "xrp") for each in told)


def transfer(**more: object) -> bytes:
    row: dict[str, object] = {
        "id": "bee6fd7c",
        "type": "withdraw",
        "created_at": "2024-02-16 04:21:11.149+00",
        "completed_at": None,
        "canceled_at": None,
        "processed_at": None,
        "amount": "0.01",
        "currency": "LTC",
        "details": {"network": "litecoin", "sent_to_address": "MKemt"},
    }
    return json.dumps([row | more]).encode()


ON_CHAIN = {"network": "litecoin", "sent_to_address": "MKemt", "crypto_transaction_hash": "752f"}


@pytest.mark.parametrize(
    ("body", "state"),
    [
        pytest.param(transfer(), "pending", id="created"),
        pytest.param(transfer(details=ON_CHAIN, processed_at="2024-02-16 04:25:00+00"), "sent", id="with a hash"),
        pytest.param(transfer(details=ON_CHAIN, completed_at="2024-02-16 04:30:00+00"), "confirmed", id="completed"),
        pytest.param(transfer(canceled_at="2024-02-16 04:30:00+00"), None, id="cancelled is neither"),
        pytest.param(transfer(details={}, currency="USD"), None, id="to a bank"),
        pytest.param(transfer(type="deposit"), None, id="a deposit"),
    ],
)
def test_a_coinbase_transfer_is_a_withdrawal(body: bytes, state: str | None) -> None:
    told = coinbase.withdrawals(body)
    assert [each.state for each in told] == ([] if state is None else [state])
    assert all((each.asset, each.network, each.requested_at) == ("LTC", "litecoin", AT) for each in told)


@pytest.mark.parametrize(
    ("decode", "body", "word"),
    [
        pytest.param(bitfinex.withdrawals, movement("LOST"), "LOST", id="bitfinex status"),
        pytest.param(upbit.withdrawals, withdraw("LOST"), "LOST", id="upbit state"),
        pytest.param(upbit.withdrawals, withdraw("DONE", created_at="2024-02-16T13:21:11"), "created_at", id="no zone"),
        pytest.param(coinbase.withdrawals, transfer(created_at="yesterday"), "time is none", id="coinbase time"),
        pytest.param(coinbase.withdrawals, transfer(created_at="2024-02-16 04:21:11"), "zone", id="coinbase no zone"),
        pytest.param(bitfinex.withdrawals, movement("PENDING", '"NaN"'), "Expected `float`", id="bitfinex amount"),
        pytest.param(
            bitfinex.withdrawals,
            movement("PENDING").replace(b"1708057271149", b"17080572711490000000"),
            "time is none",
            id="bitfinex time",
        ),
    ],
)
def test_what_a_history_does_not_document_is_named(
    decode: Callable[[bytes], list[Withdrawal]], body: bytes, word: str
) -> None:
    with pytest.raises(RemoteError, match=word) as caught:
        decode(body)
    assert caught.value.reason is FailureReason.SCHEMA


def claims_of(call: Call) -> tuple[str, str, bytes]:
    scheme, _, token = call.headers["Authorization"].partition(" ")
    assert scheme == "Bearer"
    header, claims, signature = token.split(".")
    return header, claims, base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))


def test_upbit_signs_as_its_documentation_shows() -> None:
    """The header of the token is the one of docs.upbit.com/kr/reference/auth; its secret is not published."""
    header, claims, signature = claims_of(upbit.sign(Call(path="/v1/withdraws?limit=100"), KEY, NOW))
    assert header == "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9"
    said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert said["access_key"] == KEY.api_key
    assert (said["query_hash"], said["query_hash_alg"]) == (hashlib.sha512(b"limit=100").hexdigest(), "SHA512")
    expected = hmac.new(KEY.api_secret.encode(), f"{header}.{claims}".encode(), hashlib.sha512).digest()
    assert signature == expected


def test_upbit_has_no_query_hash_without_a_query_and_a_nonce_for_each_time() -> None:
    tokens = [upbit.sign(Call(path="/v1/status/wallet"), KEY, at) for at in (NOW, NOW, NOW.replace(second=1))]
    said = [json.loads(base64.urlsafe_b64decode(claims_of(call)[1] + "==")) for call in tokens]
    assert all(set(each) == {"access_key", "nonce"} for each in said)
    assert said[0]["nonce"] == said[1]["nonce"] != said[2]["nonce"]


def test_coinbase_signs_time_method_and_path() -> None:
    call = coinbase.sign(Call(path="/transfers?type=withdraw"), KEY, NOW)
    said = f"{NOW.timestamp():.3f}GET/transfers?type=withdraw".encode()
    expected = base64.b64encode(hmac.new(b"secret-bytes", said, hashlib.sha256).digest()).decode()
    assert call.path == "/transfers?type=withdraw"
    assert call.headers == {
        "CB-ACCESS-KEY": KEY.api_key,
        "CB-ACCESS-SIGN": expected,
        "CB-ACCESS-TIMESTAMP": "1772366400.250",
        "CB-ACCESS-PASSPHRASE": "a-passphrase",
    }


def test_coinbase_names_a_secret_that_is_no_base64_without_showing_it() -> None:
    with pytest.raises(RemoteError) as caught:
        coinbase.sign(Call(path="/transfers"), Credentials("k", "not base64 at all", "p"), NOW)
    assert caught.value.reason is FailureReason.AUTH
    assert caught.value.permanent
    assert "not base64 at all" not in str(caught.value)


def test_bitfinex_signs_path_nonce_and_body() -> None:
    call = bitfinex.sign(Call(path="/v2/auth/r/permissions", method="POST"), KEY, NOW)
    said = b"/api/v2/auth/r/permissions1772366400250000{}"
    expected = hmac.new(KEY.api_secret.encode(), said, hashlib.sha384).hexdigest()
    assert (call.method, call.body) == ("POST", b"{}")
    assert call.headers == {"bfx-apikey": KEY.api_key, "bfx-nonce": "1772366400250000", "bfx-signature": expected}


def test_coinbase_tells_its_time() -> None:
    body = b'{"iso": "2024-02-16T04:21:11.149Z", "epoch": 1708057271.149}'
    assert coinbase.server_time(body) == AT


@pytest.mark.parametrize("name", OURS)
def test_an_exchange_is_registered_with_what_a_person_reads(name: str) -> None:
    exchange = EXCHANGES[name]
    assert exchange.name == name
    assert exchange.traps
    assert all(listing.where and listing.rule for listing in exchange.lists)
    probes = [listing.probe for listing in exchange.lists] + [trades.probe for trades in exchange.trades]
    assert all(probe.startswith(f"{name}-") for probe in probes)
    assert bool(exchange.needs_key) is (name == "upbit")
    asks_signed = exchange.history is not None or any(listing.signed for listing in exchange.lists)
    assert (exchange.sign is not None) is asks_signed


DATA = os.environ.get("CEXWATCH_EVAL_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="CEXWATCH_EVAL_DATA is not set")


class Capture(Struct):
    response: msgspec.Raw


class Baseline(Struct):
    file: str
    coin_network_rows: int
    withdraw_off: int


class Baselines(Struct):
    rows: list[Baseline]


def body_of(file: str) -> bytes:
    path = Path(DATA or "") / "recorded" / f"{file}.json"
    return bytes(msgspec.json.decode(path.read_bytes(), type=Capture).response)


def at_rest(file: str) -> tuple[int, int]:
    rows = msgspec.json.decode((Path(DATA or "") / "withdraw_off_baseline.json").read_bytes(), type=Baselines).rows
    return next((row.coin_network_rows, row.withdraw_off) for row in rows if row.file == f"{file}.json")


def withdrawal_states(read: Listed, *, coins: bool) -> Counter[RailState]:
    out = (reading for reading in read.rails if reading.direction is Direction.WITHDRAWAL)
    return Counter(reading.state for reading in out if not coins or reading.network == "*")


@needs_data
@pytest.mark.parametrize(
    ("file", "decode", "left_out"),
    [
        pytest.param("bithumb_walletstate_live_2022-12-08_2a9e55f", bithumb.coins, 0, id="bithumb"),
        pytest.param("upbit_walletstate_live_2022-12-06_90455c1", upbit.rails, 0, id="upbit"),
        pytest.param(
            "coinbaseexchange_fetchCurrencies_live_2022-12-05_07ed53d", coinbase.rails, 3, id="coinbase, three are fiat"
        ),
    ],
)
def test_the_share_of_rails_off_at_rest_is_the_known_one(file: str, decode: Decode, left_out: int) -> None:
    read = decode(body_of(file))
    assert not read.flaws
    found = withdrawal_states(read, coins=True)
    total, off = at_rest(file)
    assert found.total() == total - left_out
    assert found[SUSPENDED] + found[UNLISTED] == off


@needs_data
@pytest.mark.parametrize(
    ("file", "states"),
    [
        ("upbit_fetchCurrencies_live_2022-12-02_5daaa27", {OPEN: 190, SUSPENDED: 9, UNLISTED: 3}),
        ("upbit_fetchCurrencies_live_2022-12-05_1a7e3c4", {OPEN: 194, SUSPENDED: 5, UNLISTED: 3}),
    ],
)
def test_other_captures_of_upbit_decode(file: str, states: dict[RailState, int]) -> None:
    read = upbit.rails(body_of(file))
    assert not read.flaws
    assert withdrawal_states(read, coins=False) == states


@needs_data
def test_the_tables_of_bitfinex_decode_as_one_answer() -> None:
    tables = [body_of(f"bitfinex_{name}") for name in ("info_tx_status", "map_tx_method", "withdrawal_fees")]
    status, carried, fees = (json.loads(table)[0] for table in tables)
    read = bitfinex.rails(json.dumps([status, carried, [["UST", "USDt"]], fees]).encode())
    assert not read.flaws
    assert withdrawal_states(read, coins=False) == {OPEN: 157, SUSPENDED: 8}
    assert {"BTC@bitcoin", "USDT@tron", "USDT@ethereum", "XRP@xrp"} <= set(states(read.rails))


@needs_data
def test_the_platform_status_of_bitfinex_decodes() -> None:
    assert bitfinex.system(body_of("bitfinex_platform_status")).state == "operational"


@needs_data
@pytest.mark.parametrize(
    ("file", "decode", "why"),
    [
        pytest.param(
            "coinbase_GetAssets", coinbase.rails, "missing required field `supported_networks`", id="an excerpt"
        ),
        pytest.param("coinbase_GetCryptoAssets", coinbase.rails, "Expected `array`, got `object`", id="coinbase app"),
        pytest.param(
            "coinbase_GetWithdrawals", coinbase.withdrawals, "Expected `array`", id="coinbase app withdrawals"
        ),
        pytest.param(
            "bithumb_fetchCurrencies_live_2022-12-05_8a991c6",
            bithumb.networks,
            "missing required field `status`",
            id="a list of bithumb's web site",
        ),
    ],
)
def test_an_answer_of_another_api_is_refused(file: str, decode: Callable[[bytes], object], why: str) -> None:
    with pytest.raises(RemoteError, match=why) as caught:
        decode(body_of(file))
    assert caught.value.reason is FailureReason.SCHEMA


RECORDED = {
    "bitfinex_info_tx_status",
    "bitfinex_map_tx_method",
    "bitfinex_platform_status",
    "bitfinex_withdrawal_fees",
    "bithumb_fetchCurrencies_live_2022-12-05_8a991c6",
    "bithumb_walletstate_live_2022-12-08_2a9e55f",
    "coinbase_GetAssets",
    "coinbase_GetCryptoAssets",
    "coinbase_GetWithdrawals",
    "coinbaseexchange_fetchCurrencies_live_2022-12-05_07ed53d",
    "upbit_fetchCurrencies_live_2022-12-02_5daaa27",
    "upbit_fetchCurrencies_live_2022-12-05_1a7e3c4",
    "upbit_walletstate_live_2022-12-06_90455c1",
}


@needs_data
def test_no_recorded_file_of_these_exchanges_is_left_out() -> None:
    there = {path.stem for path in (Path(DATA or "") / "recorded").glob("*.json")}
    assert {file for file in there if file.startswith(OURS)} == RECORDED
