"""Binance. Its flags need a read-only key; everybody is told only whether the whole system is in maintenance."""

import hmac
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Literal, TypeVar
from urllib.parse import urlencode

from msgspec import Raw, Struct
from msgspec.structs import replace

from monitor.http.limits import Weight
from monitor.model import FailureReason, RemoteError
from monitor.probes.account import Call, Credentials, Rights, ServerTime
from monitor.probes.announcements import BINANCE_FEED
from monitor.probes.answer import decode, refusal, shortened
from monitor.probes.exchange import Exchange, History, Listing, System, Trades
from monitor.probes.exchanges.balances import held
from monitor.probes.exposure import Funds
from monitor.probes.figures import amount, moment, moment_of
from monitor.probes.history import Withdrawal, WithdrawalState
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, Offers, RailReading, Terms, deposit, withdrawal
from monitor.probes.rows import rows
from monitor.probes.system_status import SystemReading
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_RECEIVE_WINDOW_MILLISECONDS = 5000
_LONGEST_REASON = 120
_HARMLESS = ("enableReading", "enableFixReadOnly", "ipRestrict")
_REFUSALS = {
    -1003: FailureReason.RATE_LIMITED,
    -1002: FailureReason.AUTH,
    -1021: FailureReason.AUTH,  # our time is off
    -1022: FailureReason.AUTH,
    -2008: FailureReason.AUTH,
    -2014: FailureReason.AUTH,
    -2015: FailureReason.AUTH,
}
_REJECTED, _PROCESSING, _FAILED, _DONE = 3, 4, 5, 6
_STATES: dict[int, WithdrawalState] = {
    # Not 0, which waits for its owner to answer an e-mail, and not 1, which its owner cancelled.
    2: "pending",
    _REJECTED: "failed",
    _PROCESSING: "pending",
    _FAILED: "failed",
    _DONE: "confirmed",
}


class _Network(Struct, frozen=True, gc=False, rename="camel"):
    network: str
    withdraw_enable: bool
    deposit_enable: bool
    withdraw_desc: str | None = None  # only where closed
    deposit_desc: str | None = None
    withdraw_fee: str | None = None
    withdraw_min: str | None = None
    withdraw_max: str | None = None
    min_confirm: int | None = None


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


class _Time(Struct, frozen=True, rename="camel"):
    server_time: int  # milliseconds


class _Permissions(Struct, frozen=True, rename="camel"):
    enable_reading: bool


class _Withdrawal(Struct, frozen=True, rename="camel"):
    id: str
    coin: str
    status: Literal[0, 1, 2, 3, 4, 5, 6]
    apply_time: str
    network: str | None = None  # absent in old ones
    complete_time: str | None = None
    tx_id: str | None = None
    transfer_type: Literal[0, 1] = 0  # 1 stays inside Binance


class _Balance(Struct, frozen=True, gc=False):
    coin: str
    free: Decimal
    locked: Decimal  # in orders
    freeze: Decimal
    withdrawing: Decimal


class _Refusal(Struct, frozen=True):
    code: int
    msg: str = ""


def rails(body: bytes) -> Listed:
    """`GET /sapi/v1/capital/config/getall`, signed. Fiat and leveraged tokens are in it, as networks of their own."""
    coins = rows(_read(body, list[Raw]), _Coin, asset="coin", path="$")
    readings: list[RailReading] = []
    for coin in coins.good:
        for network in coin.network_list:
            ours, word = our_network(network.network), network.network
            closed = "" if network.withdraw_enable else _reason(network.withdraw_desc, "withdrawEnable=false")
            readings.append(withdrawal(coin.coin, ours, word, closed=closed))
            closed = "" if network.deposit_enable else _reason(network.deposit_desc, "depositEnable=false")
            readings.append(deposit(coin.coin, ours, word, closed=closed))
    return Listed(readings, coins.flaws, Offers(partial(_offered, coins.good)))


def _reason(description: str | None, flag: str) -> str:
    return description[:_LONGEST_REASON] if description else flag


def _offered(coins: list[_Coin], is_wanted: Callable[[str], bool]) -> Iterator[Terms]:
    return (
        _terms(coin.coin, our_network(chain.network), chain)
        for coin in coins
        if is_wanted(coin.coin)
        for chain in coin.network_list
    )


def _terms(asset: str, network: str, told: _Network) -> Terms:
    return Terms(
        asset,
        network,
        fee=amount(told.withdraw_fee),
        minimum=amount(told.withdraw_min),
        maximum=amount(told.withdraw_max),
        confirmations=told.min_confirm,
    )


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /api/v3/trades` and `GET /fapi/v1/trades`."""
    trades = _read(body, list[_Trade])
    return newest(((trade.time, trade.price) for trade in trades), per_second=1000)


def system(body: bytes) -> SystemReading:
    """`GET /sapi/v1/system/status`: 1 is maintenance; 0 says nothing of withdrawals."""
    status = _read(body, _Status)
    return SystemReading("all", "maintenance" if status.status else "operational", status.msg)


def server_time(body: bytes) -> datetime:
    """`GET /api/v3/time`."""
    return moment(_read(body, _Time).server_time, per_second=1000)


def rights(body: bytes) -> tuple[str, ...]:
    """`GET /sapi/v1/account/apiRestrictions`: every permission that is on, but for reading."""
    _read(body, _Permissions)
    told = _read(body, dict[str, Raw])
    switches = {name: decode(bytes(raw), bool) for name, raw in told.items() if not name.endswith("Time")}
    return tuple(name for name, on in switches.items() if on and name not in _HARMLESS)


def withdrawals(body: bytes) -> list[Withdrawal]:
    """`GET /sapi/v1/capital/withdraw/history`, signed: of the last 90 days, at most 1000. Times are UTC."""
    return [
        Withdrawal(
            id=each.id,
            asset=each.coin,
            network=our_network(each.network) if each.network else "*",
            state="sent" if each.status == _PROCESSING and each.tx_id else _STATES[each.status],
            requested_at=moment_of(each.apply_time),
            finished_at=moment_of(each.complete_time) if each.complete_time else None,
        )
        for each in _read(body, list[_Withdrawal])
        if each.status in _STATES and not each.transfer_type
    ]


def funds(body: bytes) -> dict[str, Decimal]:
    """`GET /sapi/v1/capital/config/getall`, signed: of the spot wallet, with what is being withdrawn."""
    return held(
        (each.coin, part)
        for each in _read(body, list[_Balance])
        for part in (each.free, each.locked, each.freeze, each.withdrawing)
    )


def _read(body: bytes, shape: type[T]) -> T:
    """Raises `RemoteError`: what Binance says where its answer is an error instead of a `shape`."""
    try:
        return decode(body, shape)
    except RemoteError as error:
        refused = _refused(body)
        if refused is None:
            raise
        raise refused from error


def _refused(body: bytes) -> RemoteError | None:
    try:
        said = decode(body, _Refusal)
    except RemoteError:
        return None
    words = f"{said.code} {said.msg}"
    reason = _REFUSALS.get(said.code)
    return refusal(words) if reason is None else RemoteError(reason, shortened(words))


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """HMAC-SHA256 over the query, as Binance asks of signed endpoints."""
    return replace(call, path=signed_path(call, credentials, now), headers={"X-MBX-APIKEY": credentials.api_key})


def signed_path(call: Call, credentials: Credentials, now: datetime) -> str:
    """The path with time and signature in its query, as others who copied this API want it too."""
    path, _, query = call.path.partition("?")
    ours = urlencode({"recvWindow": _RECEIVE_WINDOW_MILLISECONDS, "timestamp": round(now.timestamp() * 1000)})
    query = f"{query}&{ours}" if query else ours
    signature = hmac.digest(credentials.api_secret.encode(), query.encode(), "sha256").hex()
    return f"{path}?{query}&signature={signature}"


EXCHANGE = Exchange(
    name="binance",
    title="Binance",
    url="https://api.binance.com",
    sign=sign,
    rights=Rights(call=Call(path="/sapi/v1/account/apiRestrictions"), decode=rights),
    server_time=ServerTime(path="/api/v3/time", decode=server_time),
    lists=(
        Listing(
            path="/sapi/v1/capital/config/getall",
            probe="binance-coins",
            interval=60.0,
            decode=rails,
            signed=True,
            where="[coin={asset}].networkList[network={word}].withdrawEnable",
            rule="false is suspended, its withdrawDesc the reason",
        ),
    ),
    trades=(
        Trades(
            path="/api/v3/trades?symbol=BTCUSDT&limit=1", probe="binance-trades", market="BTC/USDT", decode=newest_trade
        ),
        Trades(
            url="https://fapi.binance.com",
            path="/fapi/v1/trades?symbol=BTCUSDT&limit=1",
            probe="binance-perpetual-trades",
            market="BTC/USDT:USDT",
            decode=newest_trade,
        ),
    ),
    system=System(path="/sapi/v1/system/status", probe="binance-system", decode=system),
    feed=BINANCE_FEED,
    history=History(path="/sapi/v1/capital/withdraw/history", probe="binance-withdrawals", decode=withdrawals),
    funds=Funds(path="/sapi/v1/capital/config/getall", probe="binance-balances", decode=funds),
    per_second=2.0,  # the newest trade weighs 25 of 6000 a minute
    weight=Weight(header="X-MBX-USED-WEIGHT-1M", limit=6000, window_seconds=60.0),
    own_tokens=("BNB",),
    live_addresses="https://www.binance.com/bapi/apex/v1/public/apex/market/por/address",
    account_lock="Withdraw Protection: blocks on-chain withdrawals for 1 to 7 days",
    traps=(
        "withdrawAllEnable is true while any network is open",
        "busy was false on every row ever captured and says nothing",
        "the list is that of the key's account: what its country may not withdraw is closed there",
        "system status 0 rules out a maintenance of everything, and nothing else",
        "the lock of an owner makes withdrawals of that account wait while everybody else's go",
        "its balances are those of the spot wallet, which withdrawals leave from: not funding, margin, futures or Earn",
    ),
)
