"""KuCoin. Coins without a network of their own (fiat) have `chains: null`."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from monitor.probes.answer import Envelope, decode
from monitor.probes.exchange import Exchange, Listing, System, Trades
from monitor.probes.networks import our_network
from monitor.probes.rails import RailReading, deposit, withdrawal
from monitor.probes.system_status import SystemReading, SystemState
from monitor.probes.trades import NewestTrade, newest

_FINE = "200000"
_STATES: dict[str, SystemState] = {"open": "operational", "close": "outage", "cancelonly": "degraded"}


class _Chain(Struct, frozen=True, gc=False, rename="camel"):
    chain_id: str
    chain_name: str
    is_withdraw_enabled: bool
    is_deposit_enabled: bool


class _Coin(Struct, frozen=True, gc=False):
    currency: str
    chains: list[_Chain] | None


class _Trade(Struct, frozen=True):
    time: Decimal  # nanoseconds
    price: Decimal


class _Status(Struct, frozen=True):
    status: Literal["open", "close", "cancelonly"]
    msg: str = ""


def rails(body: bytes) -> list[RailReading]:
    """`GET /api/v3/currencies`."""
    readings: list[RailReading] = []
    for coin in decode(body, Envelope[list[_Coin]]).content(fine=_FINE):
        for chain in coin.chains or ():
            network, word = our_network(chain.chain_id), chain.chain_name
            closed = "" if chain.is_withdraw_enabled else "isWithdrawEnabled=false"
            readings.append(withdrawal(coin.currency, network, word, closed=closed))
            closed = "" if chain.is_deposit_enabled else "isDepositEnabled=false"
            readings.append(deposit(coin.currency, network, word, closed=closed))
    return readings


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /api/v1/market/histories`: the last 100 trades."""
    trades = decode(body, Envelope[list[_Trade]]).content(fine=_FINE)
    return newest(((trade.time, trade.price) for trade in trades), per_second=10**9)


def system(body: bytes) -> SystemReading:
    """`GET /api/v1/status`: the state of trading."""
    status = decode(body, Envelope[_Status]).content(fine=_FINE)
    return SystemReading("trading", _STATES[status.status], f"{status.status} {status.msg}".strip())


EXCHANGE = Exchange(
    name="kucoin",
    title="KuCoin",
    url="https://api.kucoin.com",
    listing=Listing(path="/api/v3/currencies", probe="kucoin-currencies", interval=60.0, decode=rails),
    trades=Trades(
        path="/api/v1/market/histories?symbol=BTC-USDT",
        probe="kucoin-trades",
        market="BTC/USDT",
        decode=newest_trade,
    ),
    system=System(path="/api/v1/status", probe="kucoin-system", decode=system),
    status_page=None,
)
