"""The staged exchange: KuCoin's public API as documented, with the script's flags.

Coin list `GET /api/v3/currencies`, trades `GET /api/v1/market/histories`, clock `GET /api/v1/timestamp`. Some coins
are closed at rest, as on every real exchange, and one or two have no chain at all.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from monitor.replay.script import Script

OK = "200000"
NO_SYMBOL = "900001"
MARKET = "BTC-USDT"

ALTS = 200
CLOSED_EVERY = 12
WITHOUT_CHAIN_EVERY = 100
TRADES = 100
TRADE_NANOSECONDS = 700_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CHAIN_NAMES = {
    "btc": "BTC",
    "eth": "ERC20",
    "trx": "TRC20",
    "sol": "SOL",
    "xrp": "XRP",
    "bsc": "BEP20",
    "arbitrum": "ARBITRUM",
    "base": "BASE",
    "matic": "Polygon POS",
}
MAJORS = (
    ("BTC", "Bitcoin", ("btc",)),
    ("ETH", "Ethereum", ("eth", "arbitrum", "base")),
    ("USDT", "Tether", ("eth", "trx", "bsc", "sol", "matic", "arbitrum")),
    ("USDC", "USD Coin", ("eth", "sol", "base", "arbitrum")),
    ("SOL", "Solana", ("sol",)),
    ("XRP", "XRP", ("xrp",)),
    ("TRX", "Tron", ("trx",)),
    ("BNB", "BNB", ("bsc",)),
)
ALT_CHAINS = ("eth", "bsc", "sol", "matic", "base")


class _Chain(Struct, rename="camel"):
    chain_name: str
    chain_id: str
    is_withdraw_enabled: bool
    is_deposit_enabled: bool
    need_tag: bool
    withdrawal_min_size: str = "0.002"
    deposit_min_size: str | None = "0.0002"
    withdraw_fee_rate: str = "0"
    withdrawal_min_fee: str = "0.0005"
    confirms: int = 12
    pre_confirms: int = 6
    contract_address: str = ""
    withdraw_precision: int = 8
    max_withdraw: str | None = None
    max_deposit: str | None = None


class _Currency(Struct, rename="camel"):
    currency: str
    name: str
    full_name: str
    chains: list[_Chain] | None
    precision: int = 8
    confirms: int | None = None
    contract_address: str | None = None
    is_margin_enabled: bool = False
    is_debit_enabled: bool = True


class _Trade(Struct):
    sequence: str
    price: str
    size: str
    side: str
    time: int  # nanoseconds


class _Currencies(Struct):
    data: list[_Currency]
    code: str = OK


class _Trades(Struct):
    data: list[_Trade]
    code: str = OK


class _Timestamp(Struct):
    data: int
    code: str = OK


class _Failure(Struct):
    code: str
    msg: str


class StagedExchange:
    """Bodies of the exchange's answers at a given moment."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._open = msgspec.json.encode(_Currencies(_currencies(withdrawals=True)))
        self._halted = msgspec.json.encode(_Currencies(_currencies(withdrawals=False)))

    def currencies(self, now: datetime) -> bytes:
        return self._open if self._script.withdrawals_open(now) else self._halted

    def trades(self, market: str, now: datetime) -> bytes:
        """The last hundred trades, oldest first as in KuCoin's documentation; trading never stops."""
        if market != MARKET:
            return msgspec.json.encode(_Failure(NO_SYMBOL, "symbol not exists"))
        newest = _nanoseconds(now) // TRADE_NANOSECONDS
        return msgspec.json.encode(_Trades([_trade(number) for number in range(newest - TRADES + 1, newest + 1)]))

    def timestamp(self, now: datetime) -> bytes:
        return msgspec.json.encode(_Timestamp(_nanoseconds(now) // 1_000_000))


def _currencies(*, withdrawals: bool) -> list[_Currency]:
    majors = [
        _Currency(name, name, title, [_chain(chain, withdraw=withdrawals, deposit=True) for chain in chains])
        for name, title, chains in MAJORS
    ]
    return majors + [_alt(number, withdrawals=withdrawals) for number in range(1, ALTS + 1)]


def _alt(number: int, *, withdrawals: bool) -> _Currency:
    name = f"ALT{number:03d}"
    if number % WITHOUT_CHAIN_EVERY == 0:
        return _Currency(name, name, f"Alternative {number}", None)
    is_closed = number % CLOSED_EVERY == 0
    chain = _chain(
        ALT_CHAINS[number % len(ALT_CHAINS)],
        withdraw=withdrawals and not is_closed,
        deposit=not is_closed or number % (2 * CLOSED_EVERY) == 0,
    )
    return _Currency(name, name, f"Alternative {number}", [chain])


def _chain(chain: str, *, withdraw: bool, deposit: bool) -> _Chain:
    return _Chain(
        chain_name=CHAIN_NAMES[chain],
        chain_id=chain,
        is_withdraw_enabled=withdraw,
        is_deposit_enabled=deposit,
        need_tag=chain == "xrp",
    )


def _trade(number: int) -> _Trade:
    tenths = 784_000 + number * 7919 % 997
    return _Trade(
        sequence=str(number),
        price=f"{tenths / 10:.1f}",
        size=f"{(number % 89 + 1) / 10_000:.4f}",
        side="buy" if number % 3 else "sell",
        time=number * TRADE_NANOSECONDS,
    )


def _nanoseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 1000
