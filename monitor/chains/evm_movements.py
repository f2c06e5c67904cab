"""What was moved of an EVM chain's coin and tokens: each block read once for all exchanges whose wallets are watched.

The coin is followed only where whole blocks are read; without that its flows are not known, and none are told.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Protocol, TypeVar

from msgspec.structs import replace

from monitor.chains import eth
from monitor.chains.blocks import BlockLog, Transfer, Transfers
from monitor.chains.evm_blocks import WholeBlocks
from monitor.chains.evm_transfers import TokenTransfers
from monitor.chains.jsonrpc import Node, Unread
from monitor.chains.ledger import Head, Movement, Movements, Token
from monitor.model import FailureReason, RemoteError

# Whole blocks of Ethereum are a megabyte or two, so an hour of them is what one catches up with.
WHOLE_BLOCKS_KEPT = 300
WHOLE_BLOCKS_AT_ONCE = 10
# Half an hour of a chain with four blocks a second.
BLOCKS_KEPT = 7_200
BLOCKS_AT_ONCE = 500

T = TypeVar("T")
Work = Callable[[Node], Awaitable[T]]


class Use(Protocol):
    """Does the whole of some work on one node of the chain, or on another where that fails."""

    async def __call__(self, work: Work[T], /) -> T: ...


class _Source(Protocol):
    async def read(self, node: Node, watched: Collection[str], *, after: Head, upto: Head) -> list[Transfer]: ...


class _EvmReader:
    """Reads one stretch of blocks on one node. Addresses are lower-case."""

    def __init__(self, use: Use, source: _Source) -> None:
        self._use = use
        self._source = source

    async def block(self, number: int) -> Head:
        async def ask(node: Node) -> Head:
            match await node.call(eth.block(number)):
                case Unread(detail=detail):
                    raise RemoteError(FailureReason.SCHEMA, f"{node.host}: block {number}: {detail}")
                case None:
                    raise RemoteError(FailureReason.LAG, f"{node.host}: no block {number}")
                case head:
                    return head

        return await self._use(ask)

    async def read(self, addresses: Collection[str], *, after: Head, upto: Head) -> Transfers:
        watched = frozenset(addresses)

        async def look(node: Node) -> list[Transfer]:
            return await self._source.read(node, watched, after=after, upto=upto)

        return Transfers(transfers=await self._use(look))


class EvmMovements:
    """`use` runs work on an admitted node of `network`, whose own coin is `coin`; `tokens` are those followed.

    Movements name the addresses asked about as they were asked, all others in lower case. `senders` of a token are who
    signed where `whole_blocks` are read, which may be nobody asked about, as others can spend an allowance; elsewhere
    the address that paid stands for it. Not seen: coins that contracts move within a transaction, what a second layer
    mints for a deposit, and what it charges beyond gas and `l1Fee`. `coverage` is about addresses and knows none of it.
    """

    def __init__(self, use: Use, *, network: str, coin: Token, tokens: Sequence[Token], whole_blocks: bool) -> None:
        self.network = network
        transfers = TokenTransfers(tokens)
        source: _Source = WholeBlocks(coin, transfers) if whole_blocks else transfers
        self._log = BlockLog(
            _EvmReader(use, source),
            blocks=WHOLE_BLOCKS_KEPT if whole_blocks else BLOCKS_KEPT,
            stride=WHOLE_BLOCKS_AT_ONCE if whole_blocks else BLOCKS_AT_ONCE,
        )

    def watch(self, addresses: Iterable[str]) -> None:
        """Read these too, from the next block read on."""
        self._log.watch(address.lower() for address in addresses)

    async def movements(self, addresses: Collection[str], *, after: Head, upto: Head) -> Movements:
        """What was moved of `addresses` in the blocks above `after` up to `upto`. Raises `RemoteError` (`BlockLog`)."""
        spelled = {address.lower(): address for address in addresses}
        told = await self._log.movements(spelled.keys(), after=after, upto=upto)
        return replace(told, moves=tuple(_as_asked(move, spelled) for move in told.moves))


def _as_asked(move: Movement, spelled: dict[str, str]) -> Movement:
    return replace(
        move,
        changes={spelled[address]: change for address, change in move.changes.items()},
        senders=tuple(spelled[sender] for sender in move.senders),
    )
