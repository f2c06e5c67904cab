"""Gate. Its list comes in another order each time, and a coin's own flag closes all its chains."""

import hmac
from datetime import datetime
from decimal import Decimal
from hashlib import sha512

from msgspec import Raw, Struct
from msgspec.structs import replace

from monitor.http.limits import Weight
from monitor.model import Direction, FailureReason, RailState, RemoteError
from monitor.probes.account import Call, Credentials, ServerTime
from monitor.probes.answer import decode, refusal, shortened
from monitor.probes.exchange import Exchange, History, Listing, Trades
from monitor.probes.exchanges.balances import held
from monitor.probes.exposure import Funds
from monitor.probes.figures import amount, moment
from monitor.probes.history import Withdrawal, WithdrawalState, state_of
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading, coin, deposit, withdrawal
from monitor.probes.rows import rows
from monitor.probes.trades import NewestTrade, newest

_TOO_OFTEN = ("TOO_FAST", "TOO_MANY_REQUESTS")
_OUT, _IN = Direction.WITHDRAWAL, Direction.DEPOSIT
_SENDING: dict[str, WithdrawalState] = {
    "REQUEST": "pending",
    "MANUAL": "pending",
    "REVIEW": "pending",
    "VERIFY": "pending",
    "LOCKED": "pending",
    "PROCES": "pending",
    "PEND": "pending",
    "DMOVE": "pending",
    "SPLITPEND": "pending",
    "EXTPEND": "sent",
    "TRACK": "sent",
    "DONE": "confirmed",
    "FAIL": "failed",
    "REJECT": "failed",
    "INVALID": "failed",
}
_CANCELLED = "CANCEL"
_NO_SIGN = ("CANCELPEND", "FVERIFY", "BCODE")
"""Being cancelled, waiting for its owner's face, and a code that another account of Gate's redeems."""


class _Flags(Struct, frozen=True, gc=False):
    withdraw_disabled: bool
    withdraw_delayed: bool
    deposit_disabled: bool


class _Chain(_Flags, frozen=True, kw_only=True, gc=False):
    name: str


class _Coin(_Flags, frozen=True, kw_only=True, gc=False):
    currency: str
    chains: list[_Chain] | None = None  # a coin that cannot leave (a leveraged token) may have none


class _Error(Struct, frozen=True):
    label: str
    message: str = ""


class _Trade(Struct, frozen=True):
    create_time_ms: Decimal  # milliseconds; of a perpetual: seconds
    price: Decimal


class _Time(Struct, frozen=True):
    server_time: int  # milliseconds


class _Sent(Struct, frozen=True):
    id: str
    currency: str
    status: str
    timestamp: Decimal  # seconds
    timestamp2: str | None = None  # when it was over
    chain: str = ""
    fail_reason: str | None = None


class _Balance(Struct, frozen=True):
    currency: str
    available: Decimal
    locked: Decimal


def rails(body: bytes) -> Listed:
    """`GET /api/v4/spot/currencies`. A coin without chains has no way out to tell of."""
    _refuse_error(body)
    coins = rows(decode(body, list[Raw]), _Coin, asset="currency", path="$")
    readings: list[RailReading] = []
    for each in coins.good:
        if each.chains:
            readings += (_coin_out(each), _coin_in(each))
        for chain in each.chains or ():
            readings += (_out(each, chain), _in(each, chain))
    return Listed(readings, coins.flaws)


def _coin_out(each: _Coin) -> RailReading:
    if each.withdraw_delayed and not each.withdraw_disabled:
        return RailReading(each.currency, "*", _OUT, RailState.DELAYED, "withdraw_delayed")
    return coin(each.currency, _OUT, closed="withdraw_disabled" if each.withdraw_disabled else "")


def _coin_in(each: _Coin) -> RailReading:
    return coin(each.currency, _IN, closed="deposit_disabled" if each.deposit_disabled else "")


def _out(each: _Coin, chain: _Chain) -> RailReading:
    network, word = our_network(chain.name), chain.name
    if each.withdraw_disabled or chain.withdraw_disabled:
        level = "coin" if each.withdraw_disabled else "chain"
        return withdrawal(each.currency, network, word, closed=f"{level} withdraw_disabled")
    if each.withdraw_delayed or chain.withdraw_delayed:
        level = "coin" if each.withdraw_delayed else "chain"
        return RailReading(each.currency, network, _OUT, RailState.DELAYED, f"{word} {level} withdraw_delayed")
    return withdrawal(each.currency, network, word, closed="")


def _in(each: _Coin, chain: _Chain) -> RailReading:
    closed = ""
    if each.deposit_disabled or chain.deposit_disabled:
        closed = f"{'coin' if each.deposit_disabled else 'chain'} deposit_disabled"
    return deposit(each.currency, our_network(chain.name), chain.name, closed=closed)


def _refuse_error(body: bytes) -> None:
    """Gate says an error with an object where a list belongs."""
    if body.lstrip()[:1] != b"{":
        return
    error = decode(body, _Error)
    if error.label in _TOO_OFTEN:
        raise RemoteError(FailureReason.RATE_LIMITED, shortened(f"{error.label} {error.message}"))
    raise refusal(f"{error.label} {error.message}")


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /api/v4/spot/trades`."""
    return _newest(body, per_second=1000)


def newest_perpetual_trade(body: bytes) -> NewestTrade:
    """`GET /api/v4/futures/usdt/trades`: `create_time_ms` counts seconds here, with the milliseconds as a fraction."""
    return _newest(body, per_second=1)


def _newest(body: bytes, *, per_second: int) -> NewestTrade:
    _refuse_error(body)
    trades = decode(body, list[_Trade])
    return newest(((trade.create_time_ms, trade.price) for trade in trades), per_second=per_second)


def server_time(body: bytes) -> datetime:
    """`GET /api/v4/spot/time`."""
    return moment(decode(body, _Time).server_time, per_second=1000)


def history(body: bytes) -> list[Withdrawal]:
    """`GET /api/v4/wallet/withdrawals`, signed: the last seven days. What its owner took back is left out."""
    _refuse_error(body)
    told = ((sent, _state(sent)) for sent in decode(body, list[_Sent]))
    return [_withdrawal(sent, state) for sent, state in told if state is not None]


def _state(sent: _Sent) -> WithdrawalState | None:
    if sent.status == _CANCELLED:
        return "failed" if sent.fail_reason else None
    if sent.status in _NO_SIGN:
        return None
    return state_of(_SENDING, sent.status)


def _withdrawal(sent: _Sent, state: WithdrawalState) -> Withdrawal:
    over = amount(sent.timestamp2) if state in ("confirmed", "failed") else None
    return Withdrawal(
        id=sent.id,
        asset=sent.currency,
        network=our_network(sent.chain) if sent.chain else "*",
        state=state,
        requested_at=moment(sent.timestamp, per_second=1),
        finished_at=None if over is None else moment(over, per_second=1),
    )


def funds(body: bytes) -> dict[str, Decimal]:
    """`GET /api/v4/spot/accounts`, signed."""
    _refuse_error(body)
    told = decode(body, list[_Balance])
    return held((each.currency, part) for each in told for part in (each.available, each.locked))


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """HMAC-SHA512 over method, path, query, the body's SHA-512 and the time in seconds, a line each."""
    path, _, query = call.path.partition("?")
    time = str(int(now.timestamp()))
    text = "\n".join((call.method, path, query, sha512(call.body).hexdigest(), time))
    signature = hmac.digest(credentials.api_secret.encode(), text.encode(), "sha512").hex()
    return replace(call, headers={"KEY": credentials.api_key, "Timestamp": time, "SIGN": signature})


EXCHANGE = Exchange(
    name="gate",
    title="Gate",
    url="https://api.gateio.ws",
    lists=(
        Listing(
            path="/api/v4/spot/currencies",
            probe="gate-currencies",
            interval=60.0,
            decode=rails,
            where="[currency={asset}].chains[name={word}].withdraw_disabled, and [currency={asset}].withdraw_disabled",
            rule="true of either is suspended, else withdraw_delayed true of either is delayed",
        ),
    ),
    trades=(
        Trades(
            path="/api/v4/spot/trades?currency_pair=BTC_USDT&limit=1",
            probe="gate-trades",
            market="BTC/USDT",
            decode=newest_trade,
        ),
        Trades(
            path="/api/v4/futures/usdt/trades?contract=BTC_USDT&limit=1",
            probe="gate-perpetual-trades",
            market="BTC/USDT:USDT",
            decode=newest_perpetual_trade,
        ),
    ),
    history=History(path="/api/v4/wallet/withdrawals", probe="gate-withdrawals", decode=history),
    funds=Funds(path="/api/v4/spot/accounts", probe="gate-balances", decode=funds),
    sign=sign,
    server_time=ServerTime(path="/api/v4/spot/time", decode=server_time),
    weight=Weight(header="X-Gate-RateLimit-Requests-Remain", limit=200, window_seconds=10.0, counts="remaining"),
    own_tokens=("GT",),
    traps=(
        "every page holds the whole list, in another order each time",
        "a chain may be told open that the website does not offer",
        "`withdraw_delayed` is set for a few coins at rest",
        "the flags of the coin are documented as deprecated beside those of its chains",
        "its balances are those of the spot account, which withdrawals leave from: not unified, futures or Earn",
    ),
)
