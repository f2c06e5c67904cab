"""A chain in memory whose blocks a test writes: it forgets nothing, so that every answer about it can be checked."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta

from msgspec import Struct

from monitor.chains.blocks import Transfer, Transfers
from monitor.chains.ledger import Head, Token
from monitor.model import FailureReason, RemoteError
from tests.hand_clock import NOON

COIN = Token(asset="COIN")

Shares = tuple[tuple[str, int], ...]


class Deed(Struct, frozen=True, kw_only=True):
    """What left some addresses together, all but the fee to come to others."""

    sources: Shares = ()
    destinations: Shares = ()
    fee: int = 0
    token: Token = COIN


Deal = tuple[Deed, ...]
"""A transaction."""


def paid(source: str, *destinations: tuple[str, int], fee: int = 0) -> Deal:
    return (
        Deed(sources=((source, sum(amount for _, amount in destinations) + fee),), destinations=destinations, fee=fee),
    )


class _Block(Struct, frozen=True):
    head: Head
    transfers: tuple[Transfer, ...]
    balances: dict[tuple[str, Token], int]


class ScriptedChain:
    """It is a `Reader`. `before` happens before each of its answers."""

    def __init__(self) -> None:
        genesis = _Block(Head(number=0, hash="genesis", timestamp=NOON), (), {})
        self._blocks = [genesis]
        self._ever = {genesis.head.hash: genesis}
        self.before: Callable[[], Awaitable[None]] = _nothing
        self.unread: frozenset[str] = frozenset()  # addresses it does not tell all of
        self.heights_read: list[int] = []
        self.questions = 0

    @property
    def head(self) -> Head:
        return self._blocks[-1].head

    def at(self, number: int) -> Head:
        return self._blocks[number].head

    def mine(self, *deals: Deal) -> Head:
        number, name = len(self._blocks), len(self._ever)
        head = Head(number=number, hash=f"{number}/{name}", timestamp=NOON + timedelta(seconds=12 * number))
        transfers = tuple(
            Transfer(
                block=head,
                transaction=f"{head.hash}/{place}",
                token=deed.token,
                sources=deed.sources,
                destinations=deed.destinations,
                signers=tuple(address for address, _ in deed.sources),
                fee=deed.fee,
            )
            for place, deal in enumerate(deals)
            for deed in deal
        )
        balances = dict(self._blocks[-1].balances)
        for transfer in transfers:
            for sign, shares in ((-1, transfer.sources), (1, transfer.destinations)):
                for address, amount in shares:
                    key = (address, transfer.token)
                    balances[key] = balances.get(key, 0) + sign * amount
        block = _Block(head, transfers, balances)
        self._blocks.append(block)
        self._ever[head.hash] = block
        return head

    def reorg(self, depth: int, *instead: Sequence[Deal]) -> None:
        """Replace the newest blocks, but never the first, with as many whose transactions are these."""
        depth = min(depth, len(self._blocks) - 1)
        del self._blocks[len(self._blocks) - depth :]
        for place in range(depth):
            self.mine(*(instead[place] if place < len(instead) else ()))

    def change(self, address: str, token: Token, *, after: Head, upto: Head) -> int:
        """What the balance of `address` changed by, in whichever chain these two are."""
        key = (address, token)
        return self._ever[upto.hash].balances.get(key, 0) - self._ever[after.hash].balances.get(key, 0)

    async def block(self, number: int) -> Head:
        await self._asked()
        if number >= len(self._blocks):
            raise RemoteError(FailureReason.LAG, f"no block {number}")
        return self._blocks[number].head

    async def read(self, addresses: Collection[str], *, after: Head, upto: Head) -> Transfers:
        await self._asked()
        for head in (after, upto):
            if head.number >= len(self._blocks) or self._blocks[head.number].head != head:
                raise RemoteError(FailureReason.LAG, f"block {head.number} is gone")
        blocks = self._blocks[after.number + 1 : upto.number + 1]
        self.heights_read += [block.head.number for block in blocks]
        watched = set(addresses) - self.unread
        return Transfers(
            transfers=[
                transfer
                for block in blocks
                for transfer in block.transfers
                if any(address in watched for address, _ in (*transfer.sources, *transfer.destinations))
            ],
            unread=self.unread & set(addresses),
        )

    async def _asked(self) -> None:
        self.questions += 1
        await asyncio.sleep(0)  # as long as it takes for others to ask too
        await self.before()


async def _nothing() -> None:
    pass
