"""What every chain answers, whatever it is made of: its head, balances of addresses, and what was moved between blocks.

Amounts are whole numbers of an asset's smallest unit. What could not be read is missing: it is never a zero.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct


class Head(Struct, frozen=True, kw_only=True):
    """A block. `number` is its height: a ledger index at XRP, a slot at Solana."""

    number: int
    hash: str
    timestamp: datetime


class Token(Struct, frozen=True, kw_only=True):
    """The network's own coin (no contract) or a token: ERC-20, TRC-20, or the mint of an SPL token.

    `decimals` turns its smallest unit into whole coins.
    """

    asset: str
    contract: str | None = None
    decimals: int = 18


class Holding(Struct, frozen=True):
    address: str
    token: Token


class Snapshot(Struct, frozen=True, kw_only=True):
    """Balances as one endpoint told them, all at block `head`; a holding that could not be read is missing."""

    head: Head
    endpoint: str  # its host
    amounts: dict[Holding, int]


class Movement(Struct, frozen=True, kw_only=True):
    """What one transaction did to one asset of the addresses that were asked about.

    The changes of an address over all its movements add up to the change of its balance, fees included.
    """

    block: Head
    transaction: str
    token: Token
    changes: dict[str, int]  # address that was asked about -> what its balance changed by
    payments: tuple[tuple[str, int], ...] = ()  # to others: (address, amount); "" is an output without an address
    senders: tuple[str, ...] = ()  # those asked about that signed for it: what makes it one of their transactions
    fee: int = 0  # paid by the senders, in this asset; part of `changes`


class Movements(Struct, frozen=True, kw_only=True):
    """All movements of the blocks after one and up to another, oldest first."""

    moves: tuple[Movement, ...]
    coverage: float = 1.0  # the share of the addresses asked about whose movements are all here


class Ledger(Protocol):
    """A chain behind one or more endpoints. Everything raises `RemoteError` where nothing was learned.

    WRONG_CHAIN, LAG (a node that is behind, syncs or goes back, and a block that is gone), DISAGREEMENT, ...
    """

    network: str
    coin: Token  # the network's own
    endpoints: int  # how many there are

    def watch(self, addresses: Iterable[str]) -> None:
        """These will be asked about: they are read with every block, whoever asks first."""
        ...

    async def head(self) -> Head:
        """The newest block: never lower than one told before, and not old."""
        ...

    async def tips(self) -> list[Head]:
        """The newest block of every endpoint that answers for this chain, however old it is."""
        ...

    async def block(self, number: int) -> Head:
        """The block that is at this height now, so that a reorg shows itself by another hash."""
        ...

    async def balances(self, holdings: Sequence[Holding]) -> Snapshot:
        """All balances at one block."""
        ...

    async def second(self, holdings: Sequence[Holding], *, first: Snapshot) -> Snapshot:
        """The same, at the same block, from an endpoint other than the one that told `first`."""
        ...

    async def movements(self, addresses: Collection[str], *, after: Head, upto: Head) -> Movements:
        """What was moved in the blocks above `after` up to `upto`, both of which are in the chain.

        To ask again for what was just asked costs nothing: callers need not know of each other.
        """
        ...
