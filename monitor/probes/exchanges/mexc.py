"""MEXC. Its flags need a read-only key. Each network has two names, of which `network` is to go."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Raw, Struct, field
from msgspec.structs import replace

from monitor.probes.account import Call, Credentials, ServerTime
from monitor.probes.answer import decode, present, refusal
from monitor.probes.exchange import Exchange, History, Listing, Trades
from monitor.probes.exchanges.balances import held
from monitor.probes.exchanges.binance import signed_path
from monitor.probes.exposure import Funds
from monitor.probes.figures import amount, moment
from monitor.probes.history import Withdrawal, WithdrawalState, state_of
from monitor.probes.networks import our_network
from monitor.probes.rails import Listed, RailReading, Terms, deposit, withdrawal
from monitor.probes.rows import Flaw, rows
from monitor.probes.trades import NewestTrade, newest

_LONGEST_TIPS = 120
_SENDING: dict[int, WithdrawalState] = {
    1: "pending",  # applied
    2: "pending",  # auditing
    3: "pending",  # waiting
    4: "pending",  # processing
    5: "sent",  # waits for a block
    6: "sent",  # waits for confirmations
    7: "confirmed",
    8: "failed",
    10: "pending",  # by hand
}
_CANCELLED = 9
_INSIDE = 1

_Count = Annotated[int, Meta(ge=0, lt=2**31)]


class _Network(Struct, frozen=True, gc=False, rename="camel"):
    withdraw_enable: bool
    deposit_enable: bool
    new_name: str | None = field(default=None, name="netWork")
    old_name: str | None = field(default=None, name="network")
    withdraw_tips: str | None = None
    withdraw_fee: str | None = None
    withdraw_min: str | None = None
    withdraw_max: str | None = None
    min_confirm: _Count | None = None


class _Coin(Struct, frozen=True, gc=False, rename="camel"):
    coin: str
    network_list: list[_Network]


class _Error(Struct, frozen=True):
    code: int
    msg: str | None = None


class _Trade(Struct, frozen=True):
    time: Decimal  # milliseconds
    price: Decimal


class _PerpetualTrade(Struct, frozen=True):
    t: Decimal  # milliseconds
    p: Decimal


class _Perpetual(Struct, frozen=True):
    success: bool
    code: int
    message: str = ""
    data: list[_PerpetualTrade] | None = None


class _Time(Struct, frozen=True, rename="camel"):
    server_time: int  # milliseconds


class _Sent(Struct, frozen=True, rename="camel"):
    id: str
    coin: str
    status: int
    apply_time: int  # milliseconds
    update_time: int | None = None
    new_name: str | None = field(default=None, name="netWork")
    old_name: str | None = field(default=None, name="network")
    transfer_type: int = 0


class _Balance(Struct, frozen=True):
    asset: str
    free: Decimal
    locked: Decimal


class _Account(Struct, frozen=True):
    code: int = 0
    msg: str | None = None
    balances: list[_Balance] | None = None


def rails(body: bytes) -> Listed:
    """`GET /api/v3/capital/config/getall`, signed."""
    _refuse_error(body)
    coins = rows(decode(body, list[Raw]), _Coin, asset="coin", path="$")
    readings: list[RailReading] = []
    terms: list[Terms] = []
    flaws = list(coins.flaws)
    for coin in coins.good:
        for network in coin.network_list:
            word = network.new_name or network.old_name
            if not word:
                flaws.append(Flaw("a network without a name", coin.coin))
                continue
            ours = our_network(word)
            closed = "" if network.withdraw_enable else _closed(network)
            readings.append(withdrawal(coin.coin, ours, word, closed=closed))
            closed = "" if network.deposit_enable else "depositEnable=false"
            readings.append(deposit(coin.coin, ours, word, closed=closed))
            terms.append(_terms(coin.coin, ours, network))
    return Listed(readings, flaws, terms)


def _closed(network: _Network) -> str:
    if not network.withdraw_tips:
        return "withdrawEnable=false"
    return f"withdrawEnable=false: {network.withdraw_tips[:_LONGEST_TIPS]}"


def _terms(asset: str, ours: str, network: _Network) -> Terms:
    return Terms(
        asset,
        ours,
        fee=amount(network.withdraw_fee),
        minimum=amount(network.withdraw_min),
        maximum=amount(network.withdraw_max),
        confirmations=network.min_confirm,
    )


def _refuse_error(body: bytes) -> None:
    """MEXC says an error with an object where a list belongs."""
    if body.lstrip()[:1] == b"{":
        error = decode(body, _Error)
        raise refusal(f"{error.code} {error.msg or ''}")


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /api/v3/trades`."""
    _refuse_error(body)
    trades = decode(body, list[_Trade])
    return newest(((trade.time, trade.price) for trade in trades), per_second=1000)


def newest_perpetual_trade(body: bytes) -> NewestTrade:
    """`GET /api/v1/contract/deals/BTC_USDT` of the contracts' host."""
    answer = decode(body, _Perpetual)
    if not answer.success:
        raise refusal(f"{answer.code} {answer.message}")
    trades = present(answer.data, field="data")
    return newest(((trade.t, trade.p) for trade in trades), per_second=1000)


def server_time(body: bytes) -> datetime:
    """`GET /api/v3/time`."""
    return moment(decode(body, _Time).server_time, per_second=1000)


def history(body: bytes) -> list[Withdrawal]:
    """`GET /api/v3/capital/withdraw/history`, signed: the last seven days, without transfers inside MEXC."""
    _refuse_error(body)
    sent = decode(body, list[_Sent])
    return [_withdrawal(each) for each in sent if each.transfer_type != _INSIDE and each.status != _CANCELLED]


def _withdrawal(sent: _Sent) -> Withdrawal:
    state = state_of(_SENDING, sent.status)
    word = sent.new_name or sent.old_name or ""
    over = None if state == "pending" else sent.update_time
    return Withdrawal(
        id=sent.id,
        asset=sent.coin.removesuffix(f"-{word}"),  # `USDC-MATIC` on MATIC
        network=our_network(word) if word else "*",
        state=state,
        requested_at=moment(sent.apply_time, per_second=1000),
        finished_at=None if over is None else moment(over, per_second=1000),
    )


def funds(body: bytes) -> dict[str, Decimal]:
    """`GET /api/v3/account`, signed: of the spot account."""
    told = decode(body, _Account)
    if told.code:
        raise refusal(f"{told.code} {told.msg or ''}")
    balances = present(told.balances, field="balances")
    return held((each.asset, part) for each in balances for part in (each.free, each.locked))


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """As Binance's, with a header of its own."""
    return replace(call, path=signed_path(call, credentials, now), headers={"X-MEXC-APIKEY": credentials.api_key})


EXCHANGE = Exchange(
    name="mexc",
    title="MEXC",
    url="https://api.mexc.com",
    lists=(
        Listing(
            path="/api/v3/capital/config/getall",
            probe="mexc-coins",
            interval=60.0,
            decode=rails,
            where="[coin={asset}].networkList[netWork={word}].withdrawEnable",
            rule="false is suspended",
            signed=True,
        ),
    ),
    trades=(
        Trades(
            path="/api/v3/trades?symbol=BTCUSDT&limit=10", probe="mexc-trades", market="BTC/USDT", decode=newest_trade
        ),
        Trades(
            url="https://contract.mexc.com",
            path="/api/v1/contract/deals/BTC_USDT?limit=10",
            probe="mexc-perpetual-trades",
            market="BTC/USDT:USDT",
            decode=newest_perpetual_trade,
        ),
    ),
    history=History(path="/api/v3/capital/withdraw/history", probe="mexc-withdrawals", decode=history),
    funds=Funds(path="/api/v3/account", probe="mexc-balances", decode=funds),
    sign=sign,
    server_time=ServerTime(path="/api/v3/time", decode=server_time),
    per_second=2.5,
    own_tokens=("MX",),
    traps=(
        "a network has two names, `netWork` and `network`, and they need not be the same one",
        "`withdrawTips` are instructions to the user as often as a reason",
        "what the key may do is not told: `GET /api/v3/account` speaks of the account",
        "its balances are those of the spot account, which withdrawals leave from: not futures, not Earn",
    ),
)
