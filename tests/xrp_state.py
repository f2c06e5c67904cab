"""What the tiny XRP Ledger knows after a ledger: accounts, what is locked and what was burned. Amounts are drops."""

import hashlib

import base58
from msgspec import Struct, field

FIRST_LEDGER = 100_000_000
RIPPLE_EPOCH = 946_684_800


def account(name: str) -> str:
    """The address that goes by `name` in a test."""
    payload = b"\x00" + hashlib.sha256(name.encode()).digest()[:20]
    return base58.b58encode_check(payload, alphabet=base58.XRP_ALPHABET).decode()


def hash_of(*parts: object) -> str:
    return hashlib.sha256(" ".join(str(part) for part in parts).encode()).hexdigest().upper()


GENESIS = account("genesis")
"""Holds all XRP that nobody was given yet."""


class Root(Struct, kw_only=True):
    """An AccountRoot."""

    balance: int
    sequence: int
    owner_count: int = 0
    touched_by: str = "0" * 64
    touched_in: int = FIRST_LEDGER


class State(Struct, kw_only=True):
    roots: dict[str, Root] = field(default_factory=dict)
    locked: int = 0  # in escrows
    burned: int = 0

    def take(self, address: str, drops: int) -> None:
        """Raises ValueError where the account has less."""
        held = self.roots[address].balance if address in self.roots else 0
        if held < drops:
            raise ValueError(f"{address} has {held} drops, not {drops}")
        self.roots[address].balance -= drops

    def give(self, address: str, drops: int, *, ledger: int) -> None:
        self.roots.setdefault(address, Root(balance=0, sequence=ledger)).balance += drops
