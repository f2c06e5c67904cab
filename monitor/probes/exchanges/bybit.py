"""Bybit. Its flags need a key; everybody may read its maintenance list, which keeps what is long over."""

import hmac
from datetime import datetime
from decimal import Decimal
from typing import Generic, Literal, TypeVar

from msgspec import Raw, Struct, field

from monitor.model import FailureReason, RemoteError
from monitor.probes.account import Call, Credentials, Rights, ServerTime
from monitor.probes.answer import decode, present, refusal, shortened
from monitor.probes.exchange import Exchange, History, Listing, System, Trades
from monitor.probes.exchanges.balances import held
from monitor.probes.exposure import Funds
from monitor.probes.figures import amount, count, moment
from monitor.probes.history import Withdrawal, WithdrawalState
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading, Terms, deposit, withdrawal
from monitor.probes.rows import rows
from monitor.probes.system_status import SystemReading
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_RECEIVE_WINDOW_MILLISECONDS = 5000
_PRODUCTION = "1"
_INCIDENT = "3"
_SPOT = 2
_ALL_TRADING = 1
_READ_ONLY = 1
_READING = ("ExchangeHistory", "SubMemberTransferList")
_REFUSALS = {
    10006: FailureReason.RATE_LIMITED,
    10018: FailureReason.RATE_LIMITED,
    10429: FailureReason.RATE_LIMITED,
    10009: FailureReason.BLOCKED,
    10002: FailureReason.AUTH,  # our time is off
    10003: FailureReason.AUTH,
    10004: FailureReason.AUTH,
    10005: FailureReason.AUTH,
    10007: FailureReason.AUTH,
    10010: FailureReason.AUTH,  # another address than the key's
    33004: FailureReason.AUTH,
}
_TERRA_CLASSIC = {"LUNA": "terra-classic"}  # LUNANEW is Terra
_STATES: dict[str, WithdrawalState] = {
    # Not CancelByUser, not MoreInformationRequired, which waits for its owner, and not Unknown.
    "SecurityCheck": "pending",
    "Pending": "pending",
    "success": "confirmed",
    "BlockchainConfirmed": "confirmed",
    "Reject": "failed",
    "Fail": "failed",
}

_Flag = Literal["1", "0", ""]  # documented are 1 and 0; "" is sent of a chain that is not offered


class _Said(Struct, frozen=True, rename="camel"):
    ret_code: int
    ret_msg: str = ""


class _Envelope(Struct, Generic[T], frozen=True):
    result: T | None = None


class _List(Struct, Generic[T], frozen=True):
    rows: list[T] | None = field(default=None, name="list")


class _Rows(Struct, Generic[T], frozen=True):
    rows: list[T] | None = None


class _Chain(Struct, frozen=True, gc=False, rename="camel"):
    chain: str
    chain_withdraw: _Flag
    chain_deposit: _Flag
    withdraw_fee: str  # a flag too: empty is closed
    withdraw_percentage_fee: str | None = None
    withdraw_min: str | None = None
    confirmation: str | None = None


class _Coin(Struct, frozen=True, gc=False, rename="camel"):
    coin: str
    chains: list[_Chain]
    remain_amount: str | None = None  # the most that one withdrawal may be


class _Trade(Struct, frozen=True):
    time: Decimal  # milliseconds
    price: Decimal


class _Work(Struct, frozen=True, rename="camel"):
    title: str
    state: Literal["scheduled", "ongoing", "completed", "canceled"]
    service_types: list[int]
    product: list[int]
    maintain_type: Literal[1, 2, 3, "1", "2", "3"]  # documented as a string, sent as a number
    env: Literal[1, 2, "1", "2"]


class _Time(Struct, frozen=True, rename="camel"):
    time_nano: Decimal | None = None


class _Key(Struct, frozen=True, rename="camel"):
    read_only: Literal[0, 1] | None = None
    permissions: dict[str, list[str]] | None = None


class _Withdrawal(Struct, frozen=True, rename="camel"):
    withdraw_id: str
    coin: str
    chain: str
    status: Literal[
        "SecurityCheck",
        "Pending",
        "success",
        "CancelByUser",
        "Reject",
        "Fail",
        "BlockchainConfirmed",
        "MoreInformationRequired",
        "Unknown",
    ]
    create_time: Decimal  # milliseconds
    update_time: Decimal
    tx_id: str | None = field(default=None, name="txID")
    withdraw_type: Literal[0, 1] = 0  # 1 stays inside Bybit


class _Balance(Struct, frozen=True, rename="camel"):
    coin: str
    wallet_balance: Decimal


class _Wallet(Struct, frozen=True):
    balance: list[_Balance] | None = None


def rails(body: bytes) -> Listed:
    """`GET /v5/asset/coin/query-info`, signed. Its flags are the strings 1 and 0."""
    told = present(_result(body, _Envelope[_Rows[Raw]]).rows, field="rows")
    coins = rows(told, _Coin, asset="coin", path="$.result.rows")
    readings: list[RailReading] = []
    terms: list[Terms] = []
    for coin in coins.good:
        for chain in coin.chains:
            network, word = _network(chain.chain), chain.chain
            readings.append(withdrawal(coin.coin, network, word, closed=_closed(chain)))
            closed = "" if chain.chain_deposit == "1" else f"chainDeposit={chain.chain_deposit}"
            readings.append(deposit(coin.coin, network, word, closed=closed))
            terms.append(_terms(coin, network, chain))
    return Listed(readings, coins.flaws, terms)


def _network(word: str) -> str:
    return _TERRA_CLASSIC.get(word) or our_network(word)


def _closed(chain: _Chain) -> str:
    if chain.chain_withdraw != "1":
        return f"chainWithdraw={chain.chain_withdraw}"
    # "If withdraw fee is empty, It means that this coin does not support withdrawal", the documentation says.
    return "withdrawFee empty" if chain.withdraw_fee == "" else ""


def _terms(coin: _Coin, network: str, told: _Chain) -> Terms:
    return Terms(
        coin.coin,
        network,
        fee=None if amount(told.withdraw_percentage_fee) else amount(told.withdraw_fee),
        minimum=amount(told.withdraw_min),
        maximum=amount(coin.remain_amount),
        confirmations=count(told.confirmation),
    )


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /v5/market/recent-trade`."""
    trades = present(_result(body, _Envelope[_List[_Trade]]).rows, field="list")
    return newest(((trade.time, trade.price) for trade in trades), per_second=1000)


def system(body: bytes) -> SystemReading:
    """`GET /v5/system/status`: nothing going on for spot is a system at work."""
    told = present(_result(body, _Envelope[_List[_Work]]).rows, field="list")
    works = [work for work in told if _is_felt(work)]
    raw = "; ".join(work.title for work in works)
    if any(str(work.maintain_type) == _INCIDENT for work in works):
        return SystemReading("trading", "outage", raw)
    if any(_ALL_TRADING in work.service_types for work in works):
        return SystemReading("trading", "maintenance", raw)
    return SystemReading("trading", "degraded" if works else "operational", raw)


def _is_felt(work: _Work) -> bool:
    return work.state == "ongoing" and str(work.env) == _PRODUCTION and _SPOT in work.product


def server_time(body: bytes) -> datetime:
    """`GET /v5/market/time`."""
    nanoseconds = present(_result(body, _Envelope[_Time]).time_nano, field="timeNano")
    return moment(nanoseconds, per_second=10**9)


def rights(body: bytes) -> tuple[str, ...]:
    """`GET /v5/user/query-api`. The permissions of a read-only key are to look at those things."""
    key = _result(body, _Envelope[_Key])
    permissions = present(key.permissions, field="permissions")
    if present(key.read_only, field="readOnly") == _READ_ONLY:
        return ()
    words = (f"{group}.{word}" for group, words in permissions.items() for word in words if word not in _READING)
    return tuple(words)


def withdrawals(body: bytes) -> list[Withdrawal]:
    """`GET /v5/asset/withdraw/query-record`, signed: the newest 50 of the last 30 days."""
    told = present(_result(body, _Envelope[_Rows[_Withdrawal]]).rows, field="rows")
    return [_sample(each) for each in told if each.status in _STATES and not each.withdraw_type]


def _sample(told: _Withdrawal) -> Withdrawal:
    state = _STATES[told.status]
    return Withdrawal(
        id=told.withdraw_id,
        asset=told.coin,
        network=_network(told.chain),
        state="sent" if state == "pending" and told.tx_id else state,
        requested_at=moment(told.create_time, per_second=1000),
        finished_at=None if state == "pending" else moment(told.update_time, per_second=1000),
    )


def funds(body: bytes) -> dict[str, Decimal]:
    """`GET /v5/asset/transfer/query-account-coins-balance?accountType=FUND`, signed: of the funding wallet."""
    told = present(_result(body, _Envelope[_Wallet]).balance, field="balance")
    return held((each.coin, each.wallet_balance) for each in told)


def _result(body: bytes, shape: type[_Envelope[T]]) -> T:
    # Looked at first: beside an error there may be a result that is none.
    said = decode(body, _Said)
    if said.ret_code:
        words = f"{said.ret_code} {said.ret_msg}"
        reason = _REFUSALS.get(said.ret_code)
        raise refusal(words) if reason is None else RemoteError(reason, shortened(words))
    return present(decode(body, shape).result, field="result")


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """HMAC-SHA256 over time, key, window, and query or body, as Bybit asks of private endpoints."""
    time, window = str(round(now.timestamp() * 1000)), str(_RECEIVE_WINDOW_MILLISECONDS)
    _, _, query = call.path.partition("?")
    signed = f"{time}{credentials.api_key}{window}{query}".encode() + call.body
    headers = {
        "X-BAPI-API-KEY": credentials.api_key,
        "X-BAPI-TIMESTAMP": time,
        "X-BAPI-RECV-WINDOW": window,
        "X-BAPI-SIGN": hmac.digest(credentials.api_secret.encode(), signed, "sha256").hex(),
    }
    return Call(path=call.path, method=call.method, body=call.body, headers=headers)


EXCHANGE = Exchange(
    name="bybit",
    title="Bybit",
    url="https://api.bybit.com",
    sign=sign,
    rights=Rights(call=Call(path="/v5/user/query-api"), decode=rights),
    server_time=ServerTime(path="/v5/market/time", decode=server_time),
    lists=(
        Listing(
            path="/v5/asset/coin/query-info",
            probe="bybit-coins",
            interval=30.0,
            decode=rails,
            signed=True,
            where="result.rows[coin={asset}].chains[chain={word}].chainWithdraw",
            rule='"0" or "", or an empty withdrawFee, is suspended',
        ),
    ),
    trades=(
        Trades(
            path="/v5/market/recent-trade?category=spot&symbol=BTCUSDT&limit=1",
            probe="bybit-trades",
            market="BTC/USDT",
            decode=newest_trade,
        ),
        Trades(
            path="/v5/market/recent-trade?category=linear&symbol=BTCUSDT&limit=1",
            probe="bybit-perpetual-trades",
            market="BTC/USDT:USDT",
            decode=newest_trade,
        ),
    ),
    system=System(path="/v5/system/status", probe="bybit-system", decode=system),
    history=History(path="/v5/asset/withdraw/query-record?limit=50", probe="bybit-withdrawals", decode=withdrawals),
    funds=Funds(
        path="/v5/asset/transfer/query-account-coins-balance?accountType=FUND", probe="bybit-balances", decode=funds
    ),
    per_second=2.5,  # coin/query-info allows 5 a second
    live_addresses="https://api2.bybit.com/common-static/por/ (bybit_por_YYYYMM.csv, monthly)",
    traps=(
        "remainAmount is the most that one withdrawal may be, not what is left",
        "an empty withdrawFee means that the coin cannot be withdrawn, whatever chainWithdraw says",
        "the permissions of a read-only key name things that it may only look at",
        "the history needs a key of the master account",
        "its balances are those of the funding wallet, which withdrawals leave from: not the unified account",
        "its balances need a key that may look at transfers (Wallet: Account Transfer)",
        "the maintenance list keeps what is long over, of demo trading too",
    ),
)
