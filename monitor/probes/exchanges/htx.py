"""HTX. A chain's own name has the coin in it (`trc20usdt`): the network comes from `baseChain` or the shown name."""

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Generic, Literal, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from monitor.model import FailureReason, RemoteError
from monitor.probes.account import Call, Credentials, ServerTime
from monitor.probes.answer import decode, present, refusal, shortened
from monitor.probes.exchange import Exchange, History, Listing, System, Trades
from monitor.probes.figures import amount, moment
from monitor.probes.history import Withdrawal, WithdrawalState, state_of
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, Offers, RailReading, Terms, deposit, withdrawal
from monitor.probes.rows import rows
from monitor.probes.system_status import SystemReading, SystemState
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_HOST = "api.huobi.pro"  # is signed, so a signed call names it whatever address it is sent to
_FINE = 200
_TOO_OFTEN = ("request limit", "rate too many requests")
_STATES: dict[int, SystemState] = {1: "operational", 2: "outage", 3: "degraded"}
_WORDS = {1: "normal", 2: "halted", 3: "cancel only"}
_SENDING: dict[str, WithdrawalState] = {
    "verifying": "pending",
    "submitted": "pending",
    "reexamine": "pending",
    "pass": "pending",
    "pre-transfer": "pending",
    "wallet-transfer": "sent",
    "confirmed": "confirmed",
    "failed": "failed",
    "reject": "failed",
    "wallet-reject": "failed",
    "confirm-error": "failed",
    "repealed": "failed",
    "risk-action-fail": "failed",
    "risk-action-timeout": "failed",
}
_CANCELLED = "canceled"
_INSIDE = "FAST"

_Allowed = Literal["allowed", "prohibited"]
_Count = Annotated[int, Meta(ge=0, lt=2**31)]


class _Envelope(Struct, Generic[T], frozen=True):
    code: int
    message: str = ""
    data: T | None = None


class _OldEnvelope(Struct, Generic[T], frozen=True, rename="kebab"):
    status: str
    data: T | None = None
    tick: T | None = None
    err_code: str = ""
    err_msg: str = ""


class _PerpetualEnvelope(Struct, Generic[T], frozen=True):
    status: str
    tick: T | None = None
    err_code: int = 0
    err_msg: str = ""


class _Chain(Struct, frozen=True, gc=False, rename="camel"):
    chain: str
    display_name: str
    deposit_status: _Allowed
    withdraw_status: _Allowed
    base_chain: str | None = None  # absent where the chain is the coin's own
    withdraw_fee_type: str = ""
    transact_fee_withdraw: str | None = None
    min_withdraw_amt: str | None = None
    max_withdraw_amt: str | None = None
    num_of_confirmations: _Count | None = None


class _Coin(Struct, frozen=True, gc=False):
    # `instStatus` is left out: a delisted coin is no longer traded, and may still be withdrawn.
    currency: str
    chains: list[_Chain]


class _Trade(Struct, frozen=True):
    ts: Decimal  # milliseconds
    price: Decimal


class _Tick(Struct, frozen=True):
    data: list[_Trade]


class _Status(Struct, frozen=True, rename="camel"):
    market_status: Literal[1, 2, 3]


class _Sent(Struct, frozen=True, rename="kebab"):
    id: int
    currency: str
    chain: str
    state: str
    created_at: int  # milliseconds
    updated_at: int
    sub_type: str = ""


def rails(body: bytes) -> Listed:
    """`GET /v2/reference/currencies`."""
    raws = _data(decode(body, _Envelope[list[Raw]]))
    coins = rows(raws, _Coin, asset="currency", path="$.data")
    readings: list[RailReading] = []
    for coin in coins.good:
        asset = coin.currency.upper()
        for chain in coin.chains:
            network, word = _network(asset, chain), chain.display_name or chain.chain
            closed = "" if chain.withdraw_status == "allowed" else chain.withdraw_status
            readings.append(withdrawal(asset, network, word, closed=closed))
            closed = "" if chain.deposit_status == "allowed" else chain.deposit_status
            readings.append(deposit(asset, network, word, closed=closed))
    return Listed(
        readings,
        [replace(flaw, asset=flaw.asset.upper()) for flaw in coins.flaws],
        Offers(partial(_offered, coins.good)),
    )


def _network(asset: str, chain: _Chain) -> str:
    if chain.base_chain is not None:
        return our_network(chain.base_chain)
    # A coin's own chain may be shown with the coin's name behind it: ERC20ETH, BEP20BNB.
    return our_network(chain.display_name.removesuffix(asset) or asset)


def _offered(coins: list[_Coin], is_wanted: Callable[[str], bool]) -> Iterator[Terms]:
    return (
        _terms(coin.currency.upper(), _network(coin.currency.upper(), chain), chain)
        for coin in coins
        if is_wanted(coin.currency.upper())
        for chain in coin.chains
    )


def _terms(asset: str, network: str, chain: _Chain) -> Terms:
    return Terms(
        asset,
        network,
        fee=amount(chain.transact_fee_withdraw) if chain.withdraw_fee_type == "fixed" else None,
        minimum=amount(chain.min_withdraw_amt),
        maximum=amount(chain.max_withdraw_amt),
        confirmations=chain.num_of_confirmations,
    )


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /market/trade`: one order's matches."""
    answer = decode(body, _OldEnvelope[_Tick])
    _refuse_error(answer.status, f"{answer.err_code} {answer.err_msg}")
    return _newest(present(answer.tick, field="tick").data)


def newest_perpetual_trade(body: bytes) -> NewestTrade:
    """`GET /linear-swap-ex/market/trade` of the contracts' host."""
    answer = decode(body, _PerpetualEnvelope[_Tick])
    _refuse_error(answer.status, f"{answer.err_code} {answer.err_msg}")
    return _newest(present(answer.tick, field="tick").data)


def _newest(trades: list[_Trade]) -> NewestTrade:
    return newest(((trade.ts, trade.price) for trade in trades), per_second=1000)


def system(body: bytes) -> SystemReading:
    """`GET /v2/market-status`: the state of trading."""
    status = _data(decode(body, _Envelope[_Status])).market_status
    return SystemReading("trading", _STATES[status], _WORDS[status])


def server_time(body: bytes) -> datetime:
    """`GET /v1/common/timestamp`."""
    return moment(_old_data(decode(body, _OldEnvelope[int])), per_second=1000)


def history(body: bytes) -> list[Withdrawal]:
    """`GET /v1/query/deposit-withdraw?type=withdraw`, signed: the newest 50, without transfers inside HTX (`FAST`)."""
    sent = _old_data(decode(body, _OldEnvelope[list[_Sent]]))
    return [_withdrawal(each) for each in sent if each.sub_type != _INSIDE and each.state != _CANCELLED]


def _withdrawal(sent: _Sent) -> Withdrawal:
    state = state_of(_SENDING, sent.state)
    return Withdrawal(
        id=str(sent.id),
        asset=sent.currency.upper(),
        network=_network_of(sent.chain, coin=sent.currency),
        state=state,
        requested_at=moment(sent.created_at, per_second=1000),
        finished_at=None if state == "pending" else moment(sent.updated_at, per_second=1000),
    )


def _network_of(chain: str, *, coin: str) -> str:
    """Out of a chain's own name, as `trc20usdt`, `usdterc20`, `trx1`; the name itself where that does not tell."""
    for word in (chain.removesuffix(coin), chain.removeprefix(coin), chain.rstrip("12")):
        if our_network(word) != word:
            return our_network(word)
    return chain


def _data(answer: _Envelope[T]) -> T:
    if answer.code != _FINE:
        raise _refusal(f"{answer.code} {answer.message}")
    return present(answer.data, field="data")


def _old_data(answer: _OldEnvelope[T]) -> T:
    _refuse_error(answer.status, f"{answer.err_code} {answer.err_msg}")
    return present(answer.data, field="data")


def _refuse_error(status: str, said: str) -> None:
    if status != "ok":
        raise _refusal(said)


def _refusal(said: str) -> RemoteError:
    if any(words in said.replace("-", " ") for words in _TOO_OFTEN):
        return RemoteError(FailureReason.RATE_LIMITED, shortened(said))
    return refusal(said)


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """HMAC-SHA256 over method, host, path and the query in order, which has the key and the time in it."""
    path, _, query = call.path.partition("?")
    ours = {
        "AccessKeyId": credentials.api_key,
        "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2",
        "Timestamp": f"{now:%Y-%m-%dT%H:%M:%S}",
    }
    parameters = urlencode(sorted([*ours.items(), *parse_qsl(query)]), quote_via=quote)
    text = "\n".join((call.method, _HOST, path, parameters))
    signature = b64encode(hmac.digest(credentials.api_secret.encode(), text.encode(), "sha256"))
    signed = f"{path}?{parameters}&{urlencode({'Signature': signature})}"
    return replace(call, path=signed, headers={"Host": _HOST})


EXCHANGE = Exchange(
    name="htx",
    title="HTX",
    url=f"https://{_HOST}",
    lists=(
        Listing(
            path="/v2/reference/currencies",
            probe="htx-currencies",
            interval=60.0,
            decode=rails,
            where="data[currency={asset}].chains[displayName={word}].withdrawStatus",
            rule="prohibited is suspended",
        ),
    ),
    trades=(
        Trades(path="/market/trade?symbol=btcusdt", probe="htx-trades", market="BTC/USDT", decode=newest_trade),
        Trades(
            url="https://api.hbdm.com",
            path="/linear-swap-ex/market/trade?contract_code=BTC-USDT",
            probe="htx-perpetual-trades",
            market="BTC/USDT:USDT",
            decode=newest_perpetual_trade,
        ),
    ),
    system=System(path="/v2/market-status", probe="htx-system", decode=system),
    history=History(path="/v1/query/deposit-withdraw?type=withdraw", probe="htx-withdrawals", decode=history),
    sign=sign,
    server_time=ServerTime(path="/v1/common/timestamp", decode=server_time),
    own_tokens=("HTX",),
    traps=(
        "`instStatus: delisted` is about trading: a delisted coin may still be withdrawn",
        "the name of a chain has the coin in it, and several chains show the same name",
        "the state of the market says nothing of withdrawals",
        "balances can only be asked for by an account's number, so they are not read: write down what is there",
    ),
)
