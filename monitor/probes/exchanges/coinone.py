"""Coinone. Its public list knows coins, not networks; an error may come with status 200."""

from decimal import Decimal
from typing import Literal

from msgspec import Raw, Struct

from monitor.model import Direction, FailureReason, RemoteError
from monitor.probes.answer import decode, present, refusal, shortened
from monitor.probes.exchange import Exchange, Listing, Trades
from monitor.probes.rails import Listed, RailReading, Terms, coin
from monitor.probes.rows import rows
from monitor.probes.trades import NewestTrade, newest

_WITHDRAWAL, _DEPOSIT = Direction.WITHDRAWAL, Direction.DEPOSIT

_Status = Literal["normal", "suspended"]


class _Envelope(Struct, frozen=True):
    result: Literal["success", "error"]
    error_code: str = ""
    error_msg: str = ""
    currencies: list[Raw] | None = None


class _Currency(Struct, frozen=True, gc=False):
    symbol: str
    deposit_status: _Status
    withdraw_status: _Status
    deposit_confirm_count: int | None = None
    withdrawal_min_amount: Decimal | None = None
    withdrawal_fee: Decimal | None = None


class _Trade(Struct, frozen=True):
    timestamp: Decimal  # milliseconds
    price: Decimal


class _Trades(_Envelope, frozen=True):
    transactions: list[_Trade] | None = None


def rails(body: bytes) -> Listed:
    """`GET /public/v2/currencies`. KRW may be in it."""
    answer = decode(body, _Envelope)
    _refuse_errors(answer)
    read = rows(present(answer.currencies, field="currencies"), _Currency, asset="symbol", path="$.currencies")
    readings: list[RailReading] = []
    terms: list[Terms] = []
    for each in read.good:
        if each.symbol != "KRW":
            readings.append(coin(each.symbol, _WITHDRAWAL, closed=_closed(each.withdraw_status)))
            readings.append(coin(each.symbol, _DEPOSIT, closed=_closed(each.deposit_status)))
            terms.append(_terms(each))
    return Listed(readings, read.flaws, terms)


def _closed(status: _Status) -> str:
    return "" if status == "normal" else status


def _terms(each: _Currency) -> Terms:
    return Terms(
        each.symbol,
        "*",
        fee=each.withdrawal_fee,
        minimum=each.withdrawal_min_amount,
        confirmations=each.deposit_confirm_count,
    )


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /public/v2/trades/KRW/BTC`."""
    answer = decode(body, _Trades)
    _refuse_errors(answer)
    trades = present(answer.transactions, field="transactions")
    return newest(((trade.timestamp, trade.price) for trade in trades), per_second=1000)


def _refuse_errors(answer: _Envelope) -> None:
    if answer.result == "success":
        return
    said = shortened(f"{answer.error_code} {answer.error_msg}")
    match answer.error_code:
        case "4":  # blocked user access: what is answered for ten minutes to who asked too often
            raise RemoteError(FailureReason.RATE_LIMITED, said)
        case "405":  # maintenance
            raise RemoteError(FailureReason.HTTP_5XX, said)
        case _:
            raise refusal(said)


EXCHANGE = Exchange(
    name="coinone",
    title="Coinone",
    url="https://api.coinone.co.kr",
    lists=(
        Listing(
            path="/public/v2/currencies",
            probe="coinone-currencies",
            interval=30.0,
            decode=rails,
            where="currencies[symbol={asset}].withdraw_status",
            rule="suspended is suspended",
        ),
    ),
    trades=(
        Trades(path="/public/v2/trades/KRW/BTC?size=10", probe="coinone-trades", market="BTC/KRW", decode=newest_trade),
    ),
    per_second=2.5,
    traps=(
        "the list has no networks: one that is closed may hide behind a coin that is open",
        "who asks more than five times in a second is answered nothing for ten minutes",
    ),
)
