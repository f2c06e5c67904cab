"""Bitfinex. Its flags are by method (`TETHERUSE`, USDT on Ethereum); what a method carries is another table."""

import hmac
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeVar

from msgspec import Raw, Struct

from monitor.probes.account import Call, Credentials, Rights
from monitor.probes.answer import decode, refusal
from monitor.probes.exchange import Exchange, History, Listing, System, Trades
from monitor.probes.exchanges.balances import held
from monitor.probes.exposure import Funds
from monitor.probes.figures import moment
from monitor.probes.history import Withdrawal, WithdrawalState, state_of
from monitor.probes.rails import Listed, RailReading, Terms, deposit, withdrawal
from monitor.probes.rows import rows
from monitor.probes.system_status import SystemReading
from monitor.probes.trades import NewestTrade, newest

T = TypeVar("T")

_NETWORKS = {
    "ETHEREUMC": "ethereum-classic",
    "LNX": "lightning",
    "RIPPLE": "xrp",
    "SOL": "solana",
    "TETHEREUE": "ethereum",
    "TETHERUSDTALG": "algorand",
    "TETHERUSDTAVAX": "avalanche",
    "TETHERUSDTBCH": "bitcoin-cash",
    "TETHERUSDTDOT": "polkadot",
    "TETHERUSDTKSM": "kusama",
    "TETHERUSDTNEAR": "near",
    "TETHERUSDTPLY": "polygon",
    "TETHERUSDTSOL": "solana",
    "TETHERUSDTXTZ": "tezos",
    "TETHERUSE": "ethereum",
    "TETHERUSL": "liquid",
    "TETHERUSO": "omni",
    "TETHERUSS": "eos",
    "TETHERUSX": "tron",
    "TETHERXAUTE": "ethereum",
    "TRX": "tron",
    "UDC": "ethereum",
    "XRP": "xrp",
}
_SYMBOLS = {
    "ALG": "ALGO",
    "AMP": "AMPL",
    "ATO": "ATOM",
    "DAT": "DATA",
    "DSH": "DASH",
    "EUS": "EURS",
    "EUT": "EURT",
    "IOT": "IOTA",
    "LUNA": "LUNC",
    "LUNA2": "LUNA",
    "MNA": "MANA",
    "QTM": "QTUM",
    "STJ": "STORJ",
    "TSD": "TUSD",
    "UDC": "USDC",
    "UST": "USDT",
}
"""Of movements and wallets, which come without the table of symbols."""
_OF_DERIVATIVES = "F0"  # `USTF0` is USDT in the derivatives' wallet

_STATES: dict[str, WithdrawalState | None] = {
    "COMPLETED": "confirmed",
    "PENDING": "pending",
    "PENDING APPROVAL": "pending",
    "PENDING CANCELLATION": "pending",
    "PENDING REVIEW": "pending",
    "PROCESSING": "pending",
    "SENDING": "pending",
    "USER APPROVED": "pending",
    "CANCELED": None,
}
_REFUSALS = (b'["error"', b'{"error"')

_Flag = Literal[0, 1]


class _Method(Struct, frozen=True, array_like=True, gc=False):
    name: str
    deposit: _Flag
    withdrawal: _Flag


class _Carried(Struct, frozen=True, array_like=True):
    method: str
    currencies: list[str]


class _Symbol(Struct, frozen=True, array_like=True, gc=False):
    currency: str
    symbol: str


class _Fee(Struct, frozen=True, array_like=True):
    class Amounts(Struct, frozen=True, array_like=True, gc=False):
        deposit: Decimal | None
        withdrawal: Decimal | None

    currency: str
    amounts: Amounts


class _Conf(Struct, frozen=True, array_like=True):
    """One table for each of the keys, in the order in which they were asked for."""

    status: list[Raw]
    carried: list[Raw]
    symbols: list[Raw]
    fees: list[Raw]


class _Trade(Struct, frozen=True, array_like=True):
    id: int
    time: Decimal  # milliseconds
    amount: Decimal
    price: Decimal


class _Platform(Struct, frozen=True, array_like=True):
    operative: _Flag


class _Scope(Struct, frozen=True, array_like=True):
    name: str
    read: _Flag
    write: _Flag


class _Movement(Struct, frozen=True, array_like=True):
    id: int
    currency: str
    method: str
    _3: Raw
    _4: Raw
    started: int  # milliseconds
    updated: int
    _7: Raw
    _8: Raw
    status: str
    _10: Raw
    _11: Raw
    amount: float  # below zero for what went out; only its sign is looked at
    _13: Raw
    _14: Raw
    _15: Raw
    _16: Raw
    _17: Raw
    _18: Raw
    _19: Raw
    transaction: str | None = None


class _Wallet(Struct, frozen=True, array_like=True):
    type: str
    currency: str
    balance: Decimal


def rails(body: bytes) -> Listed:
    """`GET /v2/conf/` with four keys. A method that no asset is known for is left out."""
    conf = _content(body, _Conf)
    methods = rows(conf.status, _Method, asset="", path="$[0]")
    carriers = rows(conf.carried, _Carried, asset="", path="$[1]")
    names = rows(conf.symbols, _Symbol, asset="", path="$[2]")
    costs = rows(conf.fees, _Fee, asset="", path="$[3]")
    carried = {each.method: each.currencies for each in carriers.good}
    symbols = {each.currency: each.symbol.upper() for each in names.good}
    fees = {each.currency: each.amounts.withdrawal for each in costs.good}
    readings: list[RailReading] = []
    ways: dict[str, list[str]] = {}
    for method in methods.good:
        network = network_of(method.name)
        for currency in carried.get(method.name, ()):
            asset = symbols.get(currency, currency)
            readings.append(withdrawal(asset, network, method.name, closed="" if method.withdrawal else "maintenance"))
            readings.append(deposit(asset, network, method.name, closed="" if method.deposit else "maintenance"))
            ways.setdefault(currency, []).append(network)
    # A fee is told by currency: where it has several methods we cannot know which of them it is for.
    terms = [
        Terms(symbols.get(currency, currency), networks[0], fee=fees.get(currency))
        for currency, networks in ways.items()
        if len(networks) == 1
    ]
    return Listed(readings, [*methods.flaws, *carriers.flaws, *names.flaws, *costs.flaws], terms)


def network_of(method: str) -> str:
    """Our name of the network that a method uses; of one unknown to us the method in lower case."""
    return _NETWORKS.get(method) or method.lower()


def newest_trade(body: bytes) -> NewestTrade:
    """`GET /v2/trades/tBTCUSD/hist`, and of `tBTCF0:USTF0`, the perpetual."""
    trades = _content(body, list[_Trade])
    return newest(((trade.time, trade.price) for trade in trades), per_second=1000)


def system(body: bytes) -> SystemReading:
    """`GET /v2/platform/status`: whether the platform is in maintenance."""
    if _content(body, _Platform).operative:
        return SystemReading("all", "operational", "1 operative")
    return SystemReading("all", "maintenance", "0 maintenance")


def rights(body: bytes) -> tuple[str, ...]:
    """`POST /v2/auth/r/permissions`: each scope that the key may write to."""
    return tuple(f"{scope.name} write" for scope in _content(body, list[_Scope]) if scope.write)


def withdrawals(body: bytes) -> list[Withdrawal]:
    """`POST /v2/auth/r/movements/hist`: the newest 25. Left out is fiat and what was cancelled."""
    return [
        _withdrawal(movement, state)
        for movement in _content(body, list[_Movement])
        if movement.amount < 0 and movement.method != "WIRE" and (state := _state(movement)) is not None
    ]


def _state(movement: _Movement) -> WithdrawalState | None:
    state = state_of(_STATES, movement.status)
    return "sent" if state == "pending" and movement.transaction else state


def _withdrawal(movement: _Movement, state: WithdrawalState) -> Withdrawal:
    return Withdrawal(
        id=str(movement.id),
        asset=_SYMBOLS.get(movement.currency, movement.currency),
        network=network_of(movement.method),
        state=state,
        requested_at=moment(movement.started, per_second=1000),
        finished_at=None if state == "pending" else moment(movement.updated, per_second=1000),
    )


def funds(body: bytes) -> dict[str, Decimal]:
    """`POST /v2/auth/r/wallets`: of all wallets, as withdrawals may leave from exchange, margin and funding."""
    return held((_asset(wallet.currency), wallet.balance) for wallet in _content(body, list[_Wallet]))


def _asset(currency: str) -> str:
    currency = currency.removesuffix(_OF_DERIVATIVES)
    return _SYMBOLS.get(currency, currency)


def sign(call: Call, credentials: Credentials, now: datetime) -> Call:
    """HMAC-SHA384 over path, nonce and body, as Bitfinex asks of `/v2/auth`."""
    nonce = str(round(now.timestamp() * 1_000_000))
    body = call.body if call.body else b"{}"
    said = f"/api{call.path}{nonce}".encode() + body
    headers = {
        "bfx-apikey": credentials.api_key,
        "bfx-nonce": nonce,
        "bfx-signature": hmac.digest(credentials.api_secret.encode(), said, "sha384").hex(),
    }
    return Call(path=call.path, method=call.method, body=body, headers=headers)


def _content(body: bytes, shape: type[T]) -> T:
    if body[:20].translate(None, b" \r\n\t").startswith(_REFUSALS):
        said = body[:200].decode(errors="replace").replace("_", " ").replace("ratelimit", "rate limit")
        raise refusal(said)
    return decode(body, shape)


EXCHANGE = Exchange(
    name="bitfinex",
    title="Bitfinex",
    # Not api-pub.bitfinex.com, which is for what needs no key: this one answers both.
    url="https://api.bitfinex.com",
    lists=(
        Listing(
            path="/v2/conf/pub:info:tx:status,pub:map:tx:method,pub:map:currency:sym,pub:map:currency:tx:fee",
            probe="bitfinex-methods",
            interval=30.0,
            decode=rails,
            where="[0][0={word}][2] (way in: [1]), the assets of {word} in [1][0={word}][1]",
            rule="0 (maintenance) is suspended",
        ),
    ),
    trades=(
        Trades(path="/v2/trades/tBTCUSD/hist?limit=1", probe="bitfinex-trades", market="BTC/USD", decode=newest_trade),
        Trades(
            path="/v2/trades/tBTCF0:USTF0/hist?limit=1",
            probe="bitfinex-perpetual-trades",
            market="BTC/USDT:USDT",
            decode=newest_trade,
        ),
    ),
    system=System(path="/v2/platform/status", probe="bitfinex-system", decode=system),
    status_page="https://bitfinex.statuspage.io",
    history=History(path="/v2/auth/r/movements/hist", probe="bitfinex-withdrawals", decode=withdrawals, method="POST"),
    funds=Funds(path="/v2/auth/r/wallets", method="POST", probe="bitfinex-balances", decode=funds),
    sign=sign,
    rights=Rights(call=Call(path="/v2/auth/r/permissions", method="POST"), decode=rights),
    per_second=0.25,
    own_tokens=("LEO",),
    traps=(
        "its flags are by method: what shares a method closes together",
        "it calls every closed method maintenance, planned or not",
        "a fee is told by currency, so that of an asset with several methods is not known for any of them",
        "the platform's maintenance says nothing of withdrawals",
        "a nonce has to be higher than every one before it: a key needs to be this daemon's alone",
        "its balances are those of all wallets together, with what is lent out in the funding wallet",
    ),
)
