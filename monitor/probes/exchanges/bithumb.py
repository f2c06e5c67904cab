"""Bithumb. Coins and their networks are two lists; about a third of all coins is closed at rest."""

from decimal import Decimal
from typing import Generic, Literal, TypeVar

from msgspec import Raw, Struct

from monitor.model import Direction
from monitor.probes.answer import decode, refusal
from monitor.probes.exchange import Exchange, Listing, Trades
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading, coin, deposit, withdrawal
from monitor.probes.rows import named_rows, rows
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_FINE = "0000"
_WITHDRAWAL, _DEPOSIT = Direction.WITHDRAWAL, Direction.DEPOSIT
_NO_WITHDRAWAL, _NO_DEPOSIT = "withdrawal_status=0", "deposit_status=0"

_Flag = Literal[0, 1]


class _Said(Struct, frozen=True):
    status: str
    message: str = ""


class _Envelope(Struct, Generic[T], frozen=True):
    data: T


class _Flags(Struct, frozen=True, gc=False):
    withdrawal_status: _Flag
    deposit_status: _Flag


class _Network(_Flags, frozen=True, kw_only=True, gc=False):
    currency: str
    net_type: str


class _Trade(Struct, frozen=True):
    timestamp: Decimal  # milliseconds
    trade_price: Decimal


def networks(body: bytes) -> Listed:
    """`GET /public/assetsstatus/multichain/ALL`: a row a coin and network."""
    raws = _data(body, _Envelope[list[Raw]])
    read = rows(raws, _Network, asset="currency", path="$.data")
    readings: list[RailReading] = []
    for row in read.good:
        asset, ours, word = row.currency, our_network(row.net_type), row.net_type
        readings.append(withdrawal(asset, ours, word, closed="" if row.withdrawal_status else _NO_WITHDRAWAL))
        readings.append(deposit(asset, ours, word, closed="" if row.deposit_status else _NO_DEPOSIT))
    return Listed(readings, read.flaws)


def coins(body: bytes) -> Listed:
    """`GET /public/assetsstatus/ALL`: what it says of a coin as a whole."""
    raws = _data(body, _Envelope[dict[str, Raw]])
    read = named_rows(raws, _Flags, path="$.data")
    readings: list[RailReading] = []
    for asset, flags in read.good:
        readings.append(coin(asset, _WITHDRAWAL, closed="" if flags.withdrawal_status else _NO_WITHDRAWAL))
        readings.append(coin(asset, _DEPOSIT, closed="" if flags.deposit_status else _NO_DEPOSIT))
    return Listed(readings, read.flaws)


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /v1/trades/ticks`."""
    trades = decode(body, list[_Trade])
    return newest(((trade.timestamp, trade.trade_price) for trade in trades), per_second=1000)


def _data(body: bytes, shape: type[_Envelope[T]]) -> T:
    # An error comes without `data` or with one of another shape, so what is said is read first.
    said = decode(body, _Said)
    if said.status != _FINE:
        raise refusal(f"{said.status} {said.message}")
    return decode(body, shape).data


EXCHANGE = Exchange(
    name="bithumb",
    title="Bithumb",
    url="https://api.bithumb.com",
    lists=(
        Listing(
            path="/public/assetsstatus/multichain/ALL",
            probe="bithumb-networks",
            interval=30.0,
            decode=networks,
            where="data[currency={asset}, net_type={word}].withdrawal_status",
            rule="0 is suspended",
        ),
        Listing(
            path="/public/assetsstatus/ALL",
            probe="bithumb-coins",
            interval=30.0,
            decode=coins,
            where="data.{asset}.withdrawal_status",
            rule="0 is suspended",
        ),
    ),
    trades=(
        Trades(
            path="/v1/trades/ticks?market=KRW-BTC&count=1",
            probe="bithumb-trades",
            market="BTC/KRW",
            decode=newest_trade,
        ),
    ),
    per_second=5.0,
    traps=(
        "about 30 % of its coins are closed at rest",
        "the coin and its networks are two lists, read at different times: they may differ for a minute",
        "that its nodes lag is only told to a key (GET /v1/status/wallet), which is not used",
    ),
)
