"""Tron behind the HTTP API of java-tron: TRX with all that is staked, and TRC-20 tokens.

A node tells an account as it is now, not as it was at a block. So blocks are read too, and what moved meanwhile is read
again until nothing did: the balances of a snapshot are all those of one block.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from monitor.chains.abreast import abreast
from monitor.chains.admission import Admission
from monitor.chains.blocks import BlockLog, Transfer, Transfers
from monitor.chains.jsonrpc import Endpoint
from monitor.chains.ledger import Head, Holding, Movements, Snapshot, Token
from monitor.chains.tron_moves import TRX, transfers, unseen
from monitor.chains.tron_node import TronNode, to_hex
from monitor.clock import Clock
from monitor.http import Http
from monitor.model import FailureReason, RemoteError

MAINNET_GENESIS = "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc"
STALE_SECONDS = 60.0  # 20 blocks
KEPT_BLOCKS = 1200  # an hour
ROUNDS = 6  # of reading what moved again; the second takes as long as a few blocks, the others less than one


class TronChain:
    """`tokens` are all that are asked about; `genesis` is the id of block 0, which every endpoint must have."""

    coin = TRX

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        network: str,
        endpoints: Sequence[Endpoint],
        tokens: Sequence[Token] = (),
        api_key: str = "",
        genesis: str = MAINNET_GENESIS,
        stale_seconds: float = STALE_SECONDS,
    ) -> None:
        self.network = network
        self.endpoints = len(endpoints)
        self._genesis = genesis
        self._contracts = {None, *(token.contract for token in tokens)}
        self._tokens = {to_hex(token.contract)[2:]: token for token in tokens if token.contract}
        self._nodes = Admission(
            [TronNode(http, endpoint, api_key=api_key) for endpoint in endpoints],
            clock,
            network=network,
            newest=self._newest,
            stale_seconds=stale_seconds,
        )
        self._log = BlockLog(self, blocks=KEPT_BLOCKS)
        self._existing: set[str] = set()  # accounts that were told: they never cease to be

    def watch(self, addresses: Iterable[str]) -> None:
        self._log.watch(addresses)

    async def head(self) -> Head:
        return await self._nodes.head()

    async def tips(self) -> list[Head]:
        return await self._nodes.tips()

    async def block(self, number: int) -> Head:
        return await self._nodes.use(lambda node: node.block(number))

    async def balances(self, holdings: Sequence[Holding]) -> Snapshot:
        """All balances at the newest block that was there when the last of them was read.

        TRX is all that is the account's own, staked and lent too. A contract that refuses, and an address in which
        every block of a while moved something, is missing.
        """

        async def read(node: TronNode) -> Snapshot:
            return await self._snapshot(node, holdings, since=await self._nodes.admit(node))

        return await self._nodes.use(read)

    async def second(self, holdings: Sequence[Holding], *, first: Snapshot) -> Snapshot:
        """What another endpoint tells as of now, less what its blocks moved since the block of `first`."""

        async def read(node: TronNode, newest: Head) -> Snapshot:
            at = await node.block(first.head.number)
            if at.hash != first.head.hash:
                raise RemoteError(FailureReason.LAG, f"{node.host}: has another block {at.number}")
            later = await self._snapshot(node, holdings, since=newest)
            since = await self._changes(holdings, after=first.head, upto=later.head)
            amounts = {
                holding: amount - sum(since[holding]) for holding, amount in later.amounts.items() if holding in since
            }
            return Snapshot(head=first.head, endpoint=node.host, amounts=amounts)

        return await self._nodes.use_another(read, apart_from=first.endpoint)

    async def movements(self, addresses: Collection[str], *, after: Head, upto: Head) -> Movements:
        """Payments, calls of contracts, internal transactions, fees, rewards and TRC-20 transfers, block by block.

        Not seen: trades of TRX at the exchange built into the chain, for which an address is not covered where it
        traded itself; stakes that a contract leaves to another as it destroys itself; tokens that change balances
        without a `Transfer` event.
        """
        return await self._log.movements(addresses, after=after, upto=upto)

    async def read(self, addresses: Collection[str], *, after: Head, upto: Head) -> Transfers:
        """What left or reached any of `addresses`, for the log of blocks. Raises `RemoteError`, LAG after a reorg."""
        own = {to_hex(address): address for address in addresses}

        async def on_node(node: TronNode) -> Transfers:
            found: list[Transfer] = []
            unread: set[str] = set()
            parent = after.hash
            for block in await node.blocks(after.number + 1, upto.number):
                if block.parent != parent:
                    raise RemoteError(FailureReason.LAG, f"{node.host}: block {block.number} follows another")
                outcomes = await node.outcomes(block)
                try:
                    found += transfers(block, outcomes, own=own.keys(), tokens=self._tokens)
                except msgspec.ValidationError as error:
                    raise RemoteError(FailureReason.SCHEMA, f"{node.host}: block {block.number}: {error}") from error
                unread |= {own[account] for account in unseen(block) & own.keys()}
                parent = block.id
            if parent != upto.hash:
                raise RemoteError(FailureReason.LAG, f"{node.host}: has another block {upto.number}")
            return Transfers(transfers=found, unread=frozenset(unread))

        return await self._nodes.use(on_node)

    async def _newest(self, node: TronNode) -> Head:
        genesis = await node.block(0)
        if genesis.hash != self._genesis:
            detail = f"{node.host}: {self.network} begins with block {self._genesis}, this with {genesis.hash}"
            raise RemoteError(FailureReason.WRONG_CHAIN, detail)
        return await node.newest()

    async def _snapshot(self, node: TronNode, holdings: Sequence[Holding], *, since: Head) -> Snapshot:
        """Read everything, and again what moved while we read; `since` is a block that was there before."""
        self._log.watch(holding.address for holding in holdings)
        amounts: dict[Holding, int] = {}
        pending = [holding for holding in holdings if holding.token.contract in self._contracts]
        for _ in range(ROUNDS):
            read = await abreast(pending, lambda holding: self._amount(node, holding))
            amounts |= {holding: amount for holding, amount in read.items() if amount is not None}
            now = await self._later(node, since)
            changes = await self._changes(amounts, after=since, upto=now)
            pending = [holding for holding in amounts if changes.get(holding) != []]
            since = now
            if not pending:
                break
            for holding in pending:
                del amounts[holding]
        return Snapshot(head=since, endpoint=node.host, amounts=amounts)

    async def _later(self, node: TronNode, since: Head) -> Head:
        now = await node.newest()
        if now.number < since.number:
            raise RemoteError(FailureReason.LAG, f"{node.host}: height went back from {since.number} to {now.number}")
        return now

    async def _changes(self, holdings: Collection[Holding], *, after: Head, upto: Head) -> dict[Holding, list[int]]:
        """By how much each holding changed at each movement; one of which not all is known is missing."""
        changes: dict[Holding, list[int]] = {holding: [] for holding in holdings}
        if after.hash == upto.hash:
            return changes
        addresses = {holding.address for holding in holdings}
        read = await self._log.movements(addresses, after=after, upto=upto)
        for move in read.moves:
            for address, change in move.changes.items():
                changes.setdefault(Holding(address, move.token), []).append(change)
        if read.coverage < 1.0:
            for address in addresses:
                if (await self._log.movements([address], after=after, upto=upto)).coverage < 1.0:
                    changes = {holding: moved for holding, moved in changes.items() if holding.address != address}
        return changes

    async def _amount(self, node: TronNode, holding: Holding) -> int | None:
        address, token = holding.address, holding.token
        if token.contract:
            return await node.token_balance(to_hex(address), contract=to_hex(token.contract))
        owned = await node.owned(to_hex(address))
        if owned is not None:
            self._existing.add(address)
            return owned
        # The node is at the newest block, so it knows every account. One that it once knew is not gone.
        if address in self._existing:
            raise RemoteError(FailureReason.DISAGREEMENT, f"{node.host}: an account is gone")
        return 0
