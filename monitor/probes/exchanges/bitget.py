"""Bitget. Its flags are the strings "true" and "false", and exactly these."""

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Literal
from urllib.parse import urlencode

from msgspec import Raw, Struct, field
from msgspec.structs import replace

from monitor.probes.account import Call, Credentials, Rights, ServerTime
from monitor.probes.answer import Envelope, enveloped
from monitor.probes.exchange import Exchange, History, Listing, Trades
from monitor.probes.exchanges.balances import held
from monitor.probes.exposure import Funds
from monitor.probes.figures import amount, count, moment
from monitor.probes.history import Withdrawal, WithdrawalState, state_of
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, Offers, RailReading, Terms, deposit, withdrawal
from monitor.probes.rows import rows
from monitor.probes.trades import NewestTrade, newest

_FINE = "00000"
_HISTORY = "/api/v2/spot/wallet/withdrawal-records"
_LONGEST_WINDOW = timedelta(days=30)
_MOST_RECORDS = 100
_READING = ("readonly", "coor", "cpor", "stor", "smor", "ttor", "wtor", "taxr", "chor", "p2pr", "pllr")
_SENDING: dict[str, WithdrawalState] = {
    "pending": "pending",
    "pending_review": "pending",
    "wallet_processing": "pending",
    "wait_frozen": "pending",
    "wait_create_order": "pending",
    "wait_unfreeze": "pending",
    "wait_deducted": "pending",
    "wait_small_check": "pending",
    "risk_audit": "pending",
    "dealing": "pending",
    "pre_success": "sent",
    "success": "confirmed",
    "fail": "failed",
    "pending_fail": "failed",
    "pending_review_fail": "failed",
    "wallet_fail": "failed",
    "frozen_fail": "failed",
    "reject": "failed",
}
_CANCELLED = "cancel"
_INSIDE = "internal_transfer"

_Flag = Literal["true", "false"]


class _Chain(Struct, frozen=True, gc=False, rename="camel"):
    chain: str
    withdrawable: _Flag
    rechargeable: _Flag
    withdraw_fee: str | None = None
    extra_withdraw_fee: str | None = None  # a share: 0.1 is a tenth
    min_withdraw_amount: str | None = None
    withdraw_confirm: str | None = None


class _Coin(Struct, frozen=True, gc=False):
    coin: str
    chains: list[_Chain]


class _Trade(Struct, frozen=True):
    ts: Decimal  # milliseconds
    price: Decimal


class _Time(Struct, frozen=True, rename="camel"):
    server_time: Decimal  # milliseconds


class _Sent(Struct, frozen=True, rename="camel"):
    order_id: str
    coin: str
    status: str
    created: Decimal = field(name="cTime")  # milliseconds
    updated: Decimal = field(name="uTime")
    chain: str | None = None
    dest: str = ""


class _Balance(Struct, frozen=True):
    coin: str
    available: Decimal
    frozen: Decimal  # in orders
    locked: Decimal


class _Key(Struct, frozen=True):
    authorities: list[str]


def rails(body: bytes) -> Listed:
    """`GET /api/v2/spot/public/coins`."""
    raws = enveloped(body, Envelope[list[Raw]], fine=_FINE)
    coins = rows(raws, _Coin, asset="coin", path="$.data")
    readings: list[RailReading] = []
    for coin in coins.good:
        for chain in coin.chains:
            network, word = our_network(chain.chain), chain.chain
            closed = "" if chain.withdrawable == "true" else "withdrawable=false"
            readings.append(withdrawal(coin.coin, network, word, closed=closed))
            closed = "" if chain.rechargeable == "true" else "rechargeable=false"
            readings.append(deposit(coin.coin, network, word, closed=closed))
    return Listed(readings, coins.flaws, Offers(partial(_offered, coins.good)))


def _offered(coins: list[_Coin], is_wanted: Callable[[str], bool]) -> Iterator[Terms]:
    return (
        _terms(coin.coin, our_network(chain.chain), chain)
        for coin in coins
        if is_wanted(coin.coin)
        for chain in coin.chains
    )


def _terms(asset: str, network: str, chain: _Chain) -> Terms:
    """Where the coin burns a share on its way, no fixed fee is told."""
    return Terms(
        asset,
        network,
        fee=None if amount(chain.extra_withdraw_fee) else amount(chain.withdraw_fee),
        minimum=amount(chain.min_withdraw_amount),
        confirmations=count(chain.withdraw_confirm),
    )


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /api/v2/spot/market/fills` and `GET /api/v2/mix/market/fills`."""
    trades = enveloped(body, Envelope[list[_Trade]], fine=_FINE)
    return newest(((trade.ts, trade.price) for trade in trades), per_second=1000)


def server_time(body: bytes) -> datetime:
    """`GET /api/v2/public/time`."""
    return moment(enveloped(body, Envelope[_Time], fine=_FINE).server_time, per_second=1000)


def history(body: bytes) -> list[Withdrawal]:
    """`GET /api/v2/spot/wallet/withdrawal-records`, signed: up to 100 of the last 30 days, without transfers inside."""
    sent = enveloped(body, Envelope[list[_Sent]], fine=_FINE)
    return [_withdrawal(each) for each in sent if each.dest != _INSIDE and each.status.lower() != _CANCELLED]


def _withdrawal(sent: _Sent) -> Withdrawal:
    state = state_of(_SENDING, sent.status.lower())
    return Withdrawal(
        id=sent.order_id,
        asset=sent.coin,
        network=our_network(sent.chain) if sent.chain else "*",
        state=state,
        requested_at=moment(sent.created, per_second=1000),
        finished_at=None if state == "pending" else moment(sent.updated, per_second=1000),
    )


def funds(body: bytes) -> dict[str, Decimal]:
    """`GET /api/v2/spot/account/assets`, signed: what is not zero."""
    told = enveloped(body, Envelope[list[_Balance]], fine=_FINE)
    return held((each.coin, part) for each in told for part in (each.available, each.frozen, each.locked))


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """HMAC-SHA256 over time, method, path with query, and body. The history must be asked with its window."""
    path = f"{_HISTORY}?{_window(now)}" if call.path == _HISTORY else call.path
    time = _milliseconds(now)
    text = f"{time}{call.method}{path}".encode() + call.body
    headers = {
        "ACCESS-KEY": credentials.api_key,
        "ACCESS-SIGN": b64encode(hmac.digest(credentials.api_secret.encode(), text, "sha256")).decode(),
        "ACCESS-TIMESTAMP": time,
        "ACCESS-PASSPHRASE": credentials.passphrase,
        "locale": "en-US",
    }
    return replace(call, path=path, headers=headers)


def _window(now: datetime) -> str:
    since = _milliseconds(now - _LONGEST_WINDOW)
    return urlencode({"endTime": _milliseconds(now), "limit": _MOST_RECORDS, "startTime": since})


def _milliseconds(at: datetime) -> str:
    return str(round(at.timestamp() * 1000))


def rights(body: bytes) -> tuple[str, ...]:
    """`GET /api/v2/spot/account/info`, signed: rights in short words, as `stor` to read spot and `stow` to trade it."""
    key = enveloped(body, Envelope[_Key], fine=_FINE)
    return tuple(right for right in key.authorities if right not in _READING)


EXCHANGE = Exchange(
    name="bitget",
    title="Bitget",
    url="https://api.bitget.com",
    lists=(
        Listing(
            path="/api/v2/spot/public/coins",
            probe="bitget-coins",
            interval=60.0,
            decode=rails,
            where="data[coin={asset}].chains[chain={word}].withdrawable",
            rule='"false" is suspended',
        ),
    ),
    trades=(
        Trades(
            path="/api/v2/spot/market/fills?symbol=BTCUSDT&limit=1",
            probe="bitget-trades",
            market="BTC/USDT",
            decode=newest_trade,
        ),
        Trades(
            path="/api/v2/mix/market/fills?symbol=BTCUSDT&productType=usdt-futures&limit=1",
            probe="bitget-perpetual-trades",
            market="BTC/USDT:USDT",
            decode=newest_trade,
        ),
    ),
    history=History(path=_HISTORY, probe="bitget-withdrawals", decode=history),
    funds=Funds(path="/api/v2/spot/account/assets", probe="bitget-balances", decode=funds),
    sign=sign,
    rights=Rights(call=Call(path="/api/v2/spot/account/info"), decode=rights),
    server_time=ServerTime(path="/api/v2/public/time", decode=server_time),
    passphrase=True,
    per_second=1.5,
    account_lock="the owner can freeze the whole account; support lifts it after identification",
    own_tokens=("BGB",),
    traps=(
        'its booleans are strings: only "true" and "false" are flags',
        "`congestion` is the network's state, not the withdrawals'",
        "the key of a unified account is refused by the account's own endpoints (40085)",
        "its balances are those of the spot account, which withdrawals leave from: not margin, futures or Earn",
    ),
)
