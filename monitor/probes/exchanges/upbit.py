"""Upbit. Its flags need a key, and beside them it tells how well its own nodes follow their chains."""

import base64
import hashlib
import hmac
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec import Meta, Raw, Struct

from monitor.model import Direction, RailState
from monitor.probes.account import Call, Credentials
from monitor.probes.answer import decode
from monitor.probes.exchange import Exchange, History, Listing, Trades
from monitor.probes.exchanges.balances import held
from monitor.probes.exposure import Funds
from monitor.probes.history import Withdrawal, WithdrawalState, state_of
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading
from monitor.probes.rows import rows
from monitor.probes.trades import NewestTrade, newest

_OPEN, _SUSPENDED, _UNLISTED = RailState.OPEN, RailState.SUSPENDED, RailState.UNLISTED
_WITHDRAWALS = {
    "working": _OPEN,
    "withdraw_only": _OPEN,
    "deposit_only": _SUSPENDED,
    "paused": _SUSPENDED,
    "unsupported": _UNLISTED,
}
_DEPOSITS = _WITHDRAWALS | {"withdraw_only": _SUSPENDED, "deposit_only": _OPEN}

_NETWORKS = {"BTC": "bitcoin", "ETH": "ethereum", "SOL": "solana", "TRX": "tron", "XRP": "xrp"}

_STATES: dict[str, WithdrawalState | None] = {
    "WAITING": "pending",
    "PROCESSING": "pending",
    "DONE": "confirmed",
    "FAILED": "failed",
    "REJECTED": "failed",
    "CANCELLED": None,
}

_JWT_HEADER = b'{"alg":"HS512","typ":"JWT"}'

_Time = Annotated[datetime, Meta(tz=True)]


class _Wallet(Struct, frozen=True, gc=False):
    # Height and age of the newest block are left out: they are different at every reading.
    currency: str
    wallet_state: Literal["working", "withdraw_only", "deposit_only", "paused", "unsupported"]
    block_state: Literal["normal", "delayed", "inactive"] | None = None
    net_type: str | None = None
    network_name: str | None = None
    message: str | None = None


class _Trade(Struct, frozen=True):
    timestamp: Decimal  # milliseconds
    trade_price: Decimal


class _Withdraw(Struct, frozen=True):
    uuid: str
    currency: str
    state: str
    created_at: _Time
    net_type: str | None = None
    txid: str | None = None
    done_at: _Time | None = None
    transaction_type: str = "default"


class _Balance(Struct, frozen=True):
    currency: str
    balance: Decimal
    locked: Decimal


class _Claims(Struct, frozen=True, omit_defaults=True):
    access_key: str
    nonce: str
    query_hash: str = ""
    query_hash_alg: str = ""


def rails(body: bytes) -> Listed:
    """`GET /v1/status/wallet`, signed: a row a currency and network. Upbit says it may be minutes late.

    A delayed block is kept in `raw` only: slow chains have one at rest. A working wallet whose node is inactive takes
    requests that cannot be seen through, which is `delayed`.
    """
    read = rows(decode(body, list[Raw]), _Wallet, asset="currency", path="$")
    readings = [reading for wallet in read.good for reading in _both(wallet)]
    return Listed(readings, read.flaws)


def _both(wallet: _Wallet) -> tuple[RailReading, RailReading]:
    network, told = network_of(wallet.net_type, wallet.network_name), _told(wallet)
    return (
        _reading(wallet, network, Direction.WITHDRAWAL, _WITHDRAWALS[wallet.wallet_state], told),
        _reading(wallet, network, Direction.DEPOSIT, _DEPOSITS[wallet.wallet_state], told),
    )


def _reading(wallet: _Wallet, network: str, direction: Direction, state: RailState, told: str) -> RailReading:
    if state is _OPEN and wallet.block_state == "inactive":
        state = RailState.DELAYED
    return RailReading(wallet.currency, network, direction, state, told)


def _told(wallet: _Wallet) -> str:
    told = f"{wallet.net_type or '*'} {wallet.wallet_state}"
    if wallet.block_state in ("delayed", "inactive"):
        told = f"{told}, block {wallet.block_state}"
    return f"{told}: {wallet.message}" if wallet.message else told


def network_of(net_type: str | None, name: str | None) -> str:
    """Our name of a network by its identifier and its name, `*` where a row has none."""
    if net_type is None:
        return "*"
    return _NETWORKS.get(net_type) or our_network(net_type if name is None else name)


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /v1/trades/ticks`."""
    trades = decode(body, list[_Trade])
    return newest(((trade.timestamp, trade.trade_price) for trade in trades), per_second=1000)


def withdrawals(body: bytes) -> list[Withdrawal]:
    """`GET /v1/withdraws`, signed: the newest 100. Left out: KRW, what was cancelled, what stayed within Upbit."""
    return [
        _withdrawal(withdraw, state)
        for withdraw in decode(body, list[_Withdraw])
        if withdraw.currency != "KRW"
        and withdraw.transaction_type != "internal"
        and (state := _state(withdraw)) is not None
    ]


def _state(withdraw: _Withdraw) -> WithdrawalState | None:
    state = state_of(_STATES, withdraw.state)
    return "sent" if state == "pending" and withdraw.txid else state


def _withdrawal(withdraw: _Withdraw, state: WithdrawalState) -> Withdrawal:
    return Withdrawal(
        id=withdraw.uuid,
        asset=withdraw.currency,
        network=network_of(withdraw.net_type, None),
        state=state,
        requested_at=withdraw.created_at,
        finished_at=withdraw.done_at,
    )


def funds(body: bytes) -> dict[str, Decimal]:
    """`GET /v1/accounts`, signed: won are among them."""
    told = decode(body, list[_Balance])
    return held((each.currency, part) for each in told for part in (each.balance, each.locked))


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """A JWT (HS512) with a nonce of its own, over the SHA-512 of the query where there is one."""
    nonce = str(uuid5(NAMESPACE_URL, now.isoformat()))
    query = call.path.partition("?")[2]
    if query:
        digest = hashlib.sha512(query.encode()).hexdigest()
        claims = _Claims(credentials.api_key, nonce, query_hash=digest, query_hash_alg="SHA512")
    else:
        claims = _Claims(credentials.api_key, nonce)
    said = f"{_encoded(_JWT_HEADER)}.{_encoded(msgspec.json.encode(claims))}"
    signature = hmac.digest(credentials.api_secret.encode(), said.encode(), "sha512")
    headers = {"Authorization": f"Bearer {said}.{_encoded(signature)}"}
    return Call(path=call.path, method=call.method, body=call.body, headers=headers)


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


EXCHANGE = Exchange(
    name="upbit",
    title="Upbit",
    url="https://api.upbit.com",
    lists=(
        Listing(
            path="/v1/status/wallet",
            probe="upbit-wallets",
            interval=30.0,
            decode=rails,
            signed=True,
            where="[currency={asset}, net_type={word}].wallet_state and .block_state",
            rule="paused and deposit_only are suspended, unsupported is unlisted, working while the block is inactive "
            "is delayed",
        ),
    ),
    trades=(
        Trades(
            path="/v1/trades/ticks?market=KRW-BTC&count=1",
            probe="upbit-trades",
            market="BTC/KRW",
            decode=newest_trade,
        ),
    ),
    history=History(path="/v1/withdraws?limit=100", probe="upbit-withdrawals", decode=withdrawals),
    funds=Funds(path="/v1/accounts", probe="upbit-balances", decode=funds),
    sign=sign,
    per_second=5.0,
    traps=(
        "the state may be minutes behind the service, says Upbit itself",
        "a delayed block is the state at rest of slow chains and no delay of withdrawals",
        "withdraw_only is where an airdropped or a warned coin rests",
        "what a key may do is not told: give it no right to order or to withdraw",
    ),
)
