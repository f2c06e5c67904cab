"""Bybit. Its flags need a key; everybody may read its maintenance list, which keeps what is long over."""

from decimal import Decimal
from typing import Generic, Literal, TypeVar

from msgspec import Struct, field

from monitor.probes.answer import decode, present, refusal
from monitor.probes.exchange import NEEDS_KEY, Exchange, System, Trades
from monitor.probes.system_status import SystemReading
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_PRODUCTION = "1"
_INCIDENT = "3"
_SPOT = 2
_ALL_TRADING = 1


class _Result(Struct, Generic[T], frozen=True):
    rows: list[T] | None = field(default=None, name="list")


class _Envelope(Struct, Generic[T], frozen=True, rename="camel"):
    ret_code: int
    ret_msg: str
    result: _Result[T]


class _Trade(Struct, frozen=True):
    time: Decimal  # milliseconds
    price: Decimal


class _Work(Struct, frozen=True, rename="camel"):
    title: str
    state: Literal["scheduled", "ongoing", "completed", "canceled"]
    service_types: list[int]
    product: list[int]
    maintain_type: int | str  # documented as a string, sent as a number
    env: int | str


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /v5/market/recent-trade`."""
    trades = _listed(decode(body, _Envelope[_Trade]))
    return newest(((trade.time, trade.price) for trade in trades), per_second=1000)


def system(body: bytes) -> SystemReading:
    """`GET /v5/system/status`: nothing going on for spot is a system at work."""
    works = [work for work in _listed(decode(body, _Envelope[_Work])) if _is_felt(work)]
    raw = "; ".join(work.title for work in works)
    if any(str(work.maintain_type) == _INCIDENT for work in works):
        return SystemReading("trading", "outage", raw)
    if any(_ALL_TRADING in work.service_types for work in works):
        return SystemReading("trading", "maintenance", raw)
    return SystemReading("trading", "degraded" if works else "operational", raw)


def _is_felt(work: _Work) -> bool:
    return work.state == "ongoing" and str(work.env) == _PRODUCTION and _SPOT in work.product


def _listed(answer: _Envelope[T]) -> list[T]:
    if answer.ret_code:
        raise refusal(f"{answer.ret_code} {answer.ret_msg}")
    return present(answer.result.rows, field="list")


EXCHANGE = Exchange(
    name="bybit",
    title="Bybit",
    url="https://api.bybit.com",
    listing=None,
    trades=Trades(
        path="/v5/market/recent-trade?category=spot&symbol=BTCUSDT&limit=1",
        probe="bybit-trades",
        market="BTC/USDT",
        decode=newest_trade,
    ),
    system=System(path="/v5/system/status", probe="bybit-system", decode=system),
    status_page=None,
    needs_key=NEEDS_KEY,
)
