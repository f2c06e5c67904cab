"""What an account holds, out of each exchange's own words; and what is told of it.

Samples follow the published documentation.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec import Struct

from monitor.http import Answer
from monitor.model import Exposure, FailureReason, Reading, RemoteError
from monitor.probes import EXCHANGES
from monitor.probes.answer import Endpoint
from monitor.probes.exchanges import (
    binance,
    bitfinex,
    bitget,
    bybit,
    coinbase,
    cryptocom,
    gate,
    kraken,
    kucoin,
    mexc,
    okx,
    upbit,
)
from monitor.probes.exposure import ConfiguredProbe, FundsProbe
from tests.hand_clock import NOON, HandClock

Decode = Callable[[bytes], Mapping[str, Decimal]]
BITCOIN = {"BTC": Decimal("1.5")}


class Case(Struct, frozen=True, kw_only=True):
    """`rows`: what stands in `around`. Each of `one`, which is 1.5 BTC, has the amount 0.25 as a part of it."""

    decode: Decode
    around: str
    one: str
    refusal: tuple[str, FailureReason]
    quoted: bool = True  # its amounts are strings

    def body(self, *rows: str) -> bytes:
        return self.around.replace("ROWS", ", ".join(rows)).encode()

    def with_amount(self, written: str) -> bytes:
        old = '"0.25"' if self.quoted else "0.25"
        assert old in self.one
        return self.body(self.one.replace(old, written))


AUTH, LIMITED, WRONG = FailureReason.AUTH, FailureReason.RATE_LIMITED, FailureReason.HTTP_4XX

CASES = {
    "binance": Case(
        decode=binance.funds,
        around="[ROWS]",
        one='{"coin": "BTC", "name": "Bitcoin", "free": "1", "locked": "0.25", "freeze": "0.05", "withdrawing": "0.2",'
        ' "ipoing": "0", "ipoable": "9", "storage": "0", "isLegalMoney": false, "networkList": [{"network": "BTC"}]}',
        refusal=('{"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}', AUTH),
    ),
    "okx": Case(
        decode=okx.funds,
        around='{"code": "0", "msg": "", "data": [ROWS]}',
        one='{"ccy": "BTC", "bal": "0.25", "frozenBal": "0", "availBal": "0.25"},'
        ' {"ccy": "BTC", "bal": "1.25", "frozenBal": "1", "availBal": "0.25"}',
        refusal=('{"code": "50120", "msg": "no permission to use this function", "data": []}', AUTH),
    ),
    "bybit": Case(
        decode=bybit.funds,
        around='{"retCode": 0, "retMsg": "success", "result": {"memberId": "533285", "accountType": "FUND",'
        ' "balance": [ROWS]}, "retExtInfo": {}, "time": 1675866354914}',
        one='{"coin": "BTC", "transferBalance": "0", "walletBalance": "0.25", "bonus": ""},'
        ' {"coin": "BTC", "transferBalance": "1", "walletBalance": "1.25", "bonus": ""}',
        refusal=('{"retCode": 10005, "retMsg": "Permission denied", "result": {}}', AUTH),
    ),
    "kraken": Case(
        decode=kraken.funds,
        around='{"error": [], "result": {ROWS}}',
        one='"XXBT": "1.0000000000", "XBT.F": "0.25", "XBT.M": "0.2500000000"',
        refusal=('{"error": ["EGeneral:Permission denied"]}', AUTH),
    ),
    "kucoin": Case(
        decode=kucoin.funds,
        around='{"code": "200000", "data": [ROWS]}',
        one='{"id": "1", "currency": "BTC", "type": "main", "balance": "0.25", "available": "0.2", "holds": "0.05"},'
        ' {"id": "2", "currency": "BTC", "type": "trade", "balance": "1.25", "available": "1.25", "holds": "0"}',
        refusal=('{"code": "400007", "msg": "Access denied--Require more permission"}', AUTH),
    ),
    "gate": Case(
        decode=gate.funds,
        around="[ROWS]",
        one='{"currency": "BTC", "available": "1.25", "locked": "0.25", "update_id": 98}',
        refusal=('{"label": "TOO_MANY_REQUESTS", "message": "Request Rate limit Exceeded"}', LIMITED),
    ),
    "bitget": Case(
        decode=bitget.funds,
        around='{"code": "00000", "msg": "success", "requestTime": 1695808949356, "data": [ROWS]}',
        one='{"coin": "BTC", "available": "1", "frozen": "0.25", "locked": "0.25", "limitAvailable": "0",'
        ' "uTime": "1622697148"}',
        refusal=('{"code": "40085", "msg": "You are in Unified Account mode", "data": null}', WRONG),
    ),
    "mexc": Case(
        decode=mexc.funds,
        around='{"canTrade": true, "canWithdraw": true, "updateTime": null, "accountType": "SPOT", "balances": [ROWS]}',
        one='{"asset": "BTC", "free": "1.25", "locked": "0.25", "available": "1.25"}',
        refusal=('{"code": 700007, "msg": "No permission to access the endpoint."}', AUTH),
    ),
    "cryptocom": Case(
        decode=cryptocom.funds,
        around='{"id": 11, "method": "private/user-balance", "code": 0, "result": {"data": [{"instrument_name": "USD",'
        ' "total_cash_balance": "7890.00320721", "position_balances": [ROWS], "is_liquidating": false}]}}',
        one='{"instrument_name": "BTC", "quantity": "0.25", "reserved_qty": "0.05", "market_value": "9"},'
        ' {"instrument_name": "BTC", "quantity": "1.25", "reserved_qty": "0", "market_value": "9"}',
        refusal=('{"id": 11, "code": 40101, "message": "UNAUTHORIZED"}', AUTH),
    ),
    "bitfinex": Case(
        decode=bitfinex.funds,
        around="[ROWS]",
        one='["exchange", "BTC", 1, 0, 0.9, "Exchange 1.0 BTC for USD", {"reason": "TRADE"}],'
        ' ["funding", "BTC", 0.25, -0.01, null, null, null], ["margin", "BTCF0", 0.25, 0, 0.2, null, null]',
        refusal=('["error", 10100, "apikey: invalid"]', AUTH),
        quoted=False,
    ),
    "coinbase": Case(
        decode=coinbase.funds,
        around="[ROWS]",
        one='{"id": "7fd0abc0", "currency": "BTC", "balance": "0.25", "hold": "0.05", "available": "0.2",'
        ' "profile_id": "8058d771", "trading_enabled": true}, {"id": "7fd0abc1", "currency": "BTC",'
        ' "balance": "1.25", "hold": "0", "available": "1.25", "profile_id": "8058d771", "trading_enabled": true}',
        refusal=('{"message": "Forbidden"}', FailureReason.SCHEMA),
    ),
    "upbit": Case(
        decode=upbit.funds,
        around="[ROWS]",
        one='{"currency": "BTC", "balance": "1.25", "locked": "0.25", "avg_buy_price": "1495000",'
        ' "avg_buy_price_modified": false, "unit_currency": "KRW"}',
        refusal=('{"error": {"name": "out_of_scope", "message": ""}}', FailureReason.SCHEMA),
    ),
}


def every() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def refused(decode: Decode, body: bytes) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        decode(body)
    return caught.value


@every()
def test_what_is_free_and_what_is_not_is_held(case: Case) -> None:
    assert case.decode(case.body(case.one)) == BITCOIN


@every()
def test_an_account_may_hold_nothing(case: Case) -> None:
    assert case.decode(case.body()) == {}


@every()
@pytest.mark.parametrize(
    "written",
    [
        "null",
        '""',
        '"NaN"',
        '"sNaN"',
        '"Infinity"',
        '"-0.25"',
        "-0.25",
        '"1e40"',
        '"1e999999999"',
        f'"0.{"7" * 5000}"',
        '"x"',
        "true",
        "[]",
    ],
)
def test_one_amount_that_is_none_refuses_the_whole_answer(case: Case, written: str) -> None:
    assert refused(case.decode, case.with_amount(written)).reason is FailureReason.SCHEMA


@every()
def test_a_row_without_a_name_refuses_the_whole_answer(case: Case) -> None:
    nameless = case.one.replace('"BTC"', "null").replace('"XXBT"', "7")
    assert refused(case.decode, case.body(nameless)).reason is FailureReason.SCHEMA


@every()
def test_what_the_exchange_says_instead_is_told(case: Case) -> None:
    said, reason = case.refusal
    assert refused(case.decode, said.encode()).reason is reason


@every()
def test_another_shape_is_a_failure(case: Case) -> None:
    for body in (b"", b"null", b"[", b"7", b'{"data": 7}', b"<html>"):
        assert refused(case.decode, body).reason is FailureReason.SCHEMA


@pytest.mark.parametrize(
    ("told", "asset"),
    [
        ("XXBT", "BTC"),
        ("XETH", "ETH"),
        ("XXDG", "DOGE"),
        ("USDT", "USDT"),
        ("ZUSD", "USD"),
        ("ZEUR", "EUR"),
        ("ZETA", "ZETA"),
        ("XTZ", "XTZ"),
        ("ETH.F", "ETH"),
        ("XBT.M", "BTC"),
        ("SOL.B", "SOL"),
        ("DOT.S", "DOT"),
        ("DOT28.S", "DOT"),
        ("ETH2", "ETH"),
        ("ETH2.S", "ETH"),
        ("DOT.P", "DOT"),
        ("USD.HOLD", "USD"),
        ("C98", "C98"),
        ("AAPLx.T", "AAPLx.T"),
    ],
    ids=lambda name: name,
)
def test_kraken_keeps_one_asset_in_several_ledgers(told: str, asset: str) -> None:
    body = f'{{"error": [], "result": {{"{told}": "2.5"}}}}'
    assert kraken.funds(body.encode()) == {asset: Decimal("2.5")}


@pytest.mark.parametrize(
    ("told", "asset"),
    [("UST", "USDT"), ("USTF0", "USDT"), ("UDC", "USDC"), ("BTCF0", "BTC"), ("IOT", "IOTA"), ("XRP", "XRP")],
    ids=lambda name: name,
)
def test_bitfinex_has_its_own_symbols(told: str, asset: str) -> None:
    assert bitfinex.funds(f'[["exchange", "{told}", 2.5, 0, 2.5, null, null]]'.encode()) == {asset: Decimal("2.5")}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"code": 0, "result": {"data": []}}', id="no wallet"),
        pytest.param('{"code": 0, "result": {}}', id="no wallets"),
        pytest.param('{"code": 0}', id="no result"),
    ],
)
def test_no_wallet_of_cryptocoms_is_not_an_empty_one(body: str) -> None:
    assert refused(cryptocom.funds, body.encode()).reason is FailureReason.SCHEMA


def test_amounts_are_told_to_the_last_digit() -> None:
    row = '{"currency": "SHIB", "available": "31200000000.123456789012345678", "locked": "0.000000000000000001"}'
    assert gate.funds(f"[{row}]".encode()) == {"SHIB": Decimal("31200000000.123456789012345679")}


def test_every_exchange_that_tells_withdrawals_to_a_key_tells_balances_or_why_not() -> None:
    for name, exchange in EXCHANGES.items():
        if exchange.history is None:
            assert exchange.funds is None
        elif exchange.funds is None:
            assert name == "htx"
            assert any("balances" in trap for trap in exchange.traps)
        else:
            assert exchange.funds.decode is CASES[name].decode
            assert exchange.funds.probe == f"{name}-balances"
            assert exchange.sign is not None


class Account:
    """What an exchange would tell of it, in a shape of its own: `BTC 1.5, USDT 20`."""

    def __init__(self, told: str) -> None:
        self.told = told

    async def fetch(self) -> Answer:
        return Answer(status=200, body=self.told.encode(), elapsed_seconds=0.1, date=None, read_at=0.0)

    async def heed(self, _error: RemoteError) -> None:
        return None


def spelled(body: bytes) -> dict[str, Decimal]:
    pairs = (part.split() for part in body.decode().split(",") if part.strip())
    return {asset: Decimal(amount) for asset, amount in pairs}


@pytest.fixture
def account() -> Account:
    return Account("USDT 20, BTC 1.5, ETH 0")


@pytest.fixture
def probe(account: Account) -> FundsProbe:
    endpoint = Endpoint(account.fetch, account.heed, interval=300.0)
    return FundsProbe(endpoint, HandClock(), exchange="okx", name="okx-balances", interval=300.0, decode=spelled)


def amounts(reading: Reading) -> list[tuple[str, Decimal]]:
    lines = [line for line in reading if isinstance(line, Exposure)]
    assert len(lines) == len(reading)
    return [(line.asset, line.amount) for line in lines]


async def test_what_is_held_is_told_and_what_is_not_is_left_out(probe: FundsProbe) -> None:
    reading = await probe.observe()
    assert amounts(reading) == [("BTC", Decimal("1.5")), ("USDT", Decimal(20))]
    assert {(line.exchange, line.probe) for line in reading if isinstance(line, Exposure)} == {("okx", "okx-balances")}


async def test_what_is_gone_is_taken_back_once(probe: FundsProbe, account: Account) -> None:
    await probe.observe()
    account.told = "BTC 1.5"
    assert amounts(await probe.observe()) == [("BTC", Decimal("1.5")), ("USDT", Decimal(0))]
    assert amounts(await probe.observe()) == [("BTC", Decimal("1.5"))]
    account.told = ""
    assert amounts(await probe.observe()) == [("BTC", Decimal(0))]
    assert await probe.observe() == ()


async def test_an_account_that_is_empty_after_a_restart_takes_back_what_was_told_before(
    probe: FundsProbe, account: Account
) -> None:
    account.told = ""
    assert amounts(await probe.observe()) == [("USDT", Decimal(0))]
    assert await probe.observe() == ()


@pytest.mark.parametrize("amount", ["NaN", "-1", "Infinity", "1e30"])
async def test_an_amount_that_is_none_tells_nothing_and_takes_nothing_back(
    probe: FundsProbe, account: Account, amount: str
) -> None:
    await probe.observe()
    account.told = f"BTC {amount}"
    with pytest.raises(RemoteError) as caught:
        await probe.observe()
    assert caught.value.reason is FailureReason.SCHEMA
    account.told = "BTC 1.5"
    assert amounts(await probe.observe()) == [("BTC", Decimal("1.5")), ("USDT", Decimal(0))]


async def test_what_was_written_down_is_told_every_time() -> None:
    clock = HandClock()
    probe = ConfiguredProbe(clock, exchange="kucoin", name="kucoin-exposure", held={"USDT": Decimal(31_200_000)})
    for told_at in (NOON, NOON + timedelta(hours=1)):
        (line,) = await probe.observe()
        assert isinstance(line, Exposure)
        assert (line.at, line.asset, line.amount) == (told_at, "USDT", Decimal(31_200_000))
        clock.hand += 3600
