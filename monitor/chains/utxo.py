"""What an endpoint of the bitcoin family answers, whatever it speaks: Core's RPC, Esplora or the Electrum protocol.

Values are whole satoshis, of whichever of the three coins. What could not be read is missing: it is never a zero.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct

from monitor.chains.ledger import Head


class Output(Struct, frozen=True):
    """Some coins and who may spend them; `address` is "" where the script has none."""

    address: str
    value: int


class UtxoTransaction(Struct, frozen=True, kw_only=True):
    """A transaction in a block, its outputs in order.

    `inputs` are the outputs that it spends: all of those of the addresses asked about, and of others those that were
    read. A coinbase has none.
    """

    id: str
    inputs: tuple[Output, ...]
    outputs: tuple[Output, ...]
    fee: int  # what all its inputs hold more than its outputs; 0 of a coinbase


class Touching(Struct, frozen=True, kw_only=True):
    """The transactions of some blocks that spend from or pay to some addresses."""

    transactions: dict[int, list[UtxoTransaction]]  # by height; a block without any may be missing
    unread: frozenset[str] = frozenset()  # addresses of which some may be missing


class Utxo(Protocol):
    """One endpoint. Everything raises `RemoteError` where nothing was learned.

    An address in an answer is written as in the question. LAG is a node that syncs, and a block that is gone.
    """

    @property
    def host(self) -> str: ...

    async def head(self) -> Head:
        """The newest block, however old; LAG where the node says itself that it is behind."""
        ...

    async def block(self, number: int) -> Head:
        """The block at this height now; that of height 0 tells the chain."""
        ...

    async def balances(self, addresses: Collection[str]) -> dict[str, int]:
        """What confirmed transactions left to each address, as of the newest block; an unread one is missing."""
        ...

    async def transactions(self, blocks: Sequence[Head], *, of: Collection[str]) -> Touching:
        """The transactions in `blocks`, which follow one another, that touch the addresses `of`."""
        ...
