"""Binance. Its flags need a read-only key; everybody is told only whether the whole system is in maintenance."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal
from urllib.parse import urlencode

from msgspec import Struct

from monitor.probes.answer import decode
from monitor.probes.exchange import NEEDS_KEY, Credentials, Exchange, Listing, System, Trades
from monitor.probes.networks import our_network
from monitor.probes.rails import RailReading, deposit, withdrawal
from monitor.probes.system_status import SystemReading
from monitor.probes.trades import NewestTrade, newest

_RECEIVE_WINDOW_MILLISECONDS = 5000
_LONGEST_REASON = 120


class _Network(Struct, frozen=True, gc=False, rename="camel"):
    network: str
    withdraw_enable: bool
    deposit_enable: bool
    withdraw_desc: str = ""  # only where closed
    deposit_desc: str = ""


class _Coin(Struct, frozen=True, gc=False, rename="camel"):
    # `withdrawAllEnable` is left out: it says that any network is open, which hides the one that is not.
    coin: str
    network_list: list[_Network]


class _Trade(Struct, frozen=True):
    time: Decimal  # milliseconds
    price: Decimal


class _Status(Struct, frozen=True):
    status: Literal[0, 1]
    msg: str


def rails(body: bytes) -> list[RailReading]:
    """`GET /sapi/v1/capital/config/getall`, signed. Fiat and leveraged tokens are in it, as networks of their own."""
    readings: list[RailReading] = []
    for coin in decode(body, list[_Coin]):
        for network in coin.network_list:
            ours, word = our_network(network.network), network.network
            closed = "" if network.withdraw_enable else _reason(network.withdraw_desc, "withdrawEnable=false")
            readings.append(withdrawal(coin.coin, ours, word, closed=closed))
            closed = "" if network.deposit_enable else _reason(network.deposit_desc, "depositEnable=false")
            readings.append(deposit(coin.coin, ours, word, closed=closed))
    return readings


def _reason(description: str, flag: str) -> str:
    return description[:_LONGEST_REASON] or flag


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /api/v3/trades`."""
    trades = decode(body, list[_Trade])
    return newest(((trade.time, trade.price) for trade in trades), per_second=1000)


def system(body: bytes) -> SystemReading:
    """`GET /sapi/v1/system/status`: 1 is maintenance; 0 says nothing of withdrawals."""
    status = decode(body, _Status)
    return SystemReading("all", "maintenance" if status.status else "operational", status.msg)


def sign(path: str, credentials: Credentials, now: datetime) -> tuple[str, Mapping[str, str]]:
    """HMAC-SHA256 over the query, as Binance asks of signed endpoints."""
    window = _RECEIVE_WINDOW_MILLISECONDS
    query = urlencode({"recvWindow": window, "timestamp": round(now.timestamp() * 1000)})
    signature = hmac.digest(credentials.api_secret.encode(), query.encode(), "sha256").hex()
    return f"{path}?{query}&signature={signature}", {"X-MBX-APIKEY": credentials.api_key}


EXCHANGE = Exchange(
    name="binance",
    title="Binance",
    url="https://api.binance.com",
    listing=Listing(
        path="/sapi/v1/capital/config/getall", probe="binance-coins", interval=60.0, decode=rails, sign=sign
    ),
    trades=Trades(
        path="/api/v3/trades?symbol=BTCUSDT&limit=1", probe="binance-trades", market="BTC/USDT", decode=newest_trade
    ),
    system=System(path="/sapi/v1/system/status", probe="binance-system", decode=system),
    status_page=None,
    needs_key=NEEDS_KEY,
)
