"""Binance, OKX, Bybit and Kraken: what their lists, errors and trades mean.

Samples follow the published documentation; the captures are evaluation data, read where `CEXWATCH_EVAL_DATA` points.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from monitor.model import Direction, FailureReason, RailState, RemoteError
from monitor.probes import EXCHANGES
from monitor.probes.exchanges import binance, bybit, kraken, okx
from monitor.probes.rails import Decode, Listed, Terms
from monitor.probes.trades import NewestTrade

DATA = os.environ.get("CEXWATCH_EVAL_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="CEXWATCH_EVAL_DATA is not set")
OPEN, SUSPENDED = RailState.OPEN, RailState.SUSPENDED
AT = datetime(2026, 2, 3, 12, 0, 12, 500_000, tzinfo=UTC)
OURS = ("binance", "bybit", "kraken", "okx")

BINANCE = b"""[
    {"coin": "BTC", "withdrawAllEnable": true, "networkList": [
        {"network": "BTC", "withdrawEnable": false, "depositEnable": true, "withdrawDesc": "Wallet upgrade",
         "withdrawFee": "0.0002", "withdrawMin": "0.001", "withdrawMax": "500", "minConfirm": 1, "busy": true},
        {"network": "LIGHTNING", "withdrawEnable": true, "depositEnable": true, "withdrawFee": "",
         "withdrawMin": null, "minConfirm": null}
    ]},
    {"coin": "USDT", "withdrawAllEnable": true, "networkList": [
        {"network": "TRX", "withdrawEnable": true, "depositEnable": false, "depositDesc": null},
        {"network": "ETH", "withdrawEnable": true, "depositEnable": true}
    ]},
    {"coin": "EUR", "isLegalMoney": true, "networkList": [
        {"network": "FIAT_MONEY", "withdrawEnable": true, "depositEnable": true}
    ]}
]"""
OKX = b"""{"code": "0", "msg": "", "data": [
    {"ccy": "USDT", "chain": "USDT-TRC20", "canWd": false, "canDep": true, "fee": "1", "minWd": "2",
     "maxWd": "8000000", "minDepArrivalConfirm": "20", "wdQuota": "1000000"},
    {"ccy": "USDT", "chain": "USDT-Avalanche C-Chain", "canWd": true, "canDep": false, "minFee": "0.8"},
    {"ccy": "BTC", "chain": "BTC-Bitcoin", "canWd": true, "canDep": true, "fee": "", "minDepArrivalConfirm": ""},
    {"ccy": "BTC", "chain": "BTCK-OKC", "canWd": true, "canDep": true},
    {"ccy": "CRO", "chain": "CRO-Crypto", "canWd": true, "canDep": true},
    {"ccy": "STX", "chain": "STX-l-Stacks", "canWd": true, "canDep": true}
]}"""
BYBIT = b"""{"retCode": 0, "retMsg": "success", "result": {"rows": [
    {"name": "ETH", "coin": "ETH", "remainAmount": "10000", "chains": [
        {"chain": "ETH", "chainType": "Ethereum", "chainDeposit": "1", "chainWithdraw": "0", "withdrawFee": "0.0003",
         "withdrawMin": "0.001", "withdrawPercentageFee": "0", "confirmation": "6"},
        {"chain": "ARBI", "chainType": "Arbitrum One", "chainDeposit": "0", "chainWithdraw": "1", "withdrawFee": "0",
         "withdrawMin": "", "withdrawPercentageFee": "0.022", "confirmation": ""}
    ]},
    {"coin": "USDT", "remainAmount": "", "chains": [
        {"chain": "OMNI", "chainDeposit": "", "chainWithdraw": "", "withdrawFee": "", "withdrawMin": ""},
        {"chain": "TRX", "chainDeposit": "1", "chainWithdraw": "1", "withdrawFee": "1"},
        {"chain": "KLAY", "chainDeposit": "1", "chainWithdraw": "1", "withdrawFee": ""}
    ]},
    {"coin": "LUNC", "chains": [{"chain": "LUNA", "chainDeposit": "1", "chainWithdraw": "1", "withdrawFee": "0.1"}]}
]}, "retExtInfo": {}, "time": 1770120012500}"""
KRAKEN = b"""{"error": [], "result": {
    "XXBT": {"aclass": "currency", "altname": "XBT", "status": "enabled"},
    "XETH": {"aclass": "currency", "altname": "ETH", "status": "deposit_only"},
    "ADA": {"aclass": "currency", "altname": "ADA", "status": "withdrawal_only"},
    "SOL": {"aclass": "currency", "altname": "SOL", "status": "funding_temporarily_disabled"}
}}"""
LISTS: dict[str, tuple[Decode, bytes]] = {
    "binance": (binance.rails, BINANCE),
    "bybit": (bybit.rails, BYBIT),
    "kraken": (kraken.rails, KRAKEN),
    "okx": (okx.rails, OKX),
}


def listed(exchange: str, **changed: str) -> Listed:
    decode, body = LISTS[exchange]
    text = body.decode()
    for old, new in changed.items():
        text = text.replace(old, new, 1)
    return decode(text.encode())


def said(exchange: str, rail: str) -> tuple[tuple[RailState, str], tuple[RailState, str]]:
    both = {
        reading.direction: (reading.state, reading.raw)
        for reading in listed(exchange).rails
        if f"{reading.asset}@{reading.network}" == rail
    }
    return both[Direction.WITHDRAWAL], both[Direction.DEPOSIT]


@pytest.mark.parametrize(
    ("exchange", "rail", "withdrawal", "deposit"),
    [
        pytest.param(
            "binance",
            "BTC@bitcoin",
            (SUSPENDED, "BTC Wallet upgrade"),
            (OPEN, "BTC"),
            id="binance off, with its reason",
        ),
        pytest.param(
            "binance", "BTC@lightning", (OPEN, "LIGHTNING"), (OPEN, "LIGHTNING"), id="binance the coin's other network"
        ),
        pytest.param(
            "binance", "USDT@tron", (OPEN, "TRX"), (SUSPENDED, "TRX depositEnable=false"), id="binance without a reason"
        ),
        pytest.param("okx", "USDT@tron", (SUSPENDED, "TRC20 canWd=false"), (OPEN, "TRC20"), id="okx off"),
        pytest.param(
            "okx",
            "USDT@avalanche",
            (OPEN, "Avalanche C-Chain"),
            (SUSPENDED, "Avalanche C-Chain canDep=false"),
            id="okx deposits off, a network with a dash of its own",
        ),
        pytest.param("okx", "BTC@bitcoin", (OPEN, "Bitcoin"), (OPEN, "Bitcoin"), id="okx open"),
        pytest.param("okx", "BTC@okx-chain", (OPEN, "OKC"), (OPEN, "OKC"), id="okx a wrapped coin under its own name"),
        pytest.param("okx", "CRO@cronos", (OPEN, "Crypto"), (OPEN, "Crypto"), id="okx calls cronos crypto"),
        pytest.param("okx", "STX@l-stacks", (OPEN, "l-Stacks"), (OPEN, "l-Stacks"), id="okx a network unknown to us"),
        pytest.param("bybit", "ETH@ethereum", (SUSPENDED, "ETH chainWithdraw=0"), (OPEN, "ETH"), id="bybit off"),
        pytest.param(
            "bybit", "ETH@arbitrum", (OPEN, "ARBI"), (SUSPENDED, "ARBI chainDeposit=0"), id="bybit deposits off"
        ),
        pytest.param(
            "bybit",
            "USDT@omni",
            (SUSPENDED, "OMNI chainWithdraw="),
            (SUSPENDED, "OMNI chainDeposit="),
            id="bybit a chain that is not offered",
        ),
        pytest.param(
            "bybit",
            "USDT@klaytn",
            (SUSPENDED, "KLAY withdrawFee empty"),
            (OPEN, "KLAY"),
            id="bybit an empty fee outranks the flag",
        ),
        pytest.param("bybit", "USDT@tron", (OPEN, "TRX"), (OPEN, "TRX"), id="bybit open"),
        pytest.param("bybit", "LUNC@terra-classic", (OPEN, "LUNA"), (OPEN, "LUNA"), id="bybit LUNA is the old chain"),
        pytest.param("kraken", "BTC@*", (OPEN, "enabled"), (OPEN, "enabled"), id="kraken open"),
        pytest.param(
            "kraken", "ETH@*", (SUSPENDED, "deposit_only"), (OPEN, "deposit_only"), id="kraken withdrawals off"
        ),
        pytest.param(
            "kraken", "ADA@*", (OPEN, "withdrawal_only"), (SUSPENDED, "withdrawal_only"), id="kraken deposits off"
        ),
        pytest.param(
            "kraken",
            "SOL@*",
            (SUSPENDED, "funding_temporarily_disabled"),
            (SUSPENDED, "funding_temporarily_disabled"),
            id="kraken both off",
        ),
    ],
)
def test_a_rail_reads_as_the_exchange_says(
    exchange: str, rail: str, withdrawal: tuple[RailState, str], deposit: tuple[RailState, str]
) -> None:
    assert said(exchange, rail) == (withdrawal, deposit)


@pytest.mark.parametrize("exchange", ["binance", "okx", "bybit"])
def test_no_roll_up_is_taken_for_a_coin_as_a_whole(exchange: str) -> None:
    assert not [reading for reading in listed(exchange).rails if reading.network == "*"]


@pytest.mark.parametrize(
    ("exchange", "terms"),
    [
        pytest.param(
            "binance",
            Terms("BTC", "bitcoin", Decimal("0.0002"), Decimal("0.001"), Decimal(500), None, 1),
            id="binance",
        ),
        pytest.param("binance", Terms("BTC", "lightning"), id="binance empty and null"),
        pytest.param("binance", Terms("USDT", "tron"), id="binance absent"),
        pytest.param("okx", Terms("USDT", "tron", Decimal(1), Decimal(2), Decimal(8000000), None, 20), id="okx"),
        pytest.param("okx", Terms("USDT", "avalanche", Decimal("0.8")), id="okx before there was a fee"),
        pytest.param("okx", Terms("BTC", "bitcoin"), id="okx empty"),
        pytest.param(
            "bybit",
            Terms("ETH", "ethereum", Decimal("0.0003"), Decimal("0.001"), Decimal(10000), None, 6),
            id="bybit",
        ),
        pytest.param(
            "bybit", Terms("ETH", "arbitrum", None, None, Decimal(10000)), id="bybit a percentage is no fixed fee"
        ),
        pytest.param("bybit", Terms("USDT", "omni"), id="bybit empty"),
    ],
)
def test_terms_are_what_the_list_tells(exchange: str, terms: Terms) -> None:
    assert terms in listed(exchange).terms


def test_a_count_that_is_no_number_costs_only_itself() -> None:
    told = listed("bybit", **{'"confirmation": "6"': f'"confirmation": "{"9" * 5000}"'})
    assert told.flaws == []
    assert Terms("ETH", "ethereum", Decimal("0.0003"), Decimal("0.001"), Decimal(10000)) in told.terms


def test_an_amount_that_is_no_number_costs_only_itself() -> None:
    told = listed("binance", **{'"0.0002"': '"free"'})
    assert told.flaws == []
    assert Terms("BTC", "bitcoin", None, Decimal("0.001"), Decimal(500), None, 1) in told.terms


OKX_FLAG, BYBIT_FLAG = '"canWd": false', '"chainWithdraw": "0"'


@pytest.mark.parametrize(
    ("exchange", "flag", "wrong", "path", "asset", "lost"),
    [
        pytest.param("okx", OKX_FLAG, '"canWd": "false"', "$.data[0].canWd", "USDT", 2, id="okx in quotes"),
        pytest.param("okx", OKX_FLAG, '"canWd": 0', "$.data[0].canWd", "USDT", 2, id="okx a number"),
        pytest.param("okx", OKX_FLAG, '"canWd": null', "$.data[0].canWd", "USDT", 2, id="okx null"),
        pytest.param("okx", OKX_FLAG, '"can": true', "$.data[0]", "USDT", 2, id="okx missing"),
        pytest.param("bybit", BYBIT_FLAG, '"chainWithdraw": "2"', ".chains[0].chainWithdraw", "ETH", 2, id="bybit 2"),
        pytest.param("bybit", BYBIT_FLAG, '"chainWithdraw": 0', ".chains[0].chainWithdraw", "ETH", 2, id="bybit 0"),
        pytest.param(
            "bybit", BYBIT_FLAG, '"chainWithdraw": false', ".chains[0].chainWithdraw", "ETH", 2, id="bybit no"
        ),
        pytest.param(
            "bybit", BYBIT_FLAG, '"chainWithdraw": null', ".chains[0].chainWithdraw", "ETH", 2, id="bybit null"
        ),
        pytest.param(
            "bybit",
            '"withdrawFee": "0.0003"',
            '"fee": "0.0003"',
            "$.result.rows[0].chains[0]",
            "ETH",
            2,
            id="bybit without the fee that is a flag",
        ),
        pytest.param(
            "bybit", BYBIT_FLAG, '"chain_withdraw": "1"', "$.result.rows[0].chains[0]", "ETH", 2, id="bybit none"
        ),
        pytest.param(
            "binance", '"withdrawEnable": false', '"withdrawEnable": 0', "$[0].networkList[0]", "BTC", 2, id="binance"
        ),
        pytest.param("binance", '"coin": "USDT"', '"coin": 7', "$[1].coin", "", 4, id="binance a coin without a name"),
        pytest.param(
            "kraken", '"deposit_only"', '"delisted"', "$.result.XETH.status", "ETH", 2, id="kraken a new word"
        ),
        pytest.param("kraken", '"altname": "XBT"', '"altname": 1', "$.result.XXBT.altname", "BTC", 2, id="kraken XXBT"),
    ],
)
def test_a_bad_row_costs_itself(exchange: str, flag: str, wrong: str, path: str, asset: str, lost: int) -> None:
    told = listed(exchange, **{flag: wrong})
    [flaw] = told.flaws
    assert path in flaw.detail
    assert flaw.asset == asset
    assert len(told.rails) == len(listed(exchange).rails) - lost


def test_a_list_of_other_things_is_refused() -> None:
    body = b'[{"coin": "A"}, {"coin": "B"}, {"coin": "C", "networkList": []}]'
    with pytest.raises(RemoteError, match="2 of 3 rows") as caught:
        binance.rails(body)
    assert caught.value.reason is FailureReason.SCHEMA


SPENT, AUTH, DOWN, REFUSED = (
    FailureReason.RATE_LIMITED,
    FailureReason.AUTH,
    FailureReason.HTTP_5XX,
    FailureReason.HTTP_4XX,
)


@pytest.mark.parametrize(
    ("decode", "body", "reason"),
    [
        pytest.param(
            binance.rails,
            '{"code": -1003, "msg": "Way too much request weight used; IP banned until 1770120012500."}',
            SPENT,
            id="binance list, banned",
        ),
        pytest.param(binance.rails, '{"code": -1003}', SPENT, id="binance list, without a word"),
        pytest.param(binance.system, '{"code": -1003, "msg": "Too many requests."}', SPENT, id="binance system"),
        pytest.param(binance.newest_trade, '{"code": -1003, "msg": ""}', SPENT, id="binance trades"),
        pytest.param(binance.server_time, '{"code": -1003, "msg": ""}', SPENT, id="binance time"),
        pytest.param(binance.rights, '{"code": -1003}', SPENT, id="binance rights"),
        pytest.param(binance.withdrawals, '{"code": -1003, "msg": ""}', SPENT, id="binance history"),
        pytest.param(
            binance.rails, '{"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}', AUTH, id="-2015"
        ),
        pytest.param(
            binance.rails, '{"code": -1021, "msg": "Timestamp for this request is outside."}', AUTH, id="-1021"
        ),
        pytest.param(binance.rights, '{"code": -1022, "msg": "Signature is not valid."}', AUTH, id="-1022"),
        pytest.param(binance.rails, '{"code": -1001, "msg": "Internal error; unable to process."}', DOWN, id="-1001"),
        pytest.param(binance.rails, '{"code": -1100, "msg": "Illegal characters found."}', REFUSED, id="-1100"),
        pytest.param(okx.rails, '{"code": "50011", "msg": "", "data": []}', SPENT, id="okx, without a word"),
        pytest.param(okx.system, '{"code": "50011", "msg": "Too Many Requests"}', SPENT, id="okx system"),
        pytest.param(okx.rails, '{"code": "50061", "msg": "limit", "data": []}', SPENT, id="okx by account"),
        pytest.param(okx.withdrawals, '{"code": "50111", "msg": "Invalid OK-ACCESS-KEY"}', AUTH, id="okx key"),
        pytest.param(
            okx.rights, '{"code": "50105", "msg": "OK-ACCESS-PASSPHRASE incorrect"}', AUTH, id="okx passphrase"
        ),
        pytest.param(okx.rails, '{"code": "50102", "msg": "Timestamp request expired"}', AUTH, id="okx time"),
        pytest.param(okx.rails, '{"code": "50001", "msg": "Service temporarily unavailable"}', DOWN, id="okx down"),
        pytest.param(okx.rails, '{"code": "51000", "msg": "Parameter ccy error"}', REFUSED, id="okx refuses"),
        pytest.param(
            bybit.rails, '{"retCode": 10006, "retMsg": "Too many visits!", "result": {}}', SPENT, id="bybit too often"
        ),
        pytest.param(bybit.newest_trade, '{"retCode": 10006, "retMsg": ""}', SPENT, id="bybit, without a word"),
        pytest.param(bybit.rails, '{"retCode": 10018, "retMsg": "", "result": []}', SPENT, id="bybit by address"),
        pytest.param(bybit.rights, '{"retCode": 10003, "retMsg": "API key is invalid."}', AUTH, id="bybit key"),
        pytest.param(bybit.withdrawals, '{"retCode": 10002, "retMsg": "invalid request time"}', AUTH, id="bybit time"),
        pytest.param(
            bybit.system, '{"retCode": 10009, "retMsg": "IP banned"}', FailureReason.BLOCKED, id="bybit banned"
        ),
        pytest.param(bybit.rails, '{"retCode": 10016, "retMsg": "Server error: timeout"}', DOWN, id="bybit down"),
        pytest.param(bybit.rails, '{"retCode": 10001, "retMsg": "Request parameter error."}', REFUSED, id="bybit no"),
        pytest.param(kraken.rails, '{"error": ["EAPI:Rate limit exceeded"], "result": []}', SPENT, id="kraken rate"),
        pytest.param(kraken.rails, '{"error": ["EService:Throttled: 1770120012"]}', SPENT, id="kraken throttled"),
        pytest.param(kraken.rights, '{"error": ["EGeneral:Temporary lockout"]}', SPENT, id="kraken locked out"),
        pytest.param(kraken.rights, '{"error": ["EAPI:Invalid key"]}', AUTH, id="kraken key"),
        pytest.param(kraken.withdrawals, '{"error": ["EAPI:Invalid nonce"]}', AUTH, id="kraken nonce"),
        pytest.param(kraken.withdrawals, '{"error": ["EGeneral:Permission denied"]}', AUTH, id="kraken permission"),
        pytest.param(kraken.server_time, '{"error": ["EService:Busy"], "result": {}}', DOWN, id="kraken busy"),
        pytest.param(
            kraken.newest_fill, '{"result": "error", "error": "apiLimitExceeded"}', REFUSED, id="kraken futures"
        ),
        pytest.param(
            kraken.newest_fill, '{"result": "error", "error": "Unavailable"}', DOWN, id="kraken futures unavailable"
        ),
    ],
)
def test_an_error_inside_a_200_is_what_it_means(
    decode: Callable[[bytes], object], body: str, reason: FailureReason
) -> None:
    with pytest.raises(RemoteError) as caught:
        decode(body.encode())
    assert caught.value.reason is reason


NEWEST = NewestTrade(AT, Decimal("70111.2"))


@pytest.mark.parametrize(
    ("exchange", "market", "body"),
    [
        pytest.param(
            "binance",
            "BTC/USDT:USDT",
            '[{"id": 7, "price": "70111.2", "qty": "0.001", "time": 1770120012500, "isBuyerMaker": true}]',
            id="binance",
        ),
        pytest.param(
            "okx",
            "BTC/USDT:USDT",
            '{"code": "0", "data": [{"instId": "BTC-USDT-SWAP", "px": "70111.2", "sz": "1", "ts": "1770120012500"}]}',
            id="okx",
        ),
        pytest.param(
            "bybit",
            "BTC/USDT:USDT",
            '{"retCode": 0, "result": {"category": "linear", "list": [{"price": "70111.2", "time": "1770120012500"}]}}',
            id="bybit",
        ),
        pytest.param(
            "kraken",
            "BTC/USD:USD",
            """{"result": "success", "history": [
                {"time": "2026-02-03T12:00:11.000Z", "price": 70000, "size": 1, "side": "sell", "type": "fill"},
                {"time": "2026-02-03T12:00:12.500Z", "price": 70111.2, "size": 25, "side": "buy", "type": "fill"}
            ], "serverTime": "2026-02-03T12:00:13.000Z"}""",
            id="kraken",
        ),
    ],
)
def test_the_newest_perpetual_trade(exchange: str, market: str, body: str) -> None:
    spot, perpetual = EXCHANGES[exchange].trades
    assert perpetual.market == market
    assert perpetual.probe == f"{exchange}-perpetual-trades"
    assert spot.probe == f"{exchange}-trades"
    assert perpetual.decode(body.encode()) == NEWEST


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param('{"result": "success", "history": []}', FailureReason.SHAPE, id="no trades"),
        pytest.param('{"result": "success"}', FailureReason.SCHEMA, id="no list"),
        pytest.param(
            '{"result": "success", "history": [{"time": "2026-02-03T12:00:12", "price": 1}]}',
            FailureReason.SCHEMA,
            id="a time without a zone",
        ),
        pytest.param(
            '{"result": "success", "history": [{"time": "0001-01-01T00:00:00Z", "price": 1}]}',
            FailureReason.SCHEMA,
            id="a time before all",
        ),
    ],
)
def test_what_cannot_be_a_trade_of_krakens_futures(body: str, reason: FailureReason) -> None:
    with pytest.raises(RemoteError) as caught:
        kraken.newest_fill(body.encode())
    assert caught.value.reason is reason


@pytest.mark.parametrize("exchange", OURS)
def test_a_person_can_follow_where_a_flag_is(exchange: str) -> None:
    for listing in EXCHANGES[exchange].lists:
        where = listing.where.format(asset="USDT", word="TRX")
        assert "USDT" in where
        assert ("TRX" in where) is (exchange != "kraken")
        assert listing.rule
    assert EXCHANGES[exchange].traps


class Capture(Struct):
    response: msgspec.Raw


class RolledUp(Struct, rename="camel"):
    coin: str
    withdraw_all_enable: bool


def body_of(file: str) -> bytes:
    path = Path(DATA or "") / "recorded" / f"{file}.json"
    return bytes(msgspec.json.decode(path.read_bytes(), type=Capture).response)


READ_ELSEWHERE = {
    "binance_capital_config_getall_docsample",
    "binance_fetchCurrencies_live_2022-12-05_07ed53d",
    "binance_fetchStatus",
    "bybit_coin_query_info_docsample",
    "bybit_fetchCurrencies_live_2022-12-05_8a991c6",
    "bybit_fetchStatus",
    "kraken_fetchCurrencies_Assets",
    "kraken_fetchStatus",
    "kraken_statuspage_incidents_shape",
    "okx_fetchCurrencies_docsample",
    "okx_fetchCurrencies_live_2022-11-30_db3d257",
}
RECORDED_HISTORIES = {
    "binance_fetchWithdrawals": ["confirmed", "confirmed"],
    "bybit_fetchWithdrawals": ["pending"],  # the other one stayed inside Bybit
    "kraken_fetchWithdrawals_WithdrawStatus": ["sent"],  # the other one was cancelled
    "okx_fetchWithdrawals": ["confirmed"],
}
NOT_READ = {
    "binance_accountStatus": "whether the key's own account is in order, no list",
    "binance_assetDetail": "withdrawStatus is false only where all networks of a coin are closed",
    "bybit_delayedWithdraw": "what one account may withdraw now, no flag of a chain",
    "kraken_WithdrawInfo": "the fee of one payment, told only to a key that may withdraw",
    "kraken_WithdrawMethods": "told only to a key that may withdraw, and we use none",
    "kraken_xchange_Assets": "a retired shape: no asset has a status",
    "okx_fetchStatus_ws": "a message of a stream, not an answer",
}


@needs_data
def test_every_recorded_file_is_read_or_has_a_reason() -> None:
    there = {path.stem for path in (Path(DATA or "") / "recorded").glob("*.json")}
    assert {file for file in there if file.partition("_")[0] in OURS} == (
        READ_ELSEWHERE | set(RECORDED_HISTORIES) | set(NOT_READ)
    )


@needs_data
@pytest.mark.parametrize("file", NOT_READ)
@pytest.mark.parametrize("exchange", OURS)
def test_what_we_do_not_read_is_never_taken_for_a_list(file: str, exchange: str) -> None:
    decode, _ = LISTS[exchange]
    with pytest.raises(RemoteError) as caught:
        decode(body_of(file))
    assert caught.value.reason is FailureReason.SCHEMA


@needs_data
@pytest.mark.parametrize(("file", "states"), RECORDED_HISTORIES.items(), ids=RECORDED_HISTORIES)
def test_a_documented_history_decodes(file: str, states: list[str]) -> None:
    history = EXCHANGES[file.partition("_")[0]].history
    assert history is not None
    told = history.decode(body_of(file))
    assert [withdrawal.state for withdrawal in told] == states
    assert all(withdrawal.requested_at.tzinfo is UTC for withdrawal in told)


@needs_data
def test_binances_withdraw_all_enable_is_true_while_any_network_is_open() -> None:
    body = body_of("binance_fetchCurrencies_live_2022-12-05_07ed53d")
    rolled_up = {row.coin: row.withdraw_all_enable for row in msgspec.json.decode(body, type=list[RolledUp])}
    flags: dict[str, list[bool]] = {}
    for reading in binance.rails(body).rails:
        if reading.direction is Direction.WITHDRAWAL:
            flags.setdefault(reading.asset, []).append(reading.state is OPEN)
    assert {coin: any(networks) for coin, networks in flags.items()} == rolled_up
    hidden = [coin for coin, networks in flags.items() if rolled_up[coin] and not all(networks)]
    assert len(hidden) == 37


@needs_data
@pytest.mark.parametrize(
    ("file", "decode", "rows"),
    [
        ("binance_fetchCurrencies_live_2022-12-05_07ed53d", binance.rails, 938),
        ("bybit_fetchCurrencies_live_2022-12-05_8a991c6", bybit.rails, 322),
        ("okx_fetchCurrencies_live_2022-11-30_db3d257", okx.rails, 410),
    ],
)
def test_a_real_list_has_terms_for_every_rail_and_no_flaw(file: str, decode: Decode, rows: int) -> None:
    told = decode(body_of(file))
    assert (len(told.rails), len(list(told.terms)), told.flaws) == (2 * rows, rows, [])
    assert sum(terms.fee is not None for terms in told.terms) >= rows - 1
