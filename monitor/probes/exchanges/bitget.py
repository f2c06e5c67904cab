"""Bitget. Its flags are the strings "true" and "false", and exactly these."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from monitor.probes.answer import Envelope, decode
from monitor.probes.exchange import Exchange, Listing, Trades
from monitor.probes.networks import our_network
from monitor.probes.rails import RailReading, deposit, withdrawal
from monitor.probes.trades import NewestTrade, newest

_FINE = "00000"

_Flag = Literal["true", "false"]


class _Chain(Struct, frozen=True, gc=False):
    chain: str
    withdrawable: _Flag
    rechargeable: _Flag


class _Coin(Struct, frozen=True, gc=False):
    coin: str
    chains: list[_Chain]


class _Trade(Struct, frozen=True):
    ts: Decimal  # milliseconds
    price: Decimal


def rails(body: bytes) -> list[RailReading]:
    """`GET /api/v2/spot/public/coins`."""
    readings: list[RailReading] = []
    for coin in decode(body, Envelope[list[_Coin]]).content(fine=_FINE):
        for chain in coin.chains:
            network, word = our_network(chain.chain), chain.chain
            closed = "" if chain.withdrawable == "true" else "withdrawable=false"
            readings.append(withdrawal(coin.coin, network, word, closed=closed))
            closed = "" if chain.rechargeable == "true" else "rechargeable=false"
            readings.append(deposit(coin.coin, network, word, closed=closed))
    return readings


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /api/v2/spot/market/fills`."""
    trades = decode(body, Envelope[list[_Trade]]).content(fine=_FINE)
    return newest(((trade.ts, trade.price) for trade in trades), per_second=1000)


EXCHANGE = Exchange(
    name="bitget",
    title="Bitget",
    url="https://api.bitget.com",
    listing=Listing(path="/api/v2/spot/public/coins", probe="bitget-coins", interval=60.0, decode=rails),
    trades=Trades(
        path="/api/v2/spot/market/fills?symbol=BTCUSDT&limit=1",
        probe="bitget-trades",
        market="BTC/USDT",
        decode=newest_trade,
    ),
    system=None,
    status_page=None,
)
