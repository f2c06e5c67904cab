"""Kraken. Its public list knows assets, not networks, and an error comes with status 200."""

from decimal import Decimal
from typing import Generic, Literal, TypeVar

from msgspec import Struct, field

from monitor.model import Direction, RailState
from monitor.probes.answer import decode, present, refusal
from monitor.probes.exchange import Exchange, Listing, System, Trades
from monitor.probes.rails import RailReading
from monitor.probes.system_status import SystemReading, SystemState
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_OURS = {"XBT": "BTC", "XDG": "DOGE"}
_WITHDRAWABLE = ("enabled", "withdrawal_only")
_DEPOSITABLE = ("enabled", "deposit_only")
_STATES: dict[str, SystemState] = {
    "online": "operational",
    "maintenance": "maintenance",
    "cancel_only": "degraded",
    "post_only": "degraded",
}


class _Envelope(Struct, Generic[T], frozen=True):
    error: list[str]
    result: T | None = None


class _Asset(Struct, frozen=True):
    altname: str
    status: Literal["enabled", "deposit_only", "withdrawal_only", "funding_temporarily_disabled"]


class _Trade(Struct, frozen=True, array_like=True):
    price: Decimal
    volume: Decimal
    time: Decimal  # seconds


class _Trades(Struct, frozen=True):
    trades: list[_Trade] = field(name="XXBTZUSD")


class _Status(Struct, frozen=True):
    status: Literal["online", "maintenance", "cancel_only", "post_only"]


def rails(body: bytes) -> list[RailReading]:
    """`GET /0/public/Assets`. Left out are fiat (`ZEUR`) and Kraken's own ledgers of an asset (`DOT.S`, `XBT.M`)."""
    assets = _result(decode(body, _Envelope[dict[str, _Asset]]))
    return [
        reading
        for name, asset in assets.items()
        if name != f"Z{asset.altname}" and "." not in name
        for reading in _both(_OURS.get(asset.altname, asset.altname), asset.status)
    ]


def _both(asset: str, status: str) -> tuple[RailReading, RailReading]:
    out = RailState.OPEN if status in _WITHDRAWABLE else RailState.SUSPENDED
    in_ = RailState.OPEN if status in _DEPOSITABLE else RailState.SUSPENDED
    return (
        RailReading(asset, "*", Direction.WITHDRAWAL, out, status),
        RailReading(asset, "*", Direction.DEPOSIT, in_, status),
    )


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /0/public/Trades?pair=XBTUSD`."""
    trades = _result(decode(body, _Envelope[_Trades])).trades
    return newest(((trade.time, trade.price) for trade in trades), per_second=1)


def system(body: bytes) -> SystemReading:
    """`GET /0/public/SystemStatus`: the state of trading."""
    status = _result(decode(body, _Envelope[_Status])).status
    return SystemReading("trading", _STATES[status], status)


def _result(answer: _Envelope[T]) -> T:
    if answer.error:
        raise refusal(", ".join(answer.error))
    return present(answer.result, field="result")


EXCHANGE = Exchange(
    name="kraken",
    title="Kraken",
    url="https://api.kraken.com",
    listing=Listing(path="/0/public/Assets", probe="kraken-assets", interval=30.0, decode=rails),
    trades=Trades(
        path="/0/public/Trades?pair=XBTUSD&count=1", probe="kraken-trades", market="BTC/USD", decode=newest_trade
    ),
    system=System(path="/0/public/SystemStatus", probe="kraken-system", decode=system),
    status_page="https://status.kraken.com",
)
