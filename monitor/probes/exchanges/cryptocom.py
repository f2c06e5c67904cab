"""Crypto.com Exchange. Its flags need a read-only key of the main account, and are asked for with a signed POST."""

import hmac
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from monitor.probes.account import Call, Credentials
from monitor.probes.answer import decode, present, refusal
from monitor.probes.exchange import Exchange, History, Listing, Trades
from monitor.probes.exchanges.balances import held
from monitor.probes.exposure import Funds
from monitor.probes.figures import moment
from monitor.probes.history import Withdrawal, WithdrawalState
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading, Terms, deposit, withdrawal
from monitor.probes.rows import named_rows
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_OURS = {"BNB": "bsc", "CRO": "cronos-pos", "LUNA2": "terra"}
"""Where its word means another network than elsewhere."""

_SENDING: dict[str, WithdrawalState] = {
    "0": "pending",
    "1": "pending",  # processing
    "2": "failed",  # rejected
    "3": "pending",  # payment in progress, sent once it has a transaction
    "4": "failed",
    "5": "confirmed",
}
_CANCELLED = "6"

_Count = Annotated[int, Meta(ge=0, lt=2**31)]


class _Answer(Struct, Generic[T], frozen=True):
    code: int
    message: str = ""
    result: T | None = None


class _Network(Struct, frozen=True, gc=False):
    network_id: str
    withdraw_enabled: bool
    deposit_enabled: bool
    withdrawal_fee: Decimal | None = None
    min_withdrawal_amount: Decimal | None = None
    confirmation_required: _Count | None = None


class _Coin(Struct, frozen=True, gc=False):
    network_list: list[_Network]


class _Coins(Struct, frozen=True):
    currency_map: dict[str, Raw]


class _Trade(Struct, frozen=True):
    t: Decimal  # milliseconds
    p: Decimal


class _Trades(Struct, frozen=True):
    data: list[_Trade]


class _Sent(Struct, frozen=True):
    id: str
    currency: str
    status: Literal["0", "1", "2", "3", "4", "5", "6"]
    create_time: int  # milliseconds
    update_time: int
    txid: str | None = None
    network_id: str | None = None


class _History(Struct, frozen=True):
    withdrawal_list: list[_Sent]


class _Position(Struct, frozen=True):
    instrument_name: str
    quantity: Decimal  # with what is reserved for orders


class _Wallet(Struct, frozen=True):
    position_balances: list[_Position]


class _Wallets(Struct, frozen=True):
    data: Annotated[list[_Wallet], Meta(min_length=1)]


class _Request(Struct, frozen=True):
    id: int
    method: str
    api_key: str
    nonce: int
    sig: str
    params: dict[str, str] = {}


def rails(body: bytes) -> Listed:
    """`POST private/get-currency-networks`, signed."""
    raws = _result(decode(body, _Answer[_Coins])).currency_map
    coins = named_rows(raws, _Coin, path="$.result.currency_map")
    readings: list[RailReading] = []
    terms: list[Terms] = []
    for asset, coin in coins.good:
        for network in coin.network_list:
            ours, word = _network(network.network_id), network.network_id
            closed = "" if network.withdraw_enabled else "withdraw_enabled=false"
            readings.append(withdrawal(asset, ours, word, closed=closed))
            closed = "" if network.deposit_enabled else "deposit_enabled=false"
            readings.append(deposit(asset, ours, word, closed=closed))
            terms.append(_terms(asset, ours, network))
    return Listed(readings, coins.flaws, terms)


def _network(word: str) -> str:
    return _OURS.get(word) or our_network(word)


def _terms(asset: str, ours: str, network: _Network) -> Terms:
    return Terms(
        asset,
        ours,
        fee=network.withdrawal_fee,
        minimum=network.min_withdrawal_amount,
        confirmations=network.confirmation_required,
    )


def newest_trade(body: bytes) -> NewestTrade:
    """`GET public/get-trades`, of a pair or a perpetual."""
    trades = _result(decode(body, _Answer[_Trades])).data
    return newest(((trade.t, trade.p) for trade in trades), per_second=1000)


def history(body: bytes) -> list[Withdrawal]:
    """`POST private/get-withdrawal-history`, signed: the first 20 of the last 90 days."""
    sent = _result(decode(body, _Answer[_History])).withdrawal_list
    return [_withdrawal(each) for each in sent if each.status != _CANCELLED]


def _withdrawal(sent: _Sent) -> Withdrawal:
    state = "sent" if sent.status == "3" and sent.txid else _SENDING[sent.status]
    return Withdrawal(
        id=sent.id,
        asset=sent.currency,
        network=_network(sent.network_id) if sent.network_id else "*",
        state=state,
        requested_at=moment(sent.create_time, per_second=1000),
        finished_at=None if state == "pending" else moment(sent.update_time, per_second=1000),
    )


def funds(body: bytes) -> dict[str, Decimal]:
    """`POST private/user-balance`, signed: of the one wallet for spot, margin and derivatives."""
    wallets = _result(decode(body, _Answer[_Wallets])).data
    return held((each.instrument_name, each.quantity) for wallet in wallets for each in wallet.position_balances)


def _result(answer: _Answer[T]) -> T:
    if answer.code:
        raise refusal(f"{answer.code} {answer.message}".replace("_", " "))
    return present(answer.result, field="result")


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """HMAC-SHA256 over method, id, key, parameters (we send none) and nonce. The method is the path."""
    method, nonce = call.path.removeprefix("/"), round(now.timestamp() * 1000)
    text = f"{method}{nonce}{credentials.api_key}{nonce}"
    signature = hmac.digest(credentials.api_secret.encode(), text.encode(), "sha256").hex()
    request = _Request(id=nonce, method=method, api_key=credentials.api_key, nonce=nonce, sig=signature)
    return replace(call, body=msgspec.json.encode(request))


EXCHANGE = Exchange(
    name="cryptocom",
    title="Crypto.com",
    url="https://api.crypto.com/exchange/v1",
    lists=(
        Listing(
            path="/private/get-currency-networks",
            method="POST",
            probe="cryptocom-networks",
            interval=30.0,
            decode=rails,
            where="result.currency_map.{asset}.network_list[network_id={word}].withdraw_enabled",
            rule="false is suspended",
            signed=True,
        ),
    ),
    trades=(
        Trades(
            path="/public/get-trades?instrument_name=BTC_USD&count=10",
            probe="cryptocom-trades",
            market="BTC/USD",
            decode=newest_trade,
        ),
        Trades(
            path="/public/get-trades?instrument_name=BTCUSD-PERP&count=10",
            probe="cryptocom-perpetual-trades",
            market="BTC/USD:USD",
            decode=newest_trade,
        ),
    ),
    history=History(
        path="/private/get-withdrawal-history", method="POST", probe="cryptocom-withdrawals", decode=history
    ),
    funds=Funds(path="/private/user-balance", method="POST", probe="cryptocom-balances", decode=funds),
    sign=sign,
    account_lock="withdrawals to a new address can be made to wait 24 hours",
    own_tokens=("CRO",),
    traps=(
        "`update_time` in the answer is when its flags were gathered, which may be a while ago",
        "the key of a sub-account gets SYS_ERROR instead of the list",
        "BNB is BNB Smart Chain here, and CRO is Cronos POS beside the network CRONOS",
        "its balances are those of the key's own account, main or sub; while one is below zero (a debt) none is read",
    ),
)
