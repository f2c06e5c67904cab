"""What the tiny Tron knows after a block: accounts, stakes, tokens. Amounts are sun or a token's smallest unit."""

import hashlib
from enum import Enum

import base58
from msgspec import Struct, field

TRANSFER_TOPIC = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def account(name: str) -> str:
    """The address that goes by `name` in a test."""
    return base58.b58encode_check(b"\x41" + hashlib.sha256(name.encode()).digest()[:20]).decode()


def in_hex(address: str) -> str:
    """`T...` as 41 and 40 more hexadecimal digits."""
    return base58.b58decode_check(address).hex()


NOBODY = base58.b58encode_check(b"\x41" + bytes(20)).decode()


class Resource(Enum):
    BANDWIDTH = "BANDWIDTH"
    ENERGY = "ENERGY"
    TRON_POWER = "TRON_POWER"


class Outcome(Enum):
    """Of a contract call, as the receipt words it."""

    SUCCESS = "SUCCESS"
    REVERT = "REVERT"
    OUT_OF_ENERGY = "OUT_OF_ENERGY"


class Unfreezing(Struct, frozen=True, kw_only=True):
    resource: Resource
    amount: int
    until_ms: int


class Stakes(Struct, kw_only=True):
    """TRX staked by resource: for oneself, for others, and what others staked for this account (their TRX)."""

    own: dict[Resource, int] = field(default_factory=dict)
    delegated: dict[Resource, int] = field(default_factory=dict)
    acquired: dict[Resource, int] = field(default_factory=dict)

    def total(self) -> int:
        return sum(self.own.values()) + sum(self.delegated.values())


class Account(Struct, kw_only=True):
    balance: int = 0
    created_ms: int = 0
    is_contract: bool = False
    allowance: int = 0  # rewards that were not claimed yet
    first: Stakes = field(default_factory=Stakes)  # Stake 1.0
    second: Stakes = field(default_factory=Stakes)  # Stake 2.0
    unfreezing: list[Unfreezing] = field(default_factory=list)

    def total(self) -> int:
        """All TRX that is the account's own, unclaimed rewards aside."""
        return self.balance + self.first.total() + self.second.total() + sum(one.amount for one in self.unfreezing)


class Trc20(Struct, kw_only=True):
    symbol: str
    decimals: int
    balances: dict[str, int] = field(default_factory=dict)


class State(Struct, kw_only=True):
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, Trc20] = field(default_factory=dict)
    burned: int = 0
    time_ms: int = 0

    def take(self, address: str, sun: int) -> None:
        """Raises ValueError where the account has less."""
        held = self.accounts[address].balance if address in self.accounts else 0
        if held < sun:
            raise ValueError(f"{address} has {held} sun, not {sun}")
        self.accounts[address].balance -= sun

    def give(self, address: str, sun: int) -> None:
        self.accounts.setdefault(address, Account(created_ms=self.time_ms)).balance += sun

    def move_token(self, contract: str, *, sender: str, receiver: str, amount: int) -> None:
        balances = self.tokens[contract].balances
        if sender != NOBODY:
            if balances.get(sender, 0) < amount:
                raise ValueError(f"{sender} has {balances.get(sender, 0)} of {contract}, not {amount}")
            balances[sender] -= amount
        balances[receiver] = balances.get(receiver, 0) + amount


class Log(Struct, frozen=True, kw_only=True):
    contract: str
    topics: tuple[str, ...]
    data: str = ""


class Sent(Struct, frozen=True, kw_only=True):
    """What a contract moves: of a TRC-20 token, or TRX by an internal transaction where `token` is None."""

    sender: str
    receiver: str
    amount: int
    token: str | None = None

    def log(self) -> Log:
        words = tuple(in_hex(address)[2:].rjust(64, "0") for address in (self.sender, self.receiver))
        return Log(contract=self.token or "", topics=(TRANSFER_TOPIC, *words), data=f"{self.amount:064x}")
