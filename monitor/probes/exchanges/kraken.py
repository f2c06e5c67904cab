"""Kraken. Its public list knows assets, not networks, and an error comes with status 200."""

import base64
import binascii
import hmac
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Generic, Literal, TypeVar

from msgspec import Raw, Struct, field

from monitor.model import Direction, FailureReason, RailState, RemoteError
from monitor.probes.account import Call, Credentials, Rights, ServerTime
from monitor.probes.answer import decode, present, refusal, shortened
from monitor.probes.exchange import Exchange, History, Listing, System, Trades
from monitor.probes.exchanges.balances import held
from monitor.probes.exposure import Funds
from monitor.probes.figures import moment
from monitor.probes.history import Withdrawal, WithdrawalState
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading
from monitor.probes.rows import Flaw, named_rows
from monitor.probes.system_status import SystemReading, SystemState
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_OURS = {
    "XBT": "BTC",
    "XDG": "DOGE",
    "XXBT": "BTC",
    "XXDG": "DOGE",
    "XETC": "ETC",
    "XETH": "ETH",
    "XLTC": "LTC",
    "XMLN": "MLN",
    "XREP": "REP",
    "XXLM": "XLM",
    "XXMR": "XMR",
    "XXRP": "XRP",
    "XZEC": "ZEC",
}
_FIAT = {f"Z{code}": code for code in ("AUD", "CAD", "EUR", "GBP", "JPY", "USD")}
_LEDGER = re.compile(r"(.+?)(?:\d\d)?\.S|(.+)\.(?:B|F|HOLD|M|P)")
"""Where an asset rests: `DOT.S` is staked, `DOT28.S` bonded for 28 days, `XBT.M` and `SOL.F` earn, `USD.HOLD` waits.

Not `.T`, which is an asset of its own.
"""
_WITHDRAWABLE = ("enabled", "withdrawal_only")
_DEPOSITABLE = ("enabled", "deposit_only")
_SPENT = ("rate limit", "throttled", "lockout")
_KEY_REFUSED = ("invalid key", "invalid signature", "invalid nonce", "permission denied")
_READING = (
    "query-funds",
    "query-open-trades",
    "query-closed-trades",
    "query-ledger",
    "export-data",
    "create-ws-token",  # a stream may do what its key may
)
_CANCELLED = ("canceled", "cancel-pending")
_STATES: dict[str, WithdrawalState] = {
    "Initial": "pending",
    "Pending": "pending",
    "Settled": "sent",
    "Success": "confirmed",
    "Failure": "failed",
}
_SYSTEM_STATES: dict[str, SystemState] = {
    "online": "operational",
    "maintenance": "maintenance",
    "cancel_only": "degraded",
    "post_only": "degraded",
}


class _Said(Struct, frozen=True):
    error: list[str]


class _Envelope(Struct, Generic[T], frozen=True):
    result: T | None = None


class _Asset(Struct, frozen=True, gc=False):
    altname: str
    status: Literal["enabled", "deposit_only", "withdrawal_only", "funding_temporarily_disabled"]


class _Trade(Struct, frozen=True, array_like=True):
    price: Decimal
    volume: Decimal
    time: Decimal  # seconds


class _Trades(Struct, frozen=True):
    trades: list[_Trade] = field(name="XXBTZUSD")


class _Fill(Struct, frozen=True):
    time: datetime
    price: Decimal


class _Fills(Struct, frozen=True):
    result: str
    history: list[_Fill] | None = None
    error: str = ""


class _Status(Struct, frozen=True):
    status: Literal["online", "maintenance", "cancel_only", "post_only"]


class _Time(Struct, frozen=True):
    unixtime: int  # seconds


class _Key(Struct, frozen=True):
    permissions: list[str]


class _Withdrawal(Struct, frozen=True, rename="kebab"):
    refid: str
    asset: str
    method: str
    status: Literal["Initial", "Pending", "Settled", "Success", "Failure"]
    time: Decimal  # seconds
    network: str | None = None
    txid: str | None = None
    status_prop: str | None = None


def rails(body: bytes) -> Listed:
    """`GET /0/public/Assets`. Left out are fiat (`ZEUR`) and Kraken's own ledgers of an asset (`DOT.S`, `XBT.M`)."""
    told = _result(body, _Envelope[dict[str, Raw]])
    assets = named_rows(told, _Asset, path="$.result")
    readings = [
        reading
        for name, asset in assets.good
        if name != f"Z{asset.altname}" and "." not in name
        for reading in _both(_ours(asset.altname), asset.status)
    ]
    return Listed(readings, [Flaw(flaw.detail, _ours(flaw.asset)) for flaw in assets.flaws])


def _ours(asset: str) -> str:
    return _OURS.get(asset, asset)


def _both(asset: str, status: str) -> tuple[RailReading, RailReading]:
    out = RailState.OPEN if status in _WITHDRAWABLE else RailState.SUSPENDED
    in_ = RailState.OPEN if status in _DEPOSITABLE else RailState.SUSPENDED
    return (
        RailReading(asset, "*", Direction.WITHDRAWAL, out, status),
        RailReading(asset, "*", Direction.DEPOSIT, in_, status),
    )


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /0/public/Trades?pair=XBTUSD`."""
    trades = _result(body, _Envelope[_Trades]).trades
    return newest(((trade.time, trade.price) for trade in trades), per_second=1)


def newest_fill(body: bytes) -> NewestTrade:
    """`GET /derivatives/api/v3/history` of Kraken's futures: the last 100."""
    answer = decode(body, _Fills)
    if answer.result != "success":
        raise refusal(answer.error or answer.result)
    fills = present(answer.history, field="history")
    return newest(((_seconds(fill.time), fill.price) for fill in fills), per_second=1)


def _seconds(at: datetime) -> Decimal:
    if at.tzinfo is None:
        raise RemoteError(FailureReason.SCHEMA, "a trade's time has no zone")
    return Decimal((at - _EPOCH) // _MILLISECOND) / 1000


def system(body: bytes) -> SystemReading:
    """`GET /0/public/SystemStatus`: the state of trading."""
    status = _result(body, _Envelope[_Status]).status
    return SystemReading("trading", _SYSTEM_STATES[status], status)


def server_time(body: bytes) -> datetime:
    """`GET /0/public/Time`, in whole seconds."""
    return moment(_result(body, _Envelope[_Time]).unixtime, per_second=1)


def rights(body: bytes) -> tuple[str, ...]:
    """`POST /0/private/GetApiKeyInfo`: the permissions but for those to look."""
    permissions = _result(body, _Envelope[_Key]).permissions
    return tuple(word for word in permissions if word not in _READING)


def withdrawals(body: bytes) -> list[Withdrawal]:
    """`POST /0/private/WithdrawStatus`, for a key that may query ledgers. It does not tell when one was done."""
    return [_sample(each) for each in _result(body, _Envelope[list[_Withdrawal]]) if _counts(each)]


def _counts(told: _Withdrawal) -> bool:
    return told.status_prop not in _CANCELLED


def _sample(told: _Withdrawal) -> Withdrawal:
    state = _STATES[told.status]
    return Withdrawal(
        id=told.refid,
        asset=_ours(told.asset),
        network=our_network(told.network or told.method),
        state="sent" if state == "pending" and told.txid else state,
        requested_at=moment(told.time, per_second=1),
    )


def funds(body: bytes) -> dict[str, Decimal]:
    """`POST /0/private/Balance`, for a key that may query funds: all that is there, in orders and staked too."""
    told = _result(body, _Envelope[dict[str, Decimal]])
    return held((_base(name), amount) for name, amount in told.items())


def _base(name: str) -> str:
    """Our name of the asset that a ledger of Kraken's is of."""
    ledger = _LEDGER.fullmatch(name)
    asset = name if ledger is None else ledger[1] or ledger[2]
    if asset == "ETH2":  # ETH that was staked before it could be taken back
        return "ETH"
    return _FIAT.get(asset) or _ours(asset)


def _result(body: bytes, shape: type[_Envelope[T]]) -> T:
    # Looked at first: beside an error there may be a result that is none.
    error = decode(body, _Said).error
    if error:
        raise _refused(", ".join(error))
    return present(decode(body, shape).result, field="result")


def _refused(said: str) -> RemoteError:
    words = said.lower()
    if any(word in words for word in _SPENT):
        return RemoteError(FailureReason.RATE_LIMITED, shortened(said))
    if any(word in words for word in _KEY_REFUSED):
        return RemoteError(FailureReason.AUTH, shortened(said))
    return refusal(said)


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """HMAC-SHA512 over path and SHA-256 of nonce and form, as Kraken asks of private endpoints.

    The nonce is `now` in milliseconds. Raises `RemoteError` (auth) for a secret that Kraken cannot have issued.
    """
    nonce = str((now - _EPOCH) // _MILLISECOND)
    form = b"&".join(part for part in (f"nonce={nonce}".encode(), call.body) if part)
    signed = call.path.encode() + sha256(nonce.encode() + form).digest()
    try:
        secret = base64.b64decode(credentials.api_secret, validate=True)
    except binascii.Error as error:
        raise RemoteError(FailureReason.AUTH, "the API secret is not Base64", permanent=True) from error
    headers = {
        "API-Key": credentials.api_key,
        "API-Sign": base64.b64encode(hmac.digest(secret, signed, "sha512")).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Call(path=call.path, method=call.method, body=form, headers=headers)


EXCHANGE = Exchange(
    name="kraken",
    title="Kraken",
    url="https://api.kraken.com",
    sign=sign,
    rights=Rights(call=Call(path="/0/private/GetApiKeyInfo", method="POST"), decode=rights),
    server_time=ServerTime(path="/0/public/Time", decode=server_time),
    lists=(
        Listing(
            path="/0/public/Assets",
            probe="kraken-assets",
            interval=30.0,
            decode=rails,
            where="result[altname={asset}].status (BTC is XBT there, DOGE is XDG)",
            rule="deposit_only and funding_temporarily_disabled are suspended, on every network",
        ),
    ),
    trades=(
        Trades(
            path="/0/public/Trades?pair=XBTUSD&count=1", probe="kraken-trades", market="BTC/USD", decode=newest_trade
        ),
        Trades(
            url="https://futures.kraken.com",
            path="/derivatives/api/v3/history?symbol=PF_XBTUSD",
            probe="kraken-perpetual-trades",
            market="BTC/USD:USD",
            decode=newest_fill,
        ),
    ),
    system=System(path="/0/public/SystemStatus", probe="kraken-system", decode=system),
    status_page="https://status.kraken.com",
    history=History(path="/0/private/WithdrawStatus", method="POST", probe="kraken-withdrawals", decode=withdrawals),
    funds=Funds(path="/0/private/Balance", method="POST", probe="kraken-balances", decode=funds),
    per_second=0.5,  # one request a second is what it asks of everybody
    account_lock="Global Settings Lock: freezes settings and new addresses; known addresses can still be paid",
    traps=(
        "the list knows assets: one closed network of an asset does not show in it, the status page tells that",
        "an asset and its status of trading are two things: online says nothing of funding",
        "WithdrawMethods, the list by network, is answered only to a key that may withdraw, so it is not asked",
        "an error comes with status 200",
        "the history does not tell when a withdrawal was done",
        "its balances are told without what is being withdrawn, and with what is staked and may have to be unbonded",
    ),
)
