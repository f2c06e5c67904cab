"""Balances that were searched for once and are kept up by what every block since then moved."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol

from msgspec import Struct

from monitor.chains.ledger import Head
from monitor.chains.utxo import Touching
from monitor.model import FailureReason, RemoteError

DEPTH = 6  # a reorg of up to so many blocks needs no new search
MOST_BLOCKS = 2_000  # a day of Dogecoin; what was found longer ago is searched for anew


class Blocks(Protocol):
    async def head(self) -> Head: ...

    async def block(self, number: int) -> Head: ...

    async def transactions(self, blocks: Sequence[Head], *, of: Collection[str]) -> Touching: ...


class Scan(Struct, frozen=True, kw_only=True):
    """What a search of all unspent outputs found, at a block."""

    head: Head
    amounts: dict[str, int]


class _Changed(Struct, frozen=True):
    """What a block changed."""

    head: Head
    changes: dict[str, int]


class KeptBalances:
    """`scan` raises TOO_LARGE where addresses have more outputs than fit: then it is asked for fewer at once."""

    def __init__(self, blocks: Blocks, scan: Callable[[Collection[str]], Awaitable[Scan]]) -> None:
        self._blocks = blocks
        self._scan = scan
        self._amounts: dict[str, int] = {}
        self._at: Head | None = None  # the block of `_amounts`
        self._later: list[_Changed] = []  # of the blocks above it, oldest first
        self._unreadable: set[str] = set()  # with more outputs than fit in an answer
        # A search takes minutes and a node does one at a time: who comes second waits for the first.
        self._reading = asyncio.Lock()

    async def read(self, addresses: Collection[str]) -> dict[str, int]:
        """Balances at the newest block, without those that cannot be read. Raises `RemoteError`."""
        async with self._reading:
            await self._drop_replaced()
            known = self._amounts.keys() | self._unreadable
            await self._find([address for address in addresses if address not in known])
            await self._advance(await self._blocks.head())
            amounts = {each: self._amounts[each] for each in addresses if each in self._amounts}
            for changed in self._later:
                for address in changed.changes.keys() & amounts.keys():
                    amounts[address] += changed.changes[address]
            return amounts

    async def _drop_replaced(self) -> None:
        while self._later and not await self._is_there(self._later[-1].head):
            self._later.pop()
        if self._at is not None and not self._later and not await self._is_there(self._at):
            self._forget()

    async def _is_there(self, head: Head) -> bool:
        try:
            return (await self._blocks.block(head.number)).hash == head.hash
        except RemoteError as error:
            if error.reason is FailureReason.LAG:  # the chain is shorter now
                return False
            raise

    def _forget(self) -> None:
        self._amounts.clear()
        self._later.clear()
        self._at = None

    async def _find(self, addresses: list[str]) -> None:
        pending = [addresses] if addresses else []
        while pending:
            part = pending.pop()
            try:
                scan = await self._scan(part)
            except RemoteError as error:
                if error.reason is not FailureReason.TOO_LARGE:
                    raise
                if len(part) == 1:
                    self._unreadable.add(part[0])
                else:
                    pending += [part[len(part) // 2 :], part[: len(part) // 2]]
            else:
                await self._take(scan)

    async def _take(self, scan: Scan) -> None:
        """Put what was found beside what is known, at the block of the search."""
        if self._at is not None:
            await self._advance(scan.head)
            self._settle(keep=0)
        self._amounts.update(scan.amounts)
        self._at = scan.head

    async def _advance(self, tip: Head) -> None:
        last = self._later[-1].head if self._later else self._at
        if last is None:
            return
        if tip.number - last.number > MOST_BLOCKS:
            self._forget()
            raise RemoteError(FailureReason.LAG, f"from block {last.number} to {tip.number} at once")
        while last.number < tip.number:
            block = await self._blocks.block(last.number + 1)
            if block.number != last.number + 1:
                raise RemoteError(FailureReason.SHAPE, f"asked for block {last.number + 1}, got {block.number}")
            touching = await self._blocks.transactions([block], of=self._amounts.keys())
            self._later.append(_Changed(block, _changes(touching, self._amounts.keys())))
            last = block
        if last.hash != tip.hash:
            self._forget()
            raise RemoteError(FailureReason.LAG, f"block {tip.number} {tip.hash} is gone")
        self._settle(keep=DEPTH)

    def _settle(self, *, keep: int) -> None:
        while len(self._later) > keep:
            changed = self._later.pop(0)
            for address, change in changed.changes.items():
                self._amounts[address] += change
            self._at = changed.head


def _changes(touching: Touching, own: Collection[str]) -> dict[str, int]:
    changes: dict[str, int] = {}
    for transaction in (each for found in touching.transactions.values() for each in found):
        for output in transaction.inputs:
            if output.address in own:
                changes[output.address] = changes.get(output.address, 0) - output.value
        for output in transaction.outputs:
            if output.address in own:
                changes[output.address] = changes.get(output.address, 0) + output.value
    return changes
