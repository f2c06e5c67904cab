"""OKX. Its flags need a key; everybody may read its maintenance plan, of which only what goes on now matters here."""

import base64
import hmac
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, TypeVar

from msgspec import Raw, Struct

from monitor.model import FailureReason, RemoteError
from monitor.probes.account import Call, Credentials, Rights, ServerTime
from monitor.probes.answer import Envelope, decode, shortened
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

_FINE = "0"
_SPENT = ("50011", "50040", "50061")
_KEY_REFUSED = "501"  # 50100 to 50120: key, signature, time or passphrase
_PRODUCTION = "1"
_DISRUPTION = "3"
_TRADING = ("5", "8", "9")  # of all, of batches of accounts, of batches of products
_READING = "read_only"
_ON_ITS_WAY = ("1", "15", "16")
_STATES: dict[str, WithdrawalState] = {
    # Not -2 and -3, which their owner cancelled.
    "-1": "failed",
    "0": "pending",
    "1": "pending",  # being broadcast
    "2": "confirmed",
    "4": "pending",  # looked at by a person, as 5, 6, 8, 9, 12
    "5": "pending",
    "6": "pending",
    "7": "pending",  # approved
    "8": "pending",
    "9": "pending",
    "10": "pending",
    "12": "pending",
    "15": "pending",  # validated on the chain, as 16
    "16": "pending",
    "17": "pending",  # travel rule
    "19": "pending",  # the hot wallet has too little
}


class _Currency(Struct, frozen=True, gc=False, rename="camel"):
    ccy: str
    chain: str
    can_wd: bool
    can_dep: bool
    fee: str | None = None
    min_fee: str | None = None  # before there was `fee`
    min_wd: str | None = None
    max_wd: str | None = None
    min_dep_arrival_confirm: str | None = None


class _Trade(Struct, frozen=True):
    ts: Decimal  # milliseconds
    px: Decimal


class _Work(Struct, frozen=True, rename="camel"):
    title: str
    state: Literal["scheduled", "ongoing", "pre_open", "completed", "canceled"]
    service_type: str
    maint_type: str
    env: str


class _Time(Struct, frozen=True):
    ts: Decimal  # milliseconds


class _Configuration(Struct, frozen=True):
    perm: str


class _Withdrawal(Struct, frozen=True, rename="camel"):
    wd_id: str
    ccy: str
    chain: str
    state: Literal["-3", "-2", "-1", "0", "1", "2", "4", "5", "6", "7", "8", "9", "10", "12", "15", "16", "17", "19"]
    ts: Decimal  # milliseconds
    tx_id: str | None = None


class _Balance(Struct, frozen=True):
    ccy: str
    bal: Decimal  # available and frozen


def rails(body: bytes) -> Listed:
    """`GET /api/v5/asset/currencies`, signed: a row a coin and chain, as `USDT-TRC20`."""
    told = _content(decode(body, Envelope[list[Raw]]))
    currencies = rows(told, _Currency, asset="ccy", path="$.data")
    readings: list[RailReading] = []
    terms: list[Terms] = []
    for each in currencies.good:
        word = _word(each.chain)
        network = our_network(word)
        readings.append(withdrawal(each.ccy, network, word, closed="" if each.can_wd else "canWd=false"))
        readings.append(deposit(each.ccy, network, word, closed="" if each.can_dep else "canDep=false"))
        terms.append(_terms(network, each))
    return Listed(readings, currencies.flaws, terms)


def _word(chain: str) -> str:
    """The network of `USDT-Avalanche C-Chain`. What stands before it need not be the coin: `BTCK-OKC` is BTC."""
    _, _, word = chain.partition("-")
    return word or chain


def _terms(network: str, told: _Currency) -> Terms:
    return Terms(
        told.ccy,
        network,
        fee=amount(told.min_fee if told.fee is None else told.fee),
        minimum=amount(told.min_wd),
        maximum=amount(told.max_wd),
        confirmations=count(told.min_dep_arrival_confirm),
    )


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /api/v5/market/trades`."""
    trades = _content(decode(body, Envelope[list[_Trade]]))
    return newest(((trade.ts, trade.px) for trade in trades), per_second=1000)


def system(body: bytes) -> SystemReading:
    """`GET /api/v5/system/status`: an empty list is a system without work in progress."""
    works = [work for work in _content(decode(body, Envelope[list[_Work]])) if _is_felt(work)]
    raw = "; ".join(work.title for work in works)
    if any(work.maint_type == _DISRUPTION for work in works):
        return SystemReading("trading", "outage", raw)
    if any(work.service_type in _TRADING for work in works):
        return SystemReading("trading", "maintenance", raw)
    return SystemReading("trading", "degraded" if works else "operational", raw)


def _is_felt(work: _Work) -> bool:
    return work.env == _PRODUCTION and work.state in ("ongoing", "pre_open")


def server_time(body: bytes) -> datetime:
    """`GET /api/v5/public/time`."""
    return moment(_only(_content(decode(body, Envelope[list[_Time]]))).ts, per_second=1000)


def rights(body: bytes) -> tuple[str, ...]:
    """`GET /api/v5/account/config`: the words of `perm` but for `read_only`."""
    words = _only(_content(decode(body, Envelope[list[_Configuration]]))).perm.split(",")
    return tuple(word.strip() for word in words if word.strip() not in ("", _READING))


def withdrawals(body: bytes) -> list[Withdrawal]:
    """`GET /api/v5/asset/withdrawal-history`, signed: the newest 100. It does not tell when one was done."""
    return [
        Withdrawal(
            id=each.wd_id,
            asset=each.ccy,
            network=our_network(_word(each.chain)),
            state="sent" if each.state in _ON_ITS_WAY and each.tx_id else _STATES[each.state],
            requested_at=moment(each.ts, per_second=1000),
        )
        for each in _content(decode(body, Envelope[list[_Withdrawal]]))
        if each.state in _STATES
    ]


def funds(body: bytes) -> dict[str, Decimal]:
    """`GET /api/v5/asset/balances`, signed: of the funding account."""
    return held((each.ccy, each.bal) for each in _content(decode(body, Envelope[list[_Balance]])))


def _content(answer: Envelope[T]) -> T:
    words = shortened(f"{answer.code} {answer.msg}")
    if answer.code in _SPENT:
        raise RemoteError(FailureReason.RATE_LIMITED, words)
    if answer.code.startswith(_KEY_REFUSED):
        raise RemoteError(FailureReason.AUTH, words)
    return answer.content(fine=_FINE)


def _only(told: list[T]) -> T:
    if len(told) != 1:
        raise RemoteError(FailureReason.SCHEMA, f"{len(told)} entries where there is one - at `$.data`")
    return told[0]


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """HMAC-SHA256 over time, method, path with query, and body, in Base64, as OKX asks of private endpoints."""
    time = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    signed = f"{time}{call.method}{call.path}".encode() + call.body
    signature = base64.b64encode(hmac.digest(credentials.api_secret.encode(), signed, "sha256")).decode()
    headers = {
        "OK-ACCESS-KEY": credentials.api_key,
        "OK-ACCESS-SIGN": signature,
        "OK-ACCESS-TIMESTAMP": time,
        "OK-ACCESS-PASSPHRASE": credentials.passphrase,
    }
    return Call(path=call.path, method=call.method, body=call.body, headers=headers)


EXCHANGE = Exchange(
    name="okx",
    title="OKX",
    url="https://www.okx.com",
    sign=sign,
    rights=Rights(call=Call(path="/api/v5/account/config"), decode=rights),
    server_time=ServerTime(path="/api/v5/public/time", decode=server_time),
    passphrase=True,
    lists=(
        Listing(
            path="/api/v5/asset/currencies",
            probe="okx-currencies",
            interval=30.0,
            decode=rails,
            signed=True,
            where="data[ccy={asset}, chain=...-{word}].canWd",
            rule="false is suspended",
        ),
    ),
    trades=(
        Trades(
            path="/api/v5/market/trades?instId=BTC-USDT&limit=1",
            probe="okx-trades",
            market="BTC/USDT",
            decode=newest_trade,
        ),
        Trades(
            path="/api/v5/market/trades?instId=BTC-USDT-SWAP&limit=1",
            probe="okx-perpetual-trades",
            market="BTC/USDT:USDT",
            decode=newest_trade,
        ),
    ),
    system=System(path="/api/v5/system/status", probe="okx-system", decode=system),
    history=History(path="/api/v5/asset/withdrawal-history", probe="okx-withdrawals", decode=withdrawals),
    funds=Funds(path="/api/v5/asset/balances", probe="okx-balances", decode=funds),
    per_second=1.0,  # account/config allows 5 in 2 seconds
    account_lock="a user can freeze the whole account; it opens after an identity check",
    own_tokens=("OKB",),
    traps=(
        "a row that is gone is no way out: delisted chains vanish from the list",
        "wdQuota is the account's own in dollars, whatever the coin",
        "system status tells planned work on trading; it does not speak of withdrawals",
        "the history does not tell when a withdrawal was done",
        "its balances are those of the funding account, which withdrawals leave from: not trading, not Earn",
    ),
)
