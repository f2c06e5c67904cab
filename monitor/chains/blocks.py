"""What was moved in the newest blocks of one chain, each block read once whoever asks.

Kept as it happened, with all parties; what of it is a payment and what an internal move depends on who asks.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from monitor.chains.ledger import Head, Movement, Movements, Token
from monitor.model import FailureReason, RemoteError

KEPT_BLOCKS = 300  # an hour of Ethereum, two days of Bitcoin
STRIDE_BLOCKS = 50  # read at once: what was read before a failure needs not be read again
KEPT_TRANSFERS = 200_000  # about 150 MB

Share = tuple[str, int]
"""An address and an amount that left it or came to it; the address is "" where there is none."""


class Transfer(Struct, frozen=True, kw_only=True):
    """An amount of one asset that left its sources together and came to its destinations, fee not included in these.

    A transaction of the bitcoin family is one, an event of a token is one, a fee alone is one without destinations.
    The balance of every source fell by its share, that of every destination rose by its own, and by nothing else.
    """

    block: Head
    transaction: str
    token: Token
    sources: tuple[Share, ...]  # the fee is in them
    destinations: tuple[Share, ...]
    signers: tuple[str, ...] = ()
    fee: int = 0


class Transfers(Struct, frozen=True, kw_only=True):
    transfers: Sequence[Transfer]  # oldest first
    unread: frozenset[str] = frozenset()  # addresses of which some may be missing


class Reader(Protocol):
    """How a chain is read. Everything raises `RemoteError` where nothing was learned."""

    async def block(self, number: int) -> Head:
        """The block that is at this height now."""
        ...

    async def read(self, addresses: Collection[str], *, after: Head, upto: Head) -> Transfers:
        """What left or reached any of `addresses` in the blocks above `after` up to `upto`.

        LAG where those are not, or not whole, in the chain that the answer is from.
        """
        ...


class _Stretch(Struct, kw_only=True):
    """Blocks that were read at once; it follows the stretch before."""

    after: Head
    upto: Head
    watched: int  # how many addresses were
    transfers: Sequence[Transfer]
    unread: frozenset[str]
    heads: dict[int, Head]  # those known of the blocks above `after`


class BlockLog:
    """The newest `blocks` of a chain, as far as they were asked for, with all that addresses of any exchange moved."""

    def __init__(
        self,
        reader: Reader,
        *,
        blocks: int = KEPT_BLOCKS,
        stride: int = STRIDE_BLOCKS,
        transfers: int = KEPT_TRANSFERS,
    ) -> None:
        """`blocks` is how far back from the newest one can ask, `stride` how many are read at once."""
        self._reader = reader
        self._blocks = blocks
        self._stride = stride
        self._transfers = transfers
        self._watched: dict[str, int] = {}  # address -> how many were watched before it
        self._stretches: list[_Stretch] = []
        # Probes of many exchanges ask at once, and no task owns the chain: who comes second waits for the same read.
        self._reading = asyncio.Lock()

    def watch(self, addresses: Iterable[str]) -> None:
        """Read these too, from the next block read on. Say it of all before the first question."""
        for address in addresses:
            self._watched.setdefault(address, len(self._watched))

    async def movements(self, addresses: Collection[str], *, after: Head, upto: Head) -> Movements:
        """What was moved of `addresses` in the blocks above `after` up to `upto`; all others are outsiders.

        One not watched before is watched from now on, and not covered in blocks read earlier. Raises `RemoteError`:
        LAG where a block is gone or too far back, TOO_LARGE where more was moved than is kept, and the reader's.
        """
        self.watch(addresses)
        if upto.number - after.number > self._blocks:
            detail = f"blocks {after.number + 1} to {upto.number} are more than the {self._blocks} that are read back"
            raise RemoteError(FailureReason.LAG, detail)
        if not self._holds(after, upto):
            async with self._reading:
                if not self._holds(after, upto):
                    await self._hold(after, upto)
        return self._told(frozenset(addresses), after=after, upto=upto)

    def _holds(self, after: Head, upto: Head) -> bool:
        """Whether all between these two very blocks was read; a hash stands for all blocks before it."""
        if after.number > upto.number:
            return False
        return all(self._known(head.number) == head.hash for head in (after, upto)) or after.hash == upto.hash

    def _known(self, number: int) -> str | None:
        """The hash of the block at this height, where it is held and known."""
        if self._stretches and self._stretches[0].after.number == number:
            return self._stretches[0].after.hash
        for stretch in reversed(self._stretches):
            if stretch.after.number < number:
                head = stretch.heads.get(number)
                return head.hash if head else None
        return None

    async def _hold(self, after: Head, upto: Head) -> None:
        await self._drop_replaced()
        if self._stretches and after.number > self._stretches[-1].upto.number + self._stride:
            self._stretches.clear()
        await self._extend_back(after)
        await self._extend(upto, start=after)
        for head in (after, upto):
            if self._known(head.number) is None:
                await self._confirm(head)
                self._note(head)
        if not self._holds(after, upto):
            raise RemoteError(FailureReason.LAG, f"block {upto.number} or {after.number} is gone")

    async def _drop_replaced(self) -> None:
        """Forget what was read of blocks that a reorg took away: those below a block that is still there are too."""
        while self._stretches and not await self._is_there(self._stretches[-1].upto):
            self._stretches.pop()

    async def _is_there(self, head: Head) -> bool:
        return (await self._reader.block(head.number)).hash == head.hash

    async def _confirm(self, head: Head) -> None:
        if not await self._is_there(head):
            raise RemoteError(FailureReason.LAG, f"block {head.number} {head.hash} is gone")

    async def _extend_back(self, after: Head) -> None:
        while self._stretches and after.number < self._stretches[0].after.number:
            first, last = self._stretches[0].after, self._stretches[-1].upto
            if last.number - after.number > self._blocks:
                detail = f"block {after.number + 1} is further back from {last.number} than the {self._blocks} kept"
                raise RemoteError(FailureReason.LAG, detail)
            below = after
            if first.number - after.number > self._stride:
                below = await self._reader.block(first.number - self._stride)
            self._stretches.insert(0, await self._read(below, first))
            self._trim(needed=below)

    async def _extend(self, upto: Head, *, start: Head) -> None:
        last = self._stretches[-1].upto if self._stretches else start
        while last.number < upto.number:
            above = upto
            if upto.number - last.number > self._stride:
                above = await self._reader.block(last.number + self._stride)
            self._stretches.append(await self._read(last, above))
            self._trim(needed=start)
            last = above

    async def _read(self, after: Head, upto: Head) -> _Stretch:
        addresses = tuple(self._watched)
        read = await self._reader.read(addresses, after=after, upto=upto)
        return _Stretch(
            after=after,
            upto=upto,
            watched=len(addresses),
            transfers=read.transfers,
            unread=read.unread,
            heads={head.number: head for head in (*(each.block for each in read.transfers), upto)},
        )

    def _trim(self, *, needed: Head) -> None:
        """Keep memory bounded, from the oldest on. Raises `RemoteError` where what is above `needed` cannot be kept."""
        newest = self._stretches[-1].upto.number
        while newest - self._stretches[0].upto.number >= self._blocks:
            del self._stretches[0]
        while self._stretches and self._count() > self._transfers:
            del self._stretches[0]
        if not self._stretches or self._stretches[0].after.number > needed.number:
            detail = f"more than {self._transfers} transfers in the blocks above {needed.number}"
            raise RemoteError(FailureReason.TOO_LARGE, detail)

    def _count(self) -> int:
        return sum(len(stretch.transfers) for stretch in self._stretches)

    def _note(self, head: Head) -> None:
        for stretch in self._stretches:
            if stretch.after.number < head.number <= stretch.upto.number:
                stretch.heads[head.number] = head

    def _told(self, own: frozenset[str], *, after: Head, upto: Head) -> Movements:
        asked = [
            each for each in self._stretches if each.upto.number > after.number and each.after.number < upto.number
        ]
        by_movement: dict[tuple[str, Token], list[Transfer]] = {}
        for stretch in asked:
            for transfer in stretch.transfers:
                if after.number < transfer.block.number <= upto.number and _touches(transfer, own):
                    by_movement.setdefault((transfer.transaction, transfer.token), []).append(transfer)
        moves = tuple(_movement(transfers, own) for transfers in by_movement.values())
        return Movements(moves=moves, coverage=self._coverage(own, asked))

    def _coverage(self, own: frozenset[str], asked: Sequence[_Stretch]) -> float:
        if not own or not asked:
            return 1.0
        reached = min(stretch.watched for stretch in asked)
        unread = frozenset[str]().union(*(stretch.unread for stretch in asked))
        return sum(self._watched[address] < reached and address not in unread for address in own) / len(own)


def _touches(transfer: Transfer, own: frozenset[str]) -> bool:
    return any(address in own for address, _ in (*transfer.sources, *transfer.destinations))


def _movement(transfers: Sequence[Transfer], own: frozenset[str]) -> Movement:
    """What the transfers of one transaction and asset, all of which touch `own`, are to `own`."""
    changes: dict[str, int] = {}
    payments: list[Share] = []
    fee = 0
    for transfer in transfers:
        ours = [address in own for address, _ in transfer.sources]
        for address, amount in transfer.sources:
            if address in own:
                changes[address] = changes.get(address, 0) - amount
        for address, amount in transfer.destinations:
            if address in own:
                changes[address] = changes.get(address, 0) + amount
            elif any(ours) and amount:
                payments.append((address, amount))
        if ours and all(ours):
            fee += transfer.fee
    signers = dict.fromkeys(signer for transfer in transfers for signer in transfer.signers if signer in own)
    return Movement(
        block=transfers[0].block,
        transaction=transfers[0].transaction,
        token=transfers[0].token,
        changes=changes,
        payments=tuple(payments),
        senders=tuple(signers),
        fee=fee,
    )
