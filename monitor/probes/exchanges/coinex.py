"""CoinEx. Its flags are public; a coin's own flag closes all its chains, and they may be closed while it is open."""

from decimal import Decimal
from typing import Generic, TypeVar

from msgspec import Raw, Struct

from monitor.model import Direction, FailureReason, RemoteError
from monitor.probes.answer import decode, present, refusal, shortened
from monitor.probes.exchange import Exchange, Listing, Trades
from monitor.probes.figures import amount
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading, Terms, coin, deposit, withdrawal
from monitor.probes.rows import rows
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_TOO_OFTEN = 4213


class _Said(Struct, frozen=True):
    code: int
    message: str = ""


class _Envelope(Struct, Generic[T], frozen=True):
    data: T | None = None


class _Name(Struct, frozen=True):
    ccy: str


class _Asset(Struct, frozen=True, gc=False):
    ccy: str
    withdraw_enabled: bool
    deposit_enabled: bool


class _Chain(Struct, frozen=True, gc=False):
    chain: str
    withdraw_enabled: bool
    deposit_enabled: bool
    withdrawal_fee: str | None = None
    min_withdraw_amount: str | None = None


class _Coin(Struct, frozen=True, gc=False):
    asset: _Asset
    chains: list[_Chain]


class _Trade(Struct, frozen=True):
    created_at: Decimal  # milliseconds
    price: Decimal


def rails(body: bytes) -> Listed:
    """`GET /v2/assets/all-deposit-withdraw-config`. A coin without chains has no way out to tell of."""
    raws = _data(body, _Envelope[list[Raw]])
    read = rows(raws, _Coin, asset="asset.ccy", path="$.data")
    readings: list[RailReading] = []
    terms: list[Terms] = []
    for each in read.good:
        name = each.asset.ccy
        out = "" if each.asset.withdraw_enabled else "coin withdraw_enabled=false"
        into = "" if each.asset.deposit_enabled else "coin deposit_enabled=false"
        if each.chains:
            readings += (coin(name, Direction.WITHDRAWAL, closed=out), coin(name, Direction.DEPOSIT, closed=into))
        for chain in each.chains:
            network, word = our_network(chain.chain), chain.chain
            closed = out or ("" if chain.withdraw_enabled else "chain withdraw_enabled=false")
            readings.append(withdrawal(name, network, word, closed=closed))
            closed = into or ("" if chain.deposit_enabled else "chain deposit_enabled=false")
            readings.append(deposit(name, network, word, closed=closed))
            terms.append(_terms(name, network, chain))
    return Listed(readings, read.flaws, terms)


def _terms(asset: str, network: str, chain: _Chain) -> Terms:
    return Terms(asset, network, fee=amount(chain.withdrawal_fee), minimum=amount(chain.min_withdraw_amount))


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /v2/spot/deals` and `GET /v2/futures/deals`."""
    trades = _data(body, _Envelope[list[_Trade]])
    return newest(((trade.created_at, trade.price) for trade in trades), per_second=1000)


def _data(body: bytes, shape: type[_Envelope[T]]) -> T:
    # Looked at first: beside an error `data` is an empty object, whatever it is otherwise.
    said = decode(body, _Said)
    if said.code:
        words = f"{said.code} {said.message}"
        raise RemoteError(FailureReason.RATE_LIMITED, shortened(words)) if said.code == _TOO_OFTEN else refusal(words)
    return present(decode(body, shape).data, field="data")


EXCHANGE = Exchange(
    name="coinex",
    title="CoinEx",
    url="https://api.coinex.com",
    lists=(
        Listing(
            path="/v2/assets/all-deposit-withdraw-config",
            probe="coinex-coins",
            interval=60.0,
            decode=rails,
            where="data[asset.ccy={asset}].chains[chain={word}].withdraw_enabled, and its asset.withdraw_enabled",
            rule="false of either is suspended",
        ),
    ),
    trades=(
        Trades(
            path="/v2/spot/deals?market=BTCUSDT&limit=1",
            probe="coinex-trades",
            market="BTC/USDT",
            decode=newest_trade,
        ),
        Trades(
            path="/v2/futures/deals?market=BTCUSDT&limit=1",
            probe="coinex-perpetual-trades",
            market="BTC/USDT:USDT",
            decode=newest_trade,
        ),
    ),
    per_second=5.0,
    own_tokens=("CET",),
    traps=(
        "a coin may be open while each of its chains is closed",
        "`/v2/maintain/info` tells windows that are announced, not whether one is going on: it is not read",
        "`inter_transfer_enabled` is about transfers inside CoinEx, and `is_st` about trading",
        "the names of chains are not documented",
    ),
)
