"""Coinbase Exchange. It has no flag for withdrawals: a coin and its networks have a status, for both directions."""

import base64
import binascii
import hmac
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from monitor.model import Direction, FailureReason, RailState, RemoteError
from monitor.probes.account import Call, Credentials, ServerTime
from monitor.probes.answer import decode
from monitor.probes.exchange import Exchange, History, Listing, Trades
from monitor.probes.exchanges.balances import held
from monitor.probes.exposure import Funds
from monitor.probes.figures import moment_of
from monitor.probes.history import Withdrawal, WithdrawalState
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading, Terms
from monitor.probes.rows import rows
from monitor.probes.trades import NewestTrade, newest

_OPEN, _DIRECTIONS = RailState.OPEN, tuple(Direction)
_STATES = {"online": _OPEN, "offline": RailState.SUSPENDED, "delisted": RailState.UNLISTED}

_Status = Literal["online", "offline", "delisted"]
_Time = Annotated[datetime, Meta(tz=True)]


class _Network(Struct, frozen=True, gc=False):
    id: str
    status: _Status
    min_withdrawal_amount: Decimal | None = None
    max_withdrawal_amount: Decimal | None = None
    network_confirmations: int | None = None


class _Details(Struct, frozen=True, gc=False):
    type: str


class _Coin(Struct, frozen=True, gc=False):
    id: str
    status: _Status
    details: _Details
    supported_networks: list[_Network]
    message: str | None = None


class _Trade(Struct, frozen=True):
    time: _Time
    price: Decimal


class _Clock(Struct, frozen=True):
    iso: str


class _Transfer(Struct, frozen=True):
    class Details(Struct, frozen=True):
        network: str | None = None
        crypto_address: str | None = None
        sent_to_address: str | None = None
        crypto_transaction_hash: str | None = None

    id: str
    type: str
    currency: str
    created_at: str
    details: Details
    processed_at: str | None = None
    completed_at: str | None = None
    canceled_at: str | None = None


class _Balance(Struct, frozen=True):
    currency: str
    balance: Decimal  # available and on hold


def rails(body: bytes) -> Listed:
    """`GET /currencies`. Fiat is in it too; a delisted coin stays in it for years."""
    read = rows(decode(body, list[Raw]), _Coin, asset="id", path="$")
    readings: list[RailReading] = []
    terms: list[Terms] = []
    for coin in read.good:
        if coin.details.type == "fiat":
            continue
        state, said = _STATES[coin.status], f"{coin.status} {coin.message or ''}".rstrip()
        readings.extend(_both(coin.id, "*", state, "open" if state is _OPEN else said))
        for network in coin.supported_networks:
            readings.extend(_on(network, coin.id, state, said))
            terms.append(_terms(coin.id, network))
    return Listed(readings, read.flaws, terms)


def _on(network: _Network, asset: str, state: RailState, said: str) -> tuple[RailReading, ...]:
    ours, word = our_network(network.id), network.id
    if state is not _OPEN:
        return _both(asset, ours, state, f"{word} coin {said}")
    state = _STATES[network.status]
    return _both(asset, ours, state, word if state is _OPEN else f"{word} network {network.status}")


def _both(asset: str, network: str, state: RailState, raw: str) -> tuple[RailReading, ...]:
    return tuple(RailReading(asset, network, direction, state, raw) for direction in _DIRECTIONS)


def _terms(asset: str, network: _Network) -> Terms:
    return Terms(
        asset,
        our_network(network.id),
        minimum=network.min_withdrawal_amount,
        maximum=network.max_withdrawal_amount,
        confirmations=network.network_confirmations,
    )


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /products/BTC-USD/trades`."""
    trades = decode(body, list[_Trade])
    return newest(((Decimal(trade.time.timestamp()), trade.price) for trade in trades), per_second=1)


def server_time(body: bytes) -> datetime:
    """`GET /time`."""
    return moment_of(decode(body, _Clock).iso)


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """HMAC-SHA256 with the decoded secret over time, method, path with query and body (`CB-ACCESS-SIGN`)."""
    try:
        secret = base64.b64decode(credentials.api_secret, validate=True)
    except binascii.Error as error:
        raise RemoteError(FailureReason.AUTH, "the key's secret is not base64", permanent=True) from error
    timestamp = f"{now.timestamp():.3f}"
    said = f"{timestamp}{call.method}{call.path}".encode() + call.body
    headers = {
        "CB-ACCESS-KEY": credentials.api_key,
        "CB-ACCESS-SIGN": base64.b64encode(hmac.digest(secret, said, "sha256")).decode(),
        "CB-ACCESS-TIMESTAMP": timestamp,
        "CB-ACCESS-PASSPHRASE": credentials.passphrase,
    }
    return Call(path=call.path, method=call.method, body=call.body, headers=headers)


def withdrawals(body: bytes) -> list[Withdrawal]:
    """`GET /transfers?type=withdraw`, signed. Left out is what was cancelled or went to no address on a chain."""
    return [
        _withdrawal(transfer)
        for transfer in decode(body, list[_Transfer])
        if transfer.type == "withdraw" and transfer.canceled_at is None and _is_on_chain(transfer.details)
    ]


def _is_on_chain(details: _Transfer.Details) -> bool:
    return details.crypto_address is not None or details.sent_to_address is not None


def _withdrawal(transfer: _Transfer) -> Withdrawal:
    details = transfer.details
    state: WithdrawalState = "pending"
    if transfer.completed_at is not None:
        state = "confirmed"
    elif details.crypto_transaction_hash:
        state = "sent"
    finished = transfer.processed_at if transfer.completed_at is None else transfer.completed_at
    return Withdrawal(
        id=transfer.id,
        asset=transfer.currency,
        network="*" if details.network is None else our_network(details.network),
        state=state,
        requested_at=_moment(transfer.created_at),
        finished_at=None if state == "pending" or finished is None else _moment(finished),
    )


def _moment(text: str) -> datetime:
    """A time as PostgreSQL writes it: `2022-12-21 00:48:45.477503+00`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise RemoteError(FailureReason.SCHEMA, "a transfer's time is none") from error
    if at.tzinfo is None:
        raise RemoteError(FailureReason.SCHEMA, "a transfer's time has no zone")
    return at


def funds(body: bytes) -> dict[str, Decimal]:
    """`GET /accounts`, signed: one a currency, of the key's profile."""
    return held((each.currency, each.balance) for each in decode(body, list[_Balance]))


EXCHANGE = Exchange(
    name="coinbase",
    title="Coinbase Exchange",
    url="https://api.exchange.coinbase.com",
    lists=(
        Listing(
            path="/currencies",
            probe="coinbase-currencies",
            interval=60.0,
            decode=rails,
            where="[id={asset}].status and [id={asset}].supported_networks[id={word}].status",
            rule="online is open, offline is suspended, delisted is unlisted, for both directions",
        ),
    ),
    trades=(
        Trades(path="/products/BTC-USD/trades?limit=1", probe="coinbase-trades", market="BTC/USD", decode=newest_trade),
    ),
    status_page="https://status.exchange.coinbase.com",
    history=History(path="/transfers?type=withdraw&limit=100", probe="coinbase-withdrawals", decode=withdrawals),
    funds=Funds(path="/accounts", probe="coinbase-balances", decode=funds),
    sign=sign,
    server_time=ServerTime(path="/time", decode=server_time),
    passphrase=True,
    per_second=5.0,
    account_lock="Vault: withdrawals wait 48 hours after both e-mail approvals, nobody can end the wait early",
    traps=(
        "there is no flag for withdrawals: online says that a coin and network are offered, not that they pay out",
        "which words a status may have is not documented: one that is neither online, offline nor delisted is unread",
        "a network stays online where its coin is delisted",
        "which asset a halt is about stands only in the incidents of the status page",
        "its perpetuals have no keyless list of trades",
        "its balances are those of the key's own profile",
    ),
)
