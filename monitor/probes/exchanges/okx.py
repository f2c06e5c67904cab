"""OKX. Its flags need a key; everybody may read its maintenance plan, of which only what goes on now matters here."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from monitor.probes.answer import Envelope, decode
from monitor.probes.exchange import NEEDS_KEY, Exchange, System, Trades
from monitor.probes.system_status import SystemReading
from monitor.probes.trades import NewestTrade, newest

_FINE = "0"
_PRODUCTION = "1"
_DISRUPTION = "3"
_TRADING = ("5", "8", "9")  # of all, of batches of accounts, of batches of products


class _Trade(Struct, frozen=True):
    ts: Decimal  # milliseconds
    px: Decimal


class _Work(Struct, frozen=True, rename="camel"):
    title: str
    state: Literal["scheduled", "ongoing", "pre_open", "completed", "canceled"]
    service_type: str
    maint_type: str
    env: str


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /api/v5/market/trades`."""
    trades = decode(body, Envelope[list[_Trade]]).content(fine=_FINE)
    return newest(((trade.ts, trade.px) for trade in trades), per_second=1000)


def system(body: bytes) -> SystemReading:
    """`GET /api/v5/system/status`: an empty list is a system without work in progress."""
    works = [work for work in decode(body, Envelope[list[_Work]]).content(fine=_FINE) if _is_felt(work)]
    raw = "; ".join(work.title for work in works)
    if any(work.maint_type == _DISRUPTION for work in works):
        return SystemReading("trading", "outage", raw)
    if any(work.service_type in _TRADING for work in works):
        return SystemReading("trading", "maintenance", raw)
    return SystemReading("trading", "degraded" if works else "operational", raw)


def _is_felt(work: _Work) -> bool:
    return work.env == _PRODUCTION and work.state in ("ongoing", "pre_open")


EXCHANGE = Exchange(
    name="okx",
    title="OKX",
    url="https://www.okx.com",
    listing=None,
    trades=Trades(
        path="/api/v5/market/trades?instId=BTC-USDT&limit=1",
        probe="okx-trades",
        market="BTC/USDT",
        decode=newest_trade,
    ),
    system=System(path="/api/v5/system/status", probe="okx-system", decode=system),
    status_page=None,
    needs_key=NEEDS_KEY,
)
