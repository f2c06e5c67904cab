"""Korbit. A coin's own flags are leftovers of its default network: what counts is in `networkList`."""

from decimal import Decimal
from typing import Generic, Literal, TypeVar

from msgspec import Raw, Struct

from monitor.probes.answer import decode, present, refusal
from monitor.probes.exchange import Exchange, Listing, Trades
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading, Terms, deposit, withdrawal
from monitor.probes.rows import Flaw, rows
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_LONGEST_COUNT = 9

_Status = Literal["launched", "stopped"]


class _Error(Struct, frozen=True):
    message: str = ""


class _Envelope(Struct, Generic[T], frozen=True):
    success: bool
    data: T | None = None
    error: _Error = _Error()


class _Network(Struct, frozen=True, gc=False, rename="camel"):
    name: str
    withdrawal_status: _Status
    deposit_status: _Status
    confirmation_count: int | str | None = None  # documented as a string, shown as a number
    withdrawal_tx_fee: Decimal | None = None
    withdrawal_min_amount: Decimal | None = None


class _Currency(Struct, frozen=True, gc=False, rename="camel"):
    name: str
    network_list: list[_Network] | None = None
    withdrawal_max_amount_per_request: Decimal | None = None


class _Trade(Struct, frozen=True):
    timestamp: Decimal  # milliseconds
    price: Decimal


def rails(body: bytes) -> Listed:
    """`GET /v2/currencies`. KRW is in it, and has no networks."""
    raws = _data(decode(body, _Envelope[list[Raw]]))
    read = rows(raws, _Currency, asset="name", path="$.data")
    flaws = [Flaw(flaw.detail, flaw.asset.upper()) for flaw in read.flaws]
    readings: list[RailReading] = []
    terms: list[Terms] = []
    for currency in read.good:
        asset = currency.name.upper()
        if currency.network_list is None:
            if asset != "KRW":
                flaws.append(Flaw(f"no `networkList` - at `$.data[name={currency.name}]`", asset))
            continue
        for network in currency.network_list:
            readings.extend(_both(asset, network))
            terms.append(_terms(asset, network, currency.withdrawal_max_amount_per_request))
    return Listed(readings, flaws, terms)


def _both(asset: str, network: _Network) -> tuple[RailReading, RailReading]:
    ours, word = our_network(network.name), network.name
    return (
        withdrawal(asset, ours, word, closed=_closed(network.withdrawal_status)),
        deposit(asset, ours, word, closed=_closed(network.deposit_status)),
    )


def _closed(status: _Status) -> str:
    return "" if status == "launched" else status


def _terms(asset: str, network: _Network, maximum: Decimal | None) -> Terms:
    return Terms(
        asset,
        our_network(network.name),
        fee=network.withdrawal_tx_fee,
        minimum=network.withdrawal_min_amount,
        maximum=maximum,
        confirmations=_count(network.confirmation_count),
    )


def _count(told: int | str | None) -> int | None:
    match told:
        case str():
            return int(told) if told.isascii() and told.isdecimal() and len(told) <= _LONGEST_COUNT else None
        case _:
            return told


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /v2/trades`."""
    trades = _data(decode(body, _Envelope[list[_Trade]]))
    return newest(((trade.timestamp, trade.price) for trade in trades), per_second=1000)


def _data(answer: _Envelope[T]) -> T:
    if not answer.success:
        raise refusal(answer.error.message)
    return present(answer.data, field="data")


EXCHANGE = Exchange(
    name="korbit",
    title="Korbit",
    url="https://api.korbit.co.kr",
    lists=(
        Listing(
            path="/v2/currencies",
            probe="korbit-currencies",
            interval=30.0,
            decode=rails,
            where="data[name={asset}].networkList[name={word}].withdrawalStatus",
            rule="stopped is suspended",
        ),
    ),
    trades=(
        Trades(path="/v2/trades?symbol=btc_krw&limit=1", probe="korbit-trades", market="BTC/KRW", decode=newest_trade),
    ),
    per_second=5.0,
    traps=(
        "a coin's own withdrawalStatus is that of its default network and will be removed: it is not read",
        "own withdrawals are told for one coin a question, so they are not read",
    ),
)
