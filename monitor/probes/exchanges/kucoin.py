"""KuCoin. Coins without a network of their own (fiat) have `chains: null`; segwit is a network beside bitcoin's."""

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from monitor.http.limits import Weight
from monitor.probes.account import Call, Credentials, Rights, ServerTime
from monitor.probes.answer import Envelope, enveloped
from monitor.probes.exchange import Exchange, History, Listing, System, Trades
from monitor.probes.exchanges.balances import held
from monitor.probes.exposure import Funds
from monitor.probes.figures import amount, moment
from monitor.probes.history import Withdrawal, WithdrawalState, state_of
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, Offers, RailReading, Terms, deposit, withdrawal
from monitor.probes.rows import rows
from monitor.probes.system_status import SystemReading, SystemState
from monitor.probes.trades import NewestTrade, newest

_FINE = "200000"
_READING = "General"
_STATES: dict[str, SystemState] = {"open": "operational", "close": "outage", "cancelonly": "degraded"}
_SENDING: dict[str, WithdrawalState] = {
    "REVIEW": "pending",
    "PROCESSING": "pending",
    "WALLET_PROCESSING": "pending",
    "SUCCESS": "confirmed",
    "FAILURE": "failed",
}

_Count = Annotated[int, Meta(ge=0, lt=2**31)]


class _Chain(Struct, frozen=True, gc=False, rename="camel"):
    chain_id: str
    chain_name: str
    is_withdraw_enabled: bool
    is_deposit_enabled: bool
    withdrawal_min_fee: str | None = None
    withdraw_fee_rate: str | None = None
    withdrawal_min_size: str | None = None
    max_withdraw: str | None = None
    confirms: _Count | None = None


class _Coin(Struct, frozen=True, gc=False):
    currency: str
    chains: list[_Chain] | None


class _Trade(Struct, frozen=True):
    time: Decimal  # nanoseconds
    price: Decimal


class _PerpetualTrade(Struct, frozen=True):
    ts: Decimal  # nanoseconds
    price: Decimal


class _Status(Struct, frozen=True):
    status: Literal["open", "close", "cancelonly"]
    msg: str = ""


class _Sent(Struct, frozen=True, rename="camel"):
    id: str
    currency: str
    status: str
    is_inner: bool
    created_at: int  # milliseconds
    updated_at: int
    chain: str | None = None


class _Page(Struct, frozen=True):
    items: list[_Sent]


class _Balance(Struct, frozen=True):
    currency: str
    balance: Decimal  # available and on hold


class _Key(Struct, frozen=True):
    permission: str


def rails(body: bytes) -> Listed:
    """`GET /api/v3/currencies`."""
    raws = enveloped(body, Envelope[list[Raw]], fine=_FINE)
    coins = rows(raws, _Coin, asset="currency", path="$.data")
    readings: list[RailReading] = []
    for coin in coins.good:
        for chain in coin.chains or ():
            network, word = our_network(chain.chain_id), chain.chain_name
            closed = "" if chain.is_withdraw_enabled else "isWithdrawEnabled=false"
            readings.append(withdrawal(coin.currency, network, word, closed=closed))
            closed = "" if chain.is_deposit_enabled else "isDepositEnabled=false"
            readings.append(deposit(coin.currency, network, word, closed=closed))
    return Listed(readings, coins.flaws, Offers(partial(_offered, coins.good)))


def _offered(coins: list[_Coin], is_wanted: Callable[[str], bool]) -> Iterator[Terms]:
    return (
        _terms(coin.currency, our_network(chain.chain_id), chain)
        for coin in coins
        if is_wanted(coin.currency)
        for chain in coin.chains or ()
    )


def _terms(asset: str, network: str, chain: _Chain) -> Terms:
    """With a rate, the fee that is told is only the least one."""
    return Terms(
        asset,
        network,
        fee=None if amount(chain.withdraw_fee_rate) else amount(chain.withdrawal_min_fee),
        minimum=amount(chain.withdrawal_min_size),
        maximum=amount(chain.max_withdraw),
        confirmations=chain.confirms,
    )


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /api/v1/market/histories`: the last 100 trades."""
    trades = enveloped(body, Envelope[list[_Trade]], fine=_FINE)
    return newest(((trade.time, trade.price) for trade in trades), per_second=10**9)


def newest_perpetual_trade(body: bytes) -> NewestTrade:
    """`GET /api/v1/trade/history` of the futures' host."""
    trades = enveloped(body, Envelope[list[_PerpetualTrade]], fine=_FINE)
    return newest(((trade.ts, trade.price) for trade in trades), per_second=10**9)


def system(body: bytes) -> SystemReading:
    """`GET /api/v1/status`: the state of trading."""
    status = enveloped(body, Envelope[_Status], fine=_FINE)
    return SystemReading("trading", _STATES[status.status], f"{status.status} {status.msg}".strip())


def server_time(body: bytes) -> datetime:
    """`GET /api/v1/timestamp`."""
    return moment(enveloped(body, Envelope[int], fine=_FINE), per_second=1000)


def history(body: bytes) -> list[Withdrawal]:
    """`GET /api/v1/withdrawals`, signed: the last 50. What went to another account of KuCoin's is left out."""
    sent = enveloped(body, Envelope[_Page], fine=_FINE).items
    return [_withdrawal(each) for each in sent if not each.is_inner]


def _withdrawal(sent: _Sent) -> Withdrawal:
    state = state_of(_SENDING, sent.status)
    return Withdrawal(
        id=sent.id,
        asset=sent.currency,
        network=our_network(sent.chain) if sent.chain else "*",
        state=state,
        requested_at=moment(sent.created_at, per_second=1000),
        finished_at=None if state == "pending" else moment(sent.updated_at, per_second=1000),
    )


def funds(body: bytes) -> dict[str, Decimal]:
    """`GET /api/v1/accounts`, signed: a row a currency and account, of which main is that which withdrawals leave."""
    return held((each.currency, each.balance) for each in enveloped(body, Envelope[list[_Balance]], fine=_FINE))


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """HMAC-SHA256 over time, method, path and body; the passphrase goes signed too (key versions 2 and 3)."""
    time = str(round(now.timestamp() * 1000))
    headers = {
        "KC-API-KEY": credentials.api_key,
        "KC-API-SIGN": _signed(credentials, f"{time}{call.method}{call.path}".encode() + call.body),
        "KC-API-TIMESTAMP": time,
        "KC-API-PASSPHRASE": _signed(credentials, credentials.passphrase.encode()),
        "KC-API-KEY-VERSION": "2",
    }
    return replace(call, headers=headers)


def _signed(credentials: Credentials, text: bytes) -> str:
    return b64encode(hmac.digest(credentials.api_secret.encode(), text, "sha256")).decode()


def rights(body: bytes) -> tuple[str, ...]:
    """`GET /api/v1/user/api-key`, signed: its permissions as `General,Spot,Withdrawal`. Only General is reading."""
    permissions = enveloped(body, Envelope[_Key], fine=_FINE).permission.split(",")
    return tuple(word for word in (each.strip() for each in permissions) if word and word != _READING)


EXCHANGE = Exchange(
    name="kucoin",
    title="KuCoin",
    url="https://api.kucoin.com",
    lists=(
        Listing(
            path="/api/v3/currencies",
            probe="kucoin-currencies",
            interval=60.0,
            decode=rails,
            where="data[currency={asset}].chains[chainName={word}].isWithdrawEnabled",
            rule="false is suspended",
        ),
    ),
    trades=(
        Trades(
            path="/api/v1/market/histories?symbol=BTC-USDT",
            probe="kucoin-trades",
            market="BTC/USDT",
            decode=newest_trade,
        ),
        Trades(
            url="https://api-futures.kucoin.com",
            path="/api/v1/trade/history?symbol=XBTUSDTM",
            probe="kucoin-perpetual-trades",
            market="BTC/USDT:USDT",
            decode=newest_perpetual_trade,
        ),
    ),
    system=System(path="/api/v1/status", probe="kucoin-system", decode=system),
    history=History(path="/api/v1/withdrawals", probe="kucoin-withdrawals", decode=history),
    funds=Funds(path="/api/v1/accounts", probe="kucoin-balances", decode=funds),
    sign=sign,
    rights=Rights(call=Call(path="/api/v1/user/api-key"), decode=rights),
    server_time=ServerTime(path="/api/v1/timestamp", decode=server_time),
    passphrase=True,
    weight=Weight(header="gw-ratelimit-remaining", limit=2000, window_seconds=30.0, counts="remaining"),
    own_tokens=("KCS",),
    traps=(
        "the list of all coins can lag behind the answer for one coin",
        "`chains: null` is a coin without a network (fiat), not a closed one",
        "the state of trading says nothing of withdrawals",
        "its balances are those of main and trading accounts together: not futures, not Earn",
    ),
)
