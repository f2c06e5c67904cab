"""HTX. A chain's own name has the coin in it (`trc20usdt`): the network comes from `baseChain` or the shown name."""

from decimal import Decimal
from typing import Generic, Literal, TypeVar

from msgspec import Struct

from monitor.probes.answer import decode, present, refusal
from monitor.probes.exchange import Exchange, Listing, System, Trades
from monitor.probes.networks import our_network
from monitor.probes.rails import RailReading, deposit, withdrawal
from monitor.probes.system_status import SystemReading, SystemState
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_FINE = 200
_STATES: dict[int, SystemState] = {1: "operational", 2: "outage", 3: "degraded"}
_WORDS = {1: "normal", 2: "halted", 3: "cancel only"}

_Allowed = Literal["allowed", "prohibited"]


class _Envelope(Struct, Generic[T], frozen=True):
    code: int
    message: str = ""
    data: T | None = None


class _Chain(Struct, frozen=True, gc=False, rename="camel"):
    display_name: str
    deposit_status: _Allowed
    withdraw_status: _Allowed
    base_chain: str | None = None  # absent where the chain is the coin's own


class _Coin(Struct, frozen=True, gc=False):
    currency: str
    chains: list[_Chain]


class _Trade(Struct, frozen=True):
    ts: Decimal  # milliseconds
    price: Decimal


class _Tick(Struct, frozen=True):
    data: list[_Trade]


class _Market(Struct, frozen=True, rename="kebab"):
    status: str
    tick: _Tick | None = None
    err_code: str = ""
    err_msg: str = ""


class _Status(Struct, frozen=True, rename="camel"):
    market_status: Literal[1, 2, 3]


def rails(body: bytes) -> list[RailReading]:
    """`GET /v2/reference/currencies`. Delisted coins are in it, closed."""
    readings: list[RailReading] = []
    for coin in _data(decode(body, _Envelope[list[_Coin]])):
        asset = coin.currency.upper()
        for chain in coin.chains:
            network, word = _network(asset, chain), chain.display_name
            closed = "" if chain.withdraw_status == "allowed" else chain.withdraw_status
            readings.append(withdrawal(asset, network, word, closed=closed))
            closed = "" if chain.deposit_status == "allowed" else chain.deposit_status
            readings.append(deposit(asset, network, word, closed=closed))
    return readings


def _network(asset: str, chain: _Chain) -> str:
    if chain.base_chain is not None:
        return our_network(chain.base_chain)
    # A coin's own chain may be shown with the coin's name behind it: ERC20ETH, BEP20BNB.
    return our_network(chain.display_name.removesuffix(asset) or asset)


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /market/trade`: one order's matches."""
    market = decode(body, _Market)
    if market.status != "ok":
        raise refusal(f"{market.err_code} {market.err_msg}")
    trades = present(market.tick, field="tick").data
    return newest(((trade.ts, trade.price) for trade in trades), per_second=1000)


def system(body: bytes) -> SystemReading:
    """`GET /v2/market-status`: the state of trading."""
    status = _data(decode(body, _Envelope[_Status])).market_status
    return SystemReading("trading", _STATES[status], _WORDS[status])


def _data(answer: _Envelope[T]) -> T:
    if answer.code != _FINE:
        raise refusal(f"{answer.code} {answer.message}")
    return present(answer.data, field="data")


EXCHANGE = Exchange(
    name="htx",
    title="HTX",
    url="https://api.huobi.pro",
    listing=Listing(path="/v2/reference/currencies", probe="htx-currencies", interval=60.0, decode=rails),
    trades=Trades(path="/market/trade?symbol=btcusdt", probe="htx-trades", market="BTC/USDT", decode=newest_trade),
    system=System(path="/v2/market-status", probe="htx-system", decode=system),
    status_page=None,
)
