"""Gate. Its list comes in another order each time, and a coin's own flag closes all its chains."""

from decimal import Decimal

from msgspec import Struct

from monitor.model import Direction, RailState
from monitor.probes.answer import decode
from monitor.probes.exchange import Exchange, Listing, Trades
from monitor.probes.networks import our_network
from monitor.probes.rails import RailReading, deposit, withdrawal
from monitor.probes.trades import NewestTrade, newest


class _Flags(Struct, frozen=True, gc=False):
    withdraw_disabled: bool
    withdraw_delayed: bool
    deposit_disabled: bool


class _Chain(_Flags, frozen=True, kw_only=True, gc=False):
    name: str


class _Coin(_Flags, frozen=True, kw_only=True, gc=False):
    currency: str
    chains: list[_Chain] | None = None  # a coin that cannot leave (a leveraged token) may have none


class _Trade(Struct, frozen=True):
    create_time_ms: Decimal
    price: Decimal


def rails(body: bytes) -> list[RailReading]:
    """`GET /api/v4/spot/currencies`."""
    return [
        reading
        for coin in decode(body, list[_Coin])
        for chain in coin.chains or ()
        for reading in (_out(coin, chain), _in(coin, chain))
    ]


def _out(coin: _Coin, chain: _Chain) -> RailReading:
    network = our_network(chain.name)
    if coin.withdraw_disabled or chain.withdraw_disabled:
        return withdrawal(coin.currency, network, chain.name, closed="withdraw_disabled")
    if coin.withdraw_delayed or chain.withdraw_delayed:
        delayed = f"{chain.name} withdraw_delayed"
        return RailReading(coin.currency, network, Direction.WITHDRAWAL, RailState.DELAYED, delayed)
    return withdrawal(coin.currency, network, chain.name, closed="")


def _in(coin: _Coin, chain: _Chain) -> RailReading:
    closed = "deposit_disabled" if coin.deposit_disabled or chain.deposit_disabled else ""
    return deposit(coin.currency, our_network(chain.name), chain.name, closed=closed)


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /api/v4/spot/trades`."""
    trades = decode(body, list[_Trade])
    return newest(((trade.create_time_ms, trade.price) for trade in trades), per_second=1000)


EXCHANGE = Exchange(
    name="gate",
    title="Gate",
    url="https://api.gateio.ws",
    listing=Listing(path="/api/v4/spot/currencies", probe="gate-currencies", interval=60.0, decode=rails),
    trades=Trades(
        path="/api/v4/spot/trades?currency_pair=BTC_USDT&limit=1",
        probe="gate-trades",
        market="BTC/USDT",
        decode=newest_trade,
    ),
    system=None,
    status_page=None,
)
