"""Bitcoin, Litecoin and Dogecoin behind one or more endpoints, whatever each of them speaks.

Blocks come when they come: an old newest block proves little alone, so others are asked before it counts as behind.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

from msgspec import Struct

from monitor.chains.blocks import BlockLog, Transfer, Transfers
from monitor.chains.failover import Endpoints
from monitor.chains.heights import Height
from monitor.chains.ledger import Head, Holding, Movements, Snapshot, Token
from monitor.chains.utxo import Utxo, UtxoTransaction
from monitor.clock import Clock
from monitor.model import FailureReason, RemoteError

TRIES = 3  # to read all balances between two blocks
STRIDE_BLOCKS = 12  # read at once
AHEAD_SECONDS = 7200.0  # how far in the future a block may be, as Bitcoin's rules have it; clocks differ by less
ADMITTED_SECONDS = 600.0  # an endpoint is asked again then which chain it is of
LOOK_AROUND_PACES = 2.0  # without a block, one time in seven
STALE_PACES = 9.0  # one in eight thousand
STALE_SECONDS = 1800.0  # at least


class UtxoNetwork(Struct, frozen=True, kw_only=True):
    asset: str
    genesis: str  # hash of block 0
    pace_seconds: float  # from block to block, on average


# https://github.com/bitcoin/bitcoin, litecoin-project/litecoin and dogecoin/dogecoin: chainparams.cpp
UTXO_NETWORKS: dict[str, UtxoNetwork] = {
    "bitcoin": UtxoNetwork(
        asset="BTC", genesis="000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", pace_seconds=600.0
    ),
    "litecoin": UtxoNetwork(
        asset="LTC", genesis="12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2", pace_seconds=150.0
    ),
    "dogecoin": UtxoNetwork(
        asset="DOGE", genesis="1a91e3dace36e2be3bf030a65679fe821aa1d6ef92e7c9902eb318182c355691", pace_seconds=60.0
    ),
}


class BitcoinChain:
    """`Ledger` of a network of `UTXO_NETWORKS`; `genesis` is for a test network with its rules.

    `shared_seconds` is how long a block that was told is told again: many ask, and each question is a request or two.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        network: str,
        endpoints: Sequence[Utxo],
        genesis: str | None = None,
        shared_seconds: float = 0.0,
    ) -> None:
        rules = UTXO_NETWORKS[network]
        self.network = network
        self.coin = Token(asset=rules.asset, decimals=8)
        self.endpoints = len(endpoints)
        self._clock = clock
        self._genesis = rules.genesis if genesis is None else genesis
        self._pace = rules.pace_seconds
        self._stale = max(STALE_PACES * rules.pace_seconds, STALE_SECONDS)
        self._used = Endpoints(endpoints, network=network)
        self._admitted: dict[Utxo, float] = {}  # when, on the monotonic clock
        self._told = Height(clock)
        self._seen = Height(clock)
        self._log = BlockLog(self, stride=STRIDE_BLOCKS)
        self._shared_seconds = shared_seconds
        self._shared: dict[int | None, tuple[float, Head]] = {}  # height, None for the newest -> when told, and what

    def watch(self, addresses: Iterable[str]) -> None:
        self._log.watch(addresses)

    async def head(self) -> Head:
        return self._known(None) or self._keep(None, await self._used.use(self._newest))

    async def tips(self) -> list[Head]:
        heads = await self._used.each(self._tip)
        for head in heads:
            self._seen.raise_to(head.number)
        return heads

    async def block(self, number: int) -> Head:
        async def ask(endpoint: Utxo) -> Head:
            await self._admit(endpoint)
            return await endpoint.block(number)

        return self._known(number) or self._keep(number, await self._used.use(ask))

    def _known(self, number: int | None) -> Head | None:
        at, head = self._shared.get(number, (0.0, None))
        return head if self._clock.monotonic() - at < self._shared_seconds else None

    def _keep(self, number: int | None, head: Head) -> Head:
        now = self._clock.monotonic()
        self._shared = {key: (at, kept) for key, (at, kept) in self._shared.items() if now - at < self._shared_seconds}
        self._shared[number] = (now, head)
        return head

    async def balances(self, holdings: Sequence[Holding]) -> Snapshot:
        return await self._used.use(lambda endpoint: self._snapshot(endpoint, holdings, newest=self._newest))

    async def second(self, holdings: Sequence[Holding], *, first: Snapshot) -> Snapshot:
        """Raises `RemoteError`, LAG where the other one is not at that block."""
        other = await self._used.use(
            # One that is a block behind is no outage.
            lambda endpoint: self._snapshot(endpoint, holdings, newest=self._tip),
            apart_from=first.endpoint,
        )
        if other.head.hash != first.head.hash:
            detail = f"{other.endpoint} is at block {other.head.number}, {first.endpoint} at {first.head.number}"
            raise RemoteError(FailureReason.LAG, detail)
        return other

    async def movements(self, addresses: Collection[str], *, after: Head, upto: Head) -> Movements:
        return await self._log.movements(addresses, after=after, upto=upto)

    async def read(self, addresses: Collection[str], *, after: Head, upto: Head) -> Transfers:
        """What `BlockLog` keeps, all of it from one endpoint that has both blocks."""

        async def from_one(endpoint: Utxo) -> Transfers:
            await self._admit(endpoint)
            numbers = range(after.number, upto.number + 1)
            blocks = await asyncio.gather(*(_block(endpoint, number) for number in numbers))
            touching = await endpoint.transactions(blocks[1:], of=addresses)
            last = await _block(endpoint, upto.number)
            if blocks[0].hash != after.hash or not blocks[-1].hash == last.hash == upto.hash:
                detail = f"{endpoint.host}: blocks {after.number} to {upto.number} are not those asked about"
                raise RemoteError(FailureReason.LAG, detail)
            transfers = [
                self._transfer(transaction, block)
                for block in blocks[1:]
                for transaction in touching.transactions.get(block.number, ())
            ]
            return Transfers(transfers=transfers, unread=touching.unread)

        return await self._used.use(from_one)

    def _transfer(self, transaction: UtxoTransaction, block: Head) -> Transfer:
        return Transfer(
            block=block,
            transaction=transaction.id,
            token=self.coin,
            sources=tuple((output.address, output.value) for output in transaction.inputs),
            destinations=tuple((output.address, output.value) for output in transaction.outputs),
            signers=tuple(dict.fromkeys(output.address for output in transaction.inputs)),
            fee=transaction.fee,
        )

    async def _snapshot(
        self, endpoint: Utxo, holdings: Sequence[Holding], *, newest: Callable[[Utxo], Awaitable[Head]]
    ) -> Snapshot:
        """Raises LAG where blocks come faster than balances."""
        of_coin = [holding for holding in holdings if holding.token.contract is None]
        head = await newest(endpoint)
        for _ in range(TRIES):
            amounts = await endpoint.balances([holding.address for holding in of_coin])
            before, head = head, await newest(endpoint)
            if head.hash == before.hash:
                break
        else:
            detail = f"{endpoint.host}: a new block during each of {TRIES} readings of {len(of_coin)} balances"
            raise RemoteError(FailureReason.LAG, detail)
        if of_coin and not amounts:
            raise RemoteError(FailureReason.SCHEMA, f"{endpoint.host}: none of {len(of_coin)} was answered")
        told = {holding: amounts[holding.address] for holding in of_coin if holding.address in amounts}
        return Snapshot(head=head, endpoint=endpoint.host, amounts=told)

    async def _tip(self, endpoint: Utxo) -> Head:
        await self._admit(endpoint)
        head = await endpoint.head()
        if (head.timestamp - self._clock.now()).total_seconds() > AHEAD_SECONDS:
            raise RemoteError(
                FailureReason.SCHEMA, f"{endpoint.host}: newest block {head.number} is of {head.timestamp}"
            )
        return head

    async def _newest(self, endpoint: Utxo) -> Head:
        """The newest block of one endpoint. Raises LAG where that is old, goes back, or others are further."""
        floor = self._told.now()  # before we ask: answers to questions asked at once may overtake each other
        head = await self._tip(endpoint)
        age = (self._clock.now() - head.timestamp).total_seconds()
        if age > LOOK_AROUND_PACES * self._pace and self.endpoints > 1:
            await self.tips()
        if age > self._stale:
            raise RemoteError(FailureReason.LAG, f"{endpoint.host}: newest block {head.number} is {age:.0f} s old")
        if head.number < floor:
            detail = f"{endpoint.host}: height went back from {floor} to {head.number}"
            raise RemoteError(FailureReason.LAG, detail)
        if head.number < self._seen.now() - 1:
            detail = f"{endpoint.host}: at block {head.number} while another is at {self._seen.now()}"
            raise RemoteError(FailureReason.LAG, detail)
        self._told.raise_to(head.number)
        self._seen.raise_to(head.number)
        return head

    async def _admit(self, endpoint: Utxo) -> None:
        """Raises WRONG_CHAIN, for block 0 tells one chain from another."""
        since = self._admitted.get(endpoint)
        if since is not None and self._clock.monotonic() - since < ADMITTED_SECONDS:
            return
        self._admitted.pop(endpoint, None)
        first = await _block(endpoint, 0)
        if first.hash != self._genesis:
            detail = (
                f"{endpoint.host}: {self.network} begins with {self._genesis[:16]}, this chain with {first.hash[:16]}"
            )
            raise RemoteError(FailureReason.WRONG_CHAIN, detail)
        self._admitted[endpoint] = self._clock.monotonic()


async def _block(endpoint: Utxo, number: int) -> Head:
    block = await endpoint.block(number)
    if block.number != number:
        detail = f"{endpoint.host}: asked for block {number}, answered with block {block.number}"
        raise RemoteError(FailureReason.SHAPE, detail)
    return block
